"""WebP decoded by Pillow's libwebp without Pillow: to the same bits, or by Pillow."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pspd.features import still_webp
from pspd.features.decode import open_picture
from pspd.features.extract import extract
from pspd.verify.pixels import pixel_digest
from tests.features.samples import LIMITS, encode, scene, with_orientation
from tests.pictures import shared_pictures

SHARED = shared_pictures()


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=["WEBP"])


def _assert_as_pillow(data: bytes) -> None:
    expected, opened = _opened(data), _opened(data)
    found = still_webp.load(opened, data)
    assert found is not None
    assert (found.mode, found.size) == (expected.mode, expected.size)
    assert dict(found.getexif()) == dict(expected.getexif())
    expected.load()
    assert np.array_equal(np.asarray(found), np.asarray(expected))
    assert np.array_equal(np.asarray(found.reduce(2)), np.asarray(expected.reduce(2)))
    assert np.array_equal(np.asarray(found.convert("L")), np.asarray(expected.convert("L")))


def test_the_libwebp_of_pillow_is_found() -> None:
    # In Pillow's own wheels, which all of CI's machines have.
    assert still_webp.decoder() is not None


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    size=st.tuples(st.integers(1, 80), st.integers(1, 80)),
    channels=st.sampled_from((3, 4)),
    quality=st.integers(0, 100),
    is_lossless=st.booleans(),
    has_metadata=st.booleans(),
)
def test_every_still_webp_has_the_pixels_of_pillow(
    seed: int,
    size: tuple[int, int],
    channels: int,
    quality: int,
    is_lossless: bool,  # noqa: FBT001 - one of what a file may be
    has_metadata: bool,  # noqa: FBT001
) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (*size, channels), np.uint8)
    more = {"exif": with_orientation(6).tobytes()} if has_metadata else {}
    _assert_as_pillow(encode(noise, "WEBP", quality=quality, lossless=is_lossless, **more))


def test_the_orientation_is_kept() -> None:
    data = encode(scene(), "WEBP", exif=with_orientation(6).tobytes())
    features = extract(data, LIMITS)
    assert (features.orientation, features.width, features.height) == (6, 240, 320)


def test_a_loaded_picture_is_not_decoded_again() -> None:
    with open_picture(encode(scene(), "WEBP"), LIMITS) as picture:
        picture.load()
        loaded = picture.image
        assert picture.load() == 1
        assert picture.image is loaded


def test_an_animation_is_left_to_pillow() -> None:
    frames = [Image.fromarray(scene(seed=seed)) for seed in (1, 2, 3)]
    data = encode(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    assert still_webp.load(_opened(data), data) is None
    assert extract(data, LIMITS).frames == 3
    assert pixel_digest(data, LIMITS) != pixel_digest(encode(frames[0], "WEBP"), LIMITS)


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    chunks, position = [], 12
    while position < len(data):
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        chunks.append((data[position : position + 4], data[position + 8 : position + 8 + size]))
        position += 8 + size + size % 2
    return chunks


def _webp(chunks: list[tuple[bytes, bytes]]) -> bytes:
    body = b"WEBP"
    for name, content in chunks:
        body += name + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _assert_reads_no_more_than_pillow(data: bytes) -> bool:
    """Require that what is read here is what Pillow reads; say whether it was."""
    try:
        opened, expected = _opened(data), _opened(data)
    except Exception:  # noqa: BLE001 - Pillow has refused it before
        return False
    found = still_webp.load(opened, data)
    if found is not None:
        assert (found.mode, found.size) == (expected.mode, expected.size)
        assert np.array_equal(np.asarray(found), np.asarray(expected))
    return found is not None


@pytest.mark.parametrize("is_lossless", [False, True])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_picture_cut_before_its_metadata_is_not_read_on_from_them(
    channels: int,
    is_lossless: bool,  # noqa: FBT001 - one of what a file may be
) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (48, 64, channels), np.uint8)
    whole = _chunks(encode(pixels, "WEBP", lossless=is_lossless, exif=bytes(range(256)) * 9))
    assert _assert_reads_no_more_than_pillow(_webp(whole))
    for left in range(1, 50):
        cut = [
            (name, content[: len(content) * left // 50] if name in {b"VP8 ", b"VP8L"} else content)
            for name, content in whole
        ]
        _assert_reads_no_more_than_pillow(_webp(cut))


def test_alpha_counts_where_the_header_says_so() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (48, 64, 4), np.uint8)
    for is_lossless in (False, True):
        data = encode(noise, "WEBP", lossless=is_lossless, exif=b"Exif")
        assert data[20] & 0x10
        assert _assert_reads_no_more_than_pillow(data)
        assert _assert_reads_no_more_than_pillow(data[:20] + bytes([8]) + data[21:])


def test_chunks_that_nobody_knows_are_passed_over() -> None:
    header, *others = _chunks(encode(scene(48, 40), "WEBP", exif=b"Exif"))
    unknown = (b"junk", b"VP8 or not")
    assert _assert_reads_no_more_than_pillow(_webp([header, unknown, *others, unknown]))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_is_damaged_fails_as_with_pillow(draw: st.DataObject) -> None:
    channels = draw.draw(st.sampled_from((3, 4)))
    is_lossless = draw.draw(st.booleans())
    more = {"exif": bytes(range(256)) * 9, "xmp": b"<x/>"} if draw.draw(st.booleans()) else {}
    picture = np.dstack((scene(48, 40), scene(48, 40)[..., :1]))[..., :channels]
    data = encode(np.ascontiguousarray(picture), "WEBP", lossless=is_lossless, **more)
    place = draw.draw(st.integers(12, min(len(data), 2000) - 1))
    changed = bytes([data[place] ^ draw.draw(st.integers(1, 255))])
    is_cut = draw.draw(st.booleans())
    _assert_reads_no_more_than_pillow(
        data[:place] if is_cut else data[:place] + changed + data[place + 1 :]
    )


@pytest.mark.skipif(SHARED is None, reason="needs the folder of real pictures beside the checkout")
def test_real_pictures_have_the_pixels_of_pillow() -> None:
    assert SHARED is not None
    for path in _still_webp(SHARED):
        _assert_as_pillow(path.read_bytes())


def _still_webp(folder: Path) -> list[Path]:
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            with Image.open(path, formats=["WEBP"]) as image:
                image.load()
                if getattr(image, "n_frames", 1) == 1:
                    found.append(path)
        except Exception:  # noqa: BLE001 - hostile ones are among them
            continue
    assert len(found) >= 8
    return found
