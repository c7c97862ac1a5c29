"""Bytes of a picture → what its EXIF says, as short lines for people.

    IFD 0 (camera, date, software) ─┐
    Exif IFD (exposure, lens)       ├─▶ (name, text), at most MOST_TAGS of them
    GPS IFD (place)                 ┘

Only what can be shown: maker notes, thumbnails and other opaque bytes are left out. What cannot be
read is no reason to show nothing, so that a damaged block ends the list and not the picture.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, SupportsFloat

from PIL import ExifTags

from pspd.features.decode import open_picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from PIL import Image

    from pspd.core.model import Limits

MOST_TAGS: Final = 100
LONGEST_NAME: Final = 64
"""Characters."""
LONGEST_TAG: Final = 200
"""Characters of a value; a description may be a novel."""

_MOST_NUMBERS: Final = 8
"""Of a value that is a list; longer ones are tables for programs."""

_DECIMALS: Final = 6
"""Significant digits: 1/3 is 0.333333."""

_LAYOUT: Final = frozenset(
    {
        *("ExifOffset", "GPSInfo", "ExifInteroperabilityOffset", "SubIFDs"),
        *("JpegIFOffset", "JpegIFByteCount", "StripOffsets", "StripByteCounts", "RowsPerStrip"),
        *("TileOffsets", "TileByteCounts", "TileWidth", "TileLength", "FreeOffsets"),
        *("ImageWidth", "ImageLength", "BitsPerSample", "SamplesPerPixel", "PlanarConfiguration"),
        *("PhotometricInterpretation", "Compression", "Predictor", "ExtraSamples", "SampleFormat"),
    }
)
"""Where something lies in the file, and how pixels are stored in it: for decoders."""


def tags_of(data: bytes, limits: Limits) -> tuple[tuple[str, str], ...]:
    """Return the names and texts of a picture's EXIF tags; none where it has none.

    Args:
        data: The whole file.
        limits: What it may cost.

    Raises:
        FileFailure: It cannot be read as a picture within the limits.
    """
    found: list[tuple[str, str]] = []
    with open_picture(data, limits) as picture:
        try:
            for tag in _tags(picture.image):
                found.append(tag)
                if len(found) >= MOST_TAGS:
                    break
        # Pillow's reader of foreign bytes: mutated blocks raise nearly anything.
        except Exception:  # noqa: BLE001, S110 - what was read so far is shown
            pass
    return tuple(found)


def _tags(image: Image.Image) -> Iterator[tuple[str, str]]:
    exif = image.getexif()
    yield from _named(exif, ExifTags.TAGS)
    yield from _named(exif.get_ifd(ExifTags.IFD.Exif), ExifTags.TAGS)
    yield from _named(exif.get_ifd(ExifTags.IFD.GPSInfo), ExifTags.GPSTAGS)


def _named(values: Mapping[int, object], names: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    for number, value in values.items():
        name = names.get(number, "")
        text = _text(value)
        if name and text and name not in _LAYOUT:
            yield name[:LONGEST_NAME], text


def _text(value: object) -> str:
    """Write a value for a person; empty for what nobody can read."""
    if isinstance(value, str):
        return _shown(value)
    if isinstance(value, bytes):
        text = value.rstrip(b"\0")
        return _shown(text.decode("ascii")) if text.isascii() else ""
    if isinstance(value, tuple | list):
        if len(value) > _MOST_NUMBERS:
            return ""
        return ", ".join(_text(each) for each in value)[:LONGEST_TAG]
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, SupportsFloat):
        return ""
    number = float(value)
    return f"{number:.{_DECIMALS}g}" if math.isfinite(number) else ""


def _shown(text: str) -> str:
    printable = "".join(each if each.isprintable() else " " for each in text[:LONGEST_TAG])
    return " ".join(printable.split())
