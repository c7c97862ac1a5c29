"""Sees to the roots: that each is there and watched, and that hints still come.

Neither a drive that is unmounted nor a notifier that dies says so, so both are asked.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pspd.core.model import Directory, DirectoryId
from pspd.log import get_logger
from pspd.noticeboard import Notice
from pspd.rpc.wire import quoted
from pspd.store import batch
from pspd.watcher.coverage import Coverage
from pspd.watcher.descriptors import Inode
from pspd.watcher.doubts import Doubts
from pspd.watcher.heartbeat import Heartbeat
from pspd.watcher.mounts import POLLED_FILE_SYSTEMS, MountTable
from pspd.watcher.notify import AnyHint, Hint, NoNotifier, Notifier, Sink, WatchError
from pspd.watcher.roots import RootState, inode_of, is_empty

if TYPE_CHECKING:
    from pathlib import Path

    from pspd.core.model import WatchRoot
    from pspd.noticeboard import NoticeBoard
    from pspd.store.store import Store

SCAN_LOAD = 50
"""Rescans pause at least so many times as long as they took: at most 2 % of one core."""

BACK_OFF_SECONDS = 1.0
"""Pause before a notifier is replaced a second time; it doubles."""

LONGEST_BACK_OFF_SECONDS = 300.0

INSTANCES = "fs.inotify.max_user_instances"

_MISSING = "its folder is missing: is a drive not mounted?"
_REPLACED = "another, empty folder is in its place: is a drive not mounted?"

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """When to look. What the configuration says has its default there."""

    coalesce_seconds: float
    """How long hints about one directory are gathered."""
    rescan_seconds: float
    """Pause between two scans of a root."""
    poll_seconds: float
    """The same for a root that cannot be watched."""
    blind_poll_seconds: float
    """Pause before a directory that cannot be watched is first looked at again."""
    blind_poll_longest_seconds: float
    """Longest pause between two looks at it."""
    confirm_seconds: float
    """How long a suspicious deletion waits for a second look."""
    heartbeat_seconds: float
    """Pause between two signs of life that the notifier is asked for."""
    trust_seconds: float = 60.0
    """A notifier that lived so long is no longer suspected of dying again."""
    absence_seconds: float = 30.0
    """Everything is scanned after the machine slept, or the process was stopped, for so long."""
    check_seconds: float = 2.0
    """How often each root's own directory is looked at: drives come and go without an event."""
    polled_file_systems: Collection[str] = POLLED_FILE_SYSTEMS
    """Types of file systems that others can change unseen."""


class Taker(Protocol):
    """Takes what the watcher finds."""

    def hand_on(self, operations: Sequence[batch.Operation], *, is_news: bool) -> None:
        """Apply operations; news are read before the backlog. Raises StoreError."""

    def root_is_back(self) -> None:
        """Hear that a root is there again or goes on, and with it files that were not read."""

    def root_is_paused(self) -> None:
        """Hear that the files of a root are not read for now; nobody shall wait for them."""


class RootKeeper:
    """Owns the notifier and knows how each root is; used by the watcher's thread alone.

    Args:
        store: Where the roots' directories are recorded.
        notifier_factory: Makes the source of hints; again when one dies.
        options: When to look.
        taker: Takes what is found.
        sink: Takes hints, from any thread.
        board: Where a person reads what is wrong.
        folder: PSP's own, for the notifier's signs of life; None: they are not asked for.
    """

    def __init__(  # noqa: PLR0913 - most by name
        self,
        store: Store,
        notifier_factory: Callable[[], Notifier],
        options: Options,
        *,
        taker: Taker,
        sink: Sink,
        board: NoticeBoard,
        folder: Path | None,
    ) -> None:
        self._store = store
        self._notifier_factory = notifier_factory
        self._notifier = notifier_factory()
        self._options = options
        self._taker = taker
        self._sink = sink
        self._board = board
        self._heartbeat = Heartbeat(folder, options.heartbeat_seconds)
        self._started = 0.0
        self._deaths = 0
        self.mounts = MountTable(polled=options.polled_file_systems)
        self.coverage = Coverage(
            board,
            self.mounts,
            lambda: self._notifier,
            shortest=options.blind_poll_seconds,
            longest=options.blind_poll_longest_seconds,
        )
        self.doubts = Doubts(store, board, self.coverage, options.confirm_seconds)

    @property
    def notifier_name(self) -> str:
        """Where hints come from."""
        return self._notifier.name

    def start(self) -> None:
        """Start the notifier; if it cannot be, go on with scans alone and say so at each root."""
        self.mounts.renew()
        self._started = time.monotonic()
        try:
            self._notifier.start(self._take)
        except WatchError as error:
            _log.error("no hints can be had; roots are only scanned", reason=error)
            self._notifier = NoNotifier(problem=str(error))
        self._heartbeat.begin(self._notifier)

    def _take(self, hint: AnyHint) -> None:
        if self._heartbeat.is_echo(hint):
            return
        if isinstance(hint, Hint) and hint.path is None:
            self._board.count("queue_overflows")
        self._sink(hint)

    def close(self, deadline: float = math.inf) -> None:
        """Stop the notifier, by `deadline` of `time.monotonic()`."""
        self._notifier.close(deadline)

    def unwatch(self, root: WatchRoot) -> None:
        """Ask for no more hints about a root."""
        self._notifier.unwatch(root.path)
        for part in ("root", "hints", "deletion"):
            self._board.withdraw("watching", f"{part} {root.root_id}")

    def enter(self, state: RootState) -> bool:
        """Make sure that a root is there and watched before it is scanned; never a paused one."""
        if state.root.paused:
            return False
        inode = inode_of(state.root.path)
        with self._store.read() as reader:
            known = reader.directory(state.root.directory)
            has_entries = reader.has_entries(state.root.directory)
        assert known is not None, "a root's own directory is stored with it"
        if inode is None:
            self._lose(state, _MISSING)
            return False
        if inode != (known.device, known.inode):
            is_confirmed = self.coverage.is_confirmed(state.root.path)
            if has_entries and is_empty(state.root.path) and not is_confirmed:
                self._lose(state, _REPLACED)
                return False
            if inode[0] != known.device:
                state.former_device = known.device
            moved = Directory(
                known.directory_id, known.root_id, DirectoryId(0), "", inode[0], inode[1]
            )
            self._taker.hand_on([batch.PutDirectory(moved)], is_news=False)
        if state.watched != inode:
            self._watch(state, inode)
        if state.is_unavailable:
            state.make_available()
            self._board.withdraw("watching", f"root {state.root.root_id}")
            self._taker.root_is_back()
        return True

    def _lose(self, state: RootState, reason: str) -> None:
        """Note that a root is not there; nothing is believed to be deleted."""
        if not state.is_unavailable:
            _log.warning("a root is unavailable", path=state.root.path, reason=reason)
        state.make_unavailable(reason)
        path = state.root.path
        cure = f"mount it, or forget its files: pspc roots confirm {quoted(path)}"
        if reason == _MISSING:
            cure = f"mount it, or watch it no longer: pspc remove {quoted(path)}"
        text = f"a watched folder is unavailable, what is known of it stays: {reason}"
        key = f"root {state.root.root_id}"
        self._board.post(key, Notice("watching", text, cure, path))

    def plan_rescan(self, state: RootState, took: float) -> None:
        """Say when a root is scanned again, after a scan that took so many seconds."""
        pause = self._options.poll_seconds if state.watch_problem else self._options.rescan_seconds
        state.next_scan = time.monotonic() + max(pause, SCAN_LOAD * took)
        if state.suspicion.files:
            state.next_scan = min(state.next_scan, state.suspicion.until)

    def catch_up(self, seconds: float) -> None:
        """Wait, for so long at most, until what happened by now has been hinted at."""
        self._notifier.catch_up(seconds)

    def check(self, states: Sequence[RootState]) -> list[RootState]:
        """See to the notifier and the roots; returns the roots that are to be scanned."""
        self._see_to_notifier(states)
        self.coverage.publish()
        if self.coverage.take_returned():
            self._taker.root_is_back()
        return [state for state in states if self._needs_scan(state)]

    def exchanged(self, states: Sequence[RootState]) -> list[RootState]:
        """See to the mounts; returns the roots that something was mounted on or above."""
        places = self.mounts.renew()
        for place in places:
            self._sink(Hint(place))
        return [state for state in states if any(_is_below(place, state) for place in places)]

    def _needs_scan(self, state: RootState) -> bool:
        if state.root.paused:
            return False
        inode = inode_of(state.root.path)
        if state.is_unavailable:
            return inode is not None
        if inode is None:
            self._lose(state, _MISSING)
            return True
        is_due = time.monotonic() >= state.next_scan
        return state.is_scanned and (is_due or inode != state.watched)

    def _see_to_notifier(self, states: Sequence[RootState]) -> None:
        """Replace a notifier that is dead or gives no sign of life, each time later."""
        age = time.monotonic() - self._started
        if self._notifier.is_alive() and not self._heartbeat.is_silent():
            if self._deaths and age > self._options.trust_seconds:
                self._deaths = 0
                self._board.withdraw("watching", "notifier")
            return
        pause = min(BACK_OFF_SECONDS * 2 ** min(self._deaths, 16), LONGEST_BACK_OFF_SECONDS)
        if self._deaths and age < pause:
            return
        self._deaths += 1
        self._board.count("notifier_deaths")
        _log.error("the notifier died; starting another and scanning", name=self._notifier.name)
        self._notifier.close()
        self._notifier = self._notifier_factory()
        name = self._notifier.name
        self.start()
        text = f"the source of hints ({name}) died; another was started and everything is scanned"
        cure = "if it dies again, choose another by watch.notifier in the configuration"
        self._board.post("notifier", Notice("watching", text, cure))
        for state in states:
            state.watched = None

    def _watch(self, state: RootState, inode: Inode) -> None:
        key = f"hints {state.root.root_id}"
        try:
            self._notifier.watch(state.root.path)
        except WatchError as error:
            state.watch_problem = str(error)
            _log.warning("a root cannot be watched", path=state.root.path, reason=error)
            text = f"{error}; scanned every {self._options.poll_seconds:g} s"
            cure = f"sudo sysctl {INSTANCES}=1024" if INSTANCES in text else ""
            self._board.post(key, Notice("watching", text, cure, state.root.path))
        else:
            state.watch_problem = ""
            self._board.withdraw("watching", key)
        state.watched = inode


def _is_below(place: str, state: RootState) -> bool:
    """Say whether a root is at a path or below it."""
    return f"{state.root.path}/".startswith(place.rstrip("/") + "/")
