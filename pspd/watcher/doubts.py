"""Doubts that much of a root is gone, says so, and has it looked at once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspd.noticeboard import Notice
from pspd.rpc.wire import quoted

if TYPE_CHECKING:
    from pspd.noticeboard import NoticeBoard
    from pspd.store.store import Store
    from pspd.watcher.coverage import Coverage
    from pspd.watcher.deletions import Doomed
    from pspd.watcher.roots import RootState


class Doubts:
    """For the watcher's thread alone.

    Args:
        store: Where the records are.
        board: Where a person reads what is doubted.
        coverage: Knows what a person has confirmed.
        confirm_seconds: How long a suspicious deletion waits for a second look.
    """

    def __init__(
        self, store: Store, board: NoticeBoard, coverage: Coverage, confirm_seconds: float
    ) -> None:
        self._store = store
        self._board = board
        self._coverage = coverage
        self._seconds = confirm_seconds

    def begin_scan(self, state: RootState) -> None:
        """Note that all of a root is looked at from now on."""
        state.suspicion.is_renewed = False

    def finish_scan(self, state: RootState) -> None:
        """Note that all of a root was seen: what it no longer lacks is no longer suspicious."""
        suspicion = state.suspicion
        if not suspicion.is_renewed:
            suspicion.files = 0
            self._board.withdraw("watching", _key(state))
        suspicion.are_hints_lost = False
        suspicion.forget_hints()

    def believe(self, state: RootState, doomed: Doomed) -> bool:
        """Say whether what is gone from a root may be dropped, or waits for a second look."""
        suspicion = state.suspicion
        is_confirmed = self._coverage.is_confirmed(state.root.path)
        if suspicion.believe(self._store, doomed, None if is_confirmed else self._seconds):
            if not suspicion.files:
                self._board.withdraw("watching", _key(state))
            return True
        path = state.root.path
        text = (
            f"{suspicion.files:,} files seem to be gone, with what went just before more than "
            "half, and nobody was seen deleting them; what is known of them stays for "
            f"{self._seconds:g} s, then a second look counts"
        )
        cure = f"see to its drive, or forget them at once: pspc roots confirm {quoted(path)}"
        self._board.post(_key(state), Notice("watching", text, cure, path))
        # The second look has to be at all of it, or what came back stays suspected.
        state.next_scan = min(state.next_scan, suspicion.until)
        return False


def _key(state: RootState) -> str:
    return f"deletion {state.root.root_id}"
