"""Rows of the benchmarks' table, and how figures are written in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HEADER = ("work", "figure", "peer or limit", "ratio", "target", "reached")


@dataclass(frozen=True, slots=True)
class Row:
    """One measured figure beside its peer or limit."""

    work: str
    figure: str
    limit: str = ""
    """What it is compared with, with its own figure of the same run."""
    ratio: float | None = None
    target: str = ""
    is_reached: bool | None = None
    """None where there is no target, or nothing to compare with."""

    def cells(self) -> tuple[str, ...]:
        """Return the row's text by column."""
        if self.is_reached is None:
            reached = "not compared" if self.target else ""
        else:
            reached = "reached" if self.is_reached else "not reached"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return self.work, self.figure, self.limit, ratio, self.target, reached


def at_most(work: str, figure: str, limit: str, ratio: float, target: float | None = None) -> Row:
    """Make a row whose ratio should not be above a target."""
    if target is None:
        return Row(work, figure, limit, ratio)
    return Row(work, figure, limit, ratio, f"≤ {target:g}", ratio <= target)


def at_least(work: str, figure: str, limit: str, ratio: float, target: float) -> Row:
    """Make a row whose ratio should not be below a target."""
    return Row(work, figure, limit, ratio, f"≥ {target:g}", ratio >= target)


def within(  # noqa: PLR0913 - the columns
    work: str,
    figure: str,
    target: str,
    *,
    is_reached: bool,
    ratio: float | None = None,
    limit: str = "",
) -> Row:
    """Make a row whose figure itself has a target."""
    return Row(work, figure, limit, ratio, target, is_reached)


def not_measured(work: str, why: str, target: str) -> Row:
    """Make a row for what could not be measured: never a target that is reached."""
    return Row(work, f"not measured: {why}", target=target)


def header_lines() -> Iterator[str]:
    """Yield the first lines of a table in Markdown."""
    yield _line(HEADER)
    yield _line(["---", "---", "---", "---:", "---", "---"])


def line_of(row: Row) -> str:
    """Return a row as a line of a table in Markdown."""
    return _line([cell.replace("|", "\\|") for cell in row.cells()])


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def megabytes(count: float) -> str:
    """Format bytes."""
    return f"{count / 1e6:.1f} MB"


def milliseconds(seconds: float) -> str:
    """Format a short time."""
    return f"{seconds * 1e3:.4f} ms" if seconds < 1e-4 else f"{seconds * 1e3:.2f} ms"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
