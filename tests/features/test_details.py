from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from pspd.core.model import FailureReason, Limits
from pspd.core.view import LONGEST_VIEW, Box
from pspd.errors import FileFailure
from pspd.features.details import detail_of
from pspd.features.views import pixels_of, view_of
from tests.features.samples import LIMITS, Array, encode, scene, with_orientation


def checkerboard(width: int, height: int) -> Array:
    """Draw squares of one pixel, in a colour that tells where they are."""
    rows, columns = np.mgrid[0:height, 0:width]
    dark = (rows + columns) % 2 == 0
    colours = np.dstack((255 * columns // width, 255 * rows // height, np.full_like(rows, 200)))
    return np.where(dark[..., None], 0, colours).astype(np.uint8)


BOARD = checkerboard(1700, 1300)


@pytest.mark.parametrize(
    "part",
    [
        Box(0, 0, 1024, 1024),
        Box(676, 276, 1024, 1024),
        Box(0, 1299, 1024, 1),
        Box(1699, 0, 1, 1024),
        Box(333, 777, 1, 1),
        Box(501, 402, 301, 203),
    ],
)
@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF"])
def test_a_small_part_is_shown_pixel_for_pixel(format: str, part: Box) -> None:
    left, top, width, height = part
    view = detail_of(encode(BOARD, format), LIMITS, part, LONGEST_VIEW)
    assert (pixels_of(view) == BOARD[top : top + height, left : left + width]).all()
    assert (view.full_width, view.full_height) == (1700, 1300)


@pytest.mark.parametrize("progressive", [False, True])
def test_of_a_jpeg_the_pixels_are_what_every_program_sees(*, progressive: bool) -> None:
    data = encode(scene(1600, 1100), "JPEG", quality=70, progressive=progressive)
    plain = np.asarray(Image.open(io.BytesIO(data)))
    view = detail_of(data, LIMITS, Box(500, 70, 1024, 1024), LONGEST_VIEW)
    assert (pixels_of(view) == plain[70:1094, 500:1524]).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_part_is_of_the_upright_picture(format: str, orientation: int) -> None:
    data = encode(
        scene(), format, exif=with_orientation(orientation), quality=95, lossless=format == "WEBP"
    )
    with Image.open(io.BytesIO(data)) as stored:
        upright = np.asarray(ImageOps.exif_transpose(stored))
    view = detail_of(data, LIMITS, Box(100, 20, 77, 201), LONGEST_VIEW)
    assert (pixels_of(view) == upright[20:221, 100:177]).all()
    assert (view.full_height, view.full_width) == upright.shape[:2]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_a_large_part_is_scaled_down_in_its_place(format: str, orientation: int) -> None:
    data = encode(scene(1201, 905), format, exif=with_orientation(orientation), quality=95)
    with Image.open(io.BytesIO(data)) as stored:
        upright = ImageOps.exif_transpose(stored)
    left, top, width, height = part = Box(101, 203, 601, 403)
    expected = upright.crop((left, top, left + width, top + height)).resize(
        (151, 101), Image.Resampling.BOX
    )
    view = detail_of(data, LIMITS, part, 151)
    assert (view.width, view.height) == (151, 101)
    assert np.abs(pixels_of(view).astype(int) - np.asarray(expected)).mean() < 2


def test_neighbours_meet_without_a_seam() -> None:
    data = encode(scene(2000, 1400), "JPEG", quality=95)
    one = detail_of(data, LIMITS, Box(0, 0, 1000, 1400), 350)
    other = detail_of(data, LIMITS, Box(1000, 0, 1000, 1400), 350)
    joined = np.concatenate([pixels_of(one), pixels_of(other)], axis=1)
    whole = pixels_of(view_of(data, LIMITS, 500))
    assert joined.shape == whole.shape
    assert np.abs(joined.astype(int) - whole)[:, 240:260].mean() < 2


@pytest.mark.parametrize(
    "part",
    [
        Box(320, 0, 1, 1),
        Box(0, 240, 1, 1),
        Box(0, 0, 321, 1),
        Box(319, 0, 2, 240),
        Box(0, 1, 320, 240),
        Box(-1, 0, 5, 5),
        Box(0, 0, 1 << 32, 1 << 32),
    ],
)
def test_a_part_that_does_not_lie_in_the_picture_is_none(part: Box) -> None:
    with pytest.raises(FileFailure, match="320 × 240") as failed:
        detail_of(encode(scene()), LIMITS, part, LONGEST_VIEW)
    assert failed.value.reason == FailureReason.UNSUPPORTED


def test_a_picture_of_one_pixel_has_a_part() -> None:
    view = detail_of(encode(scene(1, 1)), LIMITS, Box(0, 0, 1, 1), LONGEST_VIEW)
    assert (pixels_of(view) == scene(1, 1)).all()


@pytest.mark.parametrize("size", [(9000, 300), (300, 9000)])
def test_the_end_of_a_very_long_picture_is_shown(size: tuple[int, int]) -> None:
    picture = checkerboard(*size)
    part = Box(size[0] - 300, size[1] - 300, 300, 300)
    view = detail_of(encode(picture), LIMITS, part, LONGEST_VIEW)
    assert (pixels_of(view) == picture[-300:, -300:]).all()


def test_a_picture_at_the_limit_of_pixels_is_shown_in_part() -> None:
    limits = Limits()
    side = int(limits.max_pixels**0.5)
    image = Image.new("L", (side, side), 90)
    image.putpixel((side - 1, side - 1), 200)
    data = encode(image, compress_level=1)
    view = detail_of(data, limits, Box(side - 2, side - 2, 2, 2), LONGEST_VIEW)
    assert pixels_of(view)[..., 0].tolist() == [[90, 90], [90, 200]]
    assert detail_of(data, limits, Box(0, 0, side, side), 8).width == 8


def test_what_is_transparent_is_white_whatever_hides_there() -> None:
    alpha = np.zeros((240, 320), np.uint8)
    alpha[60:200, 40:300] = 255
    data = encode(np.dstack([scene(), alpha]))
    view = pixels_of(detail_of(data, LIMITS, Box(30, 50, 100, 100), LONGEST_VIEW))
    assert (view[:10] == 255).all()
    assert (view[:, :10] == 255).all()
    assert (view[10:, 10:] == scene()[60:150, 40:130]).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "F", "CMYK", "RGBA"])
@pytest.mark.parametrize("longest", [LONGEST_VIEW, 40])
def test_every_mode_is_seen_as_the_whole_picture_is(mode: str, longest: int) -> None:
    name = "L" if mode in {"I;16", "F"} else mode
    image = Image.fromarray(scene()).convert(name)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    elif mode == "F":
        image = image.convert("F")
    data = encode(image, "TIFF")
    whole = pixels_of(view_of(data, LIMITS, LONGEST_VIEW))[40:140, 100:260]
    view = pixels_of(detail_of(data, LIMITS, Box(100, 40, 160, 100), longest))
    if longest == LONGEST_VIEW:
        assert (view == whole).all()
    else:
        expected = Image.fromarray(whole).resize((40, 25), Image.Resampling.BOX)
        assert np.abs(view.astype(int) - np.asarray(expected)).mean() < 4


@given(st.data(), st.integers(1, 300), st.integers(1, 300), st.integers(1, LONGEST_VIEW))
def test_any_part_of_any_picture_fits(
    data: st.DataObject, width: int, height: int, longest: int
) -> None:
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    part = Box(
        left,
        top,
        data.draw(st.integers(1, width - left)),
        data.draw(st.integers(1, height - top)),
    )
    picture = encode(Image.new("RGB", (width, height), "teal"))
    view = detail_of(picture, LIMITS, part, longest)
    assert 1 <= view.width <= min(part.width, longest)
    assert 1 <= view.height <= min(part.height, longest)
    assert (pixels_of(view) == (0, 128, 128)).all()
