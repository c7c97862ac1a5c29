"""Renew docs/performance.md from the records of runs: nothing in its tables is written by hand.

python -m benchmarks.document benchmarks-run.json [benchmarks-curves.json]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import forecast
from benchmarks.plots import FOLDER, PLOTS, draw, names_of
from benchmarks.record import Record, read_record
from benchmarks.report import header_lines, line_of

DOCUMENT = FOLDER / "performance.md"


def renew(document: Path, *records: Record) -> None:
    """Put what some runs found between the marks of a document.

    Raises:
        ValueError: The document has no such marks.
    """
    text = document.read_text(encoding="utf-8")
    for record in records:
        if record.rows:
            text = _between(text, "machine", _machine_lines(record))
            text = _between(text, "table", _table_lines(record))
        if record.curves:
            text = _between(text, "plots", _plot_lines(record))
            text = _between(text, "forecast", forecast.lines_of(record.curves))
    document.write_text(text, encoding="utf-8")


def _machine_lines(record: Record) -> Iterator[str]:
    yield f"Taken on {record.day}: {record.machine}"
    if record.size != "full":
        yield f"\nThis was a run of the size “{record.size}”, by which no target is judged."
    for note in record.notes:
        yield f"\n{note}"


def _table_lines(record: Record) -> Iterator[str]:
    yield from header_lines()
    yield from map(line_of, record.rows)
    reached = [row.is_reached for row in record.rows if row.target]
    seconds = sum(record.seconds.values())
    yield (
        f"\n{reached.count(True)} of {len(reached)} targets are reached, "
        f"{reached.count(None)} could not be compared. The run took {seconds / 60:.1f} minutes."
    )


def _plot_lines(record: Record) -> Iterator[str]:
    for file in names_of(record.curves):
        names, counted = PLOTS[file]
        yield f"![{', '.join(names)}, by {counted}]({file})"


def _between(text: str, name: str, lines: Iterator[str]) -> str:
    mark = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end of {name} -->)", re.DOTALL)
    body = "\n".join(lines) + "\n"
    renewed, count = mark.subn(lambda _: body, text)
    if not count:
        raise ValueError(f"the document has no place for the {name}")
    return renewed


def main() -> None:
    records = [read_record(Path(name)) for name in sys.argv[1:] or ["benchmarks-run.json"]]
    renew(DOCUMENT, *records)
    for record in records:
        if record.curves:
            draw(record.curves, FOLDER)


if __name__ == "__main__":
    main()
