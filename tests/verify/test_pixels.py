from __future__ import annotations

import dataclasses
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from pspd.core.model import FailureReason
from pspd.errors import FileFailure
from pspd.features.decode import OpenPicture
from pspd.features.extract import extract_query
from pspd.verify.pixels import PIXELS_VERSION, pixel_digest
from tests.features.samples import (
    LIMITS,
    Array,
    encode,
    png,
    png_chunk,
    scene,
    tiff,
    with_orientation,
)

EXAMPLES = settings(max_examples=60, derandomize=True)


@st.composite
def pixels(draw: st.DrawFn, channels: int = 3) -> Array:
    """Draw a small picture of few or many colours."""
    width, height = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.sampled_from([2, 5, 256]))
    values = generator.integers(0, levels, (height, width, channels)) * (255 // (levels - 1))
    return values.astype(np.uint8)


def _digest(data: bytes) -> bytes:
    """Digest a picture as a candidate, and see that as a query it has the same."""
    digest = pixel_digest(data, LIMITS)
    loaded: list[OpenPicture] = []
    extract_query(data, LIMITS, keep=loaded.append)
    assert pixel_digest(data, LIMITS, *loaded) == digest
    return digest.digest


def _same(*files: bytes) -> bool:
    return len({_digest(data) for data in files}) == 1


@EXAMPLES
@given(pixels())
def test_lossless_containers_of_the_same_pixels_are_equal(picture: Array) -> None:
    assert _same(
        encode(picture),
        png(picture),
        encode(picture, "BMP"),
        encode(picture, "WEBP", lossless=True),
        encode(picture, "TIFF"),
        encode(picture, "TIFF", compression="tiff_lzw"),
        encode(picture, exif=with_orientation(1), dpi=(72, 72)),
        png(np.dstack((picture, np.full(picture.shape[:2], 255, np.uint8)))),
        png(picture.astype("u2") * 257),
    )


@EXAMPLES
@given(pixels(channels=4))
def test_containers_of_transparent_pictures_are_equal(picture: Array) -> None:
    visible = np.where(picture[..., 3:] == 0, np.uint8(0), picture)
    files = [
        encode(picture),
        encode(visible),
        encode(picture, "WEBP", lossless=True),
        encode(picture, "TIFF"),
    ]
    if picture[..., 3].any():
        # A BMP whose alpha is zero everywhere is taken as one without alpha.
        files.append(encode(picture, "BMP"))
    assert _same(*files)


@EXAMPLES
@given(pixels(channels=1))
def test_gray_palette_and_colour_of_the_same_look_are_equal(picture: Array) -> None:
    gray = picture[..., 0]
    image = Image.fromarray(gray)
    assert _same(
        encode(image),
        encode(image.convert("RGB")),
        encode(image.convert("P")),
        encode(image, "GIF"),
        encode(image, "BMP"),
        encode(image.convert("LA")),
        png(picture.astype("u2") * 257),
        png(np.dstack((gray, np.full_like(gray, 255))).astype("u2") * 257),
    )


@EXAMPLES
@given(pixels(), st.integers(1, 8), st.sampled_from(["PNG", "TIFF", "WEBP"]))
def test_a_turned_picture_with_its_tag_equals_the_upright_one(
    picture: Array, orientation: int, format: str
) -> None:
    options: dict[str, Any] = {"lossless": True} if format == "WEBP" else {}
    tagged = encode(picture, format, exif=with_orientation(orientation), **options)
    with Image.open(io.BytesIO(tagged)) as image:
        upright = ImageOps.exif_transpose(image)
    assert _same(tagged, encode(np.asarray(upright)))


@EXAMPLES
@given(pixels(channels=4), st.data())
def test_one_changed_value_makes_a_difference(picture: Array, data: st.DataObject) -> None:
    picture[..., 3] |= 1
    changed = picture.copy()
    row = data.draw(st.integers(0, picture.shape[0] - 1))
    column = data.draw(st.integers(0, picture.shape[1] - 1))
    channel = data.draw(st.integers(0, 3))
    changed[row, column, channel] ^= 2
    assert _digest(encode(picture)) != _digest(encode(changed))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_the_lower_bytes_of_16_bits_count(channels: int) -> None:
    generator = np.random.default_rng(8)
    deep = generator.integers(0, 65536, (9, 11, channels)).astype(np.uint16)
    deep[0, 0] = 0x1234
    changed = deep.copy()
    changed[0, 0, channels - 1] ^= 1
    assert _digest(png(deep)) != _digest(png(changed))
    assert _digest(png(deep)) != _digest(png((deep >> 8).astype(np.uint8)))
    recompressed = png(deep, png_chunk(b"tEXt", b"Comment\0another file"))
    assert _digest(png(deep)) == _digest(recompressed)


def test_16_bits_are_equal_whatever_the_container_and_its_byte_order() -> None:
    deep = scene(20, 15).astype(np.uint16) * 200 + 31
    assert _same(png(deep), tiff(deep), tiff(deep, ">"))
    gray = deep[..., :1]
    assert _same(png(gray), encode(gray[..., 0], "TIFF"), encode(gray[..., 0]))


def test_a_16_bit_picture_that_cannot_be_decoded_whole_equals_no_other() -> None:
    deep = scene(20, 15).astype("u2") * 200
    key = png_chunk(b"tRNS", b"\0\1\0\2\0\3")
    one, other = png(deep, key), png(deep, key, png_chunk(b"tEXt", b"Comment\0another file"))
    assert _digest(one) == _digest(one)
    assert _digest(one) != _digest(other)


def test_a_still_never_equals_an_animation() -> None:
    frame = Image.fromarray(scene(30, 20)).convert("P")
    other = Image.fromarray(scene(30, 20, 2)).convert("P")
    still = encode(frame, "GIF")
    moving = encode(frame, "GIF", save_all=True, append_images=[other])
    backwards = encode(other, "GIF", save_all=True, append_images=[frame])
    assert len({_digest(still), _digest(moving), _digest(backwards)}) == 3


def test_the_same_animation_in_two_containers_is_equal() -> None:
    frames = [Image.fromarray(scene(30, 20, seed)) for seed in (1, 2, 3)]
    rest: dict[str, Any] = {"save_all": True, "append_images": frames[1:]}
    assert _same(
        encode(frames[0], "PNG", **rest),
        encode(frames[0], "WEBP", lossless=True, **rest),
        encode(frames[0], "TIFF", **rest),
    )


def test_a_shape_is_part_of_the_pixels() -> None:
    flat = np.zeros((2, 3, 3), np.uint8)
    assert _digest(encode(flat)) != _digest(encode(np.zeros((3, 2, 3), np.uint8)))


def test_other_colour_models_equal_only_their_like() -> None:
    cmyk = Image.fromarray(scene(20, 15)).convert("CMYK")
    first, second = encode(cmyk, "TIFF"), encode(cmyk, "TIFF", compression="tiff_lzw")
    assert _digest(first) == _digest(second)
    raw = Image.frombytes("RGBA", cmyk.size, cmyk.tobytes())
    assert _digest(first) != _digest(encode(raw))


def test_a_jpeg_equals_a_lossless_copy_of_what_it_decodes_to() -> None:
    jpeg = encode(scene(), "JPEG", exif=with_orientation(6))
    with Image.open(io.BytesIO(jpeg)) as image:
        upright = ImageOps.exif_transpose(image)
    assert _same(jpeg, encode(np.asarray(upright)))
    assert _digest(jpeg) != _digest(encode(scene(), "JPEG", quality=60))


def test_too_many_frames_are_refused() -> None:
    frames = [Image.fromarray(scene(64, 48, seed)).convert("P") for seed in range(9)]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    few = dataclasses.replace(LIMITS, max_pixels=64 * 48 + 100_000)
    with pytest.raises(FileFailure) as failure:
        pixel_digest(data, few)
    assert failure.value.reason == FailureReason.TOO_BIG
    assert "max_pixels" in str(failure.value)
    assert pixel_digest(data, LIMITS).version == PIXELS_VERSION


def test_a_truncated_picture_has_no_digest() -> None:
    data = encode(scene(), "JPEG")
    with pytest.raises(FileFailure) as failure:
        pixel_digest(data[: len(data) // 2], LIMITS)
    assert failure.value.reason == FailureReason.TRUNCATED


def test_jpeg_xl_without_loss_equals_its_png() -> None:
    pytest.importorskip("pillow_jxl")
    assert _same(encode(scene(), "JXL", lossless=True), encode(scene()))
