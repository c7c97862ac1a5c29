"""Transforms and polygons keep the laws of plane geometry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pspc.selftest import geometry
from pspc.selftest.geometry import Points

NUMBERS = st.floats(-500, 500)
SIDES = st.floats(1, 500)


@st.composite
def boxes(draw: st.DrawFn) -> Points:
    left, top = draw(NUMBERS), draw(NUMBERS)
    return geometry.rectangle(left, top, left + draw(SIDES), top + draw(SIDES))


@st.composite
def polygons(draw: st.DrawFn) -> Points:
    """A turned rectangle, either way round."""
    polygon = geometry.moved(draw(boxes()), geometry.turn(draw(st.floats(-180, 180))))
    return polygon if draw(st.booleans()) else polygon[::-1]


@given(polygons())
def test_a_polygon_agrees_with_itself(polygon: Points) -> None:
    assert geometry.overlap(polygon, polygon) == pytest.approx(1.0)


@given(polygons(), polygons())
def test_overlap_is_symmetric_and_a_share(one: Points, other: Points) -> None:
    overlap = geometry.overlap(one, other)
    assert -1e-9 <= overlap <= 1 + 1e-9
    assert overlap == pytest.approx(geometry.overlap(other, one), abs=1e-6)


@given(polygons(), polygons())
def test_what_is_clipped_is_no_larger_than_either(one: Points, other: Points) -> None:
    shared = geometry.area(geometry.clipped(one, other))
    assert shared <= min(geometry.area(one), geometry.area(other)) * (1 + 1e-9) + 1e-6


@given(boxes(), boxes())
def test_of_rectangles_the_overlap_is_the_known_one(one: Points, other: Points) -> None:
    (left, top), (right, bottom) = np.maximum(one[0], other[0]), np.minimum(one[2], other[2])
    shared = max(0.0, right - left) * max(0.0, bottom - top)
    together = geometry.area(one) + geometry.area(other) - shared
    assert geometry.overlap(one, other) == pytest.approx(shared / together, abs=1e-6)


@given(polygons(), st.lists(st.floats(-20, 20), min_size=8, max_size=8))
def test_four_corners_are_mapped_to_their_places_and_back(
    places: Points, moves: list[float]
) -> None:
    corners = geometry.frame((200, 100)) + np.array(moves).reshape(4, 2)
    there = geometry.onto(corners, geometry.frame((300, 300)))
    moved = geometry.moved(corners, there)
    np.testing.assert_allclose(moved, geometry.frame((300, 300)), atol=1e-6)
    back = np.asarray(np.linalg.inv(there), np.float64)
    np.testing.assert_allclose(geometry.moved(moved, back), corners.tolist(), atol=1e-6)


def test_polygons_apart_share_nothing() -> None:
    one, other = geometry.frame((10, 10)), geometry.rectangle(20, 20, 30, 30)
    assert geometry.clipped(one, other).shape == (0, 2)
    assert geometry.overlap(one, other) == 0.0


def test_what_has_no_area_overlaps_nothing() -> None:
    nothing = np.empty((0, 2))
    assert geometry.area(nothing) == 0.0
    assert geometry.overlap(nothing, nothing) == 0.0
    assert geometry.overlap(nothing, geometry.frame((5, 5))) == 0.0


def test_a_half_that_is_shared_is_a_third_of_all() -> None:
    assert geometry.overlap(
        geometry.frame((10, 10)), geometry.rectangle(5, 0, 15, 10)
    ) == pytest.approx(1 / 3)


def test_a_turn_is_clockwise_as_seen() -> None:
    np.testing.assert_allclose(
        geometry.moved(np.array([(1.0, 0.0)]), geometry.turn(90)), [(0.0, 1.0)], atol=1e-12
    )
