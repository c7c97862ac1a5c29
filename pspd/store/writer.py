"""Applies a batch inside one write transaction, keeping every database in step with `files`.

All that hangs on a file (its link to an image, its place in the queue, its failure, the counters)
changes in `pspd.store.file_ledger`, from the difference between its old record and its new one; all
that hangs on a directory in `pspd.store.directory_ledger`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pspd.core.model import (
    FailureReason,
    Features,
    FileKey,
    FileRecord,
    FileStamp,
    FileState,
    ImageNumber,
)
from pspd.store import batch as batches
from pspd.store import codec, image_codec, keys
from pspd.store.columns import ColumnWriter, record_of, row_of
from pspd.store.copies import CopyLedger
from pspd.store.descriptors import DescriptorLedger
from pspd.store.directory_ledger import DirectoryLedger
from pspd.store.file_ledger import FileLedger, cut_name
from pspd.store.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    import lmdb

    from pspd.core.model import WatchRoot


class Writer:
    """One write transaction on its way; throw it away if the transaction is not committed."""

    def __init__(
        self,
        transaction: lmdb.Transaction[bytes],
        databases: Mapping[str, lmdb._Database],
        now: int,
    ) -> None:
        self._tables = Tables(transaction, databases)
        self._reader = self._tables.reader
        self._columns = ColumnWriter(transaction, databases["columns"])
        self._ledger = FileLedger(self._tables, now)
        self._directories = DirectoryLedger(self._tables, self._remove_file)
        self._copies = CopyLedger(self._tables)
        self._descriptors = DescriptorLedger(self._tables)
        self.applied = batches.Applied()

    def apply(self, operation: batches.Operation) -> None:  # noqa: C901, PLR0912 - one line a case
        """Apply one operation."""
        match operation:
            case batches.FileIndexed():
                self._file_indexed(operation)
            case batches.FileFailed():
                self._file_failed(operation)
            case batches.FileDeferred(key, sequence, stamp):
                self._file_deferred(key, sequence, stamp)
            case batches.FileSeen(key, stamp):
                self._file_seen(key, stamp)
            case batches.FileSuspect(key, stamp):
                self._file_suspect(key, stamp)
            case batches.FileMoved(old, key, stamp, old_stamp):
                self._file_moved(old, key, stamp, old_stamp)
            case batches.FileGone(key, stamp):
                self._file_gone(key, stamp)
            case batches.PutDirectory(directory):
                self._directories.put(directory)
            case batches.RemoveDirectory(directory_id, place):
                self._directories.remove_missed(directory_id, place)
            case batches.PutRoot(root):
                self._tables.put_root(root)
            case batches.ForgetRoot(root):
                self._forget_root(root)
            case batches.ImageRefreshed(number, features):
                self._image_refreshed(number, features)
            case batches.PixelsKnown(number, pixels):
                if self._reader.image(number) is not None:
                    self._tables.put(
                        "pixels", keys.number_key(number), image_codec.encode_pixels(pixels)
                    )
            case batches.DescriptorsKnown():
                if self._descriptors.record(operation):
                    self.applied.described.append(operation)
            case batches.DropDescriptors(model, most):
                self._descriptors.drop(model, most)
            case batches.ForgetOrphans(before, most):
                self._forget_orphans(before, most)
            case batches.PutQuarantine(image_id, entry):
                self._tables.put("quarantine", image_id, codec.encode_quarantine(entry))
            case batches.DropQuarantine(image_id):
                self._tables.delete("quarantine", image_id)
            case batches.ImagesCompared():
                self._copies.record(operation)
            case batches.CompareAnew(rule):
                self._copies.begin_anew(rule)

    def finish(self) -> batches.Applied:
        """Write what was collected over the whole batch."""
        self._columns.finish()
        self._ledger.finish()
        self._descriptors.finish()
        self._tables.finish()
        self.applied.touched |= self._ledger.touched | self._directories.touched
        return self.applied

    def require(self, name: str, least: int) -> None:
        """See that a number of `meta` did not go back; else StoreDamaged is raised."""
        self._tables.require(name, least)

    def number(self, name: str) -> int:
        """Return a number of `meta` as it is by now."""
        return self._tables.number(name)

    def set_meta(self, name: str, number: int) -> None:
        """Set a number of `meta`."""
        self._tables.set_number(name, number)

    # --- files

    def _file_seen(self, key: FileKey, stamp: FileStamp) -> None:
        if not self._directories.is_there(key.directory):
            return  # removed since somebody looked into it
        old = self._reader.file(key)
        if old is not None and old.state is FileState.PENDING and old.stamp == stamp:
            self.applied.queued.append((old.sequence, key))
            return
        sequence = self._tables.next_number("next_sequence")
        self._ledger.set_file(key, FileRecord(stamp, FileState.PENDING, sequence=sequence), old)
        self.applied.queued.append((sequence, key))

    def _file_suspect(self, key: FileKey, stamp: FileStamp) -> None:
        old = self._reader.file(key)
        if old is None:
            self._file_seen(key, stamp)
        elif not old.sequence:
            self._queue(key, replace(old, racy=False), old)

    def _file_moved(
        self, origin: FileKey, key: FileKey, stamp: FileStamp, old_stamp: FileStamp
    ) -> None:
        record = self._reader.file(origin)
        old_path = self._reader.file_path(origin)
        has_target = self._reader.directory(key.directory) is not None
        is_it = record is not None and record.stamp == old_stamp
        if record is None or record.state is not FileState.INDEXED or not has_target or not is_it:
            self._file_seen(key, stamp)
            if is_it:
                self._file_gone(origin, None)
            return
        self._queue(key, replace(record, stamp=stamp), self._reader.file(key))
        self._ledger.set_file(origin, None, record)
        self._note("moved", key, old_path)

    def _file_gone(self, key: FileKey, stamp: FileStamp | None) -> None:
        old = self._reader.file(key)
        if old is not None and stamp in {None, old.stamp}:
            self._remove_file(key, old)

    def _remove_file(self, key: FileKey, record: FileRecord) -> None:
        self._note("removed", key)
        self._ledger.set_file(key, None, record)

    def _file_indexed(self, result: batches.FileIndexed) -> None:
        old = self._queued_file(result.key, result.sequence)
        if old is None:
            return
        number = self._reader.number_of(result.image_id)
        if number is None:
            if result.features is None:  # known when it was asked, forgotten since: read it again
                self._queue(result.key, replace(old, sequence=0), old)
                return
            number = self._new_image(result.features)
        record = FileRecord(result.stamp, FileState.INDEXED, result.racy, number)
        self._ledger.set_file(result.key, record, old)
        if old.image != number:  # else it was only confirmed
            self._note("indexed", result.key)

    def _file_failed(self, result: batches.FileFailed) -> None:
        old = self._queued_file(result.key, result.sequence)
        if old is None:
            return
        not_picture = result.reason is FailureReason.NOT_A_PICTURE
        record = FileRecord(result.stamp, FileState.FAILED, result.racy, not_picture=not_picture)
        self._ledger.set_file(result.key, record, old)
        self._tables.put(
            "failures",
            keys.file_key(result.key),
            codec.encode_failure(result.reason, result.message, cut_name(result.key)),
        )
        self._note("failed", result.key)

    def _file_deferred(self, key: FileKey, sequence: int, stamp: FileStamp) -> None:
        old = self._queued_file(key, sequence)
        if old is None:
            return
        new = self._tables.next_number("next_sequence")
        self._ledger.set_file(key, replace(old, stamp=stamp, sequence=new), old)
        self.applied.deferred.append((new, key))

    def _queued_file(self, key: FileKey, sequence: int) -> FileRecord | None:
        """Return a file's record if it is still queued as it was when somebody took it."""
        record = self._reader.file(key)
        return record if record is not None and record.sequence == sequence != 0 else None

    def _queue(self, key: FileKey, record: FileRecord, old: FileRecord | None) -> None:
        sequence = self._tables.next_number("next_sequence")
        self._ledger.set_file(key, replace(record, sequence=sequence), old)
        self.applied.queued.append((sequence, key))

    def _note(self, kind: batches.ChangeKind, key: FileKey, old_path: str | None = None) -> None:
        path = self._reader.file_path(key)
        if path is not None:
            self.applied.changes.append(batches.PathChange(kind, path, old_path))

    # --- images

    def _new_image(self, features: Features) -> ImageNumber:
        number = ImageNumber(self._tables.next_number("next_image", first=0))
        self._tables.put("digests", keys.digest_key(features.image_id, number), b"")
        self._put_image(number, features)
        return number

    def _put_image(self, number: ImageNumber, features: Features) -> None:
        self._tables.put(
            "images", keys.number_key(number), image_codec.encode_image(record_of(number, features))
        )
        self._columns.put(number, row_of(features))
        self.applied.images.append((number, features))

    def _image_refreshed(self, number: ImageNumber, features: Features) -> None:
        old = self._reader.image(number)
        if old is not None and old.image_id == features.image_id:
            self._put_image(number, features)
            self._copies.outdate(number)

    def _forget_orphans(self, before: int, most: int) -> None:
        numbers = [
            ImageNumber(keys.number_from_key(key))
            for key, body in self._reader.items("orphans")
            if codec.decode_number(body) < before
        ]
        for number in numbers[:most]:
            record = self._reader.image(number)
            if record is not None:
                self._tables.delete("digests", keys.digest_key(record.image_id, number))
            for database in ("images", "pixels", "orphans"):
                self._tables.delete(database, keys.number_key(number))
            self._copies.forget(number)
            self._descriptors.forget(number)
            self._columns.drop(number)
            self.applied.dropped.append(number)

    # --- roots

    def _forget_root(self, root: WatchRoot) -> None:
        self._directories.remove(root.directory)
        self._ledger.forget_root(root.root_id)
        self._tables.delete("roots", keys.root_key(root.root_id))
        self._tables.delete("meta", keys.paused_key(root.root_id))
