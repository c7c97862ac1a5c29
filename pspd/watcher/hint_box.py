"""Holds hints until their places are due, and says where those places are by then."""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pspd.core.debounce import Debounce
from pspd.core.model import DirectoryId, RootId
from pspd.watcher.notify import DirectoryHint, Hint

if TYPE_CHECKING:
    from pspd.core.debounce import Look
    from pspd.store.store import Store
    from pspd.watcher.roots import RootState

LONGEST_COALESCE_SECONDS = 0.2
"""How long hints about a directory that never gets quiet are gathered at most: a picture that is
saved while a camera's card is copied beside it is looked for as well."""

LONGEST_REST_SECONDS = 0.5
"""A directory rests for as long as the look at it took (half a second for 100,000 files), but no
longer than this: a burst is to be known two seconds after its end."""


@dataclass(frozen=True, slots=True)
class _Itself:
    """Stands for a directory as its parent sees it."""

    directory: DirectoryId


Place = tuple[RootId, tuple[str, ...]] | DirectoryId | _Itself


@dataclass(frozen=True, slots=True)
class Target:
    """Where to look."""

    state: RootState
    names: tuple[str, ...]
    """The directory's path below its root."""
    only: frozenset[str] | None
    """Names in it; None for all of it."""
    polled: DirectoryId | None = None
    """The directory, if nobody hinted at it."""
    hinted: Place | None = None
    """What was hinted at, if anything was."""


class HintBox:
    """Gathers hints by place; its owner sees to it that one thread uses it at a time."""

    def __init__(self, coalesce_seconds: float) -> None:
        self._debounce: Debounce[Place] = Debounce(coalesce_seconds, LONGEST_COALESCE_SECONDS)
        self._removals: dict[Place, int] = {}
        self._later: list[tuple[float, str]] = []

    def put(self, hint: Hint | DirectoryHint, states: Iterable[RootState], now: float) -> None:
        """Note a hint about a path in one of some roots, or about a directory by its number."""
        if isinstance(hint, Hint):
            self._put_path(hint, states, now)
            return
        place: Place = hint.directory
        for name in (None,) if hint.names is None else hint.names:
            self._debounce.add(place, name, now)
        if hint.is_self:
            self._debounce.add(_Itself(hint.directory), None, now)
            # Counted where a look will ask for it.
            place = _Itself(hint.directory) if hint.names == frozenset() else place
        self._count(place, hint.removals)

    def _put_path(self, hint: Hint, states: Iterable[RootState], now: float) -> None:
        path = hint.path or ""
        for state in states:
            place: Place
            if path == state.root.path:
                place = (state.root.root_id, ())
                self._debounce.add(place, None, now)
            elif path.startswith(state.prefix):
                *names, name = path[len(state.prefix) :].split("/")
                place = (state.root.root_id, tuple(names))
                self._debounce.add(place, name, now)
            else:
                continue
            self._count(place, hint.is_removal)

    def _count(self, place: Place, removals: int) -> None:
        if removals:
            self._removals[place] = self._removals.get(place, 0) + removals

    def put_later(self, hint: Hint, due: float) -> None:
        """Note a hint that nobody needs to follow before a time."""
        heapq.heappush(self._later, (due, hint.path or ""))

    def take_due(self, states: Collection[RootState], now: float) -> list[tuple[Look[Place], int]]:
        """Remove and return what is due, each with the number of removals that were hinted at."""
        while self._later and self._later[0][0] <= now:
            self._put_path(Hint(heapq.heappop(self._later)[1]), states, now)
        looks = self._debounce.take_due(now)
        return [(look, self._removals.pop(look.place, 0)) for look in looks]

    def rest(self, place: Place, took: float, now: float) -> None:
        """Note how long a look took, in seconds: a long one is not repeated at once."""
        self._debounce.rest(place, now + min(took, LONGEST_REST_SECONDS))

    def take_all(self) -> list[tuple[Look[Place], int]]:
        """Remove and return what was hinted at, due or not, as `take_due` does."""
        looks = self._debounce.take_due(math.inf)
        return [(look, self._removals.pop(look.place, 0)) for look in looks]

    def next_due(self) -> float | None:
        """When the next look is due; None when nothing waits."""
        due = self._debounce.next_due()
        if not self._later:
            return due
        return self._later[0][0] if due is None else min(due, self._later[0][0])


def target_of(
    look: Look[Place], store: Store, states: Mapping[RootId, RootState]
) -> Target | DirectoryId | None:
    """Return where a look leads by now; the number of a directory that is no longer known; None."""
    place = look.place
    if isinstance(place, tuple):
        state = states.get(place[0])
        return None if state is None else Target(state, place[1], look.names, hinted=place)
    number = place.directory if isinstance(place, _Itself) else place
    with store.read() as reader:
        directory = reader.directory(number)
        found = reader.place_of(number)
    if directory is None or found is None:
        return number
    state = states.get(directory.root_id)
    names = found[1]
    if state is None:
        return None
    if isinstance(place, _Itself) and names:
        return Target(state, names[:-1], frozenset({names[-1]}), hinted=place)
    return Target(state, names, look.names, hinted=place)
