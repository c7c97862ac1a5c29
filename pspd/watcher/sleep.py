"""Whether this process was away: the machine slept, or somebody stopped the process.

Meanwhile drives are exchanged and network drives change, and the kernel tells none of it.
"""

from __future__ import annotations

import time


def boot_time() -> float:
    """Return seconds since the boot, sleep included where the system tells (Linux)."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class SleepDetector:
    """Compares how long a wait should have taken with how long it took.

    Only waits are measured: a long step of work says nothing.

    Args:
        threshold: A wait that took so many seconds more than it should tells of an absence.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._offset: float | None = None

    def was_away(self, begun: float, asked: float, now: float, monotonic: float) -> bool:
        """Say whether the process was away during a wait, or the machine slept since the last.

        Args:
            begun: `boot_time` before the wait.
            asked: Seconds that it should have taken at most.
            now: `boot_time` after it.
            monotonic: The monotonic clock after it, which stands still while the machine sleeps.
        """
        offset = now - monotonic
        slept = 0.0 if self._offset is None else offset - self._offset
        self._offset = offset
        return max(now - begun - asked, slept) > self._threshold
