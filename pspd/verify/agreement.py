"""Two pictures drawn on each other → how much of what they show agrees, place by place.

A place is a small window around a pixel:

- its *structure* is its contrast (deviation of the luminance within the window), after the query's
  was brought to the other's typical contrast;
- it *agrees* as far as the windows correlate, which no change of brightness or contrast moves, and
  as far as the contrasts are comparable.

Flat places say nothing.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pspd.verify.local_features import Pixels
from pspd.verify.opencv import opencv

_FLAT: Final = 2.5
"""Contrast that is none: what noise and compression leave after averaging."""

_FULL: Final = 40.0
"""Contrast beyond which more is not more: a black letter on white counts no more than a face."""

_UNLIKE: Final = 0.35
_LIKE: Final = 0.75
"""Correlation up to which places do not agree, and from which they agree in full."""

_CONTRASTS: Final = 2.5
"""Places agree in full while their contrasts differ by no more than this factor."""

VISIBLE: Final = 3.0
"""Structure from which a place counts as covered."""

_BLOCK_STRUCTURE: Final = 1.0
"""Mean structure from which a block counts."""

_BLOCK_FOREIGN: Final = 0.3
"""Foreign structure, of either picture, from which a block is not intact."""

_BLOCKS: Final = 16
"""Blocks along the longer side, of which the intact ones are counted."""

_SMOOTHING: Final = 0.8
"""Deviation in pixels of the smoothing before the comparison."""

_SAME_TONE: Final = 24.0
"""Levels that the means of two windows may be apart, after the one picture's brightness was brought
to the other's."""


class AgreementMaps(NamedTuple):
    """Of each pixel of the compared part; all of height × width."""

    inside: npt.NDArray[np.bool_]
    here: npt.NDArray[np.float32]
    """The query's structure."""
    there: npt.NDArray[np.float32]
    """The indexed picture's structure."""
    agreeing: npt.NDArray[np.float32]
    """0 to 1."""
    same_tone: npt.NDArray[np.bool_]

    def cut(self, rows: slice, columns: slice) -> AgreementMaps:
        """Keep a rectangle."""
        return AgreementMaps(
            self.inside[rows, columns],
            self.here[rows, columns],
            self.there[rows, columns],
            self.agreeing[rows, columns],
            self.same_tone[rows, columns],
        )


def agreement_maps(
    here: Pixels, there: Pixels, inside: npt.NDArray[np.bool_], side: int
) -> AgreementMaps:
    """Compare two pictures of one size place by place.

    Args:
        here: The query, drawn on the common part.
        there: The indexed picture, drawn on it.
        inside: Pixels that are in the common part.
        side: Of the window, in pixels; odd.
    """
    weight = inside.astype(np.float32)
    filled = np.maximum(_averaged(weight, side), np.float32(1e-3))

    def averaged(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return (_averaged(values * weight, side) / filled).astype(np.float32, copy=False)

    x, y = _luminance(here), _luminance(there)
    x_mean, y_mean = averaged(x), averaged(y)
    x_contrast = np.sqrt(np.maximum(averaged(x * x) - x_mean * x_mean, 0))
    y_contrast = np.sqrt(np.maximum(averaged(y * y) - y_mean * y_mean, 0))
    common = averaged(x * y) - x_mean * y_mean
    correlation = common / (x_contrast * y_contrast + np.float32(_FLAT))
    gain = np.float32(_typical_gain(x_contrast[inside], y_contrast[inside]))
    x_contrast *= gain
    larger, smaller = np.maximum(x_contrast, y_contrast), np.minimum(x_contrast, y_contrast)
    agreeing = np.clip((correlation - _UNLIKE) / (_LIKE - _UNLIKE), 0, 1)
    agreeing *= np.clip(_CONTRASTS * smaller / np.maximum(larger, np.float32(1e-3)), 0, 1)
    here_structure, there_structure = (
        _structure(each) * weight for each in (x_contrast, y_contrast)
    )
    agreeing *= weight
    offsets = y_mean - gain * x_mean
    known = (agreeing > 0.5) & (here_structure > 0)  # noqa: PLR2004
    offset = float(np.median(offsets[known])) if known.any() else 0.0
    same_tone = np.abs(offsets - np.float32(offset)) <= np.float32(_SAME_TONE)
    agreed = agreeing.astype(np.float32, copy=False)
    return AgreementMaps(inside, here_structure, there_structure, agreed, same_tone)


def _structure(contrast: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    structure: npt.NDArray[np.float32] = np.clip(contrast - np.float32(_FLAT), 0, np.float32(_FULL))
    return structure


def _averaged(values: npt.NDArray[np.float32], side: int) -> npt.NDArray[np.float32]:
    """Give the mean within a window around each pixel, zero beyond the border."""
    cv2 = opencv()
    found: npt.NDArray[np.float32] = cv2.boxFilter(
        values, -1, (side, side), borderType=cv2.BORDER_CONSTANT
    )
    return found


def _luminance(pixels: Pixels) -> npt.NDArray[np.float32]:
    cv2 = opencv()
    # About zero, for the squares' sake.
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32) - np.float32(128)
    smoothed: npt.NDArray[np.float32] = cv2.GaussianBlur(gray, (0, 0), _SMOOTHING)
    return smoothed


def _typical_gain(x: npt.NDArray[np.float32], y: npt.NDArray[np.float32]) -> float:
    """Give what brings the query's contrast to the other's at the typical place with structure."""
    both = (x > 2 * _FLAT) & (y > 2 * _FLAT)
    if not both.any():
        return 1.0
    return float(np.clip(np.median(y[both] / x[both]), 0.25, 4))


def agreement(maps: AgreementMaps) -> float:
    """Give the share of structure that agrees, of the picture of which more does."""
    # One level more on both sides: next to nothing does not agree in full.
    shares = [
        float((each * maps.agreeing).sum()) / (float(each.sum()) + 1)
        for each in (maps.here, maps.there)
    ]
    return max(shares)


def coverage(maps: AgreementMaps) -> float:
    """Give the share of the part that has structure which agrees."""
    visible = np.maximum(maps.here, maps.there) >= VISIBLE
    return float(maps.agreeing[visible].sum() / max(1, int(maps.inside.sum())))


def foreign(maps: AgreementMaps, side: int) -> float:
    """Give the largest clot of foreign structure of the picture that has the smaller one."""
    missing = np.float32(1) - maps.agreeing
    clots = [float(_averaged(each * missing, side).max()) for each in (maps.here, maps.there)]
    return min(clots) / _typical(maps)


def _typical(maps: AgreementMaps) -> float:
    """Give the structure of the typical place that agrees; at least 1."""
    structure = np.maximum(maps.here, maps.there)
    alike = structure * maps.agreeing
    return max(1.0, float((structure * alike).sum()) / max(float(alike.sum()), 1e-6))


def intact(maps: AgreementMaps, side: int) -> float:
    """Give the share of blocks with structure that have nothing foreign."""
    structure = np.maximum(maps.here, maps.there)
    clots = _averaged(structure * (np.float32(1) - maps.agreeing), side) / _typical(maps)
    height, width = structure.shape
    step = max(1, -(-max(height, width) // _BLOCKS))
    rows, columns = (np.arange(0, length, step) for length in (height, width))
    worst = np.maximum.reduceat(np.maximum.reduceat(clots, rows, axis=0), columns, axis=1)
    sums = np.add.reduceat(np.add.reduceat(structure, rows, axis=0), columns, axis=1)
    counted = sums >= _BLOCK_STRUCTURE * step * step
    if not counted.any():
        return 0.0
    return float((worst[counted] <= _BLOCK_FOREIGN).mean())
