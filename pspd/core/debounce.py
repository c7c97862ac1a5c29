"""Hints and the time in, directories that are due for a look out.

A burst of hints about one directory becomes one look; more than `MAX_NAMES` names become a look at
all of it (Syncthing's aggregator does the same at 128).
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

MAX_NAMES = 64
"""Beyond so many names one listing is cheaper than a stat each."""

PlaceT = TypeVar("PlaceT", bound=Hashable)


@dataclass(slots=True)
class _Waiting:
    first: float
    last: float
    names: set[str] | None = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Look(Generic[PlaceT]):
    """A directory to look at."""

    place: PlaceT
    names: frozenset[str] | None
    """The names to look at; None for all of it."""


class Debounce(Generic[PlaceT]):
    """Holds hints until their directory was quiet for `quiet` seconds, or for `longest` at most.

    A directory that took long to look at rests longer, as `rest` says.
    """

    def __init__(self, quiet: float, longest: float) -> None:
        self._quiet = quiet
        self._longest = longest
        self._waiting: dict[PlaceT, _Waiting] = {}
        self._resting: dict[PlaceT, float] = {}

    def add(self, place: PlaceT, name: str | None, now: float) -> None:
        """Note a hint about `name` in the directory `place`, or about all of it when None."""
        waiting = self._waiting.get(place)
        if waiting is None:
            waiting = self._waiting[place] = _Waiting(now, now)
        waiting.last = now
        if name is None:
            waiting.names = None
        elif waiting.names is not None:
            waiting.names.add(name)
            if len(waiting.names) > MAX_NAMES:
                waiting.names = None

    def rest(self, place: PlaceT, until: float) -> None:
        """Let nothing about a directory be due before a time."""
        self._resting[place] = until

    def take_due(self, now: float) -> list[Look[PlaceT]]:
        """Remove and return what is due at `now`."""
        if self._resting:
            self._resting = {place: at for place, at in self._resting.items() if at > now}
        due = [place for place in self._waiting if self._due_at(place) <= now]
        return [self._look(place) for place in due]

    def next_due(self) -> float | None:
        """When the next look is due; None when nothing waits."""
        return min(map(self._due_at, self._waiting), default=None)

    def __len__(self) -> int:
        return len(self._waiting)

    def _due_at(self, place: PlaceT) -> float:
        waiting = self._waiting[place]
        due = min(waiting.last + self._quiet, waiting.first + self._longest)
        return max(due, self._resting.get(place, due))

    def _look(self, place: PlaceT) -> Look[PlaceT]:
        names = self._waiting.pop(place).names
        return Look(place, None if names is None else frozenset(names))
