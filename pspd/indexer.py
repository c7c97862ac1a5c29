"""Turns changes into records: queue → file → worker → one batch → store, then index.

    watcher ──operations──▶ apply ─────────────────┐
    ReadingQueue ──▶ N reading threads ──▶ workers │──▶ store ──▶ index ──▶ events
                          └──results──▶ committer ─┘

Every change of the store passes `apply`, which brings the index up to it before the next one; the
index may lag, but never tells of what the store does not have.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol

from pspd.applying import Applier, Follower, Listener
from pspd.committing import RETRY_SECONDS, Committer, Options
from pspd.core.model import FailureReason, FileKey, ImageNumber
from pspd.core.pausing import Pause, unhindered
from pspd.errors import NoWorker, StoreError
from pspd.host import seconds_left
from pspd.log import get_logger
from pspd.reading import FileReader
from pspd.reading_queue import Entry, ReadingQueue
from pspd.room import LOOK_SECONDS, Room
from pspd.second_looks import Missing, NotReady, RootPaused
from pspd.store import batch
from pspd.supervision import ThreadMaker, unsupervised

if TYPE_CHECKING:
    from pspd.search.index import Index
    from pspd.store.manifest import KeptRoot
    from pspd.store.mending import Mended
    from pspd.store.store import Store

MOST_DEATHS = 2
"""After so many deaths of its reader a file is believed to be the cause, and recorded as failed."""

STORED_SECONDS = 1.0
"""A result is looked at again no sooner than this."""

STORING_SECONDS = 0.5
"""What `close` leaves of its time to the last batch."""

CLOSE_SECONDS = 1.0
"""How long `close` waits for readers: one may hang in a disk or a network that does not answer, or
decode something huge, which is then read again at the next start."""

_log = get_logger(__name__)


class Audience(Listener, Protocol):
    """Those whom the indexer tells something; they must not keep it waiting."""

    def look_at(self, path: str, seconds: float = 0.0) -> None:
        """Hear of a path to look at after some seconds: a file is missing, or may be whole now."""


class Indexer:
    """Reads queued files and applies every change.

    Args:
        store: The truth.
        index: Brought up to the store after each batch.
        reader: Opens files and has workers extract them.
        options: How.
        audience: Told of what happens.
        make_thread: Makes the threads.
        pause: Called between two steps; those who search may be let pass.
        follower: Keeps up with learned descriptors.
    """

    def __init__(  # noqa: PLR0913 - every part by its name
        self,
        store: Store,
        index: Index,
        reader: FileReader,
        options: Options,
        audience: Audience,
        *,
        make_thread: ThreadMaker = unsupervised,
        pause: Pause = unhindered,
        follower: Follower | None = None,
    ) -> None:
        self._store = store
        self._applier = Applier(store, index, audience, pause, follower)
        self._pause = pause
        self._reader = reader
        self._audience = audience
        self._room = Room(store.folder, options.min_free_bytes, options.retry_seconds)
        self._queue = ReadingQueue(store)
        self._committer = Committer(
            self._queue, self._apply_noting, options, make_thread, self._room, pause
        )
        self._stopping = threading.Event()
        self._at_hand: dict[int, Entry] = {}
        """Thread → what it reads."""
        self._deaths: Counter[int] = Counter()
        """Queue entry → how many readers died of it."""
        self._problems: dict[int, str] = {}
        """Thread → why what it has cannot be stored; others may still store smaller things."""
        self._readers = [
            make_thread(
                "reader", self._read, recover=self._recover_entry, name=f"pspd-reader-{number}"
            )
            for number in range(options.threads)
        ]

    @property
    def rate(self) -> float:
        """Files finished per second, over the last seconds."""
        return self._committer.rate

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
        self._committer.start()
        for thread in self._readers:
            thread.start()

    def retire(self) -> None:
        """Read no more than the files at hand; the queue stays in the store."""
        self._stopping.set()
        self._queue.close()

    def close(self, deadline: float = math.inf) -> None:
        """Finish the files at hand and store them, up to `deadline` of `time.monotonic()`."""
        self.retire()
        until = min(deadline - STORING_SECONDS, time.monotonic() + CLOSE_SECONDS)
        for thread in self._readers:
            if thread.is_alive():
                thread.join(seconds_left(until))
        if any(thread.is_alive() for thread in self._readers):
            _log.warning("a file is left behind; it is read again at the next start")
        self._committer.close(deadline)

    def hand_on(self, operations: Sequence[batch.Operation], *, is_news: bool) -> None:
        """Take what the watcher found; news are read before the backlog.

        Raises:
            StoreError: Nothing of it was stored.
        """
        applied = self._apply_noting(operations)
        if is_news:
            self._queue.put_news(applied.queued)
        else:
            self._queue.wake()
        self._queue.recheck()

    def root_is_back(self) -> None:
        """Read what was put aside because its root was not there, or was paused."""
        self._queue.unpark()

    def root_is_paused(self) -> None:
        """Have nobody wait any longer for files of a root that was paused."""
        self._queue.recheck()

    def apply(self, operations: Sequence[batch.Operation]) -> batch.Applied:
        """Apply operations to the store, then to the index.

        Raises:
            StoreError: Nothing of it was stored.
        """
        return self._applier.apply(operations)

    def at_rest(self) -> AbstractContextManager[Index]:
        """Let nothing be applied meanwhile: index and store say the same."""
        return self._applier.at_rest()

    def settle_index(self) -> bool:
        """Have the index make its answers faster; returns whether there is more to do."""
        return self._applier.settle_index()

    def mend(self, roots: Sequence[KeptRoot], distrusted: frozenset[ImageNumber]) -> Mended:
        """Mend the store as `Store.mend` does, and have what it queued read.

        Raises:
            StoreError: Nothing was changed.
        """
        mended = self._applier.mend(roots, distrusted)
        self._queue.start_over()
        return mended

    def remember(self, operations: Sequence[batch.Operation]) -> None:
        """Apply what a search learned, soon; dropped when there is no room, never waited for."""
        self._committer.offer(operations)

    def barrier(self) -> Future[None]:
        """Return a future that is done when all that is queued now was read."""
        return self._queue.barrier()

    def _apply_noting(self, operations: Sequence[batch.Operation]) -> batch.Applied:
        with self._noting_problems():
            return self.apply(operations)

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
            self._pause()
            entry = self._take()
            if entry is None:
                continue
            self._at_hand[threading.get_ident()] = entry
            try:
                self._serve(entry)
            except (NoWorker, StoreError) as error:
                self._queue.put_later(entry.sequence, entry.key, RETRY_SECONDS)
                if not self._stopping.is_set():
                    _log.error("a file cannot be read now; trying again", error=error)
                    self._stopping.wait(RETRY_SECONDS)
            del self._at_hand[threading.get_ident()]

    def _serve(self, entry: Entry) -> None:
        try:
            result = self._reader.read(entry.sequence, entry.key)
        except NotReady as wait:
            if isinstance(wait, Missing):
                self._ask_to_look(entry.key)
            if isinstance(wait, RootPaused):
                self._queue.give_back(entry)
            elif wait.is_absent:
                self._queue.park(entry)
            else:
                self._queue.put_later(entry.sequence, entry.key, wait.seconds)
            return
        if result is None:
            self._queue.done([entry.sequence])
            return
        self._committer.take(result)
        if isinstance(result, batch.FileFailed):
            seconds = self._reader.looks.seconds_to_recheck(result)
            if seconds is not None:
                # Not before it is stored, which takes a fraction of a second.
                self._ask_to_look(result.key, max(seconds, STORED_SECONDS))

    def _recover_entry(self) -> None:
        """Put back what this thread had when it died, or record that readers die of it."""
        entry = self._at_hand.get(threading.get_ident())
        if entry is None:
            return
        self._deaths[entry.sequence] += 1
        if self._deaths[entry.sequence] < MOST_DEATHS:
            self._queue.put_later(entry.sequence, entry.key, 0.0)
        else:
            with self._store.read() as reader:
                record = reader.file(entry.key)
            if record is None or record.sequence != entry.sequence:
                self._queue.done([entry.sequence])
            else:
                reason = FailureReason.CRASHED
                message = f"{MOST_DEATHS} readers died of it; see the daemon's log"
                self._committer.take(
                    batch.FileFailed(
                        entry.key, entry.sequence, record.stamp, False, reason, message
                    )
                )
            del self._deaths[entry.sequence]
        del self._at_hand[threading.get_ident()]

    def _ask_to_look(self, key: FileKey, seconds: float = 0.0) -> None:
        with self._store.read() as reader:
            path = reader.file_path(key)
        if path is not None:
            self._audience.look_at(path, seconds)

    def _take(self) -> Entry | None:
        """Wait for the next file; None when the queue is closed or cannot be read now."""
        try:
            return self._queue.take()
        except StoreError as error:
            _log.error("the queue cannot be read; trying again", error=error)
            self._stopping.wait(RETRY_SECONDS)
            return None
