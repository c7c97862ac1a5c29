"""Paths made to fit a terminal's width."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pspc import render
from pspc.fitting import FEWEST_COLUMNS, fitted_paths, width
from tests.rpc import samples

LONG = "/home/ann/Pictures/holidays/2025/beach/sunset-over-the-bay.jpg"
SHORT = "/home/ann/a.jpg"


def test_paths_that_fit_are_whole() -> None:
    assert fitted_paths([LONG, SHORT], len(LONG), "/home/ann") == [LONG, SHORT]


def test_paths_that_do_not_fit_are_told_from_the_home() -> None:
    shown = fitted_paths([LONG, SHORT], len(LONG) - 1, "/home/ann")
    assert shown == ["~" + LONG.removeprefix("/home/ann"), "~/a.jpg"]


def test_of_a_path_that_never_fits_the_end_is_shown() -> None:
    (shown,) = fitted_paths([LONG], 25, "/home/ann")
    assert shown == "…" + LONG[-24:]


def test_a_very_narrow_terminal_still_gets_something() -> None:
    (shown,) = fitted_paths([LONG], -3, "/home/ann")
    assert shown == "…" + LONG[1 - FEWEST_COLUMNS :]


@given(st.lists(st.text(st.characters(categories=["L", "N", "P"]))), st.integers(20, 200))
def test_every_path_fits(paths: list[str], columns: int) -> None:
    assert all(width(path) <= columns for path in fitted_paths(paths, columns, "/home/ann"))


def test_a_chinese_character_has_two_columns() -> None:
    assert width("图a") == 3


def test_a_hit_that_differs_by_its_orientation_tag_says_so() -> None:
    turned = msgspec.structs.replace(samples.HIT, turn="none", upright=True)
    plain = msgspec.structs.replace(turned, upright=False)
    _, first, second = render.search_table([turned, plain]).splitlines()
    assert "by its tag" in first
    assert "by its tag" not in second


@pytest.mark.parametrize("columns", [80, 90, 100])
def test_a_table_of_hits_fits_the_terminal(columns: int) -> None:
    hits = [msgspec.structs.replace(samples.HIT, path=LONG.encode())] * 2
    lines = render.search_table(hits, columns).splitlines()
    assert max(map(len, lines)) <= columns
    assert all(line.endswith("over-the-bay.jpg") for line in lines[1:])
