"""A map of what speaks for and against → the rectangle that most speaks for."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

_CELLS: Final = 24
"""Cells along the longer side that all rectangles are tried on; their edges are then moved by
single pixels."""

_NOTHING: Final = 0.02
"""What a place that says nothing counts, against the typical one: the larger of equals wins."""

Scores = npt.NDArray[np.float64]


def best_rectangle(
    scores: npt.NDArray[np.float32], inside: npt.NDArray[np.bool_]
) -> tuple[slice, slice] | None:
    """Find the rectangle with the largest sum; None if no sum is positive.

    Args:
        scores: Height × width, positive where a place belongs in.
        inside: Height × width; what is outside counts nothing.

    Returns:
        Its rows and columns.
    """
    values = np.where(inside, scores, 0).astype(np.float64)
    values += inside * (_NOTHING * np.abs(values).mean())
    step = max(1, -(-max(values.shape) // _CELLS))
    rows_at, columns_at = (_edges(length, step) for length in values.shape)
    coarse = _best_of_all(_sums(values)[rows_at][:, columns_at])
    if coarse is None:
        return None
    top, bottom = (int(rows_at[edge]) for edge in coarse[:2])
    left, right = (int(columns_at[edge]) for edge in coarse[2:])
    rows = _moved(values[:, left:right].sum(axis=1), top, bottom, step)
    columns = _moved(values[rows].sum(axis=0), left, right, step)
    return rows, columns


def _edges(length: int, step: int) -> npt.NDArray[np.intp]:
    """Give where cells begin and the last one ends."""
    return np.append(np.arange(0, length, step), length)


def _sums(values: Scores) -> Scores:
    """Give the sum of all above and left of each corner, (height + 1) × (width + 1)."""
    sums = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    sums[1:, 1:] = values.cumsum(axis=0).cumsum(axis=1)
    return sums


def _best_of_all(sums: Scores) -> tuple[int, int, int, int] | None:
    """Try all rectangles between corners; top, bottom, left and right as numbers of edges."""
    best = 0.0
    found = None
    rightwards = np.triu(np.ones((sums.shape[1], sums.shape[1])), 1)
    for top in range(len(sums) - 1):
        strips = sums[top + 1 :] - sums[top]
        # Strip × left edge × right edge.
        spans = (strips[:, None, :] - strips[:, :, None]) * rightwards
        at = int(spans.argmax())
        if spans.flat[at] > best:
            best = float(spans.flat[at])
            height, left, right = (int(i) for i in np.unravel_index(at, spans.shape))
            found = (top, top + 1 + height, left, right)
    return found


def _moved(values: Scores, first: int, last: int, reach: int) -> slice:
    """Move both ends of a span by up to `reach` to where the sum is largest."""
    sums = np.append(0.0, values.cumsum())
    starts = np.arange(max(0, first - reach), min(last - 1, first + reach) + 1)
    start = int(starts[np.argmin(sums[starts])])
    ends = np.arange(max(start + 1, last - reach), min(len(values), last + reach) + 1)
    return slice(start, int(ends[np.argmax(sums[ends])]))
