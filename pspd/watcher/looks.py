"""Looks where hints point, and into the directories that no hint comes from."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pspd.core.debounce import Look
from pspd.core.model import DirectoryId, RootId
from pspd.core.pausing import Pause, unhindered
from pspd.watcher.hint_box import Place, Target, target_of

if TYPE_CHECKING:
    from pspd.store.store import Store
    from pspd.watcher.coverage import Coverage
    from pspd.watcher.deletions import Doomed
    from pspd.watcher.roots import RootState
    from pspd.watcher.scan import Pass


class Looks:
    """Used by the watcher's thread alone.

    Args:
        store: Says where a directory is by now.
        roots: How each root is.
        coverage: Knows what is polled.
        new_pass: Makes a sweep whose finds are news.
        believe: Says whether what is gone from a root may be dropped.
        rest: Hears how long the look at a place took, in seconds.
        pause: Called after each directory; those who search may be let pass.
    """

    def __init__(  # noqa: PLR0913 - every part by its name
        self,
        store: Store,
        roots: Mapping[RootId, RootState],
        coverage: Coverage,
        *,
        new_pass: Callable[[], Pass],
        believe: Callable[[Doomed], bool],
        rest: Callable[[Place, float], object],
        pause: Pause = unhindered,
    ) -> None:
        self._store = store
        self._roots = roots
        self._coverage = coverage
        self._new_pass = new_pass
        self._believe = believe
        self._rest = rest
        self._pause = pause

    def follow(
        self,
        looks: Sequence[tuple[Look[Place], int]],
        polls: Sequence[DirectoryId],
        is_stopping: Callable[[], bool],
    ) -> bool:
        """Look at all these places; moves between them are seen as moves.

        Args:
            looks: Where hints point, each with the number of removals that were hinted at.
            polls: Directories to poll.
            is_stopping: Asked after each directory.

        Returns:
            Whether directories moved under its feet, so that everything has to be scanned.
        """
        begun = time.monotonic()
        targets = [*self._hinted(looks), *self._polled(polls)]
        sweep = self._new_pass()
        visited: list[RootState] = []
        for target in targets:
            if target.state.is_resting:
                continue
            visited.append(target.state)
            before, looked_at = sweep.differences, time.monotonic()
            if not self._look(sweep, target, is_stopping):
                return False
            if target.hinted is not None:
                self._rest(target.hinted, time.monotonic() - looked_at)
            if target.polled is not None:
                is_changed = sweep.differences != before
                self._coverage.polled(target.polled, time.monotonic(), is_changed=is_changed)
        sweep.flush()
        visited = [state for state in visited if self._is_current(state)]
        if not all(state.is_in_place() for state in visited):
            return True
        sweep.finish([state.root for state in visited], self._believe)
        for state in visited:
            state.suspicion.forget_hints()
        if polls:
            self._coverage.took(time.monotonic() - begun)
        return sweep.is_disturbed

    def _look(self, sweep: Pass, target: Target, is_stopping: Callable[[], bool]) -> bool:
        """Look at one place, unless its root is paused meanwhile; returns whether to go on."""
        for _ in sweep.look(target.state.root, target.names, target.only):
            if is_stopping():
                return False
            if not self._is_current(target.state):
                break
            self._pause()
        return True

    def _is_current(self, state: RootState) -> bool:
        """Say whether a root is watched as it was: not paused, not removed, with its globs."""
        return self._roots.get(state.root.root_id) is state

    def _hinted(self, looks: Sequence[tuple[Look[Place], int]]) -> list[Target]:
        targets: list[Target] = []
        for look, removals in looks:
            target = target_of(look, self._store, self._roots)
            if isinstance(target, Target):
                target.state.suspicion.hinted += removals
                targets.append(target)
            elif target is not None:
                self._coverage.gone([target])
        return targets

    def _polled(self, polls: Sequence[DirectoryId]) -> list[Target]:
        targets: list[Target] = []
        for number in polls:
            target = target_of(Look(number, None), self._store, self._roots)
            if isinstance(target, Target):
                targets.append(replace(target, polled=number, hinted=None))
            else:
                self._coverage.gone([number])
        return targets
