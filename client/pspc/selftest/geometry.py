"""Plane geometry of edits: points through transforms, convex polygons, how far two agree.

A picture of w × h pixels covers the rectangle from (0, 0) to (w, h), y downwards: whole numbers are
edges of pixels, the middle of the first pixel is (0.5, 0.5). So resizing is a plain factor.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Points: TypeAlias = npt.NDArray[np.float64]
"""N × 2: x and y, in pixels. As a polygon: convex, its corners in turn, either way round."""

Transform: TypeAlias = npt.NDArray[np.float64]
"""3 × 3, of columns (x, y, 1), up to a factor: what maps points of one picture to another's."""

IDENTITY: Final[Transform] = np.eye(3)

_FEWEST_CORNERS: Final = 3


def rectangle(left: float, top: float, right: float, bottom: float) -> Points:
    """Return the four corners, clockwise as seen, from the upper left one."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)


def frame(size: tuple[float, float]) -> Points:
    """Return the corners of a picture of (width, height)."""
    return rectangle(0.0, 0.0, *size)


def shift(x: float, y: float) -> Transform:
    """Return what moves points by (x, y)."""
    return np.array([(1, 0, x), (0, 1, y), (0, 0, 1)], np.float64)


def scale(x: float, y: float) -> Transform:
    """Return what multiplies coordinates."""
    return np.diag((x, y, 1.0))


def turn(degrees: float) -> Transform:
    """Return what turns around (0, 0), clockwise as seen."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return np.array([(cosine, -sine, 0), (sine, cosine, 0), (0, 0, 1)], np.float64)


def onto(corners: Points, places: Points) -> Transform:
    """Return the projective transform that maps four corners to four places.

    Args:
        corners: 4 × 2, no three of them on a line.
        places: 4 × 2, the same.

    Raises:
        numpy.linalg.LinAlgError: three of the corners are on a line.
    """
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(corners.tolist(), places.tolist(), strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    solution = np.linalg.solve(np.array(rows, np.float64), places.ravel())
    return np.append(solution, 1.0).reshape(3, 3)


def moved(points: Points, transform: Transform) -> Points:
    """Return points where a transform puts them."""
    homogeneous = np.column_stack([points, np.ones(len(points))]) @ transform.T
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:])


def area(polygon: Points) -> float:
    """Return the area, in square pixels; 0 of fewer than three corners."""
    return abs(_signed_area(polygon))


def clipped(polygon: Points, window: Points) -> Points:
    """Return the part of a polygon that is inside another, K × 2; K is 0 where there is none.

    Cut along each side of the window in turn (I. E. Sutherland and G. W. Hodgman, "Reentrant
    polygon clipping", Communications of the ACM 17, 1974).
    """
    if _signed_area(window) < 0:
        window = window[::-1]
    for begin, end in zip(window, np.roll(window, -1, axis=0), strict=True):
        if len(polygon) < _FEWEST_CORNERS:
            return np.empty((0, 2))
        along = end - begin
        # Positive inside, in proportion to the distance from the line.
        offset = polygon - begin
        depth = along[0] * offset[:, 1] - along[1] * offset[:, 0]
        polygon = _cut(polygon, depth)
    return polygon if len(polygon) >= _FEWEST_CORNERS else np.empty((0, 2))


def overlap(one: Points, other: Points) -> float:
    """Return intersection over union of two polygons, 0 to 1; 0 where both have no area."""
    shared = area(clipped(one, other))
    together = area(one) + area(other) - shared
    return shared / together if together > 0 else 0.0


def _cut(polygon: Points, depth: npt.NDArray[np.float64]) -> Points:
    """Return what of a polygon has a depth of 0 or more, which is linear between its corners."""
    kept: list[npt.NDArray[np.float64]] = []
    for here in range(len(polygon)):
        before = here - 1
        if (depth[here] >= 0) != (depth[before] >= 0):
            share = depth[before] / (depth[before] - depth[here])
            kept.append(polygon[before] + share * (polygon[here] - polygon[before]))
        if depth[here] >= 0:
            kept.append(polygon[here])
    return np.array(kept).reshape(-1, 2)


def _signed_area(polygon: Points) -> float:
    if len(polygon) < _FEWEST_CORNERS:
        return 0.0
    x, y = polygon.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
