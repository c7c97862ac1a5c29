"""From the curves to a library of another size: what a hundred million pictures would cost.

A cost is taken to grow as it did between the two largest sizes that were measured, as a straight
line: all of them are sums over pictures. What does not fit a machine's memory is slower than that,
and the text says where that begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks import curves
from benchmarks.record import Curve

PICTURES = 100_000_000
STEPS = (("ms", 1000, "s"), ("MB", 1000, "GB"), ("GB", 1000, "TB"), ("s", 3600, "hours"))
"""Unit, how many of it make one of the next."""
WORDS = {
    curves.INDEXING: "first indexing, JPEG pictures of 640 × 480, 2 cores",
    curves.STORE: "store on disk",
    curves.MEMORY: "memory of the daemon, resident",
    curves.START: "start to the first answer",
    curves.MEDIAN: "similar query, median, extraction excluded",
    curves.SLOWEST: "similar query, 99th percentile",
}


def forecast(curve: Curve, size: int) -> float:
    """Return the cost at a size, by the line through the two largest points.

    Raises:
        ValueError: There are fewer than two points.
    """
    if len(curve.points) < 2:
        raise ValueError(f"{curve.name}: one point makes no line")
    before, last = sorted(curve.points, key=lambda point: point.size)[-2:]
    slope = (last.value - before.value) / (last.size - before.size)
    return last.value + slope * (size - last.size)


def lines_of(found: Sequence[Curve]) -> Iterator[str]:
    """Yield the table of what a hundred million pictures would cost, in Markdown."""
    yield f"| cost | measured up to | there | {PICTURES:,} pictures |"
    yield "| --- | ---: | ---: | ---: |"
    for curve in found:
        if curve.name in WORDS and len(curve.points) > 1:
            last = max(curve.points, key=lambda point: point.size)
            there, then = (
                in_words(value, curve.unit) for value in (last.value, forecast(curve, PICTURES))
            )
            yield f"| {WORDS[curve.name]} | {last.size:,} | {there} | {then} |"


def in_words(value: float, unit: str) -> str:
    """Write a cost in a unit that suits its size."""
    for small, many, large in STEPS:
        if unit == small and value >= many:
            return in_words(value / many, large)
    return f"{value:.3g} {unit}" if value < 100 else f"{value:,.0f} {unit}"
