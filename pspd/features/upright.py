"""Turns a decoded picture upright, a strip at a time: a whole one would be in memory twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from PIL import Image

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


def strips(image: Image.Image, orientation: int = 1, *, multiple: int = 1) -> Iterator[Image.Image]:
    """Cut a loaded picture into horizontal strips of the upright one, from the top.

    Args:
        image: Loaded; as stored.
        orientation: What is still to be applied, 1 to 8.
        multiple: Of so many rows each strip is, but for the last.
    """
    width, height = upright_size(image.size, orientation)
    rows = max(1, _STRIP_PIXELS // width // multiple) * multiple
    if rows >= height:
        yield turn_upright(image, orientation)
        return
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        yield turn_upright(
            image.crop(_stored_box(image.size, orientation, top, bottom)), orientation
        )


def _stored_box(
    size: tuple[int, int], orientation: int, top: int, bottom: int
) -> tuple[int, int, int, int]:
    """Return where the upright rows `top` to `bottom` lie in the picture as stored."""
    width, height = size
    match orientation:
        case 3 | 4:
            return 0, height - bottom, width, height - top
        case 5 | 6:
            return top, 0, bottom, height
        case 7 | 8:
            return width - bottom, 0, width - top, height
        case _:
            return 0, top, width, bottom


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Turn a loaded picture, all of it, as its orientation (1 to 8) says."""
    return image if orientation == 1 else image.transpose(_METHODS[orientation])
