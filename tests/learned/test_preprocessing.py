"""Pixels become what a model was trained on: compared with plain arithmetic, one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pspd.learned.catalogue import Preprocessing
from pspd.learned.preprocessing import model_input
from tests.learned.pictures import noise, plain

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIDES = st.integers(1, 300)


@given(SIDES, SIDES, st.sampled_from(["squash", "crop"]), st.sampled_from(["nhwc", "nchw"]))
def test_any_picture_gets_the_shape_that_is_asked_for(
    width: int, height: int, resize: Any, layout: Any
) -> None:
    preparing = Preprocessing(14, resize=resize, shorter=16, layout=layout)
    values = model_input([plain(255, 0, 51, width=width, height=height)] * 2, preparing)
    shape = (2, 14, 14, 3) if layout == "nhwc" else (2, 3, 14, 14)
    assert values.shape == shape
    assert values.dtype == np.dtype(np.float32)
    colour = values[0, :, 3, 3] if layout == "nchw" else values[0, 3, 3]
    np.testing.assert_allclose(colour, [1.0, 0.0, 0.2], atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_levels_are_normalised_as_the_formula_says(dtype: Any) -> None:
    preparing = Preprocessing(32, dtype=dtype, mean=MEAN, deviation=DEVIATION)
    picture = noise(1, width=32, height=32)
    values = model_input([picture], preparing)
    assert values.dtype == dtype
    expected = (picture.astype(np.float64) / 255 - MEAN) / DEVIATION
    tolerance = 1e-5 if dtype == "float32" else 2e-3
    np.testing.assert_allclose(values[0], expected.transpose(2, 0, 1), atol=tolerance)


def test_levels_stay_levels_for_a_model_that_normalises_them_itself() -> None:
    picture = noise(2, width=32, height=32)
    values = model_input([picture], Preprocessing(32, layout="nhwc", dtype="uint8"))
    np.testing.assert_array_equal(values[0], picture)


def test_a_crop_is_the_middle_of_the_resized_picture() -> None:
    picture = noise(3, width=640, height=480)
    values = model_input([picture], Preprocessing(224, resize="crop", shorter=256, dtype="uint8"))
    resized = Image.fromarray(picture).resize((341, 256), Image.Resampling.BILINEAR)
    middle = np.asarray(resized)[16:240, 58:282]
    np.testing.assert_array_equal(values[0].transpose(1, 2, 0), middle)


@pytest.mark.parametrize("size", [(4, 1000), (1000, 4)])
def test_a_very_long_picture_takes_no_more_memory_than_others(size: tuple[int, int]) -> None:
    width, height = size
    picture = noise(4, width=width, height=height)
    values = model_input([picture], Preprocessing(224, resize="crop", shorter=256, dtype="uint8"))
    at = width // 2 - 16, height // 2 - 16
    middle = picture[max(0, at[1]) : at[1] + 32, max(0, at[0]) : at[0] + 32]
    alone = model_input([middle], Preprocessing(224, resize="crop", shorter=256, dtype="uint8"))
    np.testing.assert_array_equal(values, alone)


def test_a_batch_is_its_pictures_one_by_one() -> None:
    pictures = [noise(seed, width=40 + seed, height=60) for seed in range(5)]
    preparing = Preprocessing(24, mean=MEAN, deviation=DEVIATION)
    together = model_input(pictures, preparing)
    alone = np.concatenate([model_input([picture], preparing) for picture in pictures])
    np.testing.assert_array_equal(together, alone)
