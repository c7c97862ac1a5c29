"""A PNG of a usual kind → its pixels, by Rust's `png` where the extra is there.

    data → header and image data alone → kornia-rs → pixels → Pillow's opened picture, now loaded

Pillow stays the judge. It has opened the picture before, and reads what stands behind the pixels;
whatever is unusual here, or fails, is left to it, so that it fails, or not, as it would without the
extra. The one exception: where the CRC-32 of each chunk is right and the Adler-32 of what they hold
is not, Pillow refuses the picture and Rust reads it. A damaged file has a wrong CRC too.

The other decoder never sees a stranger's metadata: it gets a header written here and the image
data, and no colour profile, text or frame that it could unpack. Rust ends the process where memory
is short, so that it is not asked unless there is enough.
"""

from __future__ import annotations

import importlib
import mmap
import struct
import zlib
from functools import lru_cache
from typing import Any, Final, NamedTuple

from PIL import Image, PngImagePlugin

PACKAGE: Final = "kornia-rs"

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HEADER: Final = struct.Struct(">4sIIBBBBB")
"""Type, width, height, bits a sample, colour type, compression, filters, interlace."""
_HEADER_AT: Final = 12
_CHUNKS_AT: Final = 33
_CHUNK_EXTRA: Final = 12
"""Length, type and checksum."""
_END: Final = b"\0\0\0\0IEND\xaeB\x60\x82"
_LEAST_BYTES: Final = 1 << 10
"""Of a file: with fewer, Pillow is through as soon."""
_SPARE_BYTES: Final = 32 << 20
"""To be left beside: 0.3 MB for rows, 2 MB for the widest, and most for what comes after. What was
freed is not always one piece again: with less, a picture that Pillow reads could fail later."""
_BITS: Final = 8


class _Kind(NamedTuple):
    """How pixels of one colour type are asked for."""

    mode: str
    """Of Pillow's picture, and how its samples lie."""
    function: str
    channels: str
    """As the function calls them."""
    bits: int
    colour_type: int
    """What the header is to say: filters know bytes, and not what they mean."""
    size: int
    """Bytes of a pixel in the file."""
    taken: int
    """Bytes of memory a pixel that decoding takes at most: Rust's own, twice of 16 bits, and
    Pillow's 4 where it has to copy them."""


_KINDS: Final = {
    0: _Kind("L", "decode_image_png_u8", "mono", 8, 0, 1, 1),
    2: _Kind("RGB", "decode_image_png_u8", "rgb", 8, 2, 3, 7),
    # An index of a palette is as good as gray, and gray with alpha as one sample of 16 bits.
    3: _Kind("P", "decode_image_png_u8", "mono", 8, 0, 1, 1),
    4: _Kind("LA", "decode_image_png_u16", "mono", 16, 0, 2, 8),
    6: _Kind("RGBA", "decode_image_png_u8", "rgba", 8, 6, 4, 4),
}
"""Colour type of 8 bits a sample → what it is decoded as."""


def load(image: Image.Image, data: bytes) -> bool:
    """Decode a PNG that is open, not loaded; say whether that was done.

    Args:
        image: As Pillow opened it.
        data: The whole file.
    """
    if not isinstance(image, PngImagePlugin.PngImageFile):
        return False
    if not image.tile or image.is_animated:
        return False
    if len(data) < _LEAST_BYTES or (reader := module()) is None:
        return False
    try:
        decoded = _decoded(reader, image, data)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - Rust's panics are no `Exception`; Pillow judges
        return False
    if decoded is None:
        return False
    _fill(image, decoded)
    return True


@lru_cache(maxsize=1)
def module() -> Any:
    """Return what decodes, or None without the extra."""
    try:
        return importlib.import_module("kornia_rs").io
    except (ImportError, AttributeError):
        return None


def _decoded(reader: Any, image: PngImagePlugin.PngImageFile, data: bytes) -> Image.Image | None:
    """Decode what is usual and fits in; None for Pillow.

    Raises:
        BaseException: Whatever Rust, or a lack of memory, may raise.
    """
    parts = _image_data(data)
    if not parts:
        return None
    _, width, height, bits, colour_type, *methods = _HEADER.unpack_from(data, _HEADER_AT)
    kind = _KINDS.get(colour_type)
    if kind is None or bits != _BITS or (kind.mode, kind.mode) != (image.mode, image.tile[0].args):
        return None
    content = sum(map(len, parts))
    if content > _most_content(kind, width, height, len(parts)):
        return None
    _require_memory(content + kind.taken * width * height + _SPARE_BYTES)
    header = _HEADER.pack(b"IHDR", width, height, kind.bits, kind.colour_type, *methods)
    checksum = struct.pack(">I", zlib.crc32(header))
    plain = b"".join((_SIGNATURE, b"\0\0\0\x0d", header, checksum, *parts, _END))
    pixels = getattr(reader, kind.function)(plain, image.size[::-1], kind.channels)
    if kind.bits > _BITS:
        pixels.byteswap(inplace=True)
    return Image.frombuffer(kind.mode, image.size, pixels, "raw", kind.mode, 0, 1)


def _most_content(kind: _Kind, width: int, height: int, chunks: int) -> int:
    """Return how many bytes of IDAT chunks a picture can need.

    What cannot be compressed is stored, 5 bytes more for each block of some 16 to 64 kB; a row has
    one byte more for its filter, two if it is interlaced. Pillow reads nothing behind the last row,
    but Rust is given all of it, and computes its checksum.
    """
    raw = height * (kind.size * width + 2)
    return raw + raw // 1000 + chunks * _CHUNK_EXTRA + 1024


def _require_memory(size: int) -> None:
    """Raise unless so much may be taken: of Rust's failures this is the one that ends the process.

    Address space alone, given back at once: none of it is touched.

    Raises:
        OSError: There is not enough.
    """
    mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()


def _image_data(data: bytes) -> list[memoryview]:
    """Return the first row of IDAT chunks, whole; nothing if the file is not laid out as usual."""
    parts: list[memoryview] = []
    view = memoryview(data)
    position, end = _CHUNKS_AT, len(data)
    while position + _CHUNK_EXTRA <= end:
        name = data[position + 4 : position + 8]
        behind = position + _CHUNK_EXTRA + int.from_bytes(data[position : position + 4], "big")
        if name == b"IDAT":
            parts.append(view[position:behind])
        elif parts or name == b"IHDR":
            break
        position = behind
    return parts


def _fill(image: PngImagePlugin.PngImageFile, decoded: Image.Image) -> None:
    """Put pixels into an opened picture, and have Pillow read on behind them.

    Raises:
        Exception: As of Pillow's `load`.
    """
    image.im = decoded.im
    image.load_prepare()
    image.tile = []
    image.readonly = decoded.readonly
    image.load_end()
    image.fp = None
