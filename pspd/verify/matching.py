"""Local features of two pictures → pairs of them that may show the same place.

Two ways: by look alone, where each of a pair has to be the other's best and clearly better than the
second best (Lowe's ratio test); and, once a transform is known, by look among those that lie where
it says, which also pairs what repeats itself all over the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pspd.verify.local_features import Keypoints
from pspd.verify.transforms import Transform, apply, frames_through

RATIO: Final = 0.85
"""Distance to the best against that to the second best, at most. Lenient: the transform decides."""

GUIDED_SIMILARITY: Final = 0.78
"""Cosine of two descriptors that lie where they should, at least."""

_TURN_AND_SCALE: Final = 0.55
"""How far the frame of a guided match may be from the expected one, as a share of that."""

Similarities = npt.NDArray[np.float32]
"""Features of the query × of the indexed picture: cosine of their descriptors, 0 to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Pairs of features; both arrays have one entry a pair, no feature is in two."""

    query: npt.NDArray[np.intp]
    indexed: npt.NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.query)

    def only(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Matches:
        """Keep those that a mask or indices name."""
        return Matches(self.query[which], self.indexed[which])


class LikelyPairs(NamedTuple):
    """Pairs of features that look alike; a feature may be in many."""

    query: npt.NDArray[np.intp]
    indexed: npt.NDArray[np.intp]
    similarity: npt.NDArray[np.float32]


def similarities(query: Keypoints, indexed: Keypoints) -> Similarities:
    """Compare each feature of one picture with each of the other."""
    return query.unit_descriptors() @ indexed.unit_descriptors().T


def distinct_matches(similarity: Similarities) -> Matches:
    """Pair features by look, the most distinct first."""
    rows = np.arange(len(similarity))
    if 0 in similarity.shape:
        return Matches(rows[:0], rows[:0])
    best = similarity.argmax(axis=1)
    mutual = similarity.argmax(axis=0)[best] == rows
    rows, best = rows[mutual], best[mutual]
    others = similarity[rows]
    nearest = others[np.arange(len(rows)), best]
    others[np.arange(len(rows)), best] = -1
    ratios = _distance(nearest) / np.maximum(_distance(others.max(axis=1)), np.float32(1e-6))
    order = np.argsort(ratios, kind="stable")
    order = order[ratios[order] <= RATIO]
    return Matches(rows[order], best[order])


def likely_pairs(similarity: Similarities) -> LikelyPairs:
    """List all pairs that look enough alike to be believed where they lie as expected."""
    rows, columns = np.nonzero(similarity >= GUIDED_SIMILARITY)
    return LikelyPairs(rows, columns, similarity[rows, columns])


def guided_matches(
    pairs: LikelyPairs,
    query: Keypoints,
    indexed: Keypoints,
    transform: Transform,
    radius: float,
) -> Matches:
    """Pair features that lie within `radius` of where the transform says, and look alike.

    Args:
        pairs: Of these features.
        query: Features of the query.
        indexed: Features of the indexed picture.
        transform: View of the query → view of the indexed picture.
        radius: In pixels of the indexed picture's view.
    """
    expected = apply(transform, query.points)
    near = np.nonzero(np.abs(expected[pairs.query] - indexed.points[pairs.indexed]) <= radius)[0]
    near = near[np.argsort(-pairs.similarity[near], kind="stable")]
    rows, columns = pairs.query[near], pairs.indexed[near]
    carried = frames_through(transform, query.points, query.frames)[rows]
    frames = indexed.frames[columns]
    size = np.maximum(np.abs(carried), np.abs(frames))
    agrees = np.abs(carried - frames) <= _TURN_AND_SCALE * size
    return _mutual_best(rows[agrees], columns[agrees])


def _mutual_best(rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> Matches:
    """Of pairs, the most alike first, keep each that is the best of both its features."""
    kept = np.ones(len(rows), np.bool_)
    for each in (rows, columns):
        is_first = np.zeros(len(rows), np.bool_)
        is_first[np.unique(each, return_index=True)[1]] = True
        kept &= is_first
    return Matches(rows[kept], columns[kept])


def _distance(cosine: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Turn the cosine of unit vectors into their Euclidean distance."""
    return np.sqrt(np.maximum(2 - 2 * cosine, np.float32(0)))
