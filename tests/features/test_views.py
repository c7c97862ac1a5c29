from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from pspd.core.model import FailureReason
from pspd.core.view import LONGEST_VIEW, Box
from pspd.errors import FileFailure
from pspd.features.views import cropped, pixels_of, view_of
from tests.features.samples import LIMITS, encode, scene, with_orientation


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF"])
def test_a_view_is_the_picture_scaled_down(format: str) -> None:
    picture = scene(1201, 805)
    view = view_of(encode(picture, format), LIMITS, 300)
    assert (view.width, view.height) == (300, 201)
    assert (view.full_width, view.full_height) == (1201, 805)
    expected = Image.fromarray(picture).resize((300, 201), Image.Resampling.BOX)
    assert np.abs(pixels_of(view).astype(int) - np.asarray(expected)).mean() < 3


def test_a_progressive_jpeg_has_its_colours_too() -> None:
    picture = scene(2000, 1400)
    view = view_of(encode(picture, "JPEG", progressive=True, quality=90), LIMITS, 250)
    expected = Image.fromarray(picture).resize((250, 175), Image.Resampling.BOX)
    assert np.abs(pixels_of(view).astype(int) - np.asarray(expected)).mean() < 3


def test_nothing_is_enlarged() -> None:
    view = view_of(encode(scene(40, 30)), LIMITS, 384)
    assert (view.width, view.height) == (40, 30)
    assert (pixels_of(view) == scene(40, 30)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "TIFF", "WEBP"])
def test_a_view_is_upright(format: str, orientation: int) -> None:
    stored = Image.fromarray(scene())
    data = encode(stored, format, exif=with_orientation(orientation))
    stored.getexif()[0x0112] = orientation
    upright = ImageOps.exif_transpose(stored)
    view = view_of(data, LIMITS, 160)
    assert (view.full_width, view.full_height) == upright.size
    expected = np.asarray(upright.resize((view.width, view.height), Image.Resampling.BOX))
    assert np.abs(pixels_of(view).astype(int) - expected).mean() < 4


def test_what_is_transparent_is_white_whatever_hides_there() -> None:
    alpha = np.zeros((240, 320), np.uint8)
    alpha[60:200, 40:300] = 255
    view = view_of(encode(np.dstack([scene(), alpha])), LIMITS, 80)
    assert (pixels_of(view)[0] == 255).all()
    assert (pixels_of(view)[30] != 255).any()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK", "RGBA"])
def test_every_mode_has_three_channels(mode: str) -> None:
    image = Image.fromarray(scene()).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    view = view_of(encode(image, "TIFF"), LIMITS, 100)
    gray = np.asarray(Image.fromarray(scene()).convert("L").resize((100, 75)))
    assert np.abs(pixels_of(view).mean(2) - gray).mean() < 20


@given(st.integers(1, 600), st.integers(1, 600), st.integers(1, LONGEST_VIEW))
def test_any_shape_fits(width: int, height: int, longest: int) -> None:
    view = view_of(encode(Image.new("RGB", (width, height), "teal")), LIMITS, longest)
    assert 1 <= max(view.width, view.height) <= longest
    assert min(view.width, view.height) >= 1
    assert (pixels_of(view) == (0, 128, 128)).all()


@pytest.mark.parametrize("longest", [0, -1, LONGEST_VIEW + 1])
def test_views_of_odd_sizes_are_refused(longest: int) -> None:
    with pytest.raises(ValueError, match="a view has"):
        view_of(encode(scene()), LIMITS, longest)


def test_a_part_is_cut_out_of_the_upright_picture() -> None:
    data = encode(Image.fromarray(scene()), "PNG", exif=with_orientation(6))
    upright = np.rot90(scene(), -1)
    part = view_of(cropped(data, LIMITS, Box(10, 20, 50, 40)), LIMITS, 100)
    assert (pixels_of(part) == upright[20:60, 10:60]).all()


def test_a_part_ends_where_the_picture_ends() -> None:
    part = view_of(cropped(encode(scene()), LIMITS, Box(300, 200, 999, 999)), LIMITS, 100)
    assert (pixels_of(part) == scene()[200:, 300:]).all()


@pytest.mark.parametrize("box", [Box(320, 0, 5, 5), Box(0, 240, 5, 5), Box(-9, 0, 9, 9)])
def test_a_part_outside_of_the_picture_is_none(box: Box) -> None:
    with pytest.raises(FileFailure, match="320 × 240") as failed:
        cropped(encode(scene()), LIMITS, box)
    assert failed.value.reason == FailureReason.UNSUPPORTED


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_a_part_keeps_how_the_picture_is_seen(mode: str) -> None:
    image = Image.fromarray(scene()).convert(mode)
    data = encode(image, "TIFF")
    whole = view_of(data, LIMITS, LONGEST_VIEW)
    part = view_of(cropped(data, LIMITS, Box(0, 0, 320, 240)), LIMITS, LONGEST_VIEW)
    assert part == whole
