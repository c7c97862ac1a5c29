"""Local features of two pictures → the transform that lays the query on the indexed picture.

    matches by look ── consensus ── first fit ── guided matches, fitted anew, closer ── Located

A match carries place, direction and scale, so that one match is a whole similarity: each of the
most distinct is tried on all others, and the one that most agree with wins (Philbin et al., "Object
retrieval with large vocabularies and fast spatial matching", 2007, section 4). That needs no
chance, unlike RANSAC on two or three pairs, and stands a tenth of right matches. The fit that
follows is freer only as far as it pays: by the Bayesian information criterion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pspd.core.proof import Fit
from pspd.verify.local_features import Keypoints
from pspd.verify.matching import (
    Matches,
    distinct_matches,
    guided_matches,
    likely_pairs,
    similarities,
)
from pspd.verify.transforms import Points, Transform, apply, fit, is_plausible, scale_of

LEAST_INLIERS: Final = 6
"""Distinct places that have to lie right for there to be anything to say."""

_PROPOSALS: Final = 240
"""Matches tried as a hypothesis, the most distinct first."""

_NEAR: Final = 4.0
"""Pixels by which a match may miss a hypothesis at the place of the match it comes from."""

_LOOSE: Final = 0.15
"""How much more per pixel away from there: a feature's direction is right within some 5 degrees,
its scale within 10 %, and a squeeze to 3/4 moves places by 14 %."""

_FRAME: Final = 0.5
"""How far the frame of a match may be from the hypothesis' own, as a share of that."""

_RADII: Final = (12.0, 6.0, 3.0)
"""Radii, in pixels, of the rounds of guided matching; an inlier may miss by the last."""

_FREER_PAIRS: Final = {Fit.SIMILARITY: 0, Fit.AFFINE: 10, Fit.HOMOGRAPHY: 24}
"""Pairs below which a kind of transform is not tried: it would fit errors."""

_FREEDOMS: Final = {Fit.SIMILARITY: 4, Fit.AFFINE: 6, Fit.HOMOGRAPHY: 8}

_LEAST_ERROR: Final = 0.3
"""Pixels that any fit is taken to miss by: a smaller error says nothing of which is better."""

_LEAST_SPREAD: Final = 4.0
"""Pixels that inliers spread across their main line, as a deviation: a line of places leaves the
transform free to turn about it."""

_PLACE: Final = 3.0
"""Pixels within which features are one place: SIFT gives it several directions and scales."""


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """How the views of two pictures lie on each other."""

    transform: Transform
    """View of the query → view of the indexed picture."""
    fit: Fit
    inliers: Matches
    places: int
    """Distinct places of the query among the inliers."""
    candidates: int
    """Places of the query that were matched by look, or lie right."""


def locate(query: Keypoints, indexed: Keypoints, query_size: tuple[int, int]) -> Located | None:
    """Find how the query lies on the indexed picture; None if nothing plausible is found.

    Args:
        query: Features of the query, mirrored if that is to be tried.
        indexed: Features of the indexed picture.
        query_size: Width and height of the query's view.
    """
    similarity = similarities(query, indexed)
    matches = distinct_matches(similarity)
    agreeing = consensus(query, indexed, matches)
    if len(agreeing) < LEAST_INLIERS:
        return None
    source, target = query.points[agreeing.query], indexed.points[agreeing.indexed]
    transform = _first_fit(source, target)
    kind, pairs = Fit.SIMILARITY, likely_pairs(similarity)
    for radius in _RADII:
        if transform is None or not is_plausible(transform, query_size):
            return None
        reach = radius * max(1.0, scale_of(transform, query_size))
        found = guided_matches(pairs, query, indexed, transform, reach)
        if len(found) < LEAST_INLIERS:
            return None
        source, target = query.points[found.query], indexed.points[found.indexed]
        transform, kind = _best_fit(source, target, reach, query_size)
    if transform is None or not is_plausible(transform, query_size):
        return None
    reach = _RADII[-1] * max(1.0, scale_of(transform, query_size))
    inliers = found.only(np.abs(apply(transform, source) - target) <= reach)
    places = distinct_places(query.points[inliers.query])
    places = min(places, distinct_places(indexed.points[inliers.indexed]))
    if places < LEAST_INLIERS or _spread(query.points[inliers.query]) < _LEAST_SPREAD:
        return None
    all_matched = np.union1d(matches.query, inliers.query)
    return Located(transform, kind, inliers, places, distinct_places(query.points[all_matched]))


def consensus(query: Keypoints, indexed: Keypoints, matches: Matches) -> Matches:
    """Keep the matches that agree with the one that most agree with."""
    if not len(matches):
        return matches
    source, target = query.points[matches.query], indexed.points[matches.indexed]
    factors = indexed.frames[matches.indexed] / query.frames[matches.query]
    tried = slice(0, _PROPOSALS)
    factor = factors[tried, None]
    away = source - source[tried, None]
    missed = np.abs(target[tried, None] + factor * away - target)
    allowed = _NEAR * np.maximum(1, np.abs(factor)) + _LOOSE * np.abs(factor * away)
    agrees = (missed <= allowed) & (np.abs(factors - factor) <= _FRAME * np.abs(factor))
    return matches.only(agrees[np.argmax(agrees.sum(axis=1))])


def _first_fit(source: Points, target: Points) -> Transform | None:
    """Fit what agrees roughly, leaving out by and by what misses most."""
    kept = np.ones(len(source), np.bool_)
    transform = None
    for round_number in range(4):
        freest = Fit.AFFINE if round_number and kept.sum() >= _FREER_PAIRS[Fit.AFFINE] else None
        fitted = fit(freest or Fit.SIMILARITY, source[kept], target[kept])
        if fitted is None:
            break
        transform = fitted
        missed = np.abs(apply(transform, source) - target)
        # Twice the median holds the good ones as long as they are the greater part.
        kept = missed <= max(2.0 * float(np.median(missed)), _NEAR)
    return transform


def _best_fit(
    source: Points, target: Points, reach: float, size: tuple[int, int]
) -> tuple[Transform | None, Fit]:
    """Fit each kind of transform that so many pairs allow; choose by what freedom costs."""
    best: Transform | None = None
    best_kind, best_cost = Fit.SIMILARITY, math.inf
    for kind in Fit:
        if len(source) < _FREER_PAIRS[kind]:
            continue
        fitted = _trimmed_fit(kind, source, target, reach)
        if fitted is None or not is_plausible(fitted, size):
            continue
        missed = np.minimum(np.abs(apply(fitted, source) - target), reach)
        least = _LEAST_ERROR * reach / _RADII[-1]
        error = max(least, math.sqrt(float(np.mean(missed**2)) / 2))
        cost = 2 * len(source) * math.log(error) + _FREEDOMS[kind] * math.log(len(source))
        if cost < best_cost:
            best, best_kind, best_cost = fitted, kind, cost
    return best, best_kind


def _trimmed_fit(kind: Fit, source: Points, target: Points, reach: float) -> Transform | None:
    """Fit by least squares, again without what missed by much more than is usual."""
    fitted = fit(kind, source, target)
    for _ in range(3):
        if fitted is None:
            return None
        missed = np.abs(apply(fitted, source) - target)
        kept = missed <= min(reach, max(2.5 * float(np.median(missed)), reach / 6))
        if kept.all():
            return fitted
        fitted = fit(kind, source[kept], target[kept])
    return fitted


def distinct_places(points: Points) -> int:
    """Count places that are a few pixels apart."""
    cells = np.rint(points.real / _PLACE) + 1j * np.rint(points.imag / _PLACE)
    return len(np.unique(cells))


def _spread(points: Points) -> float:
    """Give the deviation of places across the line that fits them best."""
    places: npt.NDArray[np.float64] = np.vstack((points.real, points.imag)).astype(np.float64)
    return math.sqrt(max(0.0, float(np.linalg.eigvalsh(np.cov(places))[0])))
