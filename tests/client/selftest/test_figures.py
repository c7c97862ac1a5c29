"""Figures of made-up outcomes, reckoned by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pspc.selftest.figures import MEAN, Figures, figures_of, percentile
from pspc.selftest.trial import UNEDITED, Outcome


def outcome(
    edit: str,
    *,
    found: bool = True,
    first: bool = True,
    foreign: tuple[bytes, ...] = (),
    overlap: float | None = None,
    milliseconds: float = 10.0,
    tier: str = "hashes",
) -> Outcome:
    return Outcome(b"/a", edit, tier, found, first, foreign, overlap, milliseconds)


def by_edit(outcomes: list[Outcome]) -> dict[str, Figures]:
    return {figures.edit: figures for figures in figures_of(outcomes)}


def test_shares_are_of_the_queries_of_an_edit() -> None:
    figures = by_edit(
        [
            outcome("crop-50", overlap=0.5, milliseconds=5),
            outcome("crop-50", overlap=0.9, milliseconds=7),
            outcome("crop-50", found=False, foreign=(b"/x", b"/y"), milliseconds=1),
            outcome("crop-50", found=False, first=False, milliseconds=100),
        ]
    )
    assert figures["crop-50"] == Figures("crop-50", "hashes", 4, 0.5, 0.75, 0.25, 0.7, 5, 100)


def test_in_the_mean_each_edit_counts_the_same_and_the_unedited_not() -> None:
    figures = by_edit(
        [
            outcome(UNEDITED, foreign=(b"/x",), milliseconds=900),
            *[outcome("blur")] * 3,
            outcome("noise", found=False, first=False, overlap=None, milliseconds=20),
        ]
    )
    assert list(figures) == [UNEDITED, "blur", "noise", MEAN]
    assert figures[UNEDITED].foreign == 1.0
    assert figures[MEAN] == Figures(MEAN, "hashes", 4, 0.5, 0.5, 0.0, None, 10, 20)


def test_tiers_are_told_apart() -> None:
    lines = figures_of([outcome("blur"), outcome("blur", tier="all", found=False)])
    assert [(line.tier, line.edit, line.recall) for line in lines] == [
        ("hashes", "blur", 1.0),
        ("hashes", MEAN, 1.0),
        ("all", "blur", 0.0),
        ("all", MEAN, 0.0),
    ]


def test_of_nothing_there_are_no_figures() -> None:
    assert figures_of([]) == []
    assert [line.edit for line in figures_of([outcome(UNEDITED)])] == [UNEDITED]
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.001, 1))
def test_a_percentile_is_a_value_that_the_share_does_not_exceed(
    values: list[float], share: float
) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values) + 1e-9
