"""One query picture → the ways in which it is looked at by a learned descriptor.

A descriptor stands for a picture as a whole: it changes when the picture is turned, and half of a
collage has another than the collage. So the query is turned and cut, and the index stays single.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

LEAST_SIDE: Final = 32
"""Pixels of the shorter side of a cut, at least: smaller ones say nothing."""

_HALF: Final = 0.5
_MIDDLE: Final = 0.6
"""Share of each side that the middle has: a frame, a window's borders and captions are mostly
narrower than the fifth that is left on each side."""

_CUTS: Final = (
    (0.0, 0.0, _HALF, 1.0),
    (_HALF, 0.0, _HALF, 1.0),
    (0.0, 0.0, 1.0, _HALF),
    (0.0, _HALF, 1.0, _HALF),
    ((1 - _MIDDLE) / 2, (1 - _MIDDLE) / 2, _MIDDLE, _MIDDLE),
)
"""Left, top, width and height as shares of the picture: its halves and its middle."""


def turns(picture: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.uint8]]:
    """Return a picture after each of the eight turns, in the order of `Turn`.

    Args:
        picture: Height × width × channels.
    """
    mirrored = picture[:, ::-1]
    return [
        picture,
        np.rot90(picture, 1),
        np.rot90(picture, 2),
        np.rot90(picture, 3),
        mirrored,
        picture[::-1],
        np.rot90(mirrored, 1),
        np.rot90(mirrored, 3),
    ]


def cuts(picture: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.uint8]]:
    """Return the halves and the middle of a picture, those that are not too small.

    Args:
        picture: Height × width × channels.
    """
    height, width = picture.shape[:2]
    found = []
    for left, top, across, down in _CUTS:
        x, y = round(left * width), round(top * height)
        part = picture[y : y + round(down * height), x : x + round(across * width)]
        if min(part.shape[:2]) >= LEAST_SIDE:
            found.append(part)
    return found
