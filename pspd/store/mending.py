"""Mends a store whose pages are whole: drops what is damaged, and derives the rest anew.

    kept where it is whole   roots, directories, files, failures, images, columns, pixels, orphans,
                             quarantine, descriptors, copies if not one is missing
    derived from those       children, inodes, pending, digests, links, counters, parts of meta,
                             undescribed, and of models what is not their name

A file that lost what it rests on goes back into the queue and is read again; a directory that lost
its parent is forgotten, and the next scan finds it. So nothing is guessed, and all is found again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pspd.core.model import (
    Counts,
    Directory,
    DirectoryId,
    FileRecord,
    FileState,
    ImageNumber,
    RootId,
)
from pspd.errors import StoreError
from pspd.store import codec, column_reading, columns, image_codec, keys, shapes
from pspd.store.copy_mending import mend_copies
from pspd.store.descriptor_mending import mend_descriptors
from pspd.store.directory_mending import DirectoryMender
from pspd.store.environment import DATABASES
from pspd.store.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    import lmdb

    from pspd.store.manifest import KeptRoot

_DERIVED = ("children", "inodes", "pending", "digests", "links", "counters", "undescribed")


@dataclass(slots=True)
class Mended:
    """What was done."""

    dropped: int = 0
    """Values that were damaged, or led nowhere."""
    queued: int = 0
    """Files that are read again."""

    def __bool__(self) -> bool:
        return bool(self.dropped or self.queued)


class Mender:
    """Mends everything within one write transaction.

    Args:
        transaction: A write transaction.
        databases: All of them.
        roots: The roots as the manifest has them: one that the store lost is put back.
        now: Wall clock, seconds since the epoch; images that have no file are dated so.
        distrusted: Images whose features are known to be wrong: they are dropped.
        least: Numbers of `meta` that somebody remembers: none goes back behind it.
    """

    def __init__(  # noqa: PLR0913 - most by name
        self,
        transaction: lmdb.Transaction[bytes],
        databases: Mapping[str, lmdb._Database],
        *,
        roots: Sequence[KeptRoot],
        now: int,
        distrusted: frozenset[ImageNumber] = frozenset(),
        least: Mapping[str, int] | None = None,
    ) -> None:
        self._transaction = transaction
        self._databases = databases
        self._tables = Tables(transaction, databases)
        self._reader = self._tables.reader
        self._directory_mender = DirectoryMender(self._tables, roots)
        self._now = now
        self._distrusted = distrusted
        self._least = least or {}
        self._mended = Mended()
        self._directories: dict[DirectoryId, Directory] = {}
        self._images: set[ImageNumber] = set()
        self._counts: defaultdict[RootId, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        self._waiting: set[tuple[int, bytes]] = set()
        """The queue as it was: place and file."""

    def mend(self) -> Mended:
        """Do it all."""
        for name in DATABASES:
            self._drop_damaged(name)
        for name, number in self._least.items():
            self._tables.set_number(name, max(self._tables.number(name), number))
        self._waiting = {
            (keys.number_from_key(key), raw) for key, raw in self._reader.items("pending")
        }
        for name in _DERIVED:
            self._transaction.drop(self._databases[name], delete=False)
        self._directories = self._directory_mender.mend()
        self._mended.dropped += self._directory_mender.dropped
        self._mend_columns()
        self._mend_images()
        self._mend_numbers()
        self._mend_files()
        self._mend_what_hangs_on_files()
        self._mended.dropped += mend_copies(self._tables, self._images)
        self._mended.dropped += mend_descriptors(self._tables, self._images)
        self._tables.finish()
        return self._mended

    # --- what is damaged

    def _drop_damaged(self, name: str) -> None:
        with self._transaction.cursor(db=self._databases[name]) as cursor:
            is_there = cursor.first()
            while is_there:
                try:
                    shapes.check(name, cursor.key(), cursor.value())
                except StoreError:
                    is_there = cursor.delete() and bool(cursor.key())
                    self._mended.dropped += 1
                else:
                    is_there = cursor.next()

    def _drop(self, database: str, raw_keys: Sequence[bytes]) -> None:
        for raw in raw_keys:
            self._tables.delete(database, raw)
        self._mended.dropped += len(raw_keys)

    # --- images

    def _mend_columns(self) -> None:
        """Fill the holes that damaged blocks left, so that each row is in its place."""
        sizes: dict[int, dict[int, int]] = {}
        for key, body in self._reader.items("columns"):
            rows = len(body) // shapes.WIDTHS[key[0]]
            sizes.setdefault(keys.block_of(key), {})[key[0]] = rows
        whole = {
            block for block, rows in sizes.items()
            if len(rows) == len(shapes.WIDTHS) and len(set(rows.values())) == 1
        }  # fmt: skip
        broken = set(range(max(sizes, default=-1) + 1)) - whole
        for block in broken:
            for column in shapes.WIDTHS:
                raw = keys.column_key(column, block)
                self._tables.put("columns", raw, columns.empty_block(column))

    def _mend_images(self) -> None:
        writer = columns.ColumnWriter(self._transaction, self._databases["columns"])
        qualities = column_reading.read_qualities(self._transaction, self._databases["columns"])
        lost: list[ImageNumber] = []
        for key, body in self._reader.items("images"):
            number = ImageNumber(keys.number_from_key(key))
            record = image_codec.decode_image(number, body)
            has_row = number < len(qualities) and qualities[number] == record.quality
            is_double = self._reader.number_of(record.image_id) is not None
            if not has_row or is_double or number in self._distrusted:
                lost.append(number)
                continue
            self._images.add(number)
            self._tables.put("digests", keys.digest_key(record.image_id, number), b"")
        rows = [int(row) for row in (qualities != shapes.NO_ROW).nonzero()[0]]
        for row in rows:
            if row not in self._images:
                writer.drop(ImageNumber(row))
        writer.finish()
        self._drop("images", [keys.number_key(number) for number in lost])
        for name in ("pixels", "orphans"):
            lonely = [
                key for key, _ in self._reader.items(name)
                if keys.number_from_key(key) not in self._images
            ]  # fmt: skip
            self._drop(name, lonely)
        above = max([*self._images, *lost, *rows], default=-1) + 1
        self._tables.set_number("next_image", max(self._tables.number("next_image"), above))

    def _mend_numbers(self) -> None:
        """Have the queue's numbers go on above all that were ever given."""
        highest = 0
        for _, body in self._reader.items("files"):
            highest = max(highest, codec.decode_file(body)[0].sequence)
        number = max(self._tables.number("next_sequence"), highest + 1)
        self._tables.set_number("next_sequence", number)

    # --- files

    def _mend_files(self) -> None:
        changed: list[tuple[bytes, FileRecord | None, bytes]] = []
        for raw, body in self._reader.items("files"):
            record, cut_name = codec.decode_file(body)
            mended = self._mend_file(raw, record)
            if mended is not record:
                changed.append((raw, mended, cut_name))
        for raw, mended, cut_name in changed:
            if mended is None:
                self._drop("files", [raw])
                continue
            queued = replace(mended, sequence=self._tables.next_number("next_sequence"))
            self._tables.put("files", raw, codec.encode_file(queued, cut_name))
            self._mended.queued += 1

    def _mend_file(self, raw: bytes, record: FileRecord) -> FileRecord | None:
        """Return a file's record as it should be: itself, to be queued, or None."""
        if keys.number_from_key(raw) not in self._directories:
            return None
        pending = FileRecord(record.stamp, FileState.PENDING)
        is_known = record.image is not None and record.image in self._images
        if (record.state is FileState.INDEXED) != is_known or (
            record.image is not None and not is_known
        ):
            return pending
        if record.state is FileState.FAILED and self._reader.get("failures", raw) is None:
            return pending
        if record.state is FileState.PENDING and not record.sequence:
            return pending
        # A place in the queue that was lost may have been passed by already: a new one is not.
        if record.sequence and (record.sequence, raw) not in self._waiting:
            return replace(record, sequence=0)
        return record

    def _mend_what_hangs_on_files(self) -> None:
        linked: set[ImageNumber] = set()
        failed: set[bytes] = set()
        for raw, record in self._files():
            if record.image is not None:
                linked.add(record.image)
                self._tables.put("links", keys.link_key(record.image, raw), b"")
            if record.sequence:
                self._tables.put("pending", keys.number_key(record.sequence), raw)
            if record.state is FileState.FAILED:
                failed.add(raw)
            self._count(raw, record)
        stray = [key for key, _ in self._reader.items("failures") if key not in failed]
        self._drop("failures", stray)
        for image in self._images:
            key = keys.number_key(image)
            if image in linked:
                self._tables.delete("orphans", key)
            elif self._reader.get("orphans", key) is None:
                self._tables.put("orphans", key, codec.encode_number(self._now))
        self._tables.set_number("pictures", len(linked))
        for root in self._reader.roots():
            root_id = root.root_id
            body = codec.encode_counts(Counts(*self._counts[root_id]))
            self._tables.put("counters", keys.root_key(root_id), body)

    def _files(self) -> Iterator[tuple[bytes, FileRecord]]:
        for raw, body in self._reader.items("files"):
            yield raw, codec.decode_file(body)[0]

    def _count(self, raw: bytes, record: FileRecord) -> None:
        directory = self._directories[DirectoryId(keys.number_from_key(raw))]
        counts = self._counts[directory.root_id]
        counts[0] += record.state is FileState.INDEXED
        counts[1] += record.sequence != 0
        counts[2] += record.state is FileState.FAILED
        counts[3] += record.not_picture
