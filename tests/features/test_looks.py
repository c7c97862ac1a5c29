from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pspd.core.model import Turn
from pspd.features.looks import LEAST_SIDE, cuts, turns
from tests.features.samples import scene


def test_a_picture_is_turned_as_pillow_turns_it() -> None:
    turned = turns(scene(90, 60))
    assert len(turned) == len(Turn)
    for turn, picture in zip(Turn, turned, strict=True):
        image = Image.fromarray(scene(90, 60))
        if turn is not Turn.NONE:
            image = image.transpose(Image.Transpose[turn.name])
        assert (picture == np.asarray(image)).all()


def test_halves_and_the_middle_are_cut() -> None:
    picture = scene(100, 80)
    left, right, upper, lower, middle = cuts(picture)
    assert (np.hstack([left, right]) == picture).all()
    assert (np.vstack([upper, lower]) == picture).all()
    assert (middle == picture[16:64, 20:80]).all()


@pytest.mark.parametrize(("width", "height", "count"), [(1, 1, 0), (31, 900, 0), (62, 64, 3)])
def test_what_is_too_small_is_not_cut(width: int, height: int, count: int) -> None:
    found = cuts(scene(width, height))
    assert len(found) == count
    assert all(min(each.shape[:2]) >= LEAST_SIDE for each in found)
