"""Pixels → the corners of a picture that lies turned, or seen from the side, on one colour.

The ground is what all four corners of the query are. The edge of what is not ground is looked at
from all four sides; the smallest turned rectangle around it says how it lies, and what of it is
farthest towards that rectangle's corners are its own.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Points: TypeAlias = npt.NDArray[np.float64]
"""N × 2: x and y in pixels; whole numbers are edges of pixels."""

GROUND_LEVELS: Final = 18
"""Most levels between pixels of one ground, in any channel: what JPEG leaves of one colour beside
an edge."""

_LARGEST_ANGLE: Final = 45.0
_SMALLEST_PART: Final = 0.02
"""Of the smaller side: corners that are nearer to those of the upright rectangle around them, all
four, are of no turned picture."""
_FILLED: Final = (0.92, 1.06)
"""Area that is not ground, of that between the corners: otherwise it has another shape."""
_LEAST_SIDE: Final = 48


def picture_on_ground(pixels: npt.NDArray[np.int16]) -> Points | None:
    """Find the corners of a picture that lies on one colour, not upright.

    Args:
        pixels: Height × width × 3, 0 to 255.

    Returns:
        4 × 2, a pixel inwards: what becomes the upper left corner when it is turned back by 45
        degrees at most, then clockwise; None if there is no such picture.
    """
    height, width = pixels.shape[:2]
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]]
    ground = np.median(corners, axis=0)
    if np.abs(corners - ground).max() > GROUND_LEVELS:
        return None
    picture = np.abs(pixels - ground).max(axis=2) > GROUND_LEVELS
    rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
    if min(len(rows), len(columns)) < _LEAST_SIDE:
        return None
    first, last = picture.argmax(axis=1), width - picture[:, ::-1].argmax(axis=1)
    upper, lower = picture.argmax(axis=0), height - picture[::-1].argmax(axis=0)
    edge = np.concatenate(
        [
            *(np.column_stack([ends[rows], rows + 0.5]) for ends in (first, last)),
            *(np.column_stack([columns + 0.5, ends[columns]]) for ends in (upper, lower)),
        ]
    )
    found = _corners(edge)
    filled = float((last - first)[rows].sum()) / max(_area(found), 1.0)
    if not _FILLED[0] <= filled <= _FILLED[1] or _is_upright(found):
        return None
    # A pixel inwards, for those at the edge are half ground.
    middle = found.mean(axis=0)
    away = found - middle
    return np.asarray(middle + away * (1 - math.sqrt(2) / np.linalg.norm(away, axis=1))[:, None])


def _corners(edge: Points) -> Points:
    """Choose the four corners of a quadrilateral of which the edge is known."""
    turning = _turning(_angle(edge))
    turned = edge @ turning.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    place = (turned - low) / np.maximum(high - low, 1.0)
    across, down = place.T
    chosen = [
        int(np.argmax(towards))
        for towards in (-across - down, across - down, across + down, down - across)
    ]
    return np.asarray(turned[chosen] @ turning)


def _angle(points: Points) -> float:
    """Return by how many degrees, clockwise, the least rectangle around points is turned."""
    best = 0.0
    for step, reach in ((1.0, _LARGEST_ANGLE), (0.1, 1.0)):
        angles = np.arange(best - reach, best + reach + step / 2, step)
        areas = [np.ptp(points @ _turning(angle).T, axis=0).prod() for angle in angles]
        best = float(angles[int(np.argmin(areas))])
    return best


def _turning(degrees: float) -> npt.NDArray[np.float64]:
    """Return what turns columns (x, y) back by an angle that is clockwise as seen."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return np.array([(cosine, sine), (-sine, cosine)])


def _is_upright(corners: Points) -> bool:
    """Say whether corners are those of the upright rectangle around them, nearly."""
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    upright = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    near = _SMALLEST_PART * min(right - left, bottom - top)
    return bool(np.abs(corners - upright).max() < near)


def _area(corners: Points) -> float:
    x, y = corners.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
