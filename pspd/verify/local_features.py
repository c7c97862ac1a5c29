"""A picture's pixels → its local features: the places that stay recognisable wherever it goes.

SIFT (Lowe, "Distinctive image features from scale-invariant keypoints", 2004) finds blobs at every
scale and describes the surroundings of each, in the frame of its own scale and direction. The
descriptors are compared as RootSIFT (Arandjelović and Zisserman, "Three things everyone should know
to improve object retrieval", 2012): the square root of each value, so that the plain product of two
is the Hellinger kernel.

    pixels ── gray, small ones enlarged ── SIFT ── spread over the picture ──▶ LocalFeatures

A mirrored picture has the same places, and its descriptors are a permutation of the picture's:
mirroring turns the order of the rows across the feature's direction and the sense of every
gradient's angle. So are an inverted picture's, whose gradients, and so the feature's own direction,
point the other way: both orders are turned. Neither needs a second description.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pspd.verify.opencv import opencv
from pspd.verify.polygons import Polygon

Pixels = npt.NDArray[np.uint8]
"""Height × width × (red, green, blue)."""

VIEW_SIDE: Final = 512
"""Longest side, in pixels, that pictures should be brought to before they are described."""

MOST_FEATURES: Final = 800
"""Features kept of one picture."""


class Look(NamedTuple):
    """How closely a picture is looked at."""

    side: int
    """Longest side, in pixels, that it should be brought to before it is described."""
    features: int
    """Features kept of it."""
    enlarged_to: int
    """Views whose longer side is below are enlarged to it before they are described."""


FIRST_LOOK: Final = Look(VIEW_SIDE, MOST_FEATURES, 400)
CLOSER_LOOK: Final = Look(1024, 1600, 800)
"""Takes four times as long. A tenth of a picture has but a tenth of the features that the first
look found: of 16 such crops of photographs that it did not place, this places 11."""

DESCRIPTOR_LENGTH: Final = 128

_MOST_ENLARGED: Final = 4.0

_LEAST_SIDE: Final = 8
"""Of less pixels a side, nothing is described: there is no window to compare either."""

_CONTRAST: Final = 0.005
"""SIFT's contrast threshold. Its default of 0.04 leaves soft or dark pictures with a handful."""

_DETECTED: Final = 4
"""So many times `MOST_FEATURES` are kept at first, by contrast, to choose a spread from."""

_CELLS: Final = 8
"""Cells a side, for spreading the features."""

_SCALE: Final = 512.0
"""A RootSIFT value of 1 in a stored byte; no value is over 0.45, for SIFT cuts at 0.2."""

_GRID: Final = (4, 4, 8)
"""A descriptor: rows across the feature's direction × columns along it × directions."""

_MIRRORED: Final = (
    np.arange(DESCRIPTOR_LENGTH)
    .reshape(_GRID)[::-1, :, -np.arange(_GRID[2]) % _GRID[2]]
    .reshape(-1)
)
"""Where each value of the mirrored descriptor stands in the picture's."""

_INVERTED: Final = np.arange(DESCRIPTOR_LENGTH).reshape(_GRID)[::-1, ::-1].reshape(-1)
"""Where each value of the inverted picture's descriptor stands in the picture's."""


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints:
    """Places of one picture with what surrounds them; all arrays have one row a place."""

    frames: npt.NDArray[np.complex64]
    """Direction and scale: the vector from the middle along the main direction, as long as the
    scale, in the view's pixels; rightwards real, downwards imaginary."""
    points: npt.NDArray[np.complex64]
    """The middle, in the view's pixels from its upper left corner."""
    descriptors: npt.NDArray[np.uint8]
    """Rows × 128, RootSIFT times 512."""

    def __len__(self) -> int:
        return len(self.points)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the arrays take."""
        return self.frames.nbytes + self.points.nbytes + self.descriptors.nbytes

    def mirrored(self, width: int) -> Keypoints:
        """Give those of the picture, `width` pixels wide, mirrored left to right."""
        return Keypoints(
            frames=-self.frames.conj(),
            points=width - self.points.conj(),
            descriptors=self.descriptors[:, _MIRRORED],
        )

    def inverted(self) -> Keypoints:
        """Give those of the picture with light and dark exchanged."""
        return Keypoints(-self.frames, self.points, self.descriptors[:, _INVERTED])

    def unit_descriptors(self) -> npt.NDArray[np.float32]:
        """Give the descriptors as rows of unit length."""
        values = self.descriptors.astype(np.float32)
        lengths = np.linalg.norm(values, axis=1, keepdims=True)
        rows: npt.NDArray[np.float32] = values / np.maximum(lengths, 1)
        return rows


@dataclass(frozen=True, slots=True, eq=False)
class LocalFeatures:
    """All that a proof needs of one picture."""

    full_size: tuple[int, int]
    """Width and height of the upright picture."""
    view: Pixels
    """The picture, at the size that was described."""
    keypoints: Keypoints
    parts: tuple[Polygon, ...] = ()
    """Of a query: what in it may be a whole picture, in the view's pixels."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the view."""
        return self.view.shape[1], self.view.shape[0]

    @property
    def nbytes(self) -> int:
        """Bytes of memory that it takes: 0.7 to 1.4 MB with views of 640 pixels."""
        return self.view.nbytes + self.keypoints.nbytes


def describe(
    view: Pixels,
    full_size: tuple[int, int] | None = None,
    most: int = MOST_FEATURES,
    enlarged_to: int = FIRST_LOOK.enlarged_to,
) -> LocalFeatures:
    """Find the local features of a picture.

    Args:
        view: Height × width × 3 uint8, upright, on white; best with a longer side of `VIEW_SIDE`.
            Kept, not copied.
        full_size: Width and height of the picture in full; None if `view` is all of it.
        most: Features to keep, from 1.
        enlarged_to: As of `Look`.

    Returns:
        The same for the same pixels, each time. A flat or tiny picture has none.

    Raises:
        ValueError: Not pixels of that shape, or a size below 1.
        MissingExtra: OpenCV is not installed.
    """
    if view.ndim != 3 or view.shape[2] != 3 or view.dtype != np.uint8 or 0 in view.shape:  # noqa: PLR2004
        raise ValueError(f"not height × width × 3 of uint8: {view.shape} of {view.dtype}")
    height, width = view.shape[:2]
    full_size = full_size or (width, height)
    if min(full_size) < 1 or most < 1:
        raise ValueError(f"a picture of {full_size} pixels, or {most} features, cannot be")
    if min(width, height) < _LEAST_SIDE:
        return LocalFeatures(full_size, view, _no_keypoints())
    return LocalFeatures(full_size, view, _detect(view, most, enlarged_to))


def _detect(view: Pixels, most: int, enlarged_to: int) -> Keypoints:
    cv2 = opencv()
    gray = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
    enlarged = min(_MOST_ENLARGED, max(1.0, enlarged_to / max(gray.shape)))
    if enlarged > 1:
        gray = cv2.resize(gray, None, fx=enlarged, fy=enlarged, interpolation=cv2.INTER_CUBIC)
    # Precise: without it, what is found at the finest scale lies a quarter of a pixel off.
    sift = cv2.SIFT_create(
        nfeatures=_DETECTED * most, contrastThreshold=_CONTRAST, enable_precise_upscale=True
    )
    found = sift.detect(gray, None)
    if not found:
        return _no_keypoints()
    chosen = [found[i] for i in _spread(found, gray.shape, most)]
    chosen, values = sift.compute(gray, chosen)
    if not chosen:
        return _no_keypoints()
    points = np.array([point.pt for point in chosen], np.float32)
    sizes = np.array([point.size for point in chosen], np.float32)
    angles = np.deg2rad(np.array([point.angle for point in chosen], np.float32))
    # OpenCV gives the middle of a pixel whole numbers.
    middles = (points + np.float32(0.5)) / np.float32(enlarged)
    scales = sizes / np.float32(enlarged)
    return Keypoints(
        frames=(scales * np.exp(1j * angles)).astype(np.complex64),
        points=(middles[:, 0] + 1j * middles[:, 1]).astype(np.complex64),
        descriptors=_root(values),
    )


def _spread(found: Any, shape: tuple[int, int], most: int) -> npt.NDArray[np.intp]:
    """Choose half by contrast and the rest evenly over the picture; indices of `found`.

    By contrast alone, a crop from the soft part of a picture finds none of its features there.
    """
    if len(found) <= most:
        return np.arange(len(found))
    responses = np.array([point.response for point in found])
    points = np.array([point.pt for point in found])
    order = np.argsort(-responses, kind="stable")
    first, rest = order[: most // 2], order[most // 2 :]
    cells = (points * _CELLS / (shape[1], shape[0])).astype(int).clip(0, _CELLS - 1) @ (1, _CELLS)
    # Rank within the cell, in order of contrast, those chosen already included.
    by_cell = np.argsort(cells[order], kind="stable")
    starts = np.searchsorted(cells[order][by_cell], np.arange(_CELLS * _CELLS))
    ranks = np.empty(len(order), np.intp)
    ranks[by_cell] = np.arange(len(order)) - starts[cells[order][by_cell]]
    evenly = np.argsort(ranks[most // 2 :], kind="stable")
    return np.concatenate((first, rest[evenly[: most - len(first)]]))


def _root(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    sums = np.maximum(values.sum(axis=1, keepdims=True), 1)
    rooted: npt.NDArray[np.uint8] = np.minimum(
        np.rint(np.sqrt(values / sums) * _SCALE), 255
    ).astype(np.uint8)
    return rooted


def _no_keypoints() -> Keypoints:
    nothing = np.zeros(0, np.complex64)
    return Keypoints(nothing, nothing, np.zeros((0, DESCRIPTOR_LENGTH), np.uint8))
