"""Reads one queued file: opens it, sees that it is ready, has a worker extract it.

The outcome is an operation for the store, whatever happens; only a file that is not ready yet is
put off. The stamp before must equal the stamp after, or the file changed under the reader.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pspd.core.model import FailureReason, FileKey, FileStamp, ImageId
from pspd.core.pausing import Pause, unhindered
from pspd.core.reconcile import COARSE_GRAIN_NS, racy_for
from pspd.errors import FileFailure
from pspd.image_reading import ImageReader
from pspd.quarantine import QuarantinedError
from pspd.second_looks import NotReady, RootPaused, SecondLooks
from pspd.store import batch
from pspd.watcher.descriptors import has_writer, open_file, stamp_of
from pspd.watcher.roots import inode_of
from pspd.workers.handle import WorkerLostError
from pspd.workers.messages import Order

if TYPE_CHECKING:
    from pspd.core.model import ImageNumber
    from pspd.quarantine import Quarantine
    from pspd.store.reader import Reader
    from pspd.store.store import Store
    from pspd.workers.pool import WorkerPool
    from pspd.workers.replies import Outcome


_PASSING = {
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.EAGAIN,
    errno.EINTR,
    errno.EIO,
    errno.ESTALE,
    errno.ETIMEDOUT,
    errno.ENOTCONN,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
}

_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
"""ELOOP: it is a symbolic link by now."""


class FileReader:
    """Reads files for the indexer, from any thread.

    Args:
        store: Where files and known images are asked for.
        pool: The workers.
        quarantine: Stands before them.
        quiet_seconds: How long a file must be quiet where nobody can tell who writes it.
        max_delay_seconds: After so long a file is read although somebody has it open.
        incomplete_seconds: So long after its last change a file that ends early is read again.
        pause: Called between two steps; those who search may be let pass.
    """

    def __init__(  # noqa: PLR0913 - what it works with, and when
        self,
        store: Store,
        pool: WorkerPool,
        quarantine: Quarantine,
        *,
        quiet_seconds: float,
        max_delay_seconds: float,
        incomplete_seconds: float = 0.0,
        pause: Pause = unhindered,
    ) -> None:
        self._store = store
        self._pause = pause
        self._quarantine = quarantine
        self._pool = pool
        self._images = ImageReader(store, pool, quarantine, heeds_pauses=True)
        self._quiet_seconds = quiet_seconds
        self._max_delay_seconds = max_delay_seconds
        self.looks = SecondLooks(incomplete_seconds)
        """Says when what could not be read is looked at again."""
        self._busy_since: dict[FileKey, float] = {}
        self._lock = threading.Lock()
        self.extracted = 0
        """Pictures decoded for indexing since the start."""

    @property
    def sandbox(self) -> str:
        """What of the sandbox is in force in the workers; empty before the first is ready."""
        return "" if self._pool.protection is None else str(self._pool.protection)

    def read(self, sequence: int, key: FileKey) -> batch.Operation | None:
        """Read a queued file; None when there is nothing to do any more.

        Raises:
            NotReady: It was changed too recently, or its root is paused.
            NoWorker: No worker can be had.
        """
        with self._store.read() as reader:
            record = reader.file(key)
            place = reader.place_of(key.directory)
            is_paused = reader.is_paused(key.directory)
        if record is None or record.sequence != sequence or place is None:
            self._forget(key)
            return None
        if is_paused:
            raise RootPaused
        self._pause()
        try:
            descriptor = open_file(*place, key.name)
        except OSError as error:
            return self._not_opened(sequence, key, record.stamp, error)
        try:
            path = os.path.join(place[0], *place[1], key.name)
            operation = self._read_open(sequence, key, descriptor, path)
        finally:
            os.close(descriptor)
        if not isinstance(operation, batch.FileDeferred):
            self._forget(key)
        return operation

    def _not_opened(
        self, sequence: int, key: FileKey, stamp: FileStamp, error: OSError
    ) -> batch.Operation:
        """Say what it means that a file cannot be opened.

        Raises:
            NotReady: It may be the system's fault, or its drive is not there.
        """
        if error.errno in _GONE:
            is_root_in_place = self._is_root_in_place(key)
            raise self.looks.after_absence(key, is_root_in_place=is_root_in_place) from error
        if error.errno == errno.ENXIO:
            what = "a FIFO, socket or device"
            return _failed(sequence, key, stamp, FailureReason.NOT_A_FILE, what)
        if error.errno in _PASSING:
            self.looks.after_passing_error(key)
            self._forget(key)
        # Not the file but a folder above it, or the system, may be to blame, and then its stamp
        # will not tell when that is over: as racy, it is tried again by each scan.
        reason = os.strerror(error.errno or 0)
        return batch.FileFailed(key, sequence, stamp, True, FailureReason.UNREADABLE, reason)

    def _is_root_in_place(self, key: FileKey) -> bool:
        with self._store.read() as reader:
            root = reader.root_of(key.directory)
            top = None if root is None else reader.directory(root.directory)
        if root is None or top is None:
            return False
        return inode_of(root.path) == (top.device, top.inode)

    def extract_again(self, number: ImageNumber) -> batch.Operation | None:
        """Extract a known image with this version's code; None when no file is it any more.

        Raises:
            NoWorker: No worker can be had.
        """
        with self._store.read() as reader:
            image = reader.image(number)
        outcome = None if image is None else self._images.read(number, image.image_id, Order())
        if outcome is None or outcome.features is None:
            return None
        self._count_extraction()
        return batch.ImageRefreshed(number, outcome.features)

    def compare(self, key: FileKey) -> tuple[FileStamp, Outcome] | None:
        """Read a file whatever is known of it; None when it cannot be read now, or changes.

        Raises:
            NoWorker: No worker can be had.
        """
        with self._store.read() as reader:
            place = reader.place_of(key.directory)
        if place is None:
            return None
        try:
            descriptor = open_file(*place, key.name)
        except OSError:
            return None
        try:
            stamp = stamp_of(os.fstat(descriptor))
            outcome = self._quarantine.run(self._pool, descriptor, Order())
            return None if stamp_of(os.fstat(descriptor)) != stamp else (stamp, outcome)
        except FileFailure:
            return None
        finally:
            os.close(descriptor)

    def _read_open(
        self, sequence: int, key: FileKey, descriptor: int, path: str
    ) -> batch.Operation:
        status = os.fstat(descriptor)
        stamp = stamp_of(status)
        if not stat.S_ISREG(status.st_mode):
            return _failed(
                sequence, key, stamp, FailureReason.NOT_A_FILE, "a FIFO, socket or device"
            )
        if self._is_written(key, descriptor, stamp):
            return batch.FileDeferred(key, sequence, stamp)
        racy_ns = racy_for(stamp, time.time_ns())
        if 0 < racy_ns <= COARSE_GRAIN_NS:
            raise NotReady(racy_ns / 1e9)
        is_racy = racy_ns > 0
        try:
            outcome = self._quarantine.run(
                self._pool, descriptor, Order(), path=path, is_known=_is_known, pause=self._pause
            )
        except FileFailure as failure:
            if stamp_of(os.fstat(descriptor)) != stamp:
                return batch.FileDeferred(key, sequence, stamp)
            reason = FailureReason(failure.reason)
            if reason is FailureReason.UNREADABLE:
                is_racy = True
                self.looks.after_passing_error(key)
            if isinstance(failure, WorkerLostError) and reason is FailureReason.CRASHED:
                self.looks.after_death(key)
            failed = batch.FileFailed(key, sequence, stamp, is_racy, reason, str(failure))
            is_settled = isinstance(failure, QuarantinedError)
            return replace(
                failed, racy=is_racy or (not is_settled and self.looks.is_provisional(failed))
            )
        self._pause()
        if outcome.features is not None:
            self._count_extraction()
        if stamp_of(os.fstat(descriptor)) != stamp:
            return batch.FileDeferred(key, sequence, stamp)
        features = outcome.features
        return batch.FileIndexed(key, sequence, stamp, is_racy, outcome.image_id, features)

    def _is_written(self, key: FileKey, descriptor: int, stamp: FileStamp) -> bool:
        """Say whether somebody writes the file and should not be disturbed yet.

        Raises:
            NotReady: Nobody can tell, and it was changed too recently.
        """
        written = has_writer(descriptor)
        if written is None:
            quiet = time.time() - stamp.mtime_ns / 1e9
            # A time in the future says nothing; such a file is read at once.
            if 0 <= quiet < self._quiet_seconds:
                raise NotReady(self._quiet_seconds - quiet)
            return False
        if not written:
            return False
        now = time.monotonic()
        with self._lock:
            since = self._busy_since.setdefault(key, now)
        return now - since < self._max_delay_seconds

    def _forget(self, key: FileKey) -> None:
        with self._lock:
            self._busy_since.pop(key, None)
        self.looks.forget(key)

    def _count_extraction(self) -> None:
        with self._lock:
            self.extracted += 1


def _is_known(reader: Reader, image_id: ImageId) -> bool:
    return reader.number_of(image_id) is not None


def _failed(
    sequence: int, key: FileKey, stamp: FileStamp, reason: FailureReason, message: str
) -> batch.FileFailed:
    return batch.FileFailed(key, sequence, stamp, False, reason, message)
