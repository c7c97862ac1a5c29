"""The gate at which readers of a map, and whoever moves or unmaps it, wait for each other.

A map must not grow while it is read, nor a file be opened again: LMDB pulls it from under open
readers (seen).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Gate:
    """Lets in any number of readers, or one that wants to be alone, who goes first."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._readers = 0
        self._is_wanted_alone = False

    def enter(self) -> None:
        """Have the map kept where it is until `leave`."""
        with self._condition:
            while self._is_wanted_alone:
                self._condition.wait()
            self._readers += 1

    def leave(self) -> None:
        """Need the map no longer."""
        with self._condition:
            self._readers -= 1
            if not self._readers:
                self._condition.notify_all()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the map where it is meanwhile."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody reads, and let nobody begin meanwhile."""
        with self._condition:
            self._is_wanted_alone = True
            try:
                self._condition.wait_for(lambda: self._readers == 0)
                yield
            finally:
                self._is_wanted_alone = False
                self._condition.notify_all()

    def end(self, unmap: Callable[[], None], seconds: float) -> bool:
        """Unmap once nobody reads; returns whether that was so in time."""
        with self._condition:
            if not self._condition.wait_for(lambda: self._readers == 0, seconds):
                return False
            unmap()
            return True
