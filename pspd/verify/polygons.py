"""Convex polygons in the plane: clipping, areas, and the four corners that say most of one.

Polygons are complex numbers, as in `pspd.verify.transforms`; clockwise as seen, where x goes right
and y goes down.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Polygon = npt.NDArray[np.complex128]


def rectangle(left: float, top: float, right: float, bottom: float) -> Polygon:
    """Give the corners of a rectangle, clockwise from the upper left."""
    return np.array([left + 1j * top, right + 1j * top, right + 1j * bottom, left + 1j * bottom])


def bounds(polygon: Polygon) -> tuple[float, float, float, float]:
    """Give left, top, right and bottom of the rectangle around a polygon."""
    return (
        float(polygon.real.min()),
        float(polygon.imag.min()),
        float(polygon.real.max()),
        float(polygon.imag.max()),
    )


def signed_area(polygon: Polygon) -> float:
    """Give a polygon's area, negative if its corners go counter-clockwise."""
    if len(polygon) < 3:  # noqa: PLR2004
        return 0.0
    following = np.roll(polygon, -1)
    return float(np.sum((polygon.conj() * following).imag)) / 2


def area(polygon: Polygon) -> float:
    """Give a polygon's area."""
    return abs(signed_area(polygon))


def clockwise(polygon: Polygon) -> Polygon:
    """Give the polygon with its corners in clockwise order."""
    return polygon[::-1] if signed_area(polygon) < 0 else polygon


def clip(polygon: Polygon, window: Polygon) -> Polygon:
    """Cut off what of a convex polygon lies outside another (Sutherland and Hodgman, 1974)."""
    kept = clockwise(polygon)
    window = clockwise(window)
    for start, end in zip(window, np.roll(window, -1), strict=True):
        if not len(kept):
            break
        # Positive on the inner side of the window's edge.
        sides = ((end - start).conjugate() * (kept - start)).imag
        corners = []
        for i in range(len(kept)):
            here, side, before = kept[i], sides[i], sides[i - 1]
            if (side >= 0) != (before >= 0):
                corners.append(kept[i - 1] + (here - kept[i - 1]) * before / (before - side))
            if side >= 0:
                corners.append(here)
        kept = np.array(corners, np.complex128)
    return kept


def contains(polygon: Polygon, points: npt.NDArray[np.complexfloating]) -> npt.NDArray[np.bool_]:
    """Say which points lie in a convex polygon, its edges included."""
    corners = clockwise(polygon)
    edges = np.roll(corners, -1) - corners
    sides = (edges.conj()[:, None] * (points[None, :] - corners[:, None])).imag
    inside: npt.NDArray[np.bool_] = np.logical_and.reduce(sides >= 0, axis=0)
    return inside


def overlap(one: Polygon, other: Polygon) -> float:
    """Give intersection over union of two convex polygons, 0 to 1."""
    common = area(clip(one, other))
    union = area(one) + area(other) - common
    return common / union if union > 0 else 0.0


def from_upper_left(corners: Polygon) -> npt.NDArray[np.intp]:
    """Give the order of corners that goes clockwise from the upper left one."""
    order = np.arange(len(corners))
    if signed_area(corners) < 0:
        order = order[::-1]
    first = int(np.argmin(corners.real[order] + corners.imag[order]))
    return np.roll(order, -first)
