from __future__ import annotations

import cmath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pspd.verify.polygons import (
    Polygon,
    area,
    bounds,
    clip,
    clockwise,
    from_upper_left,
    overlap,
    rectangle,
    signed_area,
)

EXAMPLES = settings(max_examples=100, derandomize=True, deadline=None)
SQUARE = rectangle(0, 0, 10, 10)


@st.composite
def rectangles(draw: st.DrawFn) -> Polygon:
    """Draw a turned rectangle, its corners in either order."""
    number = st.floats(-20, 20)
    side = st.floats(0.5, 30)
    corners = rectangle(0, 0, draw(side), draw(side)) * cmath.exp(1j * draw(st.floats(-4, 4)))
    moved = corners + complex(draw(number), draw(number))
    return moved[::-1] if draw(st.booleans()) else moved


def test_a_rectangle_goes_clockwise_from_its_upper_left() -> None:
    assert rectangle(1, 2, 4, 8).tolist() == [1 + 2j, 4 + 2j, 4 + 8j, 1 + 8j]
    assert signed_area(SQUARE) == pytest.approx(100)
    assert signed_area(SQUARE[::-1]) == pytest.approx(-100)
    assert signed_area(clockwise(SQUARE[::-1])) == pytest.approx(100)
    assert bounds(SQUARE * 1j) == (-10, 0, 0, 10)


def test_what_lies_outside_is_cut_off() -> None:
    assert area(clip(SQUARE, rectangle(5, 5, 15, 15))) == pytest.approx(25)
    assert area(clip(SQUARE, rectangle(20, 20, 30, 30))) == 0
    assert overlap(SQUARE, rectangle(5, 0, 15, 10)) == pytest.approx(1 / 3)


@EXAMPLES
@given(rectangles(), rectangles())
def test_clipping_is_symmetric_and_never_adds(one: Polygon, other: Polygon) -> None:
    common = area(clip(one, other))

    assert common == pytest.approx(area(clip(other, one)), abs=1e-6)
    assert common <= min(area(one), area(other)) + 1e-6
    assert 0 <= overlap(one, other) <= 1 + 1e-9


@EXAMPLES
@given(rectangles())
def test_a_polygon_lies_on_itself(polygon: Polygon) -> None:
    assert overlap(polygon, polygon) == pytest.approx(1)
    assert overlap(polygon, polygon[::-1]) == pytest.approx(1)


@EXAMPLES
@given(first=st.integers(0, 3), is_reversed=st.booleans())
def test_corners_are_put_in_order(first: int, *, is_reversed: bool) -> None:
    corners = np.roll(SQUARE, first)
    corners = corners[::-1] if is_reversed else corners

    assert corners[from_upper_left(corners)].tolist() == SQUARE.tolist()
