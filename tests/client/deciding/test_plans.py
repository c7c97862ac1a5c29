"""A plan says what a person reads, survives any path, and is refused where it makes no sense."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pspc.deciding.plans import Line, PlanError, parse, text_of

HEAD = '{"psp_plan": 1}\n'
PATHS = st.binary(min_size=1, max_size=40).map(lambda name: b"/" + name.replace(b"\0", b""))


@given(
    st.lists(st.tuples(PATHS, st.sampled_from(("keep", "trash", "link"))), unique_by=lambda x: x[0])
)
def test_what_is_written_is_read(files: list[tuple[bytes, str]]) -> None:
    lines = [
        Line(number, do, path, "ab" * 32, number, "pixels", "copy")  # type: ignore[arg-type]
        for number, (path, do) in enumerate(files)
    ]
    text = "".join(text_of(lines, "pixels", "2026-12-01T10:00:00Z"))
    assert parse(text) == lines
    assert all(json.loads(each) for each in text.splitlines() if each)


def test_a_person_may_leave_out_lines_and_write_remarks() -> None:
    lines = list(
        text_of([Line(1, "keep", b"/a", "ab", 1), Line(1, "trash", b"/b", "cd", 2)], "", "")
    )
    assert [line.path for line in parse(f"# mine\n\n{lines[0]}{lines[1]}  # no\n")] == [b"/a"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the plan is empty"),
        ("{}", "line 1: this is no plan"),
        ("no JSON", "line 1: this is no plan"),
        ('{"psp_plan": 2}', "version 2"),
        (HEAD + "x", "line 2: "),
        (HEAD + '{"group": 1, "do": "delete", "path": "/a", "image": "", "bytes": 1}', "line 2: "),
        (
            HEAD + '{"group": 1, "do": "keep", "path": "a", "image": "", "bytes": 1}',
            "begins with /",
        ),
        (HEAD + '{"group":1,"do":"keep","path":"/a","image":"","bytes":1}\n' * 2, "once more"),
    ],
)
def test_what_is_no_plan_is_told_with_its_line(text: str, words: str) -> None:
    with pytest.raises(PlanError, match=words):
        parse(text)
