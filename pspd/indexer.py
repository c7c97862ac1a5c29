"""Turns changes into records: queue → file → worker → one batch → store, then index.

    watcher ──operations──▶ apply ─────────────────┐
    ReadingQueue ──▶ N reading threads ──▶ workers │──▶ store ──▶ index ──▶ events
                          └──results──▶ committer ─┘

Every change of the store passes `apply`, which brings the index up to it before the next one; the
index may lag, but never tells of what the store does not have.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pspd.core.model import FileKey, ImageNumber
from pspd.errors import NoWorker, StoreError
from pspd.log import get_logger
from pspd.reading import FileReader, Missing, NotReady
from pspd.reading_queue import Entry, ReadingQueue
from pspd.room import LOOK_SECONDS, Room
from pspd.room import RETRY_SECONDS as RETRY_WRITE_SECONDS
from pspd.search.index import Index, Rows
from pspd.store import batch

if TYPE_CHECKING:
    from pspd.store.manifest import KeptRoot
    from pspd.store.mending import Mended
    from pspd.store.store import Store

RETRY_SECONDS = 5.0
"""How long to wait before a file that could not be read just now is tried again."""

RATE_SECONDS = 10.0
"""The rate is taken over so many seconds."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """How files are read and stored."""

    threads: int
    """Files read at once; one worker process each."""
    quiet_seconds: float
    """How long a file that somebody writes is left alone."""
    batch_files: int
    batch_seconds: float
    min_free_bytes: int = 0
    """Kept free on the store's disk; see `pspd.store.file_system.missing_room`."""
    retry_seconds: Sequence[float] = RETRY_WRITE_SECONDS
    """How long to wait before what could not be stored is tried again."""


class Audience(Protocol):
    """Those whom the indexer tells something; they must not keep it waiting."""

    def announce(self, changes: Sequence[batch.PathChange]) -> None:
        """Hear of changes that are stored."""

    def look_at(self, path: str) -> None:
        """Hear of a path where a file was not found."""


class Indexer:
    """Reads queued files and applies every change.

    Args:
        store: The truth.
        index: Brought up to the store after each batch.
        reader: Opens files and has workers extract them.
        options: How.
        audience: Told of what happens.
    """

    def __init__(
        self,
        store: Store,
        index: Index,
        reader: FileReader,
        options: Options,
        audience: Audience,
    ) -> None:
        self._store = store
        self._index = index
        self._reader = reader
        self._options = options
        self._audience = audience
        self._room = Room(store.folder, options.min_free_bytes, options.retry_seconds)
        self._queue = ReadingQueue(store)
        self._results: queue.Queue[batch.Operation | None] = queue.Queue(4 * options.threads)
        self._applying = threading.Lock()
        self._stopping = threading.Event()
        self._finished: deque[float] = deque()
        self._problems: dict[int, str] = {}
        """Thread → why what it has cannot be stored; others may still store smaller things."""
        self._readers = [
            threading.Thread(target=self._read, name=f"pspd-reader-{number}", daemon=True)
            for number in range(options.threads)
        ]
        self._committer = threading.Thread(target=self._commit, name="pspd-commit", daemon=True)

    @property
    def rate(self) -> float:
        """Files finished per second, over the last seconds."""
        now = time.monotonic()
        recent = [at for at in list(self._finished) if at > now - RATE_SECONDS]
        return len(recent) / max(now - recent[0], 0.1) if recent else 0.0

    @property
    def problem(self) -> str:
        """Why something cannot be stored at present; empty when all is well."""
        return next(iter(list(self._problems.values())), "") or self._room.problem()

    @property
    def is_idle(self) -> bool:
        """Whether no file waits to be read."""
        return self._queue.is_idle

    def start(self) -> None:
        """Begin to serve the queue as it was left."""
        for thread in (*self._readers, self._committer):
            thread.start()

    def close(self) -> None:
        """Finish the files at hand, store them and stop; the queue stays in the store."""
        self._stopping.set()
        self._queue.close()
        for thread in self._readers:
            if thread.is_alive():
                thread.join()
        while self._committer.is_alive():
            with suppress(queue.Full):
                self._results.put(None, timeout=1.0)
                self._committer.join()

    def hand_on(self, operations: Sequence[batch.Operation], *, is_news: bool) -> None:
        """Take what the watcher found; news are read before the backlog.

        Raises:
            StoreError: Nothing of it was stored.
        """
        with self._noting_problems():
            applied = self.apply(operations)
        if is_news:
            self._queue.put_news(applied.queued)
        else:
            self._queue.wake()
        self._queue.recheck()

    def root_is_back(self) -> None:
        """Read what was put aside because its root was not there."""
        self._queue.unpark()

    def apply(self, operations: Sequence[batch.Operation]) -> batch.Applied:
        """Apply operations to the store, then to the index.

        Raises:
            StoreError: Nothing of it was stored.
        """
        with self._applying:
            applied = self._store.apply(operations)
            if applied.images:
                self._index.put(Rows.of(applied.images))
            if applied.dropped:
                self._index.drop(applied.dropped)
        if applied.changes:
            self._audience.announce(applied.changes)
        return applied

    @contextmanager
    def at_rest(self) -> Iterator[Index]:
        """Let nothing be applied meanwhile: index and store say the same."""
        with self._applying:
            yield self._index

    def mend(self, roots: Sequence[KeptRoot], distrusted: frozenset[ImageNumber]) -> Mended:
        """Mend the store as `Store.mend` does, and bring the index up to it.

        Raises:
            StoreError: Nothing was changed.
        """
        with self._applying:
            mended = self._store.mend(roots, distrusted)
            with self._store.read() as reader:
                rows = reader.rows()
                ever = np.arange(reader.meta("next_image"), dtype=np.int64)
            self._index.put(rows)
            self._index.drop(np.setdiff1d(ever, rows.numbers))
        self._queue.wake()
        self._queue.recheck()
        return mended

    def remember(self, operations: Sequence[batch.Operation]) -> None:
        """Apply what a search learned, soon; dropped when there is no room, never waited for."""
        with suppress(queue.Full):
            for operation in operations:
                self._results.put_nowait(operation)

    def barrier(self) -> Future[None]:
        """Return a future that is done when all that is queued now was read."""
        return self._queue.barrier()

    @contextmanager
    def _noting_problems(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            self._problems[threading.get_ident()] = str(error)
            raise
        self._problems.pop(threading.get_ident(), None)

    # --- reading threads

    def _read(self) -> None:
        while not self._stopping.is_set():
            if self._room.problem() and not self._stopping.wait(LOOK_SECONDS):
                continue
            entry = self._take()
            if entry is None:
                continue
            try:
                result = self._reader.read(entry.sequence, entry.key)
            except NotReady as wait:
                if isinstance(wait, Missing):
                    self._report_missing(entry.key)
                if wait.is_absent:
                    self._queue.park(entry)
                else:
                    self._queue.put_later(entry.sequence, entry.key, wait.seconds)
                continue
            except (NoWorker, StoreError) as error:
                if not self._stopping.is_set():
                    _log.error("a file cannot be read now; trying again", error=error)
                    self._stopping.wait(RETRY_SECONDS)
                self._queue.put_later(entry.sequence, entry.key, RETRY_SECONDS)
                continue
            if result is None:
                self._queue.done([entry.sequence])
            else:
                self._pass_on(result)

    def _report_missing(self, key: FileKey) -> None:
        with self._store.read() as reader:
            path = reader.file_path(key)
        if path is not None:
            self._audience.look_at(path)

    def _take(self) -> Entry | None:
        """Wait for the next file; None when the queue is closed or cannot be read now."""
        try:
            return self._queue.take()
        except StoreError as error:
            _log.error("the queue cannot be read; trying again", error=error)
            self._stopping.wait(RETRY_SECONDS)
            return None

    def _pass_on(self, result: batch.Operation) -> None:
        """Give a result to the committer; without one it is dropped, and read again one day."""
        while self._committer.is_alive():
            with suppress(queue.Full):
                self._results.put(result, timeout=1.0)
                return

    # --- the committing thread

    def _commit(self) -> None:
        last_commit = 0.0
        while True:
            first = self._results.get()
            if first is None:
                return
            results = [first]
            until = last_commit + self._options.batch_seconds
            ended = self._gather(results, until)
            self._store_results(results)
            last_commit = time.monotonic()
            if ended:
                return

    def _gather(self, results: list[batch.Operation], until: float) -> bool:
        """Collect results until the batch is full or late, or nothing more is on its way.

        Returns whether the end was met.
        """
        while len(results) < self._options.batch_files:
            wait = max(0.0, until - time.monotonic())
            if self._queue.count_taken() <= len(results):
                wait = 0.0
            try:
                result = self._results.get(timeout=wait) if wait else self._results.get_nowait()
            except queue.Empty:
                return False
            if result is None:
                return True
            results.append(result)
        return False

    def _store_results(self, results: Sequence[batch.Operation]) -> None:
        for failures in itertools.count(1):
            try:
                with self._noting_problems():
                    applied = self.apply(results)
                break
            except StoreError as error:
                _log.error("a batch cannot be stored; trying again", error=error)
                if self._room.wait(failures, self._stopping):
                    return
        now = time.monotonic()
        self._finished.extend([now] * len(results))
        while self._finished and self._finished[0] < now - RATE_SECONDS:
            self._finished.popleft()
        for sequence, key in applied.deferred:
            self._queue.put_later(sequence, key, self._options.quiet_seconds)
        if applied.queued:
            self._queue.wake()
        self._queue.done([_sequence(result) for result in results])


def _sequence(result: batch.Operation) -> int:
    if isinstance(result, batch.FileIndexed | batch.FileFailed | batch.FileDeferred):
        return result.sequence
    return 0
