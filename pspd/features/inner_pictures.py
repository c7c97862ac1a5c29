"""A query's pixels → the parts of it that may be a whole picture.

These are what is in a frame, a window or a collage, or turned on a ground of one colour.

People pass pictures on with something around them, and a perceptual hash is one of everything that
is there. So a query is searched for more than once: as it is, and by what may be a picture in it,
each with hashes of its own. Only the query is; what is indexed is hashed as a whole.

    pixels ─┬─ margins of one colour, or of one colour with a line of text on it
            ├─ a rectangle that is turned on one colour
            └─ rectangles between long straight edges
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from pspd.core.model import TurnedHashes
from pspd.features import hashes
from pspd.features.straight_edges import rectangles
from pspd.features.turned_on_ground import GROUND_LEVELS, picture_on_ground

Pixels: TypeAlias = npt.NDArray[np.uint8]
"""Height × width × 3: red, green and blue, 0 to 255, upright."""

Corner: TypeAlias = tuple[float, float]

MAX_INNER_PICTURES: Final = 6
"""Most of them besides the picture itself: each costs the index a query of eight hashes."""

_DETECTION_SIDE: Final = 400
"""Most pixels of the longer side that parts are looked for in."""
_LEAST_SHARE: Final = 0.04
"""Of the area: a part that is smaller is none."""
_LEAST_SIDE: Final = 48
"""Pixels of the smaller side of a part: fewer do not make a 64 × 64 hash."""
_SAME: Final = 0.94
"""Parts whose intersection over union is more are one."""

_GROUND_SHARE: Final = 0.97
"""Of a line's pixels that must be ground for the line to be."""
_WRITTEN_SHARE: Final = 0.45
"""The same for a line with writing on it."""
_MOST_TRIMMED: Final = 0.8
"""Of a side: margins that leave less are none."""

_WIDER: Final = 0.048
"""Of a side: what is added to it by `wider`, on both ends together."""
_SHARES_BEFORE: Final = ((0.5, 0.5), *itertools.product((0.15, 0.85), repeat=2))
"""Of what is added, how much is on the left and above."""

MAX_PARTS: Final = MAX_INNER_PICTURES + len(_SHARES_BEFORE)
"""Most that `hashed_parts` gives."""


@dataclass(frozen=True, slots=True)
class InnerPicture:
    """A part of a picture that may be a whole one."""

    corners: tuple[Corner, Corner, Corner, Corner]
    """In pixels, whole numbers being edges of pixels: what becomes the upper left corner, then
    clockwise. A rectangle, or nearly one, if a turned one."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in pixels."""
        upper_left, upper_right, _, lower_left = self.corners
        return math.dist(upper_left, upper_right), math.dist(upper_left, lower_left)

    @property
    def is_upright(self) -> bool:
        """Whether its sides are rows and columns, and its corners in their usual places."""
        return self == _box(*self.corners[0], *self.corners[2])


@dataclass(frozen=True, slots=True)
class InnerHashes:
    """What an inner picture is searched for by."""

    where: InnerPicture
    quality: int
    """0 (flat) to 100, as `pspd.core.model.Features.quality`."""
    turned: tuple[TurnedHashes, ...]
    """In the order of `Turn`."""


def inner_pictures(pixels: Pixels) -> tuple[InnerPicture, ...]:
    """Find the inner pictures, at most `MAX_INNER_PICTURES`, likely ones first.

    Args:
        pixels: Best of some 400 to 800 pixels a side; the picture itself is not among them.
    """
    height, width = pixels.shape[:2]
    factor = max(1, math.ceil(max(height, width) / _DETECTION_SIDE))
    small = np.asarray(Image.fromarray(pixels).reduce(factor), np.int16)
    found: list[InnerPicture] = []
    whole = _box(0, 0, width, height)
    for small_where in _candidates(small):
        where = _scaled(small_where, factor, (width, height))
        is_large = min(where.size) >= _LEAST_SIDE and math.prod(where.size) >= (
            _LEAST_SHARE * width * height
        )
        if is_large and all(_agreement(where, other) < _SAME for other in (whole, *found)):
            found.append(where)
            if len(found) == MAX_INNER_PICTURES:
                break
    return tuple(found)


def wider(pixels: Pixels) -> tuple[InnerPicture, ...]:
    """Return the picture with a little more around it than there is, mirrored at its edges.

    It is what a picture may have been that was cut to nine tenths of its area, in the middle or
    towards a corner, or turned by a few degrees and then cut: a hash bears a wrong margin better
    than a wrong scale. Of 60 real pictures cut to 90 % somewhere 12 % are found without, 37 % by
    the middle one, 92 % by all; of those turned by 3 degrees and cut 10 and 42 %; no stranger is.
    For 70 % sixteen were tried, and found 12 %.
    """
    height, width = pixels.shape[:2]
    across, down = max(1, round(_WIDER * width)), max(1, round(_WIDER * height))
    found = []
    for before, above in _SHARES_BEFORE:
        left, top = -round(before * across), -round(above * down)
        found.append(_box(left, top, left + width + across, top + height + down))
    return tuple(found)


def hash_inner_picture(pixels: Pixels, where: InnerPicture) -> InnerHashes:
    """Compute the hashes of an inner picture, after each of the eight turns."""
    pair = hashes.gray_pair(_cut(pixels, where).convert("L"))
    quality = hashes.quality(hashes.contrasts(pair))
    return InnerHashes(where, quality, hashes.turned_hashes(pair))


def hashed_parts(pixels: Pixels) -> tuple[InnerHashes, ...]:
    """Hash all by which a query is searched for besides itself: what is in it, and it, wider."""
    parts = (*inner_pictures(pixels), *wider(pixels))
    return tuple(hash_inner_picture(pixels, where) for where in parts)


def _candidates(small: npt.NDArray[np.int16]) -> Iterator[InnerPicture]:
    yield from _within_margins(small)
    corners = picture_on_ground(small)
    if corners is not None:
        yield _framed(corners)
    for left, top, right, bottom in rectangles(small):
        yield _box(left, top, right, bottom)


def _within_margins(small: npt.NDArray[np.int16]) -> Iterator[InnerPicture]:
    """Yield what margins of one colour leave, and margins of one colour with writing on them."""
    for least_share in (_GROUND_SHARE, _WRITTEN_SHARE):
        left, top, right, bottom = 0, 0, small.shape[1], small.shape[0]
        # Twice, for a margin may have a margin.
        for _ in range(2):
            part = small[top:bottom, left:right]
            above, below = _margins(part, least_share)
            part = part[above : len(part) - below].transpose(1, 0, 2)
            before, behind = _margins(part, least_share)
            left, top = left + before, top + above
            right, bottom = right - behind, bottom - below
            yield _box(left, top, right, bottom)


def _margins(lines: npt.NDArray[np.int16], least_share: float) -> tuple[int, int]:
    """Count the first and the last lines that are margins; none where they leave nothing."""
    first, last = (_margin(each, least_share) for each in (lines, lines[::-1]))
    return (first, last) if first + last < len(lines) else (0, 0)


def _margin(lines: npt.NDArray[np.int16], least_share: float) -> int:
    """Count the first lines that are a margin; 0 if most are.

    Args:
        lines: Rows or columns, from the edge inwards, × pixels × 3.
        least_share: How much of a line between others of one colour may be something else.
    """
    ground = np.median(lines[0], axis=0)
    shares = (np.abs(lines - ground).max(axis=2) <= GROUND_LEVELS).mean(axis=1)
    inner = np.flatnonzero(shares < least_share)
    end = int(inner[0]) if len(inner) else len(lines)
    # Behind the writing there is ground again, or it was none.
    uniform = np.flatnonzero(shares[:end] >= _GROUND_SHARE)
    count = int(uniform[-1]) + 1 if len(uniform) else 0
    return count if count <= _MOST_TRIMMED * len(lines) else 0


def _box(left: float, top: float, right: float, bottom: float) -> InnerPicture:
    return InnerPicture(((left, top), (right, top), (right, bottom), (left, bottom)))


def _framed(corners: npt.NDArray[np.float64]) -> InnerPicture:
    upper_left, upper_right, lower_right, lower_left = ((float(x), float(y)) for x, y in corners)
    return InnerPicture((upper_left, upper_right, lower_right, lower_left))


def _scaled(where: InnerPicture, factor: int, size: tuple[int, int]) -> InnerPicture:
    """Bring one to the pixels of the whole picture, of which the last ones may be half averages."""
    return _framed(np.minimum(np.array(where.corners) * factor, size))


def _agreement(one: InnerPicture, other: InnerPicture) -> float:
    """Return about the intersection over union of two of them; exact of upright ones."""
    (left, top), (right, bottom) = _bounds(one)
    (other_left, other_top), (other_right, other_bottom) = _bounds(other)
    shared = max(0.0, min(right, other_right) - max(left, other_left)) * max(
        0.0, min(bottom, other_bottom) - max(top, other_top)
    )
    if one.is_upright != other.is_upright:
        return 0.0
    areas = [math.prod(each.size) for each in (one, other)]
    return shared / max(sum(areas) - shared, 1.0)


def _bounds(where: InnerPicture) -> tuple[Corner, Corner]:
    across, down = zip(*where.corners, strict=True)
    return (min(across), min(down)), (max(across), max(down))


def _cut(pixels: Pixels, where: InnerPicture) -> Image.Image:
    """Cut an inner picture out, turned upright; what lies beyond the edge is mirrored there."""
    if not where.is_upright:
        size = (max(1, round(where.size[0])), max(1, round(where.size[1])))
        upper_left, upper_right, lower_right, lower_left = where.corners
        quad = (*upper_left, *lower_left, *lower_right, *upper_right)
        return Image.fromarray(pixels).transform(
            size, Image.Transform.QUAD, quad, Image.Resampling.BICUBIC
        )
    (left, top), (right, bottom) = ((round(x), round(y)) for x, y in _bounds(where))
    height, width = pixels.shape[:2]
    beyond = ((max(0, -top), max(0, bottom - height)), (max(0, -left), max(0, right - width)))
    inside = pixels[max(0, top) : bottom, max(0, left) : right]
    return Image.fromarray(np.pad(inside, (*beyond, (0, 0)), "symmetric"))
