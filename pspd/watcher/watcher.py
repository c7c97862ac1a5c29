"""Watches the roots: takes hints, scans and requests in, hands decided changes on.

    Notifier ──hint──▶ HintBox ──Target──┐
    Coverage (polling) ────────Target───┼─▶ Pass ──operations──▶ store, queue of files to read
    start, timer, sync ──scan──LongWork─┤
    add, remove, pause ────────LongWork─┘

One thread does all looking. A look where a hint points goes before the next directory of a scan, so
a new picture is found at once while a rescan of millions goes on.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from pspd.core.model import RootId, WatchRoot
from pspd.core.pausing import Pause, unhindered
from pspd.errors import StoreError
from pspd.host import seconds_left
from pspd.log import get_logger
from pspd.supervision import ThreadMaker, unsupervised
from pspd.watcher.descriptors import Inode
from pspd.watcher.hint_box import HintBox, Place
from pspd.watcher.keeper import Options, RootKeeper, Taker
from pspd.watcher.long_work import LongWork
from pspd.watcher.looks import Looks
from pspd.watcher.notify import AnyHint, Hint, MountHint, Notifier
from pspd.watcher.roots import RootState
from pspd.watcher.scan import Pass
from pspd.watcher.scan_queue import ScanQueue
from pspd.watcher.sleep import SleepDetector, boot_time
from pspd.watcher.unchanged import Unchanged

if TYPE_CHECKING:
    from pathlib import Path

    from pspd.noticeboard import NoticeBoard
    from pspd.store.store import Store
    from pspd.watcher.deletions import Doomed

RETRY_SECONDS = 5.0
"""How long to wait after the store could not be written."""

CATCH_UP_SECONDS = 1.0
"""How long a scan waits at its end for hints of what it misses; they take some milliseconds."""

CLOSE_SECONDS = 2.0
"""How long `close` waits for a look that hangs, in a network drive that does not answer."""

_log = get_logger(__name__)


class Watcher:
    """Keeps the store's file records in step with the watched trees.

    Args:
        store: Where the records are; its roots are taken up at once.
        notifier_factory: Makes the source of hints; again when one dies.
        taker: Takes what is found.
        options: When to look.
        board: Where a person reads what is wrong.
        own: Directories of PSP itself, never looked at.
        folder: A directory of PSP's own for the notifier's signs of life; None: none are asked for.
        make_thread: Makes the thread that looks.
        pause: Called between two looks; those who search may be let pass.
    """

    def __init__(  # noqa: PLR0913 - every part by its name
        self,
        store: Store,
        notifier_factory: Callable[[], Notifier],
        taker: Taker,
        options: Options,
        board: NoticeBoard,
        *,
        own: Collection[Inode] = (),
        folder: Path | None = None,
        make_thread: ThreadMaker = unsupervised,
        pause: Pause = unhindered,
    ) -> None:
        self._store = store
        self._taker = taker
        self._options = options
        self._board = board
        self._keeper = RootKeeper(
            store,
            notifier_factory,
            options,
            taker=taker,
            sink=self._take_hint,
            board=board,
            folder=folder,
        )
        self._sleep = SleepDetector(options.absence_seconds)
        self._own = frozenset(own)
        self._pause = pause
        self._unchanged = Unchanged()
        store.on_touched = self._unchanged.forget
        self._condition = threading.Condition()
        self._box = HintBox(options.coalesce_seconds)
        self._roots: dict[RootId, RootState] = {}
        self._looks = Looks(
            store,
            self._roots,
            self._keeper.coverage,
            new_pass=lambda: self._new_pass(is_news=True),
            believe=self._believe,
            rest=self._rest,
            pause=pause,
        )
        self._scans = ScanQueue()
        self._work = LongWork(
            store,
            self._roots,
            self._scans,
            keeper=self._keeper,
            taker=taker,
            new_pass=lambda: self._new_pass(is_news=False),
            believe=self._believe,
            catch_up=self._catch_up,
            lock=self._condition,
            pause=pause,
        )
        self._next_check = 0.0
        self._are_mounts_stale = False
        self._stopping = False
        self._thread = make_thread("watcher", self._run, recover=self._start_over)
        self._take_up_roots()

    def _take_up_roots(self) -> None:
        # Before anybody can ask: a sync that found no root would be told at once that all is seen.
        with self._store.read() as reader:
            roots = reader.roots()
        for root in roots:
            if root.removing:
                self._work.leave(root)
            else:
                self._roots[root.root_id] = RootState(root)
                self._scans.request([root.root_id])

    @property
    def notifier_name(self) -> str:
        """Where hints come from."""
        return self._keeper.notifier_name

    # --- asked from other threads

    def start(self) -> None:
        """Begin to look."""
        self._keeper.start()
        self._thread.start()

    def retire(self) -> None:
        """Begin to stop: what was not found yet is found at the next start."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()

    def close(self, deadline: float = math.inf) -> None:
        """Stop looking, and wait for it up to `deadline` of `time.monotonic()`."""
        self.retire()
        if self._thread.is_alive():
            self._thread.join(seconds_left(deadline, CLOSE_SECONDS))
        self._keeper.close(deadline)
        self._scans.cancel()

    def add(self, root: WatchRoot) -> None:
        """Begin to watch a root that is in the store, or to watch it with other globs."""
        with self._condition:
            self._roots[root.root_id] = RootState(root)
            self._scans.request_first(root.root_id)
            self._condition.notify_all()

    def remove(self, root: WatchRoot) -> None:
        """Stop watching a root and drop its records, bit by bit."""
        with self._condition:
            self._roots.pop(root.root_id, None)
            self._work.leave(root)
            self._condition.notify_all()

    def pause(self, root: WatchRoot) -> None:
        """Look at nothing below a root any more, not to the end of a scan either.

        Its records stay, and those who wait for it wait no longer.
        """
        with self._condition:
            self._roots[root.root_id] = RootState(root)
            self._work.leave(root)
            self._condition.notify_all()
        self._taker.root_is_paused()

    def resume(self, root: WatchRoot) -> None:
        """Scan a root that was paused, as at a start, and watch it again."""
        self.add(root)
        self._taker.root_is_back()

    def roots(self) -> list[RootState]:
        """Return the roots and how each is."""
        with self._condition:
            return list(self._roots.values())

    def resting(self) -> frozenset[RootId]:
        """Return the roots that are not there, or paused."""
        with self._condition:
            states = self._roots.values()
            return frozenset(state.root.root_id for state in states if state.is_resting)

    def scan_all(self) -> Future[None]:
        """Scan every root from now on; the future is done when the store knows all of it."""
        with self._condition:
            done = self._scans.request_all(self._roots)
            self._condition.notify_all()
        return done

    def look_at(self, path: str, seconds: float = 0.0) -> None:
        """Look at a path after some seconds: somebody doubts what the store says of it."""
        with self._condition:
            self._box.put_later(Hint(path), time.monotonic() + seconds)
            self._condition.notify_all()

    def confirm(self, path: str) -> Future[None]:
        """Believe that what is missing at and below a path is gone; done when it is dropped."""
        coverage = self._keeper.coverage
        coverage.confirm(path, is_confirmed=True)
        done = self.scan_all()
        done.add_done_callback(lambda _: coverage.confirm(path, is_confirmed=False))
        return done

    def _take_hint(self, hint: AnyHint) -> None:
        self._pause()  # meanwhile hints wait in the kernel, and come all at once
        now = time.monotonic()
        with self._condition:
            if isinstance(hint, MountHint):
                self._are_mounts_stale = True
            elif isinstance(hint, Hint) and hint.path is None:
                for state in self._roots.values():
                    state.suspicion.are_hints_lost = True
                self._request_scans(self._roots.values())
            else:
                self._box.put(hint, self._roots.values(), now)
            self._condition.notify_all()

    def _rest(self, place: Place, took: float) -> None:
        with self._condition:
            self._box.rest(place, took, time.monotonic())

    def _scan_everything(self) -> None:
        with self._condition:
            self._request_scans(self._roots.values())
            self._condition.notify_all()

    def _request_scans(self, states: Iterable[RootState]) -> None:
        """Queue a scan of each root that waits for none yet."""
        with self._condition:
            self._scans.request(state.root.root_id for state in states)

    # --- the watching thread

    def _run(self) -> None:
        while True:
            with self._condition:
                if self._stopping:
                    return
            try:
                self._step()
            except StoreError as error:
                # Nothing is lost: what could not be stored is found again by scanning.
                _log.error("the store cannot be written", error=error)
                self._start_over()
                with self._condition:
                    self._condition.wait_for(lambda: self._stopping, RETRY_SECONDS)

    def _start_over(self) -> None:
        """Drop the work at hand and scan everything, with those who wait for the scan at hand."""
        self._scan_everything()
        self._work.drop()

    def _step(self) -> None:
        self._pause()
        now = time.monotonic()
        with self._condition:
            are_mounts_stale, self._are_mounts_stale = self._are_mounts_stale, False
        if now >= self._next_check or are_mounts_stale:
            self._next_check = now + self._options.check_seconds
            # A scan that runs may be past what was exchanged.
            self._request_scans(self._keeper.exchanged(self.roots()))
            due = self._keeper.check(self.roots())
            self._request_scans(
                state for state in due if not self._scans.is_running(state.root.root_id)
            )
        with self._condition:
            looks = self._box.take_due(self._roots.values(), now)
        polls = self._keeper.coverage.take_due(now)
        if looks or polls:
            # Directories that a scan has found and not handed on would be taken for new again.
            self._work.make_way()
            if self._looks.follow(looks, polls, lambda: self._stopping):
                self._scan_everything()
        # One directory at a time: neither hints nor scans keep the other waiting for long.
        if not self._work.step() and not looks:
            self._take_work()

    def _take_work(self) -> None:
        with self._condition:
            if not self._work.take() and not self._stopping and not self._are_mounts_stale:
                times = (self._box.next_due(), self._keeper.coverage.next_due(), self._next_check)
                until = min(time for time in times if time is not None)
                self._wait(max(0.0, until - time.monotonic()))

    def _wait(self, seconds: float) -> None:
        """Wait for a hint, a request or the clock; scan everything after an absence."""
        begun = boot_time()
        self._condition.wait(seconds)
        if self._sleep.was_away(begun, seconds, boot_time(), time.monotonic()):
            _log.info("the machine slept or the process was stopped; scanning everything")
            self._board.count("absences")
            self._request_scans(self._roots.values())

    def _catch_up(self) -> bool:
        """Follow all hints of what happened by now; say whether all has to be scanned for it."""
        self._keeper.catch_up(CATCH_UP_SECONDS)
        with self._condition:
            looks = self._box.take_all()
        is_disturbed = self._looks.follow(looks, (), lambda: self._stopping)
        if is_disturbed:
            self._scan_everything()
        return is_disturbed

    def _new_pass(self, *, is_news: bool) -> Pass:
        return Pass(
            self._store,
            lambda found: self._taker.hand_on(found, is_news=is_news),
            self._own,
            self._keeper.coverage,
            self._unchanged,
        )

    def _believe(self, doomed: Doomed) -> bool:
        """Say whether what is gone from a root may be dropped, or waits for a second look."""
        state = self._roots.get(doomed.root.root_id)
        if state is not None and state.root.paused:
            return False
        return state is None or self._keeper.doubts.believe(state, doomed)
