from __future__ import annotations

import hashlib
import io

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageOps

from pspd.core.model import Limits, Turn
from pspd.core.verdict import FLAT_QUALITY, hamming
from pspd.features.extract import EXACT_SIDE, FEATURES_VERSION, SURELY_FLAT, extract, extract_query
from tests.features.samples import LIMITS, encode, png, scene, with_orientation
from tests.pictures import shared_pictures

SHARED = shared_pictures()


def _reference(image: Image.Image, size: int) -> bytes:
    return np.packbits(imagehash.phash(image, hash_size=size).hash).tobytes()


def _on_white(image: Image.Image) -> Image.Image:
    upright = ImageOps.exif_transpose(image)
    if not upright.has_transparency_data:
        return upright
    rgba = upright.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_every_base_format_gives_the_same_picture(format: str) -> None:
    data = encode(scene(), format)
    features = extract(data, LIMITS)
    assert features.version == FEATURES_VERSION
    assert features.image_id == hashlib.blake2b(data, digest_size=32).digest()
    assert (features.format, features.width, features.height) == (format, 320, 240)
    assert (features.frames, features.orientation, features.size) == (1, 1, len(data))
    allowed = 24 if format == "GIF" else 10  # 256 colours
    assert hamming(features.phash256, extract(encode(scene()), LIMITS).phash256) <= allowed
    assert features.mean == pytest.approx(scene().mean((0, 1)), abs=3)


def test_a_large_jpeg_is_hashed_from_a_scaled_decode_and_keeps_its_size() -> None:
    picture = scene(1801, 1203)
    features = extract(encode(picture, "JPEG", quality=95), LIMITS)
    assert (features.width, features.height) == (1801, 1203)
    assert hamming(features.phash256, extract(encode(picture), LIMITS).phash256) <= 4
    assert features.mean == pytest.approx(picture.mean((0, 1)), abs=1)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_orientation_tag_is_applied_once(format: str, orientation: int) -> None:
    undo = {6: 8, 8: 6}.get(orientation, orientation)
    upright = Image.fromarray(scene())
    upright.getexif()[0x0112] = undo
    stored = ImageOps.exif_transpose(upright)
    features = extract(encode(stored, format, exif=with_orientation(orientation)), LIMITS)
    assert (features.width, features.height) == (320, 240)
    assert features.orientation == orientation
    assert hamming(features.phash256, extract(encode(scene()), LIMITS).phash256) <= 10


def test_a_query_is_hashed_after_each_of_the_eight_turns() -> None:
    features, turned = extract_query(encode(scene()), LIMITS)
    assert [hashes.turn for hashes in turned] == list(Turn)
    assert (turned[0].phash64, turned[0].phash256) == (features.phash64, features.phash256)
    for hashes in turned[1:]:
        image = Image.fromarray(scene()).transpose(Image.Transpose[hashes.turn.name])
        really_turned = extract(encode(image), LIMITS)
        assert hamming(hashes.phash64, really_turned.phash64) <= 2
        assert hamming(hashes.phash256, really_turned.phash256) <= 4


def test_a_transparent_picture_is_hashed_on_white_whatever_hides_under_it() -> None:
    alpha = np.zeros((240, 320), np.uint8)
    alpha[60:200, 40:300] = 255
    hidden = np.where(alpha[..., None] == 0, np.uint8(7), scene())
    features = extract(encode(np.dstack((hidden, alpha))), LIMITS)
    on_white = np.where(alpha[..., None] == 0, np.uint8(255), scene())
    # What is averaged is rounded: once for the colours, once for alpha.
    assert hamming(features.phash256, extract(encode(on_white), LIMITS).phash256) <= 4
    assert features.mean == pytest.approx(on_white.mean((0, 1)), abs=0.5)
    assert features.channels == 4


def _as(mode: str) -> Image.Image:
    return Image.fromarray(scene()).convert(mode)


def _deep(dtype: str, scale: float) -> Image.Image:
    return Image.fromarray((np.asarray(_as("L"), np.float64) * scale).astype(dtype))


@pytest.mark.parametrize(
    ("data", "channels"),
    [
        pytest.param(encode(_as("L")), 1, id="gray"),
        pytest.param(encode(_as("LA")), 2, id="gray and alpha"),
        pytest.param(encode(_as("RGBA")), 4, id="colour and alpha"),
        pytest.param(encode(_as("CMYK"), "TIFF"), 4, id="CMYK TIFF"),
        pytest.param(encode(_as("CMYK"), "JPEG", quality=95), 4, id="CMYK JPEG"),
        pytest.param(encode(_as("LAB"), "TIFF"), 3, id="LAB"),
        pytest.param(encode(_deep("u2", 257)), 1, id="16-bit PNG"),
        pytest.param(encode(_deep("u2", 257), "TIFF"), 1, id="16-bit TIFF"),
        pytest.param(encode(_deep("i4", 257), "TIFF"), 1, id="32-bit TIFF"),
        pytest.param(encode(_deep("f4", 1 / 255), "TIFF"), 1, id="float TIFF to 1"),
        pytest.param(encode(_deep("f4", 1), "TIFF"), 1, id="float TIFF to 255"),
        pytest.param(png(scene().astype("u2") * 257), 3, id="16-bit colour PNG"),
    ],
)
def test_every_colour_model_is_brought_to_the_same_picture(data: bytes, channels: int) -> None:
    features = extract(data, LIMITS)
    assert features.channels == channels
    plain = extract(encode(_as("L") if channels < 3 else _as("RGB")), LIMITS)
    assert hamming(features.phash64, plain.phash64) <= 2
    assert hamming(features.phash256, plain.phash256) <= 12
    assert features.mean == pytest.approx(plain.mean, abs=6)


def test_a_palette_and_one_bit_are_expanded() -> None:
    for mode, channels in (("P", 3), ("1", 1)):
        features = extract(encode(_as(mode)), LIMITS)
        assert features.channels == channels
        assert hamming(features.phash64, extract(encode(scene()), LIMITS).phash64) <= 8


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_first_frame_counts_and_the_number_of_frames_is_kept(format: str) -> None:
    frames = [Image.fromarray(scene(seed=seed)) for seed in (1, 2, 3)]
    data = encode(frames[0], format, save_all=True, append_images=frames[1:])
    features = extract(data, LIMITS)
    assert features.frames == 3
    assert hamming(features.phash256, extract(encode(frames[0], format), LIMITS).phash256) <= 8


def test_flat_pictures_are_told_and_others_keep_their_hash() -> None:
    page = np.full((400, 300), 255, np.uint8)
    page[50, 60] = page[200, 100] = page[300, 280] = 180
    faint = np.random.default_rng(3).integers(126, 130, (300, 400)).astype(np.uint8)
    gradient = np.tile(np.linspace(100, 130, 400).astype(np.uint8), (300, 1))
    for flat in (np.full((64, 64), 90, np.uint8), page, faint, gradient):
        assert extract(encode(flat), LIMITS).quality < FLAT_QUALITY
    features = extract(encode(scene()), LIMITS)
    assert features.quality >= FLAT_QUALITY
    mild = Image.fromarray(scene()).resize((160, 120))
    for edited in (encode(mild), encode(scene(), "JPEG", quality=50)):
        assert hamming(extract(edited, LIMITS).phash256, features.phash256) <= 16


def test_a_symmetric_drawing_is_flat_for_half_of_its_bits_are_chance() -> None:
    rows, columns = np.mgrid[-150:150, -150:150] + 0.5
    ring = np.where(np.abs(np.hypot(rows, columns) - 90) < 30, 0, 255).astype(np.uint8)
    assert extract(encode(ring), LIMITS).quality < FLAT_QUALITY


def test_pictures_of_one_pixel_and_long_strips_are_pictures() -> None:
    for size in ((1, 1), (1, 3000), (3000, 1), (3, 2)):
        features = extract(encode(Image.new("RGB", size, "teal")), LIMITS)
        assert (features.width, features.height) == size
        assert features.mean == (0.0, 128.0, 128.0)


@pytest.mark.parametrize("size", [(128, 128), (256, 127), (301, 1500), (2000, 260)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
def test_averaging_first_leaves_the_hash_and_the_mean(mode: str, size: tuple[int, int]) -> None:
    colours = scene(*size, seed=5)
    alpha = scene(*size, seed=6)[..., 0]
    picture = Image.fromarray(np.dstack((colours, alpha))).convert(mode)
    features = extract(encode(picture), LIMITS)
    exact = _on_white(picture).convert("RGB")
    assert hamming(features.phash64, _reference(exact, 8)) <= 2
    # Dithering, which a palette brings, is what averaging changes most.
    assert hamming(features.phash256, _reference(exact, 16)) <= (8 if mode == "P" else 4)
    assert features.mean == pytest.approx(np.asarray(exact).mean((0, 1)), abs=0.5)


def test_a_doubtful_picture_is_hashed_from_all_its_pixels() -> None:
    rows, columns = np.mgrid[-300:300, -300:300] + 0.5
    ring = np.where(np.abs(np.hypot(rows, columns) - 180) < 60, 0, 255).astype(np.uint8)
    alpha = np.where(np.hypot(rows, columns) < 280, 255, 0).astype(np.uint8)
    for data in (encode(ring), encode(np.dstack((ring, alpha)))):
        features = extract(data, LIMITS)
        exact = _on_white(Image.open(io.BytesIO(data)))
        assert features.phash64 == _reference(exact, 8)
        assert features.phash256 == _reference(exact, 16)
    for options in ({}, {"progressive": True}):
        data = encode(ring, "JPEG", quality=95, **options)
        scaled = Image.open(io.BytesIO(data))
        scaled.draft(None, (EXACT_SIDE, EXACT_SIDE))
        assert extract(data, LIMITS).phash256 == _reference(scaled, 16)


@pytest.mark.parametrize("subsampling", [0, 2])
@pytest.mark.parametrize("size", [(150, 100), (400, 300), (800, 500), (1600, 1001)])
def test_a_progressive_jpeg_is_hashed_as_the_same_baseline_one(
    size: tuple[int, int], subsampling: int
) -> None:
    one, other = (
        extract(
            encode(scene(*size), "JPEG", subsampling=subsampling, progressive=progressive), LIMITS
        )
        for progressive in (False, True)
    )
    assert hamming(one.phash64, other.phash64) <= 2
    assert hamming(one.phash256, other.phash256) <= 4
    assert one.mean == pytest.approx(other.mean, abs=0.5)


def test_a_jpeg_without_chroma_of_its_own_is_read_all_the_same() -> None:
    picture = Image.fromarray(scene())
    for options in ({"keep_rgb": True}, {"keep_rgb": True, "progressive": True}):
        features = extract(encode(picture, "JPEG", quality=95, **options), LIMITS)
        assert hamming(features.phash256, extract(encode(picture), LIMITS).phash256) <= 4
        assert features.mean == pytest.approx(scene().mean((0, 1)), abs=1)


def test_a_jpeg_that_lies_about_its_colours_is_read_plainly() -> None:
    data = encode(Image.fromarray(scene()), "JPEG", quality=95, keep_rgb=True)
    # Pillow believes any JFIF segment, libjpeg none that is so short.
    lying = data[:2] + b"\xff\xe0\x00\x0aJFIF\x00\x01\x01\x00" + data[2:]
    assert hamming(extract(lying, LIMITS).phash256, extract(data, LIMITS).phash256) <= 4


def test_extraction_leaves_pillows_settings_alone() -> None:
    before = Image.MAX_IMAGE_PIXELS
    extract(encode(scene()), LIMITS)
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.skipif(SHARED is None, reason="needs the folder of real pictures beside the checkout")
def test_real_pictures_are_hashed_as_imagehash_does_within_the_contract() -> None:
    assert SHARED is not None
    distances = []
    flat = 0
    for path in sorted(
        path
        for folder in ("photos", "clipart", "copies")
        for path in (SHARED / folder).rglob("*")
        if path.is_file()
    ):
        features = extract(path.read_bytes(), Limits())
        with Image.open(path) as image:
            seen = _on_white(image)
        assert (features.width, features.height) == seen.size
        if features.quality < SURELY_FLAT:
            # Such hashes are never compared, and cost too much to be exact.
            flat += 1
            continue
        distances.append(
            (
                hamming(features.phash64, _reference(seen, 8)),
                hamming(features.phash256, _reference(seen, 16)),
            )
        )
    shallow, deep = np.array(distances).T
    assert np.all(shallow <= 2)
    assert np.mean(deep <= 4) >= 0.99
    assert flat <= 12
