"""The hint protocol: a notifier names places to look at, and that is all it is believed.

    kernel ──▶ Notifier ──hint──▶ Watcher ──▶ stat, list, compare with the store

A hint may come late, twice, for nothing or not at all: what happened is decided by looking, and a
rolling rescan finds what no hint named.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from pspd.core.model import DirectoryId

HEARTBEAT = DirectoryId(0)
"""Stands for the directory in which the daemon shows itself that its notifier lives."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Something may have happened at a path."""

    path: str | None
    """Absolute; None when hints were lost and everything has to be looked at."""
    is_removal: bool = False
    """Whether it was removed or moved away, as far as the notifier knows."""


@dataclass(frozen=True, slots=True)
class DirectoryHint:
    """Something may have happened in a directory that the notifier was led into."""

    directory: DirectoryId
    names: frozenset[str] | None
    """The names it happened to; None for any."""
    removals: int = 0
    """How many of these, and the directory itself, were removed or moved away."""
    is_self: bool = False
    """Whether it happened to the directory itself: it is looked for from the one above."""


@dataclass(frozen=True, slots=True)
class MountHint:
    """A file system was mounted or unmounted somewhere."""


AnyHint = Hint | DirectoryHint | MountHint
Sink = Callable[[AnyHint], None]


class WatchError(Exception):
    """A root cannot be watched, or not all of it; it is rescanned more often instead."""


class Notifier(Protocol):
    """A source of hints."""

    name: str
    """As `pspc status` shows it."""
    echo_seconds: float | None
    """A change is hinted at within so many seconds, or the notifier is dead; None: nobody knows."""

    def start(self, sink: Sink) -> None:
        """Begin to pass hints to `sink`, from any thread; `sink` never blocks or raises.

        Raises:
            WatchError: No hints can be had at all.
        """

    def watch(self, path: str) -> None:
        """Watch a directory tree, if this notifier walks trees itself.

        Raises:
            WatchError: Changes below it may go unnoticed; the message says why.
        """

    def unwatch(self, path: str) -> None:
        """Stop watching a tree; one that is not watched is no error."""

    def enter(self, descriptor: int, directory: DirectoryId) -> None:
        """Watch an open directory, if this notifier is led through trees.

        It is called before each listing, so that what changes from the listing on is hinted at.

        Raises:
            OSError: Changes in it may go unnoticed.
        """

    def leave(self, directories: Iterable[DirectoryId]) -> None:
        """Stop watching directories; those that are not watched are no error."""

    def catch_up(self, seconds: float) -> None:
        """Wait, for so long at most, until what happened by now has been hinted at."""

    def is_alive(self) -> bool:
        """Say whether hints still come; a dead notifier is replaced."""

    def close(self, deadline: float = math.inf) -> None:
        """Stop by `deadline` of `time.monotonic()`; no hint is passed afterwards."""


class TreeNotifier:
    """The half of the protocol that a notifier does not need which walks trees itself."""

    def enter(self, descriptor: int, directory: DirectoryId) -> None:
        """Do nothing: the directory is watched with its tree."""

    def leave(self, directories: Iterable[DirectoryId]) -> None:
        """Do nothing: the library notices that they are gone."""

    def catch_up(self, seconds: float) -> None:
        """Do nothing: nobody can tell what is still to be hinted at."""


class NoNotifier(TreeNotifier):
    """Gives no hints at all: the roots are only rescanned.

    Args:
        problem: Why no other notifier can be had, if that is why.
    """

    name = "none"
    echo_seconds: float | None = None

    def __init__(self, problem: str = "") -> None:
        self._problem = problem

    def start(self, sink: Sink) -> None:
        """Ignore the sink."""

    def watch(self, path: str) -> None:  # noqa: ARG002 - the protocol's
        """Watch nothing.

        Raises:
            WatchError: It stands for a notifier that could not be had.
        """
        if self._problem:
            raise WatchError(self._problem)

    def unwatch(self, path: str) -> None:
        """Watch nothing."""

    def is_alive(self) -> bool:
        """Say yes, unless another should be tried."""
        return not self._problem

    def close(self, deadline: float = math.inf) -> None:
        """Do nothing."""
