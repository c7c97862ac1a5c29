"""What joins or parts two images, tier by tier, as a search with the first would see the second.

first ──▶ features, turns ─┐
second ─▶ features ────────┴─▶ each tier's figure beside its threshold, and what would change it
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from pspd.copy_search import nearest_turn
from pspd.core import verdict as verdicts
from pspd.core.model import ImageNumber, Verdict
from pspd.core.proof import Proof
from pspd.deep_search import Deep, is_telling
from pspd.errors import EncodingFailed, FileFailure, MissingExtra, ModelError
from pspd.features.views import pixels_of
from pspd.found import Wishes
from pspd.judging import Near, by_hash, judged
from pspd.proof_search import Candidate, described, described_query
from pspd.store.columns import record_of
from pspd.verify.drawing import draw_proof
from pspd.verify.local_features import CLOSER_LOOK, FIRST_LOOK, LocalFeatures, Look
from pspd.verify.proving import matched_points, prove

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pspd.core.model import Features
    from pspd.core.view import View
    from pspd.descriptor_tier import DescriptorTier
    from pspd.query_reading import QueryReader, ReadQuery
    from pspd.searcher import Options
    from pspd.verify.local_features import Pixels

Tier = Literal["file", "pixels", "quality", "hash", "shortlist", "mean", "learned", "proof"]
Says = Literal["joins", "parts", "nothing"]

ENCODING_SECONDS = 20.0
"""How long a model may take to be loaded and to see two pictures."""

_SECOND = ImageNumber(0)


@dataclass(frozen=True, slots=True)
class Reason:
    """What one tier says."""

    tier: Tier
    says: Says
    text: str
    """One clause for a person."""
    value: float | None = None
    threshold: float | None = None
    setting: str = ""
    """What would change it."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What all of them say."""

    verdict: Verdict | None
    reasons: tuple[Reason, ...]
    proof: Proof | None
    drawing: Pixels | None
    """Height × width × 3: both pictures, with what joins them."""


@dataclass(frozen=True, slots=True)
class _Pair:
    first: ReadQuery
    second: ReadQuery
    first_view: View
    second_view: View


class _Laid(NamedTuple):
    """What was seen of both, and how the first lies on the second."""

    first: LocalFeatures
    second: LocalFeatures
    proof: Proof | None

    @property
    def is_copy(self) -> bool:
        return self.proof is not None and verdicts.proof_verdict(self.proof) is Verdict.COPY


class Explainer:
    """Explains pairs of images, for any thread.

    Args:
        queries: Reads images.
        tier: Says which model answers.
        options: Of searches.
    """

    def __init__(self, queries: QueryReader, tier: DescriptorTier, options: Options) -> None:
        self._queries = queries
        self._tier = tier
        self._options = options

    def explain(self, first: bytes, second: bytes, *, wants_drawing: bool) -> Explanation:
        """Compare two images by every tier.

        Args:
            first: The bytes of the image that would be searched with.
            second: Of the one that would be found.
            wants_drawing: Whether to draw them.

        Raises:
            FileFailure: One of them cannot be read as a picture.
            NoWorker: No worker can be had.
        """
        pair = self._read(first, second)
        a, b = pair.first.features, pair.second.features
        reasons = [_of_files(a, b), _of_pixels(pair)]
        distance, turn = nearest_turn(pair.first.turns, b)
        near = Near(record_of(_SECOND, b), distance, turn)
        reasons += self._of_hashes(a, b, distance, turn.value, pair)
        likeness, learned = self._of_descriptors(pair)
        reasons.append(learned)
        laid = self._laid(pair, first, second)
        proof, drawing, proven = _of_geometry(laid, wants_drawing=wants_drawing)
        reasons.append(proven)
        verdict = self._verdict(pair, near, likeness, proof, is_tried=proven.says != "nothing")
        return Explanation(verdict, tuple(reasons), proof, drawing)

    def _read(self, first: bytes, second: bytes) -> _Pair:
        read = []
        for which, image in (("first", first), ("second", second)):
            try:
                read.append(self._queries.read(image, None))
            except FileFailure as failure:
                text = f"the {which} picture: {failure}"
                raise FileFailure(failure.reason, text) from failure
        if _sides(read[0].features) == _sides(read[1].features):
            read = [self._queries.read(each, lambda _: True) for each in (first, second)]
        views = [self._queries.view(each, FIRST_LOOK.side) for each in (first, second)]
        return _Pair(read[0], read[1], views[0], views[1])

    def _of_hashes(
        self, a: Features, b: Features, distance: int, turn: str, pair: _Pair
    ) -> Iterator[Reason]:
        least = verdicts.FLAT_QUALITY
        flat = min(a.quality, b.quality)
        if flat < least:
            which = "the first" if a.quality < least else "the second"
            yield Reason("quality", "parts", f"{which} is too flat for hashes", flat, least)
        else:
            yield Reason("quality", "nothing", "neither is too flat for hashes", flat, least)
        after = "" if turn == "none" else f" after {turn.replace('_', ' ')}"
        most = self._options.copy_distance
        text = f"the 256-bit hashes differ in {distance} bits{after}"
        says: Says = "joins" if distance <= most and flat >= least else "parts"
        yield Reason("hash", says, text, distance, most, "--distance")
        short = min(verdicts.hamming(each.phash64, b.phash64) for each in pair.first.turns)
        radius = verdicts.SHORTLIST_RADIUS
        text = f"the 64-bit hashes, which shorten the field, differ in {short} bits"
        yield Reason("shortlist", "nothing" if short <= radius else "parts", text, short, radius)
        difference = max(abs(x - y) for x, y in zip(a.mean, b.mean, strict=True))
        allowed = self._options.mean_difference
        text = f"the mean colours differ by {difference:.0f} levels"
        says = "nothing" if verdicts.means_agree(a.mean, b.mean, allowed) else "parts"
        yield Reason("mean", says, text, difference, allowed, "search.mean_difference")

    def _of_descriptors(self, pair: _Pair) -> tuple[float | None, Reason]:
        answering = self._tier.answering()
        if answering is None:
            text = "there are no learned descriptors; see: pspc model list"
            return None, Reason("learned", "nothing", text)
        views = [pixels_of(pair.first_view), pixels_of(pair.second_view)]
        try:
            vectors = answering.encode(views, time.monotonic() + ENCODING_SECONDS)
        except (ModelError, EncodingFailed) as error:
            return None, Reason("learned", "nothing", f"nothing is learned of them: {error}")
        likeness = float(np.dot(vectors[0], vectors[1]))
        threshold = verdicts.ALIKE_LIKENESS
        says: Says = "joins" if likeness >= threshold else "parts"
        text = f"by {answering.model.split('@')[0]} their likeness is {likeness:.2f}"
        return likeness, Reason("learned", says, text, likeness, threshold, "pspc model use")

    def _laid(self, pair: _Pair, first: bytes, second: bytes) -> _Laid | MissingExtra:
        """Lay the first on the second; where that makes no copy, look closer, as a search does."""
        try:
            laid = _lay(pair.first_view, pair.second_view, FIRST_LOOK)
            if laid.is_copy:
                return laid
            views = [self._queries.view(each, CLOSER_LOOK.side) for each in (first, second)]
            closer = _lay(views[0], views[1], CLOSER_LOOK)
        except MissingExtra as error:
            return error
        return laid if closer.proof is None else closer

    def _verdict(
        self,
        pair: _Pair,
        near: Near,
        likeness: float | None,
        proof: Proof | None,
        *,
        is_tried: bool,
    ) -> Verdict | None:
        """Return what a full search that also lists what is alike would say."""
        a, b = pair.first, pair.second
        if a.features.image_id == b.features.image_id:
            return Verdict.SAME_FILE
        if a.pixels is not None and a.pixels == b.pixels:
            return Verdict.SAME_PIXELS
        wishes = Wishes(wants_alike=True)
        flat = min(a.features.quality, b.features.quality) < verdicts.FLAT_QUALITY
        known = {} if flat else by_hash([near], wishes, self._options.copy_distance)
        is_copy = proof is not None and verdicts.proof_verdict(proof) is Verdict.COPY
        deep = Deep(
            proofs={} if proof is None else {_SECOND: proof},
            candidates={_SECOND: Candidate(near.image, likeness)},
            unproven={_SECOND} if is_tried and not is_copy else set(),
        )
        found = judged(known, deep, {_SECOND: near}, wishes).get(_SECOND)
        return None if found is None else found.verdict


def _sides(features: Features) -> tuple[int, int]:
    return features.width, features.height


def _of_files(a: Features, b: Features) -> Reason:
    if a.image_id == b.image_id:
        return Reason("file", "joins", "the files are equal, byte for byte")
    return Reason("file", "parts", "the files differ")


def _of_pixels(pair: _Pair) -> Reason:
    a, b = pair.first.features, pair.second.features
    if _sides(a) != _sides(b):
        sizes = f"{a.width} × {a.height} and {b.width} × {b.height}"
        return Reason("pixels", "parts", f"their upright sizes differ: {sizes} pixels")
    if pair.first.pixels is None or pair.second.pixels is None:
        return Reason("pixels", "nothing", "the pixels of one of them cannot be read")
    if pair.first.pixels == pair.second.pixels:
        return Reason("pixels", "joins", "all upright pixels are equal")
    return Reason("pixels", "parts", "of equal size, but some pixels differ")


def _lay(first_view: View, second_view: View, look: Look) -> _Laid:
    first, second = described_query(first_view, look), described(second_view, look)
    return _Laid(first, second, prove(first, second))


def _of_geometry(
    laid: _Laid | MissingExtra, *, wants_drawing: bool
) -> tuple[Proof | None, Pixels | None, Reason]:
    if isinstance(laid, MissingExtra):
        return None, None, Reason("proof", "nothing", str(laid))
    first, second, proof = laid
    drawing = _drawn(first, second, proof) if wants_drawing else None
    if proof is None:
        if is_telling(first) and is_telling(second):
            text = "neither can be laid on the other"
            return None, drawing, Reason("proof", "parts", text, 0.0, verdicts.PROOF_INLIERS)
        text = "one of them has too little to hold on to for being laid on the other"
        return None, drawing, Reason("proof", "nothing", text)
    text = (
        f"{proof.inliers} places lie right, {proof.query_share:.0%} of the first is in the second, "
        f"{proof.indexed_share:.0%} of the second in the first, and there {proof.agreement:.0%} of "
        "what there is to see agrees"
    )
    if proof.colour:
        text += f"; the colours differ: {proof.colour}"
    says: Says = "joins" if laid.is_copy else "parts"
    return proof, drawing, Reason("proof", says, text, proof.agreement, verdicts.PROOF_AGREEMENT)


def _drawn(first: LocalFeatures, second: LocalFeatures, proof: Proof | None) -> Pixels:
    points = None if proof is None else matched_points(first, second, proof)
    return draw_proof(first, second, proof, points)
