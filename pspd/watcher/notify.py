"""The hint protocol: a notifier names paths to look at, and that is all it is believed.

    kernel ──▶ Notifier ──Hint──▶ Watcher ──▶ stat, list, compare with the store

A hint may come late, twice, for nothing or not at all: what happened is decided by looking, and a
rolling rescan finds what no hint named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Hint:
    """Something may have happened at a path."""

    path: str | None
    """Absolute; None when hints were lost and everything has to be looked at."""


class WatchError(Exception):
    """A root cannot be watched, or not all of it; it is rescanned more often instead."""


class Notifier(Protocol):
    """A source of hints."""

    name: str
    """As `pspc status` shows it."""

    def start(self, sink: Callable[[Hint], None]) -> None:
        """Begin to pass hints to `sink`, from any thread; `sink` never blocks or raises.

        Raises:
            WatchError: No hints can be had at all.
        """

    def watch(self, path: str) -> None:
        """Watch a directory tree; returns when changes from now on lead to hints.

        Raises:
            WatchError: Changes below it may go unnoticed; the message says why.
        """

    def unwatch(self, path: str) -> None:
        """Stop watching a tree; one that is not watched is no error."""

    def is_alive(self) -> bool:
        """Say whether hints still come; a dead notifier is replaced."""

    def close(self) -> None:
        """Stop; no hint is passed afterwards."""


class NoNotifier:
    """Gives no hints at all: the roots are only rescanned.

    Args:
        problem: Why no other notifier can be had, if that is why.
    """

    name = "none"

    def __init__(self, problem: str = "") -> None:
        self._problem = problem

    def start(self, sink: Callable[[Hint], None]) -> None:
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
        """Say yes: it cannot die."""
        return True

    def close(self) -> None:
        """Do nothing."""
