"""Lets those whom somebody waits for go before those who work in the background."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Precedence:
    """Counts who is being served; for any number of threads."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._served = 0

    @contextmanager
    def first(self) -> Iterator[None]:
        """Serve somebody; whoever works in the background waits meanwhile, at its next step."""
        with self._condition:
            self._served += 1
        try:
            yield
        finally:
            with self._condition:
                self._served -= 1
                if not self._served:
                    self._condition.notify_all()

    def give_way(self, seconds: float) -> bool:
        """Wait until nobody is being served; returns whether that is so after `seconds` at most."""
        with self._condition:
            return self._condition.wait_for(lambda: not self._served, seconds)
