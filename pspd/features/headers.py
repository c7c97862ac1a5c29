"""What a file's own header claims, read without a decoder, in time bounded by the file's size.

Some decoders allocate or decode all of it when they merely open a picture (libwebp's animation
decoder, JPEG XL), and some count frames by walking in circles (TIFF). What is claimed here is
checked against the limits before they see the file.
"""

from __future__ import annotations

import struct
from typing import Final

MAX_PAGES: Final = 10_000
"""Pages counted in a TIFF, and one more; a file of a few bytes a page could claim millions."""

_WEBP_HEADER_BYTES: Final = 30
"""Up to the size in each of its three kinds: RFC 9649 section 2.7 (canvas) and 3.4 (lossless), RFC
6386 section 9.1 (lossy)."""

_WEBP_DECODING_BYTES: Final = 12
"""Memory that libwebp takes for a pixel, at most: two canvases of 4 bytes, and what it decodes."""

_GIF_COLOURS_FLAG: Final = 0x80
_GIF_EXTENSION: Final = 0x21
_GIF_IMAGE: Final = 0x2C
_GIF_SCREEN_BYTES: Final = 13
_GIF_IMAGE_BYTES: Final = 11
"""An image's descriptor, and the code size in front of its blocks."""

_BIG_TIFF_VERSION: Final = 43


def declared_size(format: str, data: bytes) -> tuple[int, int] | None:
    """Read (width, height) where opening alone is costly (WebP, JPEG XL), else return None."""
    if format == "WEBP":
        return _webp_size(data)
    if format == "JXL":
        return _jxl_size(data)
    return None


def decoding_bytes(format: str, data: bytes) -> int:
    """Estimate what a decoder takes that does not say when it lacks memory (WebP), else 0."""
    width, height = (_webp_size(data) if format == "WEBP" else None) or (0, 0)
    return width * height * _WEBP_DECODING_BYTES


def is_cut(format: str, data: bytes) -> bool:
    """Say whether the container itself claims more bytes than there are."""
    if format == "WEBP":
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    if format in {"AVIF", "HEIF"} or (format == "JXL" and data[:1] == b"\x00"):
        return _iso_media_is_cut(data)
    return False


def count_frames(format: str, data: bytes, claimed: int) -> int:
    """Count the frames or pages of a picture, at least 1.

    Args:
        format: As `pspd.features.formats.sniff` says.
        data: The whole file.
        claimed: What the decoder says, where it has counted (WebP, AVIF, HEIF) or taken the file's
            word for it (PNG); not asked for GIF and TIFF, where it would decode or run in circles.
    """
    if format == "GIF":
        return max(1, _gif_frames(data))
    if format == "TIFF":
        return max(1, _tiff_pages(data))
    if format == "PNG" and claimed > 1:
        # A lie in `acTL` costs nothing to find out: each frame has its `fcTL` chunk.
        return max(1, min(claimed, data.count(b"fcTL") + 1))
    return max(1, claimed)


def _webp_size(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if len(data) < _WEBP_HEADER_BYTES:
        return None
    if kind == b"VP8X":
        return (
            int.from_bytes(data[24:27], "little") + 1,
            int.from_bytes(data[27:30], "little") + 1,
        )
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


class _Bits:
    """Bits of JPEG XL's header, least significant first (ISO/IEC 18181-1)."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        return value


_JXL_RATIOS: Final = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def _jxl_size(data: bytes) -> tuple[int, int] | None:
    bits = _jxl_bits(data)
    return None if bits is None else _take_jxl_size(bits)


def is_plain_jxl(data: bytes) -> bool:
    """Say whether a JPEG XL is surely a still picture of 8 bits a value.

    Read from the image metadata that follow the size (ISO/IEC 18181-1, ImageMetadata); a preview or
    an intrinsic size in front of the bit depth count as unsure.
    """
    bits = _jxl_bits(data)
    if bits is None:
        return False
    _take_jxl_size(bits)
    if bits.take(1):
        return True
    if bits.take(1):
        bits.take(3)  # orientation, which libjxl applies
        if bits.take(3):  # intrinsic size, preview, animation
            return False
    is_float, depth = bits.take(1), bits.take(2)
    return not is_float and depth == 0


def _jxl_bits(data: bytes) -> _Bits | None:
    """Return the header's bits of a JPEG XL codestream, bare or in its container."""
    start = 0
    if data[:1] == b"\x00":
        whole, part = data.find(b"jxlc"), data.find(b"jxlp")
        if whole < 0 and part < 0:
            return None
        start = whole + 4 if whole >= 0 else part + 8
    is_codestream = data[start : start + 2] == b"\xff\x0a"
    return _Bits(data[start + 2 : start + 22]) if is_codestream else None


def _take_jxl_size(bits: _Bits) -> tuple[int, int]:
    """Read the SizeHeader: (width, height)."""
    is_small = bits.take(1)
    height = _jxl_side(bits, is_small=is_small)
    ratio = bits.take(3)
    if ratio:
        above, below = _JXL_RATIOS[ratio - 1]
        return height * above // below, height
    return _jxl_side(bits, is_small=is_small), height


def _jxl_side(bits: _Bits, *, is_small: int) -> int:
    if is_small:
        return (bits.take(5) + 1) * 8
    return bits.take((9, 13, 18, 30)[bits.take(2)]) + 1


def _iso_media_is_cut(data: bytes) -> bool:
    position = 0
    while position + 8 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        if length == 1:
            length = int.from_bytes(data[position + 8 : position + 16], "big")
        if length == 0:
            return False
        position += max(length, 8)
    return position > len(data)


def _gif_frames(data: bytes) -> int:
    """Count image descriptors up to the trailer or the first damage (GIF89a, appendix A)."""
    position, frames = _GIF_SCREEN_BYTES, 0
    if len(data) >= _GIF_SCREEN_BYTES and data[10] & _GIF_COLOURS_FLAG:
        position += 3 << (data[10] & 7) + 1
    while position < len(data):
        introducer = data[position]
        if introducer == _GIF_EXTENSION:
            position = _skip_gif_blocks(data, position + 2)
        elif introducer == _GIF_IMAGE and position + _GIF_IMAGE_BYTES <= len(data):
            frames += 1
            flags = data[position + 9]
            colours = 3 << (flags & 7) + 1 if flags & _GIF_COLOURS_FLAG else 0
            position = _skip_gif_blocks(data, position + _GIF_IMAGE_BYTES + colours)
        else:
            break
    return frames


def _skip_gif_blocks(data: bytes, position: int) -> int:
    end = len(data)
    while position < end and data[position]:
        position += 1 + data[position]
    return position + 1


def _tiff_pages(data: bytes) -> int:
    order = "<" if data[:2] == b"II" else ">"
    is_big = _BIG_TIFF_VERSION in data[2:4]
    head, count_code, entry, step = (8, "Q", 20, 8) if is_big else (4, "H", 12, 2)
    link = "Q" if is_big else "I"
    seen: set[int] = set()
    position = head
    while position + struct.calcsize(link) <= len(data) and len(seen) <= MAX_PAGES:
        (start,) = struct.unpack_from(order + link, data, position)
        if start == 0 or start in seen or start + step > len(data):
            break
        seen.add(start)
        (entries,) = struct.unpack_from(order + count_code, data, start)
        position = start + step + entry * entries
    return len(seen)
