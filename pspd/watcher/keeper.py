"""Sees to the roots: that each is there and watched, and that hints still come.

Neither a drive that is unmounted nor a notifier that dies says so, so both are asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pspd.core.model import Directory, DirectoryId
from pspd.log import get_logger
from pspd.store import batch
from pspd.watcher.descriptors import Inode
from pspd.watcher.notify import Hint, NoNotifier, Notifier, WatchError
from pspd.watcher.roots import RootState, inode_of, is_empty

if TYPE_CHECKING:
    from pspd.core.model import WatchRoot
    from pspd.store.store import Store

SCAN_LOAD = 50
"""Rescans pause at least so many times as long as they took: at most 2 % of one core."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """When to look."""

    coalesce_seconds: float = 0.05
    """How long hints about one directory are gathered."""
    rescan_seconds: float = 3600.0
    """Pause between two scans of a root."""
    poll_seconds: float = 30.0
    """The same for a root that cannot be watched."""


class Taker(Protocol):
    """Takes what the watcher finds."""

    def hand_on(self, operations: Sequence[batch.Operation], *, is_news: bool) -> None:
        """Apply operations; news are read before the backlog. Raises StoreError."""

    def root_is_back(self) -> None:
        """Hear that a root is there again, and with it files that could not be read."""


class RootKeeper:
    """Owns the notifier and knows how each root is; used by the watcher's thread alone.

    Args:
        store: Where the roots' directories are recorded.
        notifier_factory: Makes the source of hints; again when one dies.
        options: When to look.
        taker: Takes what is found.
        sink: Takes hints, from any thread.
    """

    def __init__(
        self,
        store: Store,
        notifier_factory: Callable[[], Notifier],
        options: Options,
        *,
        taker: Taker,
        sink: Callable[[Hint], None],
    ) -> None:
        self._store = store
        self._notifier_factory = notifier_factory
        self._notifier = notifier_factory()
        self._options = options
        self._taker = taker
        self._sink = sink

    @property
    def notifier_name(self) -> str:
        """Where hints come from."""
        return self._notifier.name

    def start(self) -> None:
        """Start the notifier; if it cannot be, go on with scans alone and say so at each root."""
        try:
            self._notifier.start(self._sink)
        except WatchError as error:
            _log.error("no hints can be had; roots are only scanned", reason=error)
            self._notifier = NoNotifier(problem=str(error))

    def close(self) -> None:
        """Stop the notifier."""
        self._notifier.close()

    def unwatch(self, root: WatchRoot) -> None:
        """Ask for no more hints about a root."""
        self._notifier.unwatch(root.path)

    def enter(self, state: RootState) -> bool:
        """Make sure that a root is there and watched before it is scanned."""
        inode = inode_of(state.root.path)
        with self._store.read() as reader:
            known = reader.directory(state.root.directory)
            has_entries = reader.has_entries(state.root.directory)
        assert known is not None, "a root's own directory is stored with it"
        if inode is None:
            state.make_unavailable("its folder is missing: is a drive not mounted?")
            return False
        if inode != (known.device, known.inode):
            if has_entries and is_empty(state.root.path):
                state.make_unavailable(
                    "another, empty folder is in its place: is a drive not mounted?"
                )
                return False
            moved = Directory(
                known.directory_id, known.root_id, DirectoryId(0), "", inode[0], inode[1]
            )
            self._taker.hand_on([batch.PutDirectory(moved)], is_news=False)
        if state.watched != inode:
            self._watch(state, inode)
        if state.is_unavailable:
            state.make_available()
            self._taker.root_is_back()
        return True

    def plan_rescan(self, state: RootState, took: float) -> None:
        """Say when a root is scanned again, after a scan that took so many seconds."""
        pause = self._options.poll_seconds if state.watch_problem else self._options.rescan_seconds
        state.next_scan = time.monotonic() + max(pause, SCAN_LOAD * took)

    def check(self, states: Sequence[RootState]) -> list[RootState]:
        """See to the notifier and the roots; returns the roots that are to be scanned."""
        if not self._notifier.is_alive():
            self._replace_notifier(states)
        return [state for state in states if self._needs_scan(state)]

    def _needs_scan(self, state: RootState) -> bool:
        inode = inode_of(state.root.path)
        if state.is_unavailable:
            return inode is not None
        if inode is None:
            state.make_unavailable("its folder is missing: is a drive not mounted?")
            _log.warning("a root is unavailable", path=state.root.path)
            return True
        is_due = time.monotonic() >= state.next_scan
        return state.is_scanned and (is_due or inode != state.watched)

    def _replace_notifier(self, states: Sequence[RootState]) -> None:
        _log.error("the notifier died; starting another and scanning", name=self._notifier.name)
        self._notifier.close()
        self._notifier = self._notifier_factory()
        self.start()
        for state in states:
            state.watched = None

    def _watch(self, state: RootState, inode: Inode) -> None:
        try:
            self._notifier.watch(state.root.path)
        except WatchError as error:
            state.watch_problem = str(error)
            _log.warning("a root cannot be watched", path=state.root.path, reason=error)
        else:
            state.watch_problem = ""
        state.watched = inode
