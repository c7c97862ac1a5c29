"""Draw the plots of docs/performance.md from a record.

python -m benchmarks.plots [benchmarks-curves.json]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import curves
from benchmarks.record import Curve, read_record

FOLDER = Path(__file__).resolve().parents[1] / "docs"
PLOTS = {
    "performance-indexing.svg": ((curves.INDEXING,), "files"),
    "performance-query.svg": ((curves.MEDIAN, curves.SLOWEST, curves.COLUMN), "pictures"),
    "performance-size.svg": ((curves.MEMORY, curves.STORE), "pictures"),
    "performance-start.svg": ((curves.START,), "pictures"),
}
"""File → its curves, and what their sizes count."""

INCHES = (6.0, 3.6)


def names_of(found: Sequence[Curve]) -> list[str]:
    """Return the files of the plots that there are curves for."""
    there = {curve.name for curve in found}
    return [file for file, (names, _) in PLOTS.items() if there.intersection(names)]


def draw(found: Sequence[Curve], folder: Path) -> list[Path]:
    """Draw every plot that there are curves for; returns the files."""
    import matplotlib as mpl

    mpl.use("svg")
    # Text stays text, which is small and can be searched; equal curves give equal files.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "psp", "font.size": 9})
    by_name = {curve.name: curve for curve in found}
    drawn = []
    for file in names_of(found):
        names, counted = PLOTS[file]
        shown = [by_name[name] for name in names if name in by_name]
        drawn.append(_draw(shown, counted, folder / file))
    return drawn


def _draw(found: Sequence[Curve], counted: str, path: Path) -> Path:
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=INCHES, layout="constrained")
    for curve in found:
        sizes = [point.size for point in curve.points]
        axes.plot(sizes, [point.value for point in curve.points], marker="o", label=curve.name)
    axes.set(xscale="log", yscale="log", xlabel=counted, ylabel=found[0].unit)
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return path


def main() -> None:
    source = sys.argv[1] if len(sys.argv) > 1 else "benchmarks-curves.json"
    for path in draw(read_record(Path(source)).curves, FOLDER):
        print(path)


if __name__ == "__main__":
    main()
