"""How long to wait before what failed is tried again, and when to give up."""

from __future__ import annotations

from collections import deque

FIRST_SECONDS = 0.1
LONGEST_SECONDS = 30.0

MOST_FAILURES = 10
"""With delays that double from 0.1 s, ten failures take at least 51 s: what has not healed by then
will not heal by being tried again."""

WINDOW_SECONDS = 300.0


class Backoff:
    """Doubles the delay with each failure of the last minutes; old failures are forgotten.

    Args:
        first: The delay after one failure, in seconds, above 0.
        longest: The longest delay, in seconds.
        most: The failure in one window that is one too many; None to go on for ever.
        window: How long a failure is remembered, in seconds.
    """

    def __init__(
        self,
        first: float = FIRST_SECONDS,
        longest: float = LONGEST_SECONDS,
        *,
        most: int | None = MOST_FAILURES,
        window: float = WINDOW_SECONDS,
    ) -> None:
        self._first = first
        self._longest = longest
        self._most = most
        self._window = window
        # More than these change nothing: 2**64 times any delay is the longest.
        self._failures: deque[float] = deque(maxlen=max(64, most or 0))

    def failed(self, now: float) -> float | None:
        """Note a failure; return the seconds to wait before trying again, None to give up.

        `now` is in seconds of a clock that never goes back.
        """
        while self._failures and now - self._failures[0] >= self._window:
            self._failures.popleft()
        self._failures.append(now)
        if self._most is not None and len(self._failures) >= self._most:
            return None
        doublings = min(len(self._failures) - 1, 63)
        return min(self._longest, self._first * 2.0**doublings)

    def succeeded(self) -> None:
        """Forget every failure: the next one waits the first delay."""
        self._failures.clear()
