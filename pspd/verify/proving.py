"""Two described pictures → a proof of how they lie on each other, or none.

    LocalFeatures ─ locate (as is, mirrored, inverted) ─▶ Located ─ compare ─▶ Comparison ─▶ Proof

Half of a collage lies right, and the other half is another picture. So where the whole query is no
copy, the pictures that may be in it are compared one by one, where they lie by the same transform.
Everything up to the proof is in the pixels of the two views; the proof is in those of the pictures.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pspd.core.model import Verdict
from pspd.core.proof import Fit, Point, Proof, Quadrilateral, Recolouring
from pspd.core.verdict import part_verdict, proof_verdict
from pspd.verify.alignment import compare
from pspd.verify.geometry import Located, distinct_places, locate
from pspd.verify.local_features import Keypoints, LocalFeatures
from pspd.verify.matching import guided_matches, likely_pairs, similarities
from pspd.verify.polygons import (
    Polygon,
    area,
    bounds,
    clip,
    contains,
    from_upper_left,
    overlap,
    rectangle,
)
from pspd.verify.transforms import Transform, apply, inverse, mirroring, scale_of, scaling

_DRAWN_RADIUS: Final = 4.0
"""Pixels of the indexed picture's view by which a matched point may miss."""

_RUNNER_UP: Final = 3
"""The second likeliest way is tried if the likeliest has at most so many times its places."""

_UNSQUEEZED: Final = 1.02
"""Scales of two directions that differ by less are called one."""


class _Change(NamedTuple):
    """What was done to the query before its features were matched."""

    mirrored: bool
    inverted: bool

    def of(self, query: LocalFeatures) -> Keypoints:
        """Give the features of the query so changed."""
        keypoints = query.keypoints
        if self.mirrored:
            keypoints = keypoints.mirrored(query.size[0])
        return keypoints.inverted() if self.inverted else keypoints

    def matrix(self, query: LocalFeatures) -> Transform:
        """Give what it does to places of the query."""
        return mirroring(query.size[0]) if self.mirrored else np.eye(3)


_CHANGES: Final = tuple(_Change(*each) for each in ((False, False), (True, False), (False, True)))


def prove(query: LocalFeatures, indexed: LocalFeatures) -> Proof | None:
    """Find how two pictures lie on each other, and how far they agree there.

    The same for the same features, each time. With the two exchanged, the transform is the inverse
    within what the fit is exact to.

    Returns:
        None if no plausible transform is found, or nothing to see where they lie on each other.

    Raises:
        MissingExtra: OpenCV is not installed.
    """
    if not len(query.keypoints) or not len(indexed.keypoints):
        return None
    best: Proof | None = None
    for located, change in _ways(query, indexed):
        proof = _proof(query, indexed, located, change)
        if proof is not None and (best is None or proof.agreement > best.agreement):
            best = proof
        if proof is not None and proof_verdict(proof) is Verdict.COPY:
            return proof
    return best


def _ways(query: LocalFeatures, indexed: LocalFeatures) -> list[tuple[Located, _Change]]:
    """Find the ways in which the query may lie on the indexed picture, the likeliest first."""
    found: list[tuple[Located, _Change]] = []
    for change in _CHANGES:
        # An inverted query has to explain what the others leave unexplained.
        if change.inverted and found:
            break
        located = locate(change.of(query), indexed.keypoints, query.size)
        if located is not None:
            found.append((located, change))
    found.sort(key=lambda way: -way[0].places)
    # A symmetric drawing lies on itself mirrored as well, but for what is not symmetric.
    return [way for way in found if way[0].places * _RUNNER_UP >= found[0][0].places]


def matched_points(
    query: LocalFeatures, indexed: LocalFeatures, proof: Proof
) -> npt.NDArray[np.float64]:
    """Find the points that a proof's transform joins.

    Returns:
        Rows of x and y in the query, x and y in the indexed picture, in their full sizes.
    """
    change = _Change(mirrored=proof.mirrored, inverted=proof.colour is Recolouring.INVERTED)
    here = change.of(query)
    to_full, to_full_indexed = _to_full(query), _to_full(indexed)
    transform = np.array(proof.transform).reshape(3, 3)
    transform = inverse(to_full_indexed) @ transform @ to_full
    located = transform @ change.matrix(query)
    reach = _DRAWN_RADIUS * max(1.0, scale_of(located, query.size))
    pairs = likely_pairs(similarities(here, indexed.keypoints))
    found = guided_matches(pairs, here, indexed.keypoints, located, reach)
    source = apply(to_full, query.keypoints.points[found.query])
    target = apply(to_full_indexed, indexed.keypoints.points[found.indexed])
    return np.column_stack((source.real, source.imag, target.real, target.imag))


def _proof(
    query: LocalFeatures, indexed: LocalFeatures, located: Located, change: _Change
) -> Proof | None:
    """Compare all of the query, and what in it may be a whole picture, until that is a copy."""
    transform = located.transform @ change.matrix(query)
    whole = rectangle(0, 0, *query.size)
    best = _proof_within(whole, query, indexed, transform, located, change)
    if best is not None and proof_verdict(best) is Verdict.COPY:
        return best
    for frame in query.parts:
        proof = _proof_within(frame, query, indexed, transform, located, change)
        if proof is not None and part_verdict(proof) is Verdict.COPY:
            return proof
    return best


def _proof_within(  # noqa: PLR0913, PLR0917 - the pictures, and how they lie
    frame: Polygon,
    query: LocalFeatures,
    indexed: LocalFeatures,
    transform: Transform,
    located: Located,
    change: _Change,
) -> Proof | None:
    """Compare where a part of the query, in its view, lies on the indexed picture."""
    query_frame, indexed_frame = (rectangle(0, 0, *each.size) for each in (query, indexed))
    part = clip(apply(transform, frame), indexed_frame)
    if area(part) <= 0:
        return None
    comparison = compare(query.view, indexed.view, transform, part, inverted=change.inverted)
    if comparison is None:
        return None
    # Only what lies right there speaks for a part.
    points = query.keypoints.points[located.inliers.query]
    places = min(located.places, distinct_places(points[contains(frame, points)]))
    back = inverse(transform)
    part_in_query = apply(back, comparison.part)
    corners = _corners(comparison.part, transform, frame, indexed_frame)
    corners_in_query = apply(back, corners)
    order = from_upper_left(corners_in_query)
    to_full, to_full_indexed = _to_full(query), _to_full(indexed)
    full = to_full_indexed @ transform @ inverse(to_full)
    full = full / full[2, 2]
    return Proof(
        transform=_nine(full),
        fit=_named(full, located.fit),
        angle=_angle(full, mirrored=change.mirrored),
        mirrored=change.mirrored,
        inliers=places,
        matches=max(located.candidates, places),
        query_share=min(1.0, area(part_in_query) / area(query_frame)),
        indexed_share=min(1.0, area(comparison.part) / area(indexed_frame)),
        quadrilateral=_quadrilateral(corners[order], to_full_indexed, indexed.full_size),
        query_quadrilateral=_quadrilateral(corners_in_query[order], to_full, query.full_size),
        agreement=comparison.agreement,
        intact=comparison.intact,
        coverage=comparison.coverage,
        foreign=comparison.foreign,
        plainness=comparison.plainness,
        colour=comparison.colour,
    )


def _corners(
    part: Polygon, transform: Transform, frame: Polygon, indexed_frame: Polygon
) -> Polygon:
    """Give the four corners that come closest to the common part, in the indexed picture's view.

    It is all that was compared of the query, or the whole indexed picture, or upright in one of
    them; a query turned and cut leaves up to eight corners, of which no four say all.
    """
    back = inverse(transform)
    upright_in_query = rectangle(*bounds(apply(back, part)))
    proposals = [
        apply(transform, frame),
        indexed_frame,
        rectangle(*bounds(part)),
        apply(transform, upright_in_query),
    ]
    usable = [
        each
        for each in proposals
        if np.isfinite(each).all() and np.isfinite(apply(back, each)).all()
    ]
    return max(usable, key=lambda each: overlap(part, each)) if usable else proposals[2]


def _to_full(features: LocalFeatures) -> Transform:
    """Give the transform from a picture's view to its full size."""
    (width, height), (full_width, full_height) = features.size, features.full_size
    return scaling(full_width / width, full_height / height)


def _quadrilateral(corners: Polygon, to_full: Transform, size: tuple[int, int]) -> Quadrilateral:
    full = apply(to_full, corners)

    def point(corner: complex) -> Point:
        return (
            min(max(float(corner.real), 0.0), float(size[0])),
            min(max(float(corner.imag), 0.0), float(size[1])),
        )

    first, second, third, fourth = (point(complex(corner)) for corner in full)
    return first, second, third, fourth


def _nine(
    transform: Transform,
) -> tuple[float, float, float, float, float, float, float, float, float]:
    a, b, c, d, e, f, g, h, i = (float(value) for value in transform.reshape(9))
    return a, b, c, d, e, f, g, h, i


def _named(full: Transform, fit: Fit) -> Fit:
    """Name what the transform is in full size; a view may be squeezed by rounding."""
    if fit is Fit.HOMOGRAPHY:
        return fit
    largest, smallest = np.linalg.svd(full[:2, :2], compute_uv=False)
    return Fit.SIMILARITY if largest <= smallest * _UNSQUEEZED else Fit.AFFINE


def _angle(full: Transform, *, mirrored: bool) -> float:
    (a, b), (c, d) = full[:2, :2]
    radians = np.arctan2(b + c, d - a) if mirrored else np.arctan2(b - c, a + d)
    degrees = float(np.degrees(radians))
    return 180.0 if degrees <= -180.0 else degrees  # noqa: PLR2004
