"""PNG decoded by Rust: what comes out is Pillow's, to the last bit, or Pillow's own."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pspd.core.model import FailureReason
from pspd.errors import FileFailure
from pspd.features import rust_png
from pspd.features.extract import extract
from pspd.verify.pixels import pixel_digest
from tests.features.samples import LIMITS, encode, png_chunk, scene, with_orientation
from tests.pictures import shared_pictures

pytestmark = pytest.mark.skipif(rust_png.module() is None, reason="needs the extra png")

SHARED = shared_pictures()
MAGIC = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
LEAST = 1 << 10


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=["PNG"])


def _assert_as_pillow(data: bytes) -> bool:
    """Compare all that later steps may ask of the picture; say whether Rust decoded it."""
    expected = _opened(data)
    expected.load()
    found = _opened(data)
    is_done = rust_png.load(found, data)
    found.load()
    assert (found.mode, found.size, found.info) == (expected.mode, expected.size, expected.info)
    assert dict(found.getexif()) == dict(expected.getexif())
    assert np.array_equal(np.asarray(found), np.asarray(expected))
    assert np.array_equal(np.asarray(found.convert("RGBA")), np.asarray(expected.convert("RGBA")))
    return is_done


def _file(header: bytes, content: bytes, *before: bytes, behind: bytes = b"") -> bytes:
    parts = (png_chunk(b"IHDR", header), *before, png_chunk(b"IDAT", content), behind)
    return MAGIC + b"".join(parts) + png_chunk(b"IEND", b"")


def _rows() -> bytes:
    return b"".join(b"\0" + row.tobytes() for row in scene())


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """PNG of any colour type and 8 bits, of any filters, palettes and transparent colours."""
    colour_type = draw(st.sampled_from(sorted(CHANNELS)))
    width, height = draw(st.integers(20, 60)), draw(st.integers(20, 60))
    rows = np.random.default_rng(draw(st.integers(0, 1 << 30))).integers(
        0, 256, (height, 1 + width * CHANNELS[colour_type]), np.uint8
    )
    rows[:, 0] %= 5
    before = []
    if colour_type == 3:
        before.append(png_chunk(b"PLTE", draw(st.binary(min_size=3, max_size=3)) * 256))
    if draw(st.booleans()) and colour_type in {0, 2, 3}:
        transparent = {0: b"\0\7", 2: b"\0\7\0\7\0\7", 3: b"\0\x80"}[colour_type]
        before.append(png_chunk(b"tRNS", transparent))
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    return _file(header, zlib.compress(rows.tobytes(), draw(st.integers(0, 9))), *before)


@settings(max_examples=60, deadline=None)
@given(files())
def test_every_usual_kind_is_decoded_to_the_pixels_of_pillow(data: bytes) -> None:
    is_done = _assert_as_pillow(data)
    assert is_done or len(data) < LEAST


@settings(max_examples=120, deadline=None)
@given(files(), st.data())
def test_what_is_damaged_fails_as_with_pillow(data: bytes, draw: st.DataObject) -> None:
    place = draw.draw(st.integers(33, len(data) - 1))
    is_cut = draw.draw(st.booleans())
    changed = bytes([data[place] ^ draw.draw(st.integers(1, 255))])
    damaged = data[:place] if is_cut else data[:place] + changed + data[place + 1 :]
    try:
        expected = _opened(damaged)
        expected.load()
    except Exception as error:  # noqa: BLE001 - whatever it is
        with pytest.raises(type(error)):
            _load(damaged)
    else:
        assert _assert_as_pillow(damaged) in {True, False}


def _load(data: bytes) -> None:
    image = _opened(data)
    rust_png.load(image, data)
    image.load()


def _interlaced(colour_type: int, side: int) -> bytes:
    """Write Adam7's passes of noise (PNG, third edition, section 8.2)."""
    noise = np.random.default_rng(1)
    passes = (
        *((0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4)),
        *((0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)),
    )
    rows = b""
    for left, across, top, down in passes:
        width, height = len(range(left, side, across)), len(range(top, side, down))
        shape = (height, 1 + width * CHANNELS[colour_type])
        part = noise.integers(0, 256, shape, np.uint8)
        part[:, 0] %= 5
        rows += part.tobytes()
    header = struct.pack(">IIBBBBB", side, side, 8, colour_type, 0, 0, 1)
    before = (png_chunk(b"PLTE", bytes(range(256)) * 3),) if colour_type == 3 else ()
    return _file(header, zlib.compress(rows), *before)


@pytest.mark.parametrize("colour_type", sorted(CHANNELS))
def test_interlaced_pictures_are_decoded_too(colour_type: int) -> None:
    assert _assert_as_pillow(_interlaced(colour_type, 61))


def test_the_orientation_behind_the_pixels_is_read() -> None:
    plain = encode(scene())
    exif = with_orientation(6).tobytes()[6:]
    data = plain[:-12] + png_chunk(b"eXIf", exif) + plain[-12:]
    assert _assert_as_pillow(data)
    assert (extract(data, LIMITS).orientation, extract(plain, LIMITS).orientation) == (6, 1)


@pytest.mark.parametrize(
    "data",
    [
        encode(Image.fromarray(scene()[..., 0].astype(np.uint16) * 257)),
        encode(Image.fromarray(scene()).convert("1")),
        encode(Image.fromarray(scene()).quantize(16)),
        encode(
            Image.fromarray(scene()),
            save_all=True,
            append_images=[Image.fromarray(scene(seed=2))],
        ),
        encode(np.zeros((3, 3, 3), np.uint8)),
    ],
    ids=["16 bits", "1 bit", "4 bits", "animation", "tiny"],
)
def test_what_is_not_usual_is_left_to_pillow(data: bytes) -> None:
    assert not _assert_as_pillow(data)


def test_image_data_behind_another_chunk_are_not_looked_at() -> None:
    # Pillow ends at the first other chunk, and so must Rust.
    whole = zlib.compress(_rows())
    first, second = png_chunk(b"IDAT", whole[:2000]), png_chunk(b"IDAT", whole[2000:])
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 320, 240, 8, 2, 0, 0, 0))
    parts = (header, first, png_chunk(b"tEXt", b"a\0b"), second, png_chunk(b"IEND", b""))
    with pytest.raises(FileFailure) as failure:
        extract(MAGIC + b"".join(parts), LIMITS)
    assert failure.value.reason == FailureReason.TRUNCATED


def test_what_lies_behind_the_picture_is_not_given_to_rust() -> None:
    # Pillow stops at the last row; 250 MB behind a small picture cost Rust its checksum and copies.
    header = struct.pack(">IIBBBBB", 320, 240, 8, 2, 0, 0, 0)
    rows = _rows()
    assert _assert_as_pillow(_file(header, zlib.compress(rows, 0)))
    assert _assert_as_pillow(_file(header, zlib.compress(rows) + bytes(1000)))
    assert not _assert_as_pillow(_file(header, zlib.compress(rows) + bytes(len(rows))))


def test_only_the_checksum_of_the_compressed_data_is_not_asked_for() -> None:
    # The one difference: each chunk has a checksum of its own, which Rust asks for and Pillow does
    # not; the second one inside only Pillow asks for.
    header = struct.pack(">IIBBBBB", 320, 240, 8, 2, 0, 0, 0)
    whole = zlib.compress(_rows())
    wrong = _file(header, whole[:-4] + bytes(4))
    right = _file(header, whole)
    assert pixel_digest(wrong, LIMITS) == pixel_digest(right, LIMITS)


@pytest.mark.skipif(SHARED is None, reason="needs the folder of real pictures beside the checkout")
def test_real_pictures_have_the_pixels_of_pillow() -> None:
    assert SHARED is not None
    done = 0
    for path in _readable_png(SHARED):
        done += _assert_as_pillow(path.read_bytes())
    assert done >= 300


def _readable_png(folder: Path) -> list[Path]:
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            with Image.open(path, formats=["PNG"]) as image:
                image.load()
        except Exception:  # noqa: BLE001 - hostile ones are among them
            continue
        except Warning:
            continue
        found.append(path)
    return found
