from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pspd.core.proof import Fit
from pspd.verify.transforms import (
    MOST_SQUEEZE,
    Transform,
    apply,
    fit,
    frames_through,
    inverse,
    is_plausible,
    local_matrix,
    mirroring,
    moving,
    scale_of,
    scaling,
)

EXAMPLES = settings(max_examples=100, derandomize=True, deadline=None)
SIZE = (640, 480)
SLANTED = np.array([[1, 0.1, 5], [0.05, 0.9, 3], [2e-4, 1e-4, 1]])


@st.composite
def transforms(draw: st.DrawFn, kind: Fit = Fit.AFFINE) -> Transform:
    """Draw a transform that lays one picture on another plausibly."""
    factor = draw(st.floats(0.2, 5)) * cmath.exp(1j * draw(st.floats(-math.pi, math.pi)))
    turn = np.array([[factor.real, -factor.imag, 0], [factor.imag, factor.real, 0], [0, 0, 1]])
    squeeze = 1.0 if kind is Fit.SIMILARITY else draw(st.floats(0.6, 1.6))
    moved = moving(draw(st.floats(-500, 500)), draw(st.floats(-500, 500))) @ turn
    squeezed: Transform = moved @ scaling(squeeze, 1)
    if kind is Fit.HOMOGRAPHY:
        slant = np.eye(3)
        slant[2, :2] = draw(st.floats(-2e-4, 4e-4)), draw(st.floats(-2e-4, 4e-4))
        squeezed = squeezed @ slant
    return squeezed


def _places(count: int = 30) -> np.ndarray:
    generator = np.random.default_rng(count)
    return generator.uniform(0, 640, count) + 1j * generator.uniform(0, 480, count)


@EXAMPLES
@given(st.sampled_from(list(Fit)).flatmap(lambda kind: st.tuples(st.just(kind), transforms(kind))))
def test_a_transform_is_found_again_from_what_it_does(drawn: tuple[Fit, Transform]) -> None:
    kind, transform = drawn
    places = _places()

    found = fit(kind, places, apply(transform, places))

    assert found is not None
    assert np.abs(apply(found, places) - apply(transform, places)).max() < 0.01


@EXAMPLES
@given(transforms(Fit.HOMOGRAPHY))
def test_its_inverse_leads_back(transform: Transform) -> None:
    places = _places()

    assert np.abs(apply(inverse(transform), apply(transform, places)) - places).max() < 1e-6
    assert inverse(transform)[2, 2] == 1


@EXAMPLES
@given(transforms(Fit.HOMOGRAPHY))
def test_close_to_a_place_it_is_its_local_matrix(transform: Transform) -> None:
    place, step = 200 + 100j, 1e-3
    matrix = local_matrix(transform, place)

    for move in (step, step * 1j):
        moved = apply(transform, np.array([place + move, place]))
        change = matrix @ (complex(move).real, complex(move).imag)
        assert moved[0] - moved[1] == pytest.approx(complex(*change), rel=1e-3, abs=1e-6)


@EXAMPLES
@given(transforms(Fit.SIMILARITY))
def test_frames_turn_and_grow_with_the_picture(transform: Transform) -> None:
    places, frames = _places(), _places(30) - 320

    carried = frames_through(transform, places, frames)

    expected = apply(transform, places + frames) - apply(transform, places)
    assert np.abs(carried - expected).max() < 1e-6 * np.abs(expected).max()


def test_too_few_places_or_all_in_one_determine_nothing() -> None:
    line = np.arange(10) + 0j
    for kind, least in ((Fit.SIMILARITY, 2), (Fit.AFFINE, 3), (Fit.HOMOGRAPHY, 4)):
        assert fit(kind, line[: least - 1], line[: least - 1]) is None
    assert fit(Fit.SIMILARITY, np.ones(5) + 0j, np.ones(5) + 0j) is None
    assert fit(Fit.AFFINE, line, line) is None


@EXAMPLES
@given(transforms())
def test_pictures_may_be_turned_scaled_and_squeezed_a_little(transform: Transform) -> None:
    assert is_plausible(transform, SIZE)
    assert scale_of(transform, SIZE) == pytest.approx(math.sqrt(np.linalg.det(transform[:2, :2])))


def test_what_no_editor_does_is_not_plausible() -> None:
    assert is_plausible(SLANTED, SIZE)
    assert not is_plausible(mirroring(640), SIZE)
    assert not is_plausible(scaling(MOST_SQUEEZE * 1.01, 1), SIZE)
    assert not is_plausible(scaling(100, 100), SIZE)
    assert not is_plausible(scaling(0.01, 0.01), SIZE)
    assert not is_plausible(scaling(0, 0), SIZE)
    steep = np.eye(3)
    steep[2, 0] = 4e-3
    assert not is_plausible(steep, SIZE)
    behind = np.eye(3)
    behind[2, 0] = -2 / 640
    assert not is_plausible(behind, SIZE)


def test_what_lies_behind_the_horizon_is_infinitely_far() -> None:
    behind = np.eye(3)
    behind[2, 0] = -2 / 640
    assert np.isinf(apply(behind, np.array([600 + 0j])).real).all()
    assert np.isfinite(apply(behind, np.array([100 + 0j]))).all()
