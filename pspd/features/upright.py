"""Turns a decoded picture upright, a strip at a time: a whole one would be in memory twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from PIL import Image

Corners: TypeAlias = tuple[int, int, int, int]
"""Left, upper, right and lower edge of a part, in pixels."""

_STRIP_PIXELS: Final = 1 << 20
"""Pixels handled at once after decoding: 4 to 16 MB whatever the picture's size."""

_METHODS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → what makes the picture upright, as in `ImageOps.exif_transpose`."""

ORIENTATIONS: Final = frozenset({1, *_METHODS})
"""Values of the EXIF tag that make sense."""

_AXES_SWAPPED: Final = frozenset({5, 6, 7, 8})


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return (width, height) after the orientation is applied."""
    return (size[1], size[0]) if orientation in _AXES_SWAPPED else size


def strips(
    image: Image.Image,
    orientation: int = 1,
    *,
    multiple: int = 1,
    part: Corners | None = None,
) -> Iterator[Image.Image]:
    """Cut a loaded picture into horizontal strips of the upright one, from the top.

    Args:
        image: Loaded; as stored.
        orientation: What is still to be applied, 1 to 8.
        multiple: Of so many rows each strip is, but for the last.
        part: What of the upright picture is wanted; None for all of it.
    """
    whole = (0, 0, *upright_size(image.size, orientation))
    left, top, right, bottom = part or whole
    rows = max(1, _STRIP_PIXELS // (right - left) // multiple) * multiple
    if rows >= bottom and (left, top, right, bottom) == whole:
        yield turn_upright(image, orientation)
        return
    for upper in range(top, bottom, rows):
        strip = (left, upper, right, min(upper + rows, bottom))
        yield turn_upright(image.crop(stored_corners(image.size, orientation, strip)), orientation)


def stored_corners(size: tuple[int, int], orientation: int, upright: Corners) -> Corners:
    """Return where a part of the upright picture lies in the picture as stored, of this size."""
    width, height = size
    left, top, right, bottom = upright
    match orientation:
        case 2:
            return width - right, top, width - left, bottom
        case 3:
            return width - right, height - bottom, width - left, height - top
        case 4:
            return left, height - bottom, right, height - top
        case 5:
            return top, left, bottom, right
        case 6:
            return top, height - right, bottom, height - left
        case 7:
            return width - bottom, height - right, width - top, height - left
        case 8:
            return width - bottom, left, width - top, right
        case _:
            return upright


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Turn a loaded picture, all of it, as its orientation (1 to 8) says."""
    return image if orientation == 1 else image.transpose(_METHODS[orientation])
