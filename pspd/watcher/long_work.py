"""The work that takes long, bit by bit: scans of roots, and leaving removed and paused ones."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from pspd.core.model import RootId, WatchRoot
from pspd.core.pausing import Pause
from pspd.watcher.deletions import removal

if TYPE_CHECKING:
    from pspd.store.store import Store
    from pspd.watcher.deletions import Doomed
    from pspd.watcher.keeper import RootKeeper, Taker
    from pspd.watcher.roots import RootState
    from pspd.watcher.scan import Pass
    from pspd.watcher.scan_queue import ScanQueue, ScanRequest


STEP_SECONDS = 0.001
"""Work goes on for so long before hints are looked for: that takes some 10 µs, and small unchanged
directories 100 each."""


class LongWork:
    """Takes what is to be left and scans in turn; one thread works, others ask with the lock held.

    Args:
        store: Where the records of a removed root are.
        roots: How each root is.
        scans: The scans that are asked for.
        keeper: Sees to it that a root is there.
        taker: Takes what a removal drops.
        new_pass: Makes a sweep whose finds are backlog.
        believe: Says whether what is gone from a root may be dropped.
        catch_up: Follows all hints there are; returns whether everything has to be scanned for it.
        lock: Guards the roots and what is asked for.
        pause: Called before each bit of work; those who search may be let pass.
    """

    def __init__(  # noqa: PLR0913 - every part by its name
        self,
        store: Store,
        roots: Mapping[RootId, RootState],
        scans: ScanQueue,
        *,
        keeper: RootKeeper,
        taker: Taker,
        new_pass: Callable[[], Pass],
        believe: Callable[[Doomed], bool],
        catch_up: Callable[[], bool],
        lock: threading.Condition,
        pause: Pause,
    ) -> None:
        self._store = store
        self._roots = roots
        self._scans = scans
        self._keeper = keeper
        self._taker = taker
        self._new_pass = new_pass
        self._believe = believe
        self._catch_up = catch_up
        self._lock = lock
        self._pause = pause
        self._left: deque[WatchRoot] = deque()
        """Roots that were removed or paused."""
        self._work: Iterator[None] | None = None
        self._sweep: Pass | None = None

    def leave(self, root: WatchRoot) -> None:
        """Ask for a root to be watched no longer, and for its records to go if it was removed."""
        self._left.append(root)

    def take(self) -> bool:
        """Begin the next work, the lock being held; returns whether there is any."""
        if self._left:
            root = self._left[0]
            self._work = self._remove(root) if root.removing else self._rest(root)
        elif (request := self._scans.take()) is not None:
            self._work = self._scan(request)
        return self._work is not None

    def step(self) -> bool:
        """Do a bit of the work at hand, a directory's worth at least; say whether there is any."""
        until = time.monotonic() + STEP_SECONDS
        has_any = self._work is not None
        while self._work is not None:
            self._pause()
            if next(self._work, self) is self:
                self._work = None
            if time.monotonic() >= until:
                break
        return has_any

    def make_way(self) -> None:
        """Have the scan at hand hand on what a look has to know."""
        if self._sweep is not None:
            self._sweep.make_way()

    def drop(self) -> None:
        """Drop the work at hand; those who wait for its scan go on waiting."""
        self._work = self._sweep = None
        with self._lock:
            self._scans.put_back()

    def _scan(self, request: ScanRequest) -> Iterator[None]:
        state = self._roots.get(request.root_id)
        begun = time.monotonic()
        if state is not None and self._keeper.enter(state):
            is_whole = False
            self._keeper.doubts.begin_scan(state)
            sweep = self._sweep = self._new_pass()
            for _ in sweep.scan(state.root, state.former_device):
                if state.is_resting or self._roots.get(request.root_id) is not state:
                    break
                yield
            else:
                is_whole = self._finish(sweep, state)
            self._sweep = None
            state.is_scanned = True
            self._keeper.plan_rescan(state, time.monotonic() - begun)
            self._keeper.coverage.publish()
            if not is_whole and request.may_repeat() and request.root_id in self._roots:
                with self._lock:
                    self._scans.put_back()
                return
        with self._lock:
            self._scans.forget_taken()
        request.finish()

    def _finish(self, sweep: Pass, state: RootState) -> bool:
        """Believe a scan that went through; returns whether it saw all there is."""
        sweep.flush()
        # What was seen deleted is dropped by the hints; only what nobody saw may be suspicious.
        is_disturbed = sweep.is_missing_any and self._catch_up()
        # A drive that was unmounted meanwhile looks like a folder whose files are gone.
        is_in_place = state.is_in_place()
        if is_in_place:
            sweep.finish([state.root], self._believe)
            self._keeper.doubts.finish_scan(state)
            state.former_device = None
        state.unreadable = tuple(sweep.unreadable)
        return is_in_place and not sweep.is_disturbed and not is_disturbed

    def _remove(self, root: WatchRoot) -> Iterator[None]:
        self._keeper.unwatch(root)
        for numbers, operation in removal(self._store, root):
            self._keeper.coverage.gone(numbers)
            self._taker.hand_on([operation], is_news=False)
            yield
        with self._lock:
            self._left.popleft()

    def _rest(self, root: WatchRoot) -> Iterator[None]:
        """Ask for no more hints about a paused root, directory by directory, unless it goes on."""
        stack = [root.directory]
        if self._is_paused(root):
            self._keeper.unwatch(root)
        while stack and self._is_paused(root):
            number = stack.pop()
            with self._store.read() as reader:
                stack += [child.directory_id for child in reader.children(number)]
            self._keeper.coverage.gone([number])
            yield
        self._keeper.coverage.publish()
        with self._lock:
            self._left.popleft()

    def _is_paused(self, root: WatchRoot) -> bool:
        state = self._roots.get(root.root_id)
        return state is not None and state.root.paused
