"""Plane transforms: applying, fitting, turning them round, and saying whether one is plausible.

Places are complex numbers, rightwards real and downwards imaginary, from the upper left corner; a
transform is a 3 × 3 matrix on (x, y, 1), its last value 1.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from pspd.core.proof import Fit
from pspd.verify.opencv import opencv

Transform: TypeAlias = npt.NDArray[np.float64]
"""3 × 3."""

Points: TypeAlias = npt.NDArray[np.complexfloating]
"""Places in one picture."""

MOST_SQUEEZE: Final = 2.2
"""Most by which one direction may be scaled more than the other: 16:9 pressed into 4:3, or an
upright picture into a square, is below it."""

MOST_SCALE: Final = 24.0
"""Most enlargement or reduction, of views."""

MOST_SLANT: Final = 2.0
"""Most by which a homography may enlarge one corner more than another, in length."""

LEAST_PAIRS: Final = {Fit.SIMILARITY: 2, Fit.AFFINE: 3, Fit.HOMOGRAPHY: 4}
"""Pairs of places that determine a transform."""


def apply(transform: Transform, points: Points) -> npt.NDArray[np.complex128]:
    """Carry places through a transform."""
    x, y = points.real.astype(np.float64), points.imag.astype(np.float64)
    a, b, c = (row[0] * x + row[1] * y + row[2] for row in transform)
    # On the horizon or behind it: infinitely far, which no tolerance allows.
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(c > 0, (a + 1j * b) / c, complex(math.inf, math.inf))


def local_matrix(transform: Transform, point: complex) -> npt.NDArray[np.float64]:
    """Give the 2 × 2 matrix that a transform is close to a place."""
    x, y, w = transform @ (point.real, point.imag, 1.0)
    outer = np.outer((x, y), transform[2, :2])
    scaled: npt.NDArray[np.float64] = (transform[:2, :2] - outer / w) / w
    return scaled


def frames_through(
    transform: Transform, points: Points, frames: Points
) -> npt.NDArray[np.complex128]:
    """Carry short vectors at some places through a transform that is close to an affine one.

    The result is scaled so that a squeeze keeps areas: a feature's scale knows no direction.
    """
    middle = complex(points.mean()) if len(points) else 0j
    matrix = local_matrix(transform, middle)
    x, y = frames.real.astype(np.float64), frames.imag.astype(np.float64)
    carried = (matrix[0, 0] * x + matrix[0, 1] * y) + 1j * (matrix[1, 0] * x + matrix[1, 1] * y)
    lengths = np.maximum(np.abs(carried), 1e-9)
    size = math.sqrt(abs(np.linalg.det(matrix)))
    return np.asarray(carried / lengths * np.abs(frames) * size, np.complex128)


def scale_of(transform: Transform, size: tuple[int, int]) -> float:
    """Give the enlargement in the middle of a picture of that width and height, in length."""
    matrix = local_matrix(transform, complex(size[0] / 2, size[1] / 2))
    return math.sqrt(abs(float(np.linalg.det(matrix))))


def fit(kind: Fit, source: Points, target: Points) -> Transform | None:
    """Fit a transform to pairs of places by least squares; None if they do not determine one."""
    if len(source) < LEAST_PAIRS[kind]:
        return None
    match kind:
        case Fit.SIMILARITY:
            return _similarity(source, target)
        case Fit.AFFINE:
            return _affine(source, target)
        case Fit.HOMOGRAPHY:
            return _homography(source, target)


def _similarity(source: Points, target: Points) -> Transform | None:
    from_middle = source - source.mean()
    energy = float(np.sum(np.abs(from_middle) ** 2))
    if energy < 1e-9:  # noqa: PLR2004
        return None
    factor = complex(np.sum(from_middle.conj() * (target - target.mean())) / energy)
    offset = complex(target.mean() - factor * source.mean())
    return np.array(
        [
            [factor.real, -factor.imag, offset.real],
            [factor.imag, factor.real, offset.imag],
            [0, 0, 1],
        ]
    )


def _affine(source: Points, target: Points) -> Transform | None:
    places = np.column_stack((source.real, source.imag, np.ones(len(source)))).astype(np.float64)
    goals = np.column_stack((target.real, target.imag)).astype(np.float64)
    solved, _, rank, _ = np.linalg.lstsq(places, goals, rcond=1e-6)
    if rank < places.shape[1]:
        return None
    return np.vstack((solved.T, (0, 0, 1)))


def _homography(source: Points, target: Points) -> Transform | None:
    places = np.column_stack((source.real, source.imag)).astype(np.float64)
    goals = np.column_stack((target.real, target.imag)).astype(np.float64)
    found, _ = opencv().findHomography(places, goals, 0)
    if found is None or not np.isfinite(found).all() or abs(found[2, 2]) < 1e-9:  # noqa: PLR2004
        return None
    return np.asarray(found / found[2, 2], np.float64)


def inverse(transform: Transform) -> Transform:
    """Turn a transform round."""
    turned = np.linalg.inv(transform)
    return np.asarray(turned / turned[2, 2], np.float64)


def is_plausible(transform: Transform, size: tuple[int, int]) -> bool:
    """Say whether a picture of that width and height could have been laid on another so.

    Not turned over, not squeezed or scaled beyond `MOST_SQUEEZE` and `MOST_SCALE` in its middle or
    at a corner, nor more at one corner than at another by `MOST_SLANT`.
    """
    width, height = size
    places = [0j, complex(width), complex(width, height), complex(0, height)]
    scales = []
    for place in (*places, complex(width / 2, height / 2)):
        if not transform[2] @ (place.real, place.imag, 1.0) > 0:
            return False
        matrix = local_matrix(transform, place)
        if not np.isfinite(matrix).all() or np.linalg.det(matrix) <= 0:
            return False
        largest, smallest = np.linalg.svd(matrix, compute_uv=False)
        if largest > MOST_SQUEEZE * smallest:
            return False
        scales.append(math.sqrt(largest * smallest))
    if max(scales) > MOST_SCALE or min(scales) < 1 / MOST_SCALE:
        return False
    return max(scales) <= MOST_SLANT * min(scales)


def mirroring(width: float) -> Transform:
    """Give the transform that mirrors a picture of that width left to right."""
    return np.array([[-1.0, 0, width], [0, 1, 0], [0, 0, 1]])


def scaling(horizontal: float, vertical: float) -> Transform:
    """Give the transform that scales by two factors."""
    return np.diag([horizontal, vertical, 1.0])


def moving(right: float, down: float) -> Transform:
    """Give the transform that moves."""
    return np.array([[1.0, 0, right], [0, 1, down], [0, 0, 1]])
