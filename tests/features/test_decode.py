from __future__ import annotations

import dataclasses
import io
import struct
import sys
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from pspd.core.model import FailureReason, Limits
from pspd.errors import FileFailure
from pspd.features.extract import extract
from pspd.features.upright import strips, upright_size
from pspd.verify.pixels import pixel_digest
from tests.features.samples import (
    LIMITS,
    encode,
    png,
    png_chunk,
    png_claiming,
    scene,
    with_orientation,
)
from tests.pictures import shared_pictures

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
SHARED = shared_pictures()


def _failure(data: bytes, limits: Limits = LIMITS) -> FileFailure:
    with pytest.raises(FileFailure) as failure:
        extract(data, limits)
    message = str(failure.value)
    assert message
    assert "\n" not in message
    return failure.value


@pytest.mark.parametrize(
    ("limit", "value"), [("max_bytes", 100), ("max_pixels", 76_799), ("max_side", 319)]
)
@pytest.mark.parametrize("format", FORMATS)
def test_a_picture_over_a_limit_is_refused_and_the_limit_named(
    format: str, limit: str, value: int
) -> None:
    failure = _failure(encode(scene(), format), dataclasses.replace(LIMITS, **{limit: value}))
    assert failure.reason == FailureReason.TOO_BIG
    assert limit in str(failure)


def test_a_bomb_is_refused_by_its_header() -> None:
    assert _failure(png_claiming(10_000, 10_000)).reason == FailureReason.TOO_BIG
    assert _failure(png_claiming(60_000, 60_000), Limits()).reason == FailureReason.TOO_BIG


def test_more_pixels_than_pillow_would_warn_of_are_within_a_higher_limit() -> None:
    limits = Limits(max_pixels=200_000_000)
    assert _failure(png_claiming(14_000, 14_000), limits).reason in {
        FailureReason.TRUNCATED,
        FailureReason.BROKEN,
    }


@pytest.mark.parametrize("share", [0.3, 0.7, 0.97])
@pytest.mark.parametrize("format", FORMATS)
def test_a_truncated_picture_is_called_truncated(format: str, share: float) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (600, 700, 3)).astype(np.uint8)
    data = encode(pixels, format)
    failure = _failure(data[: int(len(data) * share)])
    assert failure.reason == FailureReason.TRUNCATED


def test_a_jpeg_without_its_last_bytes_is_truncated_also_when_scaled() -> None:
    data = encode(scene(1800, 1200), "JPEG")
    assert _failure(data[:-400]).reason == FailureReason.TRUNCATED


@pytest.mark.parametrize("format", FORMATS)
def test_only_a_beginning_is_no_picture(format: str) -> None:
    failure = _failure(encode(scene(), format)[:40])
    assert failure.reason in {FailureReason.TRUNCATED, FailureReason.BROKEN}


def test_a_jpeg_of_very_many_scans_is_refused() -> None:
    data = encode(scene(64, 64), "JPEG", progressive=True)
    last_scan = data[data.rindex(b"\xff\xda") : -2]
    assert _failure(data[:-2] + last_scan * 150 + b"\xff\xd9").reason == FailureReason.TOO_BIG


def test_what_follows_a_jpegs_end_are_not_its_scans() -> None:
    assert extract(encode(scene(), "JPEG") + b"\xff\xda" * 500, LIMITS).format == "JPEG"


def test_damaged_metadata_do_not_spoil_a_picture() -> None:
    damaged = b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xff" * 30
    for name in ("JPEG", "WEBP"):
        assert extract(encode(scene(), name, exif=damaged), LIMITS).orientation == 1
    nonsense = with_orientation(77)
    assert extract(encode(scene(), "JPEG", exif=nonsense), LIMITS).orientation == 1


def test_an_orientation_behind_the_pixels_of_a_png_counts() -> None:
    data = png(scene())
    end = data.index(b"IEND") - 4
    exif = png_chunk(b"eXIf", with_orientation(6).tobytes()[6:])
    features = extract(data[:end] + exif + data[end:], LIMITS)
    assert (features.orientation, features.width, features.height) == (6, 240, 320)


def test_a_gif_whose_frame_enlarges_the_canvas_stays_within_the_limits() -> None:
    data = bytearray(encode(Image.new("P", (4, 4)), "GIF"))
    at = data.index(b"\x2c\0\0\0\0") + 1
    data[at : at + 8] = struct.pack("<HHHH", 0, 0, 60_000, 60_000)
    assert _failure(bytes(data)).reason == FailureReason.TOO_BIG


def test_an_alpha_of_zeros_in_a_bmp_is_a_reserved_byte() -> None:
    pixels = np.dstack((scene(), np.zeros((240, 320), np.uint8)))
    features = extract(encode(pixels, "BMP"), LIMITS)
    assert features.channels == 3
    assert features.phash256 == extract(encode(scene()), LIMITS).phash256


def test_the_frames_of_a_lying_animation_are_not_believed() -> None:
    claim = png_chunk(b"acTL", struct.pack(">II", 1_000_000, 0))
    control = png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 320, 240, 0, 0, 1, 10, 0, 0))
    assert extract(png(scene(), claim, control), LIMITS).frames <= 2


def test_pages_that_go_in_circles_are_counted_once() -> None:
    data = bytearray(encode(scene(8, 8), "TIFF"))
    (first,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + 12 * entries, first)
    assert extract(bytes(data), LIMITS).frames == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_strips_put_together_are_the_upright_picture(orientation: int) -> None:
    image = Image.fromarray(np.random.default_rng(4).integers(0, 256, (1500, 1600)).astype("u1"))
    image.getexif()[0x0112] = orientation
    width, height = upright_size(image.size, orientation)
    parts = [np.asarray(strip) for strip in strips(image, orientation)]
    assert len(parts) > 1
    upright = np.vstack(parts)
    assert upright.shape == (height, width)
    turned = encode(image, exif=with_orientation(orientation))
    assert pixel_digest(turned, LIMITS) == pixel_digest(encode(upright), LIMITS)


def test_heic_is_read_and_turned_once() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    stored = Image.fromarray(scene()).rotate(90, expand=True)
    heif = pillow_heif.from_pillow(stored)
    heif.save(buffer, quality=90, exif=with_orientation(6).tobytes())
    features = extract(buffer.getvalue(), LIMITS)
    assert (features.format, features.width, features.height) == ("HEIF", 320, 240)
    assert hamming_to_scene(features.phash256) <= 10


def test_jpeg_xl_is_read_and_its_size_checked_before_decoding() -> None:
    pytest.importorskip("pillow_jxl")
    data = encode(scene(), "JXL")
    features = extract(data, LIMITS)
    assert (features.format, features.width, features.height) == ("JXL", 320, 240)
    assert hamming_to_scene(features.phash256) <= 10
    small = dataclasses.replace(LIMITS, max_pixels=1000)
    assert _failure(data, small).reason == FailureReason.TOO_BIG


def test_a_broken_raw_is_called_broken() -> None:
    pytest.importorskip("rawpy")
    failure = _failure(b"FUJIFILMCCD-RAW 0201" + bytes(2000))
    assert failure.reason in {FailureReason.BROKEN, FailureReason.UNSUPPORTED}


@pytest.mark.parametrize(
    ("head", "module", "extra"),
    [
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "pillow_heif", "heic"),
        (b"\xff\x0a\x00\x00\x00\x00", "pillow_jxl", "jxl"),
        (b"FUJIFILMCCD-RAW 0201", "rawpy", "raw"),
    ],
)
def test_a_missing_extra_says_how_to_get_it(
    head: bytes, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    failure = _failure(head)
    assert failure.reason == FailureReason.MISSING_EXTRA
    assert f"pip install 'picsearchpic[{extra}]'" in str(failure)


def hamming_to_scene(phash256: bytes) -> int:
    expected = extract(encode(scene()), LIMITS).phash256
    return (int.from_bytes(expected, "big") ^ int.from_bytes(phash256, "big")).bit_count()


def _seeds() -> list[bytes]:
    small = scene(24, 18)
    frames = [Image.fromarray(scene(24, 18, seed)) for seed in (2, 3)]
    seeds = [encode(small, name) for name in FORMATS]
    seeds += [
        encode(small, "JPEG", progressive=True, exif=with_orientation(6)),
        encode(frames[0], "GIF", save_all=True, append_images=frames),
        encode(frames[0], "PNG", save_all=True, append_images=frames),
        encode(frames[0], "WEBP", save_all=True, append_images=frames),
        encode(frames[0], "TIFF", save_all=True, append_images=frames),
        encode(frames[0], "TIFF", compression="tiff_lzw"),
        encode(Image.fromarray(small).convert("P"), "PNG", transparency=3),
        encode(Image.fromarray(small).convert("CMYK"), "JPEG"),
        png(small.astype("u2") * 201),
    ]
    return seeds


def _mutate(data: bytes, generator: np.random.Generator) -> bytes:
    mutated = bytearray(data)
    for _ in range(int(generator.integers(1, 6))):
        at = int(generator.integers(0, max(1, len(mutated) - 4)))
        match int(generator.integers(0, 5)):
            case 0:
                mutated[at] ^= 1 << int(generator.integers(0, 8))
            case 1:
                mutated[at : at + 4] = generator.bytes(4)
            case 2:
                mutated[at : at + 2] = b"\xff\xff"
            case 3:
                del mutated[at : at + int(generator.integers(1, 40))]
            case _:
                mutated[at:at] = mutated[at : at + int(generator.integers(1, 40))]
    return bytes(mutated)


def _outcome(work: Callable[[bytes, Limits], object], data: bytes, limits: Limits) -> str:
    """Say what came of a file: nothing but a result or a failure with a reason may."""
    try:
        work(data, limits)
    except FileFailure as failure:
        return FailureReason(failure.reason).value if str(failure) else "no message"
    return "read"


def test_mutated_files_give_features_or_a_failure_and_nothing_else(
    capfd: pytest.CaptureFixture[str],
) -> None:
    generator = np.random.default_rng(20)
    limits = Limits(max_pixels=1_000_000, max_side=5000)
    outcomes = Counter(
        _outcome(work, data, limits)
        for seed in _seeds()
        for data in (_mutate(seed, generator) for _ in range(320))
        for work in (extract, pixel_digest)
    )
    capfd.readouterr()  # libtiff writes its complaints to standard error by itself
    assert outcomes["read"] > 500
    assert outcomes[FailureReason.BROKEN] > 500
    assert outcomes["no message"] == 0


@pytest.mark.skipif(SHARED is None, reason="needs the folder of real pictures beside the checkout")
@pytest.mark.parametrize("folder", ["hostile", "formats"])
def test_every_hostile_file_gives_features_or_a_failure(
    folder: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert SHARED is not None
    outcomes = Counter(
        _outcome(work, path.read_bytes(), Limits())
        for path in (SHARED / folder).rglob("*")
        if path.is_file()
        for work in (extract, pixel_digest)
    )
    capfd.readouterr()
    assert outcomes["read"] > 0
    assert outcomes["no message"] == 0
