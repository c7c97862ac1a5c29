"""Watches the roots: takes hints, scans and requests in, hands decided changes on.

    Notifier ──Hint──▶ Debounce ──Look──┐
    start, timer, sync ────────scan────┼─▶ Pass ──operations──▶ store, queue of files to read
    add, remove ───────────────────────┘

One thread does all looking. A look where a hint points goes before the next directory of a scan, so
a new picture is found at once while a rescan of millions goes on.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from pspd.core.debounce import Debounce, Look
from pspd.core.model import RootId, WatchRoot
from pspd.errors import StoreError
from pspd.log import get_logger
from pspd.store import batch
from pspd.supervision import ThreadMaker, unsupervised
from pspd.watcher.descriptors import Inode
from pspd.watcher.keeper import Options, RootKeeper, Taker
from pspd.watcher.notify import Hint, Notifier
from pspd.watcher.roots import RootState, ScanRequest
from pspd.watcher.scan import Pass

if TYPE_CHECKING:
    from pspd.store.store import Store

ROOT_CHECK_SECONDS = 2.0
"""How often each root's own directory is looked at: drives come and go without an event."""

RETRY_SECONDS = 5.0
"""How long to wait after the store could not be written."""

CLOSE_SECONDS = 2.0
"""How long `close` waits for a look that hangs, in a network drive that does not answer."""

LONGEST_COALESCE_SECONDS = 2.0
"""How long hints about a directory that never gets quiet are gathered at most."""

_log = get_logger(__name__)

Place = tuple[RootId, tuple[str, ...]]


class Watcher:
    """Keeps the store's file records in step with the watched trees.

    Args:
        store: Where the records are.
        notifier_factory: Makes the source of hints; again when one dies.
        taker: Takes what is found.
        options: When to look.
        own: Directories of PSP itself, never looked at.
        make_thread: Makes the thread that looks.
    """

    def __init__(  # noqa: PLR0913 - every part by its name
        self,
        store: Store,
        notifier_factory: Callable[[], Notifier],
        taker: Taker,
        options: Options,
        own: Collection[Inode] = (),
        *,
        make_thread: ThreadMaker = unsupervised,
    ) -> None:
        self._store = store
        self._hand_on = taker.hand_on
        self._keeper = RootKeeper(
            store, notifier_factory, options, taker=taker, sink=self._take_hint
        )
        self._own = frozenset(own)
        self._condition = threading.Condition()
        self._debounce: Debounce[Place] = Debounce(
            options.coalesce_seconds, LONGEST_COALESCE_SECONDS
        )
        self._roots: dict[RootId, RootState] = {}
        self._scans: deque[ScanRequest] = deque()
        self._removals: deque[WatchRoot] = deque()
        self._work: Iterator[None] | None = None
        self._scanning: ScanRequest | None = None
        self._sweep: Pass | None = None
        self._next_check = 0.0
        self._stopping = False
        self._thread = make_thread("watcher", self._run, recover=self._start_over)

    @property
    def notifier_name(self) -> str:
        """Where hints come from."""
        return self._keeper.notifier_name

    # --- asked from other threads

    def start(self) -> None:
        """Take up the stored roots and begin."""
        self._keeper.start()
        with self._store.read() as reader:
            roots = reader.roots()
        for root in roots:
            if root.removing:
                self._removals.append(root)
            else:
                self._roots[root.root_id] = RootState(root)
                self._scans.append(ScanRequest(root.root_id))
        self._thread.start()

    def close(self) -> None:
        """Stop looking; what was not found yet is found at the next start."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)
        self._keeper.close()
        for request in (*self._scans, *([self._scanning] if self._scanning else [])):
            request.cancel()

    def add(self, root: WatchRoot) -> None:
        """Begin to watch a root that is in the store, or to watch it with other globs."""
        with self._condition:
            self._roots[root.root_id] = RootState(root)
            self._scans.appendleft(ScanRequest(root.root_id))
            self._condition.notify_all()

    def remove(self, root: WatchRoot) -> None:
        """Stop watching a root and drop its records, bit by bit."""
        with self._condition:
            self._roots.pop(root.root_id, None)
            self._removals.append(root)
            self._condition.notify_all()

    def roots(self) -> list[RootState]:
        """Return the roots and how each is."""
        with self._condition:
            return list(self._roots.values())

    def scan_all(self) -> Future[None]:
        """Scan every root from now on; the future is done when the store knows all of it."""
        done: Future[None] = Future()
        with self._condition:
            waiting = {request.root_id: request for request in self._scans}
            requests = []
            for root_id in self._roots:
                request = waiting.get(root_id)
                if request is None:
                    request = ScanRequest(root_id)
                    self._scans.append(request)
                requests.append(request)
            ScanRequest.join(requests, done)
            self._condition.notify_all()
        return done

    def look_at(self, path: str) -> None:
        """Look at a path soon: somebody did not find there what the store says."""
        self._take_hint(Hint(path))

    def _take_hint(self, hint: Hint) -> None:
        now = time.monotonic()
        with self._condition:
            if hint.path is None:
                self._request_scans(self._roots.values())
            else:
                self._place_hint(hint.path, now)
            self._condition.notify_all()

    def _request_scans(self, states: Iterable[RootState]) -> None:
        """Queue a scan of each root that waits for none yet."""
        with self._condition:
            waiting = {request.root_id for request in self._scans}
            self._scans.extend(
                ScanRequest(state.root.root_id)
                for state in states
                if state.root.root_id not in waiting
            )

    def _place_hint(self, path: str, now: float) -> None:
        for state in self._roots.values():
            if path == state.root.path:
                self._debounce.add((state.root.root_id, ()), None, now)
            elif path.startswith(state.prefix):
                *names, name = path[len(state.prefix) :].split("/")
                self._debounce.add((state.root.root_id, tuple(names)), name, now)

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
                self._pause(RETRY_SECONDS)

    def _start_over(self) -> None:
        """Drop the work at hand and scan everything, with those who wait for the scan at hand."""
        self._work = self._sweep = None
        self._take_hint(Hint(None))
        self._put_back()

    def _put_back(self) -> None:
        """Queue the scan at hand again, with those who wait for it."""
        with self._condition:
            if self._scanning is not None:
                self._scans.append(self._scanning)
                self._scanning = None

    def _step(self) -> None:
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + ROOT_CHECK_SECONDS
            running = None if self._scanning is None else self._scanning.root_id
            due = self._keeper.check(self.roots())
            self._request_scans(state for state in due if state.root.root_id != running)
        with self._condition:
            looks = self._debounce.take_due(now)
        if looks:
            self._follow(looks)
        if self._work is not None:
            # One directory at a time: neither hints nor scans keep the other waiting for long.
            if next(self._work, self) is self:
                self._work = None
        elif not looks:
            self._take_work()

    def _take_work(self) -> None:
        with self._condition:
            if self._removals:
                self._work = self._remove(self._removals[0])
            elif self._scans:
                self._scanning = self._scans.popleft()
                self._work = self._scan(self._scanning)
            else:
                due = self._debounce.next_due()
                until = self._next_check if due is None else min(due, self._next_check)
                if not self._stopping:
                    self._condition.wait(max(0.0, until - time.monotonic()))

    def _follow(self, looks: Sequence[Look[Place]]) -> None:
        """Look where hints point; moves between these places are seen as moves."""
        if self._sweep is not None:
            # Directories that a scan has found and not handed on would be taken for new again.
            self._sweep.flush()
        sweep = Pass(self._store, lambda found: self._hand_on(found, is_news=True), self._own)
        visited: list[RootState] = []
        for look in looks:
            root_id, names = look.place
            state = self._roots.get(root_id)
            if state is None or state.is_unavailable:
                continue
            visited.append(state)
            for _ in sweep.look(state.root, names, look.names):
                if self._stopping:
                    return
        sweep.flush()
        if all(state.is_in_place() for state in visited):
            sweep.finish([state.root for state in visited])
        else:
            sweep.is_disturbed = True
        if sweep.is_disturbed:
            self._take_hint(Hint(None))

    def _scan(self, request: ScanRequest) -> Iterator[None]:
        state = self._roots.get(request.root_id)
        begun = time.monotonic()
        if state is not None and self._keeper.enter(state):
            is_whole = False
            sweep = Pass(self._store, lambda found: self._hand_on(found, is_news=False), self._own)
            self._sweep = sweep
            for _ in sweep.scan(state.root):
                if state.is_unavailable or self._roots.get(request.root_id) is not state:
                    break
                yield
            else:
                sweep.flush()
                # A drive that was unmounted meanwhile looks like a folder whose files are gone.
                is_in_place = state.is_in_place()
                if is_in_place:
                    sweep.finish([state.root])
                is_whole = is_in_place and not sweep.is_disturbed
                state.unreadable = tuple(sweep.unreadable)
            self._sweep = None
            state.is_scanned = True
            self._keeper.plan_rescan(state, time.monotonic() - begun)
            if not is_whole and request.may_repeat() and request.root_id in self._roots:
                self._put_back()
                return
        with self._condition:
            self._scanning = None
        request.finish()

    def _remove(self, root: WatchRoot) -> Iterator[None]:
        """Drop a root's records, one directory at a time from the leaves up."""
        self._keeper.unwatch(root)
        stack = [root.directory]
        while stack:
            with self._store.read() as reader:
                children = [child.directory_id for child in reader.children(stack[-1])]
            if children:
                stack.extend(children)
            else:
                number = stack.pop()
                if stack:
                    self._hand_on([batch.RemoveDirectory(number)], is_news=False)
                else:
                    self._hand_on([batch.ForgetRoot(root)], is_news=False)
            yield
        with self._condition:
            self._removals.popleft()

    def _pause(self, seconds: float) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._stopping, seconds)
