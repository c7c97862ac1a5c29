"""Rows of a benchmark's table, and the machine it ran on."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from PIL import features

PACKAGES = ("pillow", "numpy", "lmdb", "pyzmq", "msgspec")
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
        reached = {None: "", True: "reached", False: "not reached"}[self.is_reached]
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


def print_rows(rows: Iterable[Row]) -> None:
    """Print a table in Markdown, each row as soon as it is there."""
    _print_cells(HEADER)
    _print_cells(["---", "---", "---", "---:", "---", "---"])
    for row in rows:
        _print_cells(row.cells())


def machine() -> str:
    """Describe the machine, the versions, and how busy the machine is with other work."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    jpeg = features.version("libjpeg_turbo")
    load = os.getloadavg()[0]
    return (
        f"{cores()} usable cores, {_processor()}; {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}, {versions}, libjpeg-turbo {jpeg}. "
        f"Load before the run: {load:.2f}."
    )


def cores() -> int:
    """Count the processor cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def megabytes(count: float) -> str:
    """Format bytes."""
    return f"{count / 1e6:.1f} MB"


def milliseconds(seconds: float) -> str:
    """Format a short time."""
    return f"{seconds * 1e3:.4f} ms" if seconds < 1e-4 else f"{seconds * 1e3:.2f} ms"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def _print_cells(cells: Sequence[str]) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)
