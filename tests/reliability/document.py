"""Renew the table in docs/reliability.md from the last nightly run.

python -m tests.reliability.document [reliability-nightly.json]
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from tests.reliability.goals import GOALS, Figure
from tests.reliability.table import in_order, word_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
_TABLE = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end of table -->)", re.DOTALL)


def table_of(figures: list[Figure]) -> str:
    """Return the figures as a Markdown table, one row a figure, each goal said once.

    Goals that nobody measured have a row as well.
    """
    rows = ["| | goal | figure | reached |", "|---|---|---|---|"]
    measured = {figure.goal for figure in figures}
    unmeasured = [Figure(goal, "", "", reached=False) for goal in GOALS if goal not in measured]
    said = ""
    for figure in in_order([*figures, *unmeasured]):
        goal = "" if figure.goal == said else GOALS[figure.goal]
        said = figure.goal
        text = f"{figure.text}: {figure.why}" if figure.why else figure.text
        rows.append(f"| {figure.goal} | {goal} | {_cell(text)} | {word_of(figure)} |")
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    """Keep a text within one cell, and have none of it taken for a mark."""
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;")


def renew(document: Path, source: Path) -> None:
    """Put the table of a run's figures between the marks of a document."""
    figures = [Figure(**each) for each in json.loads(source.read_text(encoding="utf-8"))]
    table = table_of(figures)
    text = document.read_text(encoding="utf-8")
    document.write_text(_TABLE.sub(lambda _: table, text), encoding="utf-8")


def main() -> None:
    """Renew the document."""
    source = sys.argv[1] if len(sys.argv) > 1 else "reliability-nightly.json"
    renew(DOCUMENT, Path(source))


if __name__ == "__main__":
    main()
