"""Pixels → rectangles that lie between long straight edges, upright ones.

A window, a caption's band, a letterbox and the parts of a collage are bounded by edges that run
straight along one row or column, or by the picture's own frame. Such a line differs from the
texture beside it by having edges at nearly every pixel, and its neighbours do not.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom, in pixels; whole numbers are edges of pixels."""

_Shares: TypeAlias = npt.NDArray[np.float64]

_MOST_LINES: Final = 10
"""Most lines looked at in either direction, besides the frame's."""
_MOST_BOXES: Final = 24
_EDGE_LEVELS: Final = 14
"""Levels, in any channel, between the pixels on both sides of an edge."""
_NEARBY: Final = 4
"""Pixels from a line to those that it is compared with."""
_LEAST_EXCESS: Final = 0.12
"""How much more of the whole length must be edge on a line than beside it."""
_LEAST_SUPPORT: Final = 0.6
"""Share of a side that must be edge."""
_LEAST_SIDE_EXCESS: Final = 0.3
"""How much more of a side must be edge than beside it."""
_CROSSING: Final = 0.5
"""What a rectangle loses that an edge runs across: it is more than one picture."""
_LEAST_SIDE: Final = 0.12
"""Of the picture's: sides of a rectangle that are shorter are none."""


class _Lines(NamedTuple):
    """Lines of one direction: the frame's first one, others, the frame's last one."""

    places: npt.NDArray[np.int64]
    """Ascending; the line is before the row or column of this number."""
    counts: npt.NDArray[np.int64]
    """Lines × (length + 1): edges along each line before a place."""
    beside: npt.NDArray[np.float64]
    """The same of what is beside them, on average."""


def rectangles(pixels: npt.NDArray[np.int16]) -> list[Box]:
    """Find rectangles, best supported first, but for the whole.

    Args:
        pixels: Height × width × 3, 0 to 255.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < 4 * _NEARBY:
        return []
    rows = _lines(_edges(pixels))
    columns = _lines(_edges(pixels.transpose(1, 0, 2)))
    upper, lower = np.triu_indices(len(rows.places), 1)
    left, right = np.triu_indices(len(columns.places), 1)
    horizontal = _sides(rows, columns.places[left], columns.places[right])
    vertical = _sides(columns, rows.places[upper], rows.places[lower])
    # Row pairs × column pairs.
    support = np.minimum(
        np.minimum(horizontal[upper], horizontal[lower]),
        np.minimum(vertical[left], vertical[right]).T,
    )
    crossed = np.maximum(_between(horizontal, upper, lower), _between(vertical, left, right).T)
    tall = rows.places[lower] - rows.places[upper] >= _LEAST_SIDE * height
    wide = columns.places[right] - columns.places[left] >= _LEAST_SIDE * width
    possible = (support > 0.0) & tall[:, None] & wide
    worth = np.where(possible, support - _CROSSING * crossed, -np.inf)
    found: list[Box] = []
    for place in np.argsort(-worth, axis=None, kind="stable")[: _MOST_BOXES + 1].tolist():
        pair, other = divmod(place, worth.shape[1])
        box = (
            int(columns.places[left[other]]),
            int(rows.places[upper[pair]]),
            int(columns.places[right[other]]),
            int(rows.places[lower[pair]]),
        )
        if possible[pair, other] and box != (0, 0, width, height):
            found.append(box)
    return found


def _between(
    sides: _Shares, firsts: npt.NDArray[np.int64], lasts: npt.NDArray[np.int64]
) -> _Shares:
    """Return the most that a line between two lines has of each stretch; pairs × stretches."""
    return np.array(
        [
            sides[first + 1 : last].max(axis=0, initial=0.0)
            for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
        ]
    )


def _edges(pixels: npt.NDArray[np.int16]) -> npt.NDArray[np.bool_]:
    """Say where there is an edge between rows: (height + 1) × width, the first row before all."""
    # Across two pixels, for an edge that was scaled down is spread over as many.
    step = np.abs(pixels[2:] - pixels[:-2]).max(axis=2) > _EDGE_LEVELS
    edges = np.zeros((pixels.shape[0] + 1, pixels.shape[1]), np.bool_)
    # An edge between rows y - 1 and y shows in the steps around either: both must be.
    edges[2:-2] = step[:-1] & step[1:]
    return edges


def _lines(edges: npt.NDArray[np.bool_]) -> _Lines:
    """Choose the lines with the most edges, compared with those beside them."""
    shares = edges.mean(axis=1)
    excess = shares - (_shifted(shares, -_NEARBY) + _shifted(shares, _NEARBY)) / 2
    excess[[0, -1]] = 0.0
    chosen: list[int] = []
    for place in np.argsort(-excess, kind="stable").tolist():
        if excess[place] < _LEAST_EXCESS or len(chosen) == _MOST_LINES:
            break
        if all(abs(place - other) > 1 for other in chosen):
            chosen.append(place)
    places = np.array([0, *sorted(chosen), len(edges) - 1], np.int64)
    counts = _cumulated(edges[places])
    before = edges[np.maximum(places - _NEARBY, 0)]
    behind = edges[np.minimum(places + _NEARBY, len(edges) - 1)]
    beside = (_cumulated(before) + _cumulated(behind)) / 2
    return _Lines(places, counts, beside)


def _sides(lines: _Lines, begins: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> _Shares:
    """Compute the share of each stretch of each line that is edge; 0 where that is no side.

    Returns:
        Lines × stretches; of the frame's two lines 1.
    """
    length = np.maximum(ends - begins, 1)
    support = (lines.counts[:, ends] - lines.counts[:, begins]) / length
    beside = (lines.beside[:, ends] - lines.beside[:, begins]) / length
    support[(support < _LEAST_SUPPORT) | (support - beside < _LEAST_SIDE_EXCESS)] = 0.0
    support[[0, -1]] = 1.0
    return np.asarray(support)


def _cumulated(edges: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    return np.pad(np.cumsum(edges, axis=1, dtype=np.int64), ((0, 0), (1, 0)))


def _shifted(values: _Shares, by: int) -> _Shares:
    """Shift values along, the first or last one repeated."""
    return values[np.clip(np.arange(len(values)) + by, 0, len(values) - 1)]
