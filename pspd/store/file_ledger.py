"""The one place where a file's record changes, and with it all that hangs on it.

Its link to an image, its place in the queue, its failure and its root's counters follow from the
difference between the old record and the new one.
"""

from __future__ import annotations

import os

from pspd.core.model import (
    Counts,
    DirectoryId,
    FileKey,
    FileRecord,
    FileState,
    ImageNumber,
    RootId,
)
from pspd.store import codec, keys
from pspd.store.copies import CopyLedger
from pspd.store.tables import Tables


class FileLedger:
    """Files, links, queue and counters of one write transaction.

    Args:
        tables: The transaction's databases.
        now: Wall clock, seconds since the epoch; images that lose their last file are dated so.
    """

    def __init__(self, tables: Tables, now: int) -> None:
        self._tables = tables
        self._reader = tables.reader
        self._copies = CopyLedger(tables)
        self._now = now
        self._roots: dict[DirectoryId, RootId] = {}
        self._counts: dict[RootId, list[int]] = {}
        self.touched: set[DirectoryId] = set()
        """Directories of which a file's record changed."""

    def forget_root(self, root_id: RootId) -> None:
        """Drop a root's counters."""
        self._counts.pop(root_id, None)
        self._tables.delete("counters", keys.root_key(root_id))

    def finish(self) -> None:
        """Write the counters."""
        for root_id, counts in self._counts.items():
            body = codec.encode_counts(Counts(*counts))
            self._tables.put("counters", keys.root_key(root_id), body)

    def set_file(self, key: FileKey, new: FileRecord | None, old: FileRecord | None) -> None:
        """Replace the record of a file, `old`, by `new`; None is for no record."""
        raw = keys.file_key(key)
        self.touched.add(key.directory)
        self._count(key.directory, old, -1)
        self._count(key.directory, new, +1)
        old_image, new_image = (old.image if old else None), (new.image if new else None)
        if old_image != new_image:
            if new_image is not None:
                self._link(new_image, raw)
            if old_image is not None:
                self._unlink(old_image, raw)
        old_sequence, new_sequence = (old.sequence if old else 0), (new.sequence if new else 0)
        if old_sequence != new_sequence:
            if old_sequence:
                self._tables.delete("pending", keys.number_key(old_sequence))
            if new_sequence:
                self._tables.put("pending", keys.number_key(new_sequence), raw)
        if (
            old is not None
            and old.state is FileState.FAILED
            and (new is None or new.state is not FileState.FAILED)
        ):
            self._tables.delete("failures", raw)
        if new is None:
            self._tables.delete("files", raw)
        else:
            self._tables.put("files", raw, codec.encode_file(new, cut_name(key)))

    def _count(self, directory_id: DirectoryId, record: FileRecord | None, by: int) -> None:
        if record is None:
            return
        root_id = self._root_of(directory_id)
        counts = self._counts.get(root_id)
        if counts is None:
            stored = self._reader.counts().get(root_id, Counts())
            counts = [stored.indexed, stored.pending, stored.failed, stored.not_pictures]
            self._counts[root_id] = counts
        counts[0] += by * (record.state is FileState.INDEXED)
        counts[1] += by * (record.sequence != 0)
        counts[2] += by * (record.state is FileState.FAILED)
        counts[3] += by * record.not_picture

    def _root_of(self, directory_id: DirectoryId) -> RootId:
        if directory_id not in self._roots:
            directory = self._reader.directory(directory_id)
            assert directory is not None, "a file is put into a directory that exists"
            self._roots[directory_id] = directory.root_id
        return self._roots[directory_id]

    def _link(self, image: ImageNumber, raw: bytes) -> None:
        had_links = self._has_links(image)
        self._tables.put("links", keys.link_key(image, raw), b"")
        if had_links:
            self._copies.see_files(image)
        else:
            self._tables.set_number("pictures", self._tables.number("pictures") + 1)
            self._tables.delete("orphans", keys.number_key(image))

    def _unlink(self, image: ImageNumber, raw: bytes) -> None:
        self._tables.delete("links", keys.link_key(image, raw))
        if self._has_links(image):
            self._copies.see_files(image)
        else:
            self._tables.set_number("pictures", self._tables.number("pictures") - 1)
            self._tables.put("orphans", keys.number_key(image), codec.encode_number(self._now))

    def _has_links(self, image: ImageNumber) -> bool:
        return self._tables.has_prefix("links", keys.number_key(image))


def cut_name(key: FileKey) -> bytes:
    """Return the full name of a file whose key has only a part of it; else nothing."""
    return os.fsencode(key.name) if keys.is_cut(key.name) else b""
