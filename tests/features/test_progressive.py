"""What is left of a progressive JPEG decodes alike; and a file that would fail is left whole."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pspd.core.verdict import hamming
from pspd.features import hashes
from pspd.features.jpeg_markers import Marker, read_markers, segments
from pspd.features.progressive import without_detail
from tests.features.samples import encode, scene

ARITHMETIC_FRAME = 0xCA
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
"""What Pillow makes of a header with a size that the daemon would have refused before."""


def _progressive(width: int = 173, height: int = 121, **options: Any) -> bytes:
    settings = {"quality": 90, "progressive": True} | options
    return encode(scene(width, height), "JPEG", **settings)


def _luma(data: bytes, scale: int) -> npt.NDArray[np.uint8]:
    image = Image.open(io.BytesIO(data), formats=["JPEG"])
    image.draft("YCbCr", (image.width // scale, image.height // scale))
    image.load()
    return np.asarray(image.convert("L"))


def _mean_of_chroma(data: bytes) -> npt.NDArray[np.float64]:
    image = Image.open(io.BytesIO(data))
    image.draft("YCbCr", (image.width // 8, image.height // 8))
    mean: npt.NDArray[np.float64] = np.asarray(image.convert("YCbCr"), np.float64).mean((0, 1))
    return mean


def _scan(data: bytes, *, of_detail: bool) -> int:
    """Find the body of the first DC scan, or of the first other one."""
    return next(
        each.body
        for each in segments(data)
        if each.marker == Marker.SCAN and (data[each.end - 3] > 0) == of_detail
    )


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("restarts", [0, 3])
@pytest.mark.parametrize("size", [(173, 121), (1000, 700), (64, 64), (8, 8), (9, 300)])
def test_at_one_eighth_the_luma_is_that_of_the_whole_file(
    size: tuple[int, int], restarts: int, subsampling: int
) -> None:
    data = _progressive(*size, subsampling=subsampling, restart_marker_blocks=restarts)
    thin = without_detail(data, 8)
    assert thin is not None
    np.testing.assert_array_equal(_luma(thin, 8), _luma(data, 8))


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_the_mean_of_chroma_is_nearly_the_whole_files(scale: int) -> None:
    data = _progressive(1000, 700, subsampling=2)
    thin = without_detail(data, scale)
    assert thin is not None
    np.testing.assert_allclose(_mean_of_chroma(thin), _mean_of_chroma(data), atol=0.5)


def test_a_gray_picture_has_nothing_but_luma() -> None:
    data = encode(scene()[..., 0], "JPEG", progressive=True)
    thin = without_detail(data, 8)
    assert thin is not None
    np.testing.assert_array_equal(_luma(thin, 8), _luma(data, 8))


def test_more_blocks_than_one_run_covers_are_empty_too() -> None:
    data = _progressive(2056, 2064, subsampling=0)  # 257 × 258 blocks
    thin = without_detail(data, 8)
    assert thin is not None
    np.testing.assert_array_equal(_luma(thin, 8), _luma(data, 8))


@pytest.mark.parametrize("scale", [2, 4])
def test_at_other_scales_the_hash_is_nearly_the_whole_files(scale: int) -> None:
    data = _progressive(scale * 200, scale * 150)
    thin = without_detail(data, scale)
    assert thin is not None
    assert len(thin) < len(data) * 0.8
    near, exact = (
        hashes.contrasts(hashes.gray_pair(Image.fromarray(_luma(each, scale))))
        for each in (thin, data)
    )
    assert hamming(hashes.phash64(near), hashes.phash64(exact)) <= 2
    assert hamming(hashes.phash256(near), hashes.phash256(exact)) <= 4


def test_a_thumbnail_in_the_metadata_and_what_follows_the_end_do_not_count() -> None:
    data = _progressive(exif=b"Exif\x00\x00" + _progressive(40, 30)) + _progressive(20, 20)
    thin = without_detail(data, 8)
    assert thin is not None
    assert read_markers(thin).metadata_bytes == read_markers(data).metadata_bytes
    np.testing.assert_array_equal(_luma(thin, 8), _luma(data, 8))


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"progressive": False}, id="baseline"),
        pytest.param({"progressive": False, "optimize": True}, id="optimized"),
    ],
)
def test_what_is_not_progressive_is_left_whole(options: dict[str, Any]) -> None:
    assert without_detail(_progressive(**options), 8) is None


def test_four_channels_are_left_whole() -> None:
    picture = Image.fromarray(scene()).convert("CMYK")
    assert without_detail(encode(picture, "JPEG", progressive=True), 8) is None


@given(st.integers(2, len(_progressive(40, 30)) - 1))
def test_a_file_cut_anywhere_is_left_whole(end: int) -> None:
    assert without_detail(_progressive(40, 30)[:end], 8) is None


def _without_last_scan(data: bytes) -> bytes:
    last = [each for each in segments(data) if each.marker == Marker.SCAN][-1]
    return data[: last.start] + b"\xff\xd9"


def _with(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def _inserted(data: bytes, what: bytes) -> bytes:
    """Put something in front of the third scan."""
    at = [each for each in segments(data) if each.marker == Marker.SCAN][2].start
    return data[:at] + what + data[at:]


def _frame_of(data: bytes) -> int:
    return next(each.start for each in segments(data) if each.marker == Marker.PROGRESSIVE_FRAME)


ODD: Mapping[str, Callable[[bytes], bytes]] = {
    "a scan is missing": _without_last_scan,
    "a start of image in a scan": lambda data: _with(
        data, _scan(data, of_detail=True) + 20, b"\xff\xd8"
    ),
    "an unknown marker": lambda data: _inserted(data, b"\xff\x02\x00\x02"),
    "a second frame": lambda data: _inserted(data, data[_frame_of(data) : _frame_of(data) + 19]),
    "arithmetic coding": lambda data: _with(data, _frame_of(data) + 1, bytes([ARITHMETIC_FRAME])),
    "12 bits": lambda data: _with(data, _frame_of(data) + 4, b"\x0c"),
    "no width": lambda data: _with(data, _frame_of(data) + 7, b"\x00\x00"),
    "a sampling of 0": lambda data: _with(data, _frame_of(data) + 11, b"\x02"),
    # Luma 1 × 1 beside 2 × 2: libjpeg makes less of it small, and then its detail counts.
    "luma sampled less than colour": lambda data: _with(
        _with(data, _frame_of(data) + 11, b"\x11"), _frame_of(data) + 14, b"\x22"
    ),
    "a flood of tables": lambda data: _inserted(
        data, (b"\xff\xc4\x00\x13\x10" + bytes(16)) * 1_001
    ),
    "late quantization tables": lambda data: _inserted(
        data, b"\xff\xdb\x00\x43\x00" + bytes([1] * 64)
    ),
    "a code too long": lambda data: _inserted(
        data, b"\xff\xc4\x00\x16\x10" + bytes([3, *[0] * 15]) + bytes(3)
    ),
    "a table too short": lambda data: _inserted(data, b"\xff\xc4\x00\x05\x10\x00\x00"),
    "a scan of no component": lambda data: _with(data, _scan(data, of_detail=True), b"\x00"),
    "a scan of another component": lambda data: _with(
        data, _scan(data, of_detail=True) + 1, b"\x09"
    ),
    "a table that is not there": lambda data: _with(data, _scan(data, of_detail=True) + 2, b"\x03"),
    "a band the wrong way round": lambda data: _with(
        data, _scan(data, of_detail=True) + 3, b"\x05\x01"
    ),
    "a coefficient beyond the last": lambda data: _with(
        data, _scan(data, of_detail=True) + 4, b"\x40"
    ),
    "a refinement of nothing": lambda data: _with(data, _scan(data, of_detail=True) + 5, b"\x32"),
    "too fine a scan": lambda data: _with(data, _scan(data, of_detail=True) + 5, b"\x0e"),
}


@pytest.mark.parametrize("what", ODD)
def test_an_odd_file_is_left_whole(what: str) -> None:
    data = _progressive()
    odd = ODD[what](data)
    assert odd != data
    assert without_detail(data, 8) is not None
    assert without_detail(odd, 8) is None


VARIANTS: tuple[dict[str, Any], ...] = (
    {},
    {"subsampling": 0},
    {"restart_marker_blocks": 2, "quality": 40},
)
SEEDS = tuple(_progressive(60, 45, **options) for options in VARIANTS)


def _loads(data: bytes) -> npt.NDArray[np.uint8] | None:
    try:
        return _luma(data, 8)
    except (OSError, SyntaxError, ValueError, *BOMBS):
        return None


@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(2, 10_000), st.binary(min_size=1, max_size=3)), max_size=4),
)
def test_what_is_thinned_decodes_when_whole_and_to_the_same(
    seed: bytes, changes: list[tuple[int, bytes]]
) -> None:
    data = seed
    for at, value in changes:
        data = _with(data, 2 + at % (len(data) - 5), value)
    thin = without_detail(data, 8)
    if thin is None:
        return
    whole, less = _loads(data), _loads(thin)
    assert (whole is None) == (less is None)
    if whole is not None:
        assert less is not None
        np.testing.assert_array_equal(less, whole)


@given(st.binary(max_size=500), st.sampled_from([2, 4, 8]))
def test_any_bytes_are_looked_at_without_failing(rest: bytes, scale: int) -> None:
    for data in (b"\xff\xd8" + rest, SEEDS[0][:200] + rest + SEEDS[0][200:]):
        thin = without_detail(data, scale)
        assert thin is None or len(thin) < len(data) + 200
