"""Lets those whom somebody waits for go before those who work in the background.

    searches     ███████      ████████████████████████████████   (or many, one over the other)
    background   │······│█████│·········│█████████│·········│█
                 at its next step       └ TURN_SECONDS ┘

Python lets one thread run at a time, and hands over from one that does not offer it only after
`SWITCH_SECONDS` and a wake-up: a search gives the interpreter up at each call of numpy, some
fifty times, and would wait each time as long as it takes. So whoever works in the background stops
by itself at its next step, which is at most some tenths of a millisecond away. While somebody is
always served, both have their turns: searches of 64 clients never end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

TURN_SECONDS: Final = 0.03
"""How long the background stands still at most, and goes on at least, while somebody is always
served: longer than a search among ten million pictures takes."""


class Precedence:
    """Counts who is being served; for any number of threads.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._condition = threading.Condition()
        self._served = 0
        self._since = 0.0
        """When somebody began to be served while nobody was."""

    @contextmanager
    def first(self) -> Iterator[None]:
        """Serve somebody; whoever works in the background waits meanwhile, at its next step."""
        with self._condition:
            if not self._served:
                self._since = self._clock()
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

    def pause(self) -> None:
        """Wait at a step of work in the background while it is the turn of those who are served.

        To be called often, for it costs nothing while nobody is, and without a lock that those who
        are served may need.
        """
        if self._served:
            self._wait()

    def _wait(self) -> None:
        with self._condition:
            while self._served:
                into_turn = (self._clock() - self._since) % (2 * TURN_SECONDS)
                if into_turn >= TURN_SECONDS:
                    return
                self._condition.wait(TURN_SECONDS - into_turn)


def unhindered() -> None:
    """Wait for nobody, where nobody is served."""
