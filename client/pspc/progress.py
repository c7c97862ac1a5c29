"""How far indexing is: the figures of a progress bar, and the bar. Time is an argument."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pspc.render import human_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pspd.rpc import wire

_WINDOW_SECONDS = 10.0
"""The rate is that of the last seconds: pictures come in runs of big and small ones."""

_BAR_WIDTH = 24
_SMALLEST_BAR = 8
"""A shorter bar says nothing; the figures get its place."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The roots' files at one moment."""

    done: int
    """Files indexed or failed."""
    pending: int
    """Files seen but not yet done."""
    is_scanning: bool
    """Whether there may be files nobody has seen yet."""

    @property
    def total(self) -> int:
        """Files known."""
        return self.done + self.pending


def progress_of(roots: Iterable[wire.RootStatus]) -> Progress:
    """Return how far several roots are together."""
    listed = list(roots)
    return Progress(
        done=sum(root.indexed + root.failed for root in listed),
        pending=sum(root.pending for root in listed),
        is_scanning=any(root.state == "scanning" for root in listed),
    )


class Estimate:
    """The rate of the last seconds, and what it means for the rest."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, now: float, done: int) -> None:
        """Take in that `done` files were done at `now`, in seconds."""
        self._samples.append((now, done))
        while self._samples[0][0] < now - _WINDOW_SECONDS:
            self._samples.popleft()

    @property
    def rate(self) -> float:
        """Files done per second; 0 when that is not known."""
        if not self._samples:
            return 0.0
        (begin, before), (end, after) = self._samples[0], self._samples[-1]
        return max(0.0, (after - before) / (end - begin)) if end > begin else 0.0

    def seconds_left(self, pending: int) -> float | None:
        """Return how long `pending` files will take; None when that is not known."""
        return pending / self.rate if self.rate > 0 else None


def progress_line(progress: Progress, estimate: Estimate) -> str:
    """Return the figures as one line: `1,234 of 5,678 files  345/s  ETA 0:12`."""
    total = f"{progress.total:,}{'+' if progress.is_scanning else ''}"
    parts = [f"{progress.done:,} of {total} files"]
    if estimate.rate:
        parts.append(f"{estimate.rate:.0f}/s")
    left = estimate.seconds_left(progress.pending)
    if left is not None and progress.pending and not progress.is_scanning:
        parts.append(f"ETA {human_duration(left)}")
    return "  ".join(parts)


def progress_bar(progress: Progress, estimate: Estimate, columns: int) -> str:
    """Return a bar and the figures, in at most so many columns; the bar gives way first."""
    share = progress.done / progress.total if progress.total else 0.0
    figures = f"{share:4.0%}  {progress_line(progress, estimate)}"
    width = min(_BAR_WIDTH, columns - len(figures) - len("[] "))
    if width < _SMALLEST_BAR:
        return figures.lstrip()[:columns]
    full = int(share * width)
    return f"[{'#' * full}{'-' * (width - full)}] {figures}"
