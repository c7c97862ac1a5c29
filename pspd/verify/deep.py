"""What Pillow drops of pictures with more than 8 bits a value, and how to get at it.

Pillow has 16-bit gray, but cuts 16-bit colour to the upper bytes. Its raw modes for the two byte
orders then give the other half: decoded as if it were of the opposite order, what comes out are the
lower bytes.
"""

from __future__ import annotations

import io
import re
import sys
from typing import Final

import numpy as np
from PIL import Image, ImageFile

from pspd.features.headers import is_plain_jxl

_CUT_RAW_MODE: Final = re.compile(r"(RGB|RGBA|LA);16([BLN])")
"""Raw modes that lose their lower bytes, with their byte order: big, little, native."""

_OPPOSITE: Final = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}

_BYTE_BITS: Final = 8

_BYTE_MODES: Final = frozenset({"1", "L", "P", "LA", "RGB", "RGBA"})
_SHALLOW: Final = frozenset({"BMP", "GIF", "WEBP"})
"""Formats of 8 bits a value, which are decoded in full for their features."""
_PNG_DEPTH: Final = 24
"""Where a PNG says how many bits a value has: behind the sides in IHDR, its first chunk."""

_AV1_HIGH_BITDEPTH: Final = 0x40
"""Flag in the third byte of `av1C` (AV1 in ISO media, section 2.3.3)."""


def is_beyond_decoder(image: Image.Image, format: str, data: bytes) -> bool:
    """Say whether a picture that is open, not loaded, holds more than any decoding gives."""
    match format:
        case "RAW":
            return True
        case "AVIF":
            at = data.find(b"av1C")
            return at >= 0 and any(byte & _AV1_HIGH_BITDEPTH for byte in data[at + 6 : at + 7])
        case "HEIF":
            return bool(image.info.get("bit_depth", _BYTE_BITS) > _BYTE_BITS)
        case "JXL":
            return not is_plain_jxl(data)
        case "PNG" | "TIFF":
            raw_mode = _raw_mode(image)
            is_deep = ";16" in raw_mode and not raw_mode.startswith("I;")
            return is_deep and not _can_restore(image)
        case _:
            return False


def is_whole(image: Image.Image, format: str, frames: int, data: bytes) -> bool:
    """Say whether a picture that is loaded surely holds all that its file does.

    Not a JPEG, which may have been loaded at a fraction of its size.
    """
    if frames != 1 or image.mode not in _BYTE_MODES:
        return False
    return format in _SHALLOW or (format == "PNG" and data[_PNG_DEPTH] <= _BYTE_BITS)


def low_bytes(image: Image.Image, format: str, data: bytes) -> Image.Image | None:
    """Decode the lower bytes of a 16-bit colour picture; None if it is not one.

    Args:
        image: Open at its only frame, not loaded.
        format: "PNG" and "TIFF" have such pictures.
        data: The whole file.

    Returns:
        A loaded picture of the same size and turn, each value the lower byte of the picture's.
    """
    if format not in {"PNG", "TIFF"} or not _can_restore(image):
        return None
    found = _CUT_RAW_MODE.fullmatch(_raw_mode(image))
    assert found is not None
    colours, order = found.groups()
    low = Image.open(io.BytesIO(data), formats=[format])
    # Gray and alpha are four bytes a pixel, which is what RGBA reads as they come.
    raw_mode = "RGBA" if colours == "LA" else f"{colours};16{_OPPOSITE[order]}"
    low.tile = [tile._replace(args=_with_raw_mode(tile, raw_mode)) for tile in low.tile]
    low.load()
    if colours != "LA":
        return low
    values = np.asarray(low)
    which = (1, 1, 1, 3) if order == "B" else (0, 0, 0, 2)
    return Image.fromarray(np.ascontiguousarray(values[..., which]))


def _can_restore(image: Image.Image) -> bool:
    # A transparent colour of 16 bits cannot be compared with values cut to 8; a frame that is put
    # on the one before cannot be decoded a second time by itself.
    return (
        _CUT_RAW_MODE.fullmatch(_raw_mode(image)) is not None
        and "transparency" not in image.info
        and getattr(image, "n_frames", 1) == 1
    )


def _raw_mode(image: Image.Image) -> str:
    """Return how the first tile's values lie in the file, "" if there is no tile."""
    tiles = getattr(image, "tile", [])
    if not tiles:
        return ""
    args = tiles[0].args
    first = args[0] if isinstance(args, tuple) and args else args
    return first if isinstance(first, str) else ""


def _with_raw_mode(tile: ImageFile._Tile, raw_mode: str) -> str | tuple[object, ...]:
    return (raw_mode, *tile.args[1:]) if isinstance(tile.args, tuple) else raw_mode
