"""A still WebP → its pixels, by the libwebp that Pillow has loaded, in half of Pillow's time.

Pillow reads every WebP as an animation: a frame is decoded to one canvas, copied to another, to
bytes, and to a picture. libwebp's function for still pictures writes the same pixels to where they
stay, with 4 bytes of memory a pixel instead of 20. Where it is not to be had, or fails, Pillow
decodes, so that a file fails, or not, as it would without.

It is given the chunks of the picture alone, as Pillow's is: in a whole file it goes on behind a
picture that is cut, takes metadata for the rest of it, and reads what Pillow refuses.
"""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, WebPImagePlugin

_EXTENDED: Final = b"VP8X"
_ALPHA: Final = b"ALPH"
_PICTURES: Final = frozenset({b"VP8 ", b"VP8L"})
"""Lossy and lossless (RFC 9649, section 2)."""
_CHUNKS_AT: Final = 12
_CHUNK_HEADER: Final = 8
_FLAGS_AT: Final = 20
_ANIMATED: Final = 0x02
_HAS_ALPHA: Final = 0x10
_PIXEL_BYTES: Final = 4

_Decode = Callable[[bytes, Image.Image], Image.Image | None]


def load(image: Image.Image, data: bytes) -> Image.Image | None:
    """Decode a still WebP; None if that has to be done by Pillow.

    Args:
        image: As Pillow opened it; one that came from here is not decoded again.
        data: The whole file.

    Returns:
        A loaded picture of the same size and mode, with the same metadata.
    """
    is_opened = isinstance(image, WebPImagePlugin.WebPImageFile)
    if not is_opened or image.mode not in {"RGB", "RGBA"}:
        return None
    if (part := _picture_part(data)) is None or (decode := decoder()) is None:
        return None
    return decode(data[part], image)


def _picture_part(data: bytes) -> slice | None:
    """Find a still picture as libwebp's demuxer, which has read the file before, does.

    Returns:
        Its chunk, and the one of its alpha before it where that counts; None if it is no still one.
    """
    is_extended = data[_CHUNKS_AT : _CHUNKS_AT + 4] == _EXTENDED
    flags = data[_FLAGS_AT] if is_extended else 0
    if flags & _ANIMATED:
        return None
    position, start = _CHUNKS_AT, None
    while position + _CHUNK_HEADER <= len(data):
        name = data[position : position + 4]
        size = int.from_bytes(data[position + 4 : position + _CHUNK_HEADER], "little")
        behind = position + _CHUNK_HEADER + size + size % 2
        if name in _PICTURES:
            return slice(position if start is None else start, behind)
        if name == _ALPHA and flags & _HAS_ALPHA:
            start = position
        position = behind
    return None


@lru_cache(maxsize=1)
def decoder() -> _Decode | None:
    """Return what decodes, or None where Pillow's libwebp cannot be reached."""
    try:
        # The names are looked for in what Pillow's own module is linked with.
        library = ctypes.CDLL(str(importlib.import_module("PIL._webp").__file__))
        get_info, decode_into = library.WebPGetInfo, library.WebPDecodeRGBAInto
    except (AttributeError, ImportError, OSError):
        return None
    number = ctypes.POINTER(ctypes.c_int)
    get_info.argtypes = (ctypes.c_char_p, ctypes.c_size_t, number, number)
    decode_into.argtypes = (
        *(ctypes.c_char_p, ctypes.c_size_t),
        *(ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int),
    )
    decode_into.restype = ctypes.c_void_p

    def decode(data: bytes, image: Image.Image) -> Image.Image | None:
        width, height = ctypes.c_int(), ctypes.c_int()
        if not get_info(data, len(data), ctypes.byref(width), ctypes.byref(height)):
            return None
        if (width.value, height.value) != image.size:
            return None
        pixels = np.empty((height.value, width.value, _PIXEL_BYTES), np.uint8)
        row = width.value * _PIXEL_BYTES
        if not decode_into(data, len(data), pixels.ctypes.data, pixels.nbytes, row):
            return None
        return _picture(pixels, image)

    return decode


def _picture(pixels: npt.NDArray[np.uint8], image: Image.Image) -> Image.Image:
    """Make a picture of pixels where they lie; Pillow keeps RGB in 4 bytes too."""
    imaging: Any = importlib.import_module("PIL._imaging")
    core = imaging.map_buffer(pixels, image.size, "raw", 0, (image.mode, 0, 1))
    picture = image._new(core)  # noqa: SLF001 - as all of Pillow's own methods
    picture.readonly = 1
    return picture
