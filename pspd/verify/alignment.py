"""Two pictures that lie on each other → how much of what they show is the same there.

A few features that lie right prove that something is common to both: a copy, but as well the ground
under two different logos, the frame of a playing card, the grid of a calendar. So the query is laid
on the indexed picture and compared place by place, in small windows:

- the *structure* of a place is its contrast (deviation of the luminance within the window), after
  the query's was brought to the other's typical contrast;
- it *agrees* as far as the windows correlate, which no change of brightness or contrast moves, and
  as far as the contrasts are comparable.

Flat places say nothing. What is read from that, with what it is for:

- foreign structure, of the picture that has less of it, at its worst place: a copy may have
  something laid over it, and then only one of the two has what the other lacks; another digit in
  the same frame is foreign from both sides;
- blocks that are intact: what lies over a picture leaves whole blocks of it alone, while another
  text in the same lines leaves hardly any;
- how plain the part is: drawings and text have few tones, and so much less to tell them apart by,
  that nothing may be laid over them.

Where a picture with many tones agrees in one rectangle and nowhere else, only that rectangle is the
common part: half of a collage shows a part of its original, and the transform alone cannot say
where it ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pspd.core.proof import Recolouring
from pspd.verify.local_features import Pixels
from pspd.verify.opencv import opencv
from pspd.verify.polygons import Polygon, area, bounds, clip, rectangle
from pspd.verify.recolouring import recolouring
from pspd.verify.rectangles import best_rectangle
from pspd.verify.transforms import Transform, inverse, moving, scale_of, scaling

COMPARED_SIDE: Final = 384
"""Longer side, in pixels, that the common part is compared at. Averaging to it takes away noise and
blocks and leaves a pixel of misalignment without harm; at 256, other words in the same lines of
text agree to 0.9."""

LEAST_COMPARED_SIDE: Final = 24
"""A common part with a side of fewer pixels, of the coarser picture, proves nothing."""

_WINDOW: Final = 9
"""Side of the window, in pixels, where the longer side is `COMPARED_SIDE`."""

_LEAST_WINDOW: Final = 7

_BLOCKS: Final = 16
"""Blocks along the longer side, of which the intact ones are counted."""

_SMOOTHING: Final = 0.8
"""Deviation in pixels of the smoothing before the comparison."""

_FLAT: Final = 2.5
"""Contrast that is none: what noise and compression leave after averaging."""

_FULL: Final = 40.0
"""Contrast beyond which more is not more: a black letter on white counts no more than a face."""

_UNLIKE: Final = 0.35
_LIKE: Final = 0.75
"""Correlation up to which places do not agree, and from which they agree in full."""

_CONTRASTS: Final = 2.5
"""Places agree in full while their contrasts differ by no more than this factor."""

_VISIBLE: Final = 3.0
"""Structure from which a place counts as covered."""

_BLOCK_STRUCTURE: Final = 1.0
"""Mean structure from which a block counts."""

_BLOCK_FOREIGN: Final = 0.3
"""Foreign structure, of either picture, from which a block is not intact."""

_EDGE: Final = 2
"""Pixels along the border of the common part that are left out: a transform that is a pixel off
would show what is beside it."""

_SAMPLED: Final = 5
"""Every so-manieth pixel is enough to name a change of colours."""

_TONES: Final = 64
_COMMONEST: Final = 3
"""Of so many tones, so many make what is called plain."""

_AGAINST: Final = 0.7
"""What a place that does not agree counts against one that does: with a logo over 30 % of it, the
whole picture is still the best rectangle, and half of a collage is not."""

_TRIMMED_COVERAGE: Final = 0.1
_TRIMMED_PLAINNESS: Final = 0.4
"""Coverage at least, and plainness at most, of a rectangle that may be the whole common part."""

_FLAT_COUNTS: Final = 0.3
"""What a flat place of the same tone counts against one with structure that agrees."""

_SAME_BESIDE: Final = 0.4
"""How much of the area beside such a rectangle may be the same in both: a watermark or a logo leave
more than that, another picture less."""

_AGREEING_BESIDE: Final = 0.6
"""How much of the structure beside it may agree: another picture's does by chance, to some 0.3."""

_SAME_TONE: Final = 24.0
"""Levels that the means of two windows may be apart, after the one picture's brightness was brought
to the other's."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What was seen where two pictures lie on each other; fields as of `pspd.core.model.Proof`."""

    part: Polygon
    """The common part, in the indexed picture's view."""
    agreement: float
    intact: float
    coverage: float
    foreign: float
    plainness: float
    colour: Recolouring


class _Maps(NamedTuple):
    """Of each pixel of the compared part; all of height × width."""

    inside: npt.NDArray[np.bool_]
    here: npt.NDArray[np.float32]
    """The query's structure."""
    there: npt.NDArray[np.float32]
    """The indexed picture's structure."""
    agreeing: npt.NDArray[np.float32]
    """0 to 1."""
    same_tone: npt.NDArray[np.bool_]

    def cut(self, rows: slice, columns: slice) -> _Maps:
        """Keep a rectangle."""
        return _Maps(
            self.inside[rows, columns],
            self.here[rows, columns],
            self.there[rows, columns],
            self.agreeing[rows, columns],
            self.same_tone[rows, columns],
        )


def compare(
    query: Pixels,
    indexed: Pixels,
    transform: Transform,
    part: Polygon,
    *,
    inverted: bool = False,
) -> Comparison | None:
    """Compare two pictures where they lie on each other; None if there is nothing to see there.

    Args:
        query: View of the query.
        indexed: View of the indexed picture.
        transform: View of the query → view of the indexed picture; may mirror.
        part: Where they lie on each other, in the indexed picture's view; convex.
        inverted: Whether what is light in one is dark in the other.
    """
    left, top, right, bottom = bounds(part)
    scale = scale_of(transform, (query.shape[1], query.shape[0]))
    ratio = min(1.0, 1.0 / scale, COMPARED_SIDE / max(right - left, bottom - top))
    size = (round((right - left) * ratio), round((bottom - top) * ratio))
    if min(size) < LEAST_COMPARED_SIDE:
        return None
    to_indexed = moving(left, top) @ scaling((right - left) / size[0], (bottom - top) / size[1])
    there = _sample(indexed, to_indexed, ratio, size)
    here = _sample(query, inverse(transform) @ to_indexed, ratio * scale, size)
    side = max(_LEAST_WINDOW, round(_WINDOW * max(size) / COMPARED_SIDE)) | 1
    inside = _filled((part - complex(left, top)) * ratio, size)
    maps = _maps(~here if inverted else here, there, inside, side)
    trimmed = _trimmed(maps, here, there)
    if trimmed is not None:
        rows, columns = trimmed
        kept = rectangle(columns.start, rows.start, columns.stop, rows.stop) / ratio
        part = clip(part, kept + complex(left, top))
        maps, here, there = maps.cut(rows, columns), here[rows, columns], there[rows, columns]
    if area(part) <= 0 or not maps.inside.any() or not (maps.here + maps.there).any():
        return None
    same = maps.inside & ((maps.agreeing > 0.5) | (maps.here + maps.there <= 0))  # noqa: PLR2004
    agreement, foreign, intact = _agreement(maps), _foreign(maps, side), _intact(maps, side)
    return Comparison(
        part=part,
        agreement=agreement,
        intact=intact,
        coverage=_coverage(maps),
        foreign=foreign,
        plainness=max(_plainness(each[maps.inside]) for each in (here, there)),
        colour=recolouring(here[same][::_SAMPLED], there[same][::_SAMPLED]),
    )


def _sample(view: Pixels, to_view: Transform, reduction: float, size: tuple[int, int]) -> Pixels:
    """Draw the compared part from a view, averaged where it is reduced."""
    cv2 = opencv()
    height, width = view.shape[:2]
    if reduction < 1:
        small = (max(1, round(width * reduction)), max(1, round(height * reduction)))
        view = cv2.resize(view, small, interpolation=cv2.INTER_AREA)
        to_view = scaling(small[0] / width, small[1] / height) @ to_view
    # OpenCV gives the middle of a pixel whole numbers.
    matrix = moving(-0.5, -0.5) @ to_view @ moving(0.5, 0.5)
    drawn: Pixels = cv2.warpPerspective(
        view,
        matrix,
        size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return drawn


def _filled(part: Polygon, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Draw a polygon; pixels that lie well inside."""
    cv2 = opencv()
    canvas = np.zeros((size[1], size[0]), np.uint8)
    corners = np.rint(np.column_stack((part.real, part.imag)) - 0.5).astype(np.int32)
    cv2.fillConvexPoly(canvas, corners, 1)
    kernel = np.ones((2 * _EDGE + 1, 2 * _EDGE + 1), np.uint8)
    inside: npt.NDArray[np.bool_] = cv2.erode(
        canvas, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0
    ).astype(np.bool_)
    return inside


def _maps(here: Pixels, there: Pixels, inside: npt.NDArray[np.bool_], side: int) -> _Maps:
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
    return _Maps(inside, here_structure, there_structure, agreed, same_tone)


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


def _agreement(maps: _Maps) -> float:
    """Give the share of structure that agrees, of the picture of which more does."""
    # One level more on both sides: next to nothing does not agree in full.
    shares = [
        float((each * maps.agreeing).sum()) / (float(each.sum()) + 1)
        for each in (maps.here, maps.there)
    ]
    return max(shares)


def _coverage(maps: _Maps) -> float:
    visible = np.maximum(maps.here, maps.there) >= _VISIBLE
    return float(maps.agreeing[visible].sum() / max(1, int(maps.inside.sum())))


def _foreign(maps: _Maps, side: int) -> float:
    """Give the largest clot of foreign structure of the picture that has the smaller one."""
    missing = np.float32(1) - maps.agreeing
    clots = [float(_averaged(each * missing, side).max()) for each in (maps.here, maps.there)]
    return min(clots) / _typical(maps)


def _typical(maps: _Maps) -> float:
    """Give the structure of the typical place that agrees; at least 1."""
    structure = np.maximum(maps.here, maps.there)
    alike = structure * maps.agreeing
    return max(1.0, float((structure * alike).sum()) / max(float(alike.sum()), 1e-6))


def _intact(maps: _Maps, side: int) -> float:
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


def _plainness(pixels: Pixels) -> float:
    """Give the share of the commonest tones among some pixels (count × 3)."""
    tones = pixels.astype(np.uint16).sum(axis=1) * _TONES // (3 * 256)
    counts = np.sort(np.bincount(tones, minlength=_TONES))
    return float(counts[-_COMMONEST:].sum()) / max(1, len(pixels))


def _trimmed(maps: _Maps, here: Pixels, there: Pixels) -> tuple[slice, slice] | None:
    """Find the rectangle that agrees, if it is clearly less than all; rows and columns."""
    # By area, not by contrast: else what is laid over a soft picture would outweigh all of it.
    structure = np.maximum(maps.here, maps.there)
    visible = structure >= _VISIBLE
    same = np.where(visible, maps.agreeing, _FLAT_COUNTS * maps.same_tone)
    scores = same - _AGAINST * np.where(visible, 1 - maps.agreeing, ~maps.same_tone)
    found = best_rectangle(scores.astype(np.float32), maps.inside)
    if found is None:
        return None
    inner = maps.cut(*found)
    if inner.inside.shape == maps.inside.shape or _coverage(inner) < _TRIMMED_COVERAGE:
        return None
    beside = maps.inside.copy()
    beside[found] = False
    if not beside.any() or float((same[beside] > 0.2).mean()) > _SAME_BESIDE:  # noqa: PLR2004
        return None
    # A turn of hue makes some places lighter, and leaves their structure.
    agreeing = float((structure * maps.agreeing)[beside].sum())
    if agreeing > _AGREEING_BESIDE * float(structure[beside].sum()):
        return None
    plainness = max(_plainness(each[found][inner.inside]) for each in (here, there))
    return found if plainness <= _TRIMMED_PLAINNESS else None
