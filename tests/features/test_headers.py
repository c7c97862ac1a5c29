"""Headers are read in any bytes, as any format, in bounded time and without a decoder."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pspd.errors import FileFailure
from pspd.features import formats, headers
from pspd.features.formats import require_readable, sniff
from tests.features.samples import encode, scene

FORMATS = sorted(formats.BASE_FORMATS | formats.EXTRAS.keys())
MAGIC = [magic for magic, _ in formats._MAGIC]

_starts = st.sampled_from(
    [*MAGIC, b"", b"II*\0", b"MM\0*", b"II+\0", b"RIFF....WEBP", b"\0\0\0\x20ftyp", b"BM"]
)
any_file = st.builds(bytes.__add__, _starts, st.binary(max_size=300))


@given(any_file)
def test_a_format_is_told_of_any_bytes_and_refused_by_its_name(data: bytes) -> None:
    name = sniff(data)
    if name in FORMATS:
        assert require_readable(data) == name
        return
    with pytest.raises(FileFailure, match=name or "no picture|empty") as caught:
        require_readable(data)
    assert caught.value.reason == ("not_a_picture" if name is None else "unsupported")


@given(st.sampled_from(MAGIC), st.binary(max_size=100))
def test_what_follows_does_not_change_a_format_told_by_its_magic(magic: bytes, rest: bytes) -> None:
    assert sniff(magic + rest) == sniff(magic)


@given(any_file, st.sampled_from(FORMATS), st.integers(-(2**31), 2**31))
def test_any_bytes_have_headers_of_any_format(data: bytes, name: str, claimed: int) -> None:
    size = headers.declared_size(name, data)
    assert size is None or (0 <= size[0] <= 2**31 and 0 <= size[1] <= 2**31)
    assert headers.is_cut(name, data) in {True, False}
    frames = headers.count_frames(name, data, claimed)
    assert 1 <= frames <= max(headers.MAX_PAGES, len(data), claimed)


@given(st.integers(1, 2**24), st.integers(1, 2**24))
def test_the_canvas_of_a_webp_is_read(width: int, height: int) -> None:
    extended = b"VP8X" + struct.pack("<II", 10, 0)
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    data = b"RIFF\xff\0\0\0WEBP" + extended + sides + bytes(20)
    assert headers.declared_size("WEBP", data) == (width, height)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_a_whole_picture_is_not_cut_and_has_one_frame(name: str) -> None:
    data = encode(scene(40, 30), name)
    assert not headers.is_cut(name, data)
    assert headers.count_frames(name, data, 1) == 1
