"""Two pictures that lie on each other → how much of what they show is the same there.

A few features that lie right prove that something is common to both: a copy, but as well the ground
under two different logos, the frame of a playing card, the grid of a calendar. So the query is laid
on the indexed picture and compared place by place (`pspd.verify.agreement`). What is read from
that, with what it is for:

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
from typing import Final

import numpy as np
import numpy.typing as npt

from pspd.core.proof import Recolouring
from pspd.verify.agreement import (
    VISIBLE,
    AgreementMaps,
    agreement,
    agreement_maps,
    coverage,
    foreign,
    intact,
)
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
    maps = agreement_maps(~here if inverted else here, there, inside, side)
    trimmed = _trimmed(maps, here, there)
    if trimmed is not None:
        rows, columns = trimmed
        kept = rectangle(columns.start, rows.start, columns.stop, rows.stop) / ratio
        part = clip(part, kept + complex(left, top))
        maps, here, there = maps.cut(rows, columns), here[rows, columns], there[rows, columns]
    if area(part) <= 0 or not maps.inside.any() or not (maps.here + maps.there).any():
        return None
    same = maps.inside & ((maps.agreeing > 0.5) | (maps.here + maps.there <= 0))  # noqa: PLR2004
    return Comparison(
        part=part,
        agreement=agreement(maps),
        intact=intact(maps, side),
        coverage=coverage(maps),
        foreign=foreign(maps, side),
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


def _plainness(pixels: Pixels) -> float:
    """Give the share of the commonest tones among some pixels (count × 3)."""
    tones = pixels.astype(np.uint16).sum(axis=1) * _TONES // (3 * 256)
    counts = np.sort(np.bincount(tones, minlength=_TONES))
    return float(counts[-_COMMONEST:].sum()) / max(1, len(pixels))


def _trimmed(maps: AgreementMaps, here: Pixels, there: Pixels) -> tuple[slice, slice] | None:
    """Find the rectangle that agrees, if it is clearly less than all; rows and columns."""
    # By area, not by contrast: else what is laid over a soft picture would outweigh all of it.
    structure = np.maximum(maps.here, maps.there)
    visible = structure >= VISIBLE
    same = np.where(visible, maps.agreeing, _FLAT_COUNTS * maps.same_tone)
    scores = same - _AGAINST * np.where(visible, 1 - maps.agreeing, ~maps.same_tone)
    found = best_rectangle(scores.astype(np.float32), maps.inside)
    if found is None:
        return None
    inner = maps.cut(*found)
    if inner.inside.shape == maps.inside.shape or coverage(inner) < _TRIMMED_COVERAGE:
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
