"""The table tells what tests measured, no more."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from tests.reliability.document import DOCUMENT, renew, table_of
from tests.reliability.goals import GOALS, Figure
from tests.reliability.table import lines_of

REACHED = Figure("G2", "test_a", "250 images: 250 fine", reached=True)
MISSED = Figure("G1", "test_b", "50 kills: 1 lost", reached=False)
NOT_RUN = Figure("G10", "test_c", "not run", reached=False, why="no compiler here")


def test_the_table_names_each_goal_in_order() -> None:
    _, first, second, third, missing = lines_of([NOT_RUN, REACHED, MISSED])
    assert first.split() == ["G1", "no", "50", "kills:", "1", "lost"]
    assert second.split()[:2] == ["G2", "yes"]
    assert third.split()[:3] == ["G10", "not", "run"]
    assert missing.startswith("not measured in this run: G3, ")


def test_the_document_has_a_row_for_each_figure() -> None:
    rows = table_of([REACHED, MISSED]).splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == list(GOALS)
    assert rows[0].endswith("| 50 kills: 1 lost | no |")
    assert rows[1].endswith("| 250 images: 250 fine | yes |")
    assert rows[2].endswith("|  | not measured |")


def test_a_figure_stays_in_its_cell() -> None:
    """What a failed test says is anything, and may come in lines."""
    failed = Figure("G1", "test_b", "failed", reached=False, why="a | b\r\n<Reply>\n\tis no c")
    row = table_of([failed]).splitlines()[2]
    assert row.endswith(r"| failed: a \| b &lt;Reply> is no c | no |")


def test_a_whole_run_goes_from_its_file_into_the_document(tmp_path: Path) -> None:
    """As `python -m tests.reliability.document` does, between the marks alone."""
    source, document = tmp_path / "run.json", tmp_path / "reliability.md"
    figures = [Figure(goal, "test", rf"\1 of {goal}", reached=True) for goal in GOALS]
    source.write_text(json.dumps([asdict(figure) for figure in figures]))
    document.write_text(DOCUMENT.read_text(encoding="utf-8"), encoding="utf-8")
    renew(document, source)
    renew(document, source)
    text, before = (path.read_text(encoding="utf-8") for path in (document, DOCUMENT))
    assert text.partition("<!-- table -->\n")[0] == before.partition("<!-- table -->\n")[0]
    assert (
        text.partition("<!-- end of table -->")[2] == before.partition("<!-- end of table -->")[2]
    )
    assert table_of(figures) in text


def test_the_document_has_every_goal_and_its_text() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    table = text.partition("<!-- table -->\n")[2].partition("<!-- end of table -->")[0]
    for goal, words in GOALS.items():
        assert f"| {goal} | {words} |" in table
