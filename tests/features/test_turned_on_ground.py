"""A picture that lies turned or from the side on one colour is found, and nothing else is."""

from __future__ import annotations

from random import Random

import numpy as np
import numpy.typing as npt
import pytest

from pspc.selftest import geometry
from pspc.selftest.canvas import Canvas
from pspc.selftest.made_pictures import scene
from pspd.features.turned_on_ground import picture_on_ground

SIZE = (260, 180)
GROUND = (250, 250, 250)


def lying(places: geometry.Points, seed: int = 0) -> npt.NDArray[np.int16]:
    """A picture whose corners lie there on a ground of 400 × 320."""
    canvas = Canvas.of(scene(Random(seed), SIZE), SIZE)
    moving = geometry.onto(geometry.frame(SIZE), places)
    return np.asarray(canvas.warped(moving, (400, 320), GROUND).image, np.int16)


@pytest.mark.parametrize("degrees", [-40, -25, -3, 2, 10, 44])
def test_a_turned_picture_is_found_with_its_corners(degrees: float) -> None:
    middle = geometry.shift(200, 160) @ geometry.turn(degrees) @ geometry.shift(-130, -90)
    places = geometry.moved(geometry.frame(SIZE), middle)
    found = picture_on_ground(lying(places))
    assert found is not None
    assert np.abs(found - places).max() < 3


@pytest.mark.parametrize("seed", range(3))
def test_a_picture_seen_from_the_side_is_found_with_its_corners(seed: int) -> None:
    drawn = np.random.default_rng(seed).uniform(-15, 15, (4, 2))
    places = geometry.rectangle(60, 50, 340, 270) + drawn
    found = picture_on_ground(lying(places, seed))
    assert found is not None
    assert np.abs(found - places).max() < 5


def test_an_upright_one_is_left_to_others() -> None:
    assert picture_on_ground(lying(geometry.rectangle(60, 50, 340, 270))) is None


def test_another_shape_is_no_picture() -> None:
    pixels = np.full((300, 300, 3), 250, np.int16)
    across, down = np.mgrid[:300, :300]
    pixels[(across - 150) ** 2 + (down - 150) ** 2 < 120**2] = 40
    assert picture_on_ground(pixels) is None


def test_a_ground_of_several_colours_is_none() -> None:
    pixels = lying(geometry.frame((400, 320)))
    assert picture_on_ground(pixels) is None
    assert picture_on_ground(np.full((60, 60, 3), 7, np.int16)) is None
