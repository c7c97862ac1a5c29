"""Lets those whom somebody waits for go before those who work in the background.

    searches     ███████      ███████████████████████████████████████   (one, or many)
    background   │······│█████│················│████│···············│███
                 at its next step   STILL_SECONDS    ON_SECONDS

Python lets one thread run at a time, and hands over from one that does not offer it only after
`SWITCH_SECONDS` and a wake-up: a search gives the interpreter up at each call of numpy, some
fifty times, and would wait each time as long as it takes. So whoever works in the background stops
by itself at its next step, which is at most some tenths of a millisecond away.

Searches may never end, of one client that asks again and again as well as of 64. So the background
stands still for a while, then goes on for a while, until nobody was served for as long as it stands
still: without that, whoever misses the moment between two searches would begin to wait anew.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

STILL_SECONDS: Final = 0.09
"""How long the background stands still at most: some searches among ten million pictures."""

ON_SECONDS: Final = 0.03
"""How long it goes on then, whoever is served: a quarter of the time is its own."""


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
        """When somebody began to be served after nobody was for long."""
        self._left = -math.inf
        """When the last one was no longer served."""

    @contextmanager
    def first(self) -> Iterator[None]:
        """Serve somebody; whoever works in the background waits meanwhile, at its next step.

        For what computes, not for what waits for others: it would keep the background for nothing.
        """
        with self._condition:
            if not self._served:
                now = self._clock()
                if now - self._left >= STILL_SECONDS:
                    self._since = now
            self._served += 1
        try:
            yield
        finally:
            with self._condition:
                self._served -= 1
                if not self._served:
                    self._left = self._clock()
                    self._condition.notify_all()

    def pause(self) -> None:
        """Wait at a step of work in the background while those who are served go first.

        To be called often, for it costs nothing while nobody is, and without a lock that those who
        are served may need.
        """
        if self._served:
            self._wait()

    def _wait(self) -> None:
        with self._condition:
            while self._served:
                into_cycle = (self._clock() - self._since) % (STILL_SECONDS + ON_SECONDS)
                if into_cycle >= STILL_SECONDS:
                    return
                self._condition.wait(STILL_SECONDS - into_cycle)
