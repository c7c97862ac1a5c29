"""Finds copies that hashes do not find: crops, frames, collages, any angle.

    query ──▶ view ──▶ its looks ──encoder──▶ descriptors ──VectorIndex──▶ candidates ─┐
    hashes, far beyond the threshold of a copy ──────────────────────────▶ candidates ─┤
                                                         ProofSearch ◀─────────────────┘

Whatever is missing (a model, OpenCV, descriptors that are not computed yet, time) makes the answer
smaller, never wrong, and is told with it.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from pspd.core import verdict as verdicts
from pspd.core.model import Verdict
from pspd.core.proof import Proof
from pspd.errors import EncodingFailed, EncodingLate, FileFailure, ModelMissing, ModelUnusable
from pspd.features.looks import cuts, turns
from pspd.features.views import pixels_of
from pspd.log import get_logger
from pspd.proof_search import Candidate, described_query
from pspd.verify.local_features import CLOSER_LOOK, VIEW_SIDE, LocalFeatures
from pspd.verify.opencv import is_installed

if TYPE_CHECKING:
    import numpy.typing as npt

    from pspd.core.model import ImageNumber, ImageRecord
    from pspd.core.view import Box, View
    from pspd.descriptor_tier import DescriptorTier
    from pspd.proof_search import Proofs, ProofSearch
    from pspd.query_reading import QueryReader
    from pspd.store.store import Store

MOST_CANDIDATES: Final = 24
"""Pictures that are proven for one query, at most: of crops to a tenth of the area, four in five
have their picture first by the descriptor, and most others among the first twenty."""

TELLING_KEYPOINTS: Final = 60
"""Local features of a query from which on it says something that it cannot be laid on a picture:
soft pictures have few, and their hashes are believed."""

TRIED_FIRST: Final = 6
"""Candidates that are looked at before the likeliest are looked at closely: most whole pictures
have their copies among them, and of a crop's time they take a quarter."""

MOST_CLOSER: Final = 3
"""Candidates that are looked at closely: by then it is the budget that counts, and of crops to a
tenth of the area nine in ten have their picture first, nearly all among these."""

CLOSER_SECONDS: Final = 0.35
"""What is left of the budget, at least, when a closer look at a candidate begins; it takes as long,
on one core."""

ENCODING_SHARE: Final = 0.5
"""Share of the budget after which descriptors are no longer waited for."""

_log = get_logger(__name__)


@dataclass(slots=True)
class Deep:
    """What was found beyond hashes."""

    proofs: dict[ImageNumber, Proof] = field(default_factory=dict)
    candidates: dict[ImageNumber, Candidate] = field(default_factory=dict)
    """All that were looked at, proven or not, the most promising first."""
    unproven: set[ImageNumber] = field(default_factory=set)
    """Those that were laid on the query, or could have been, and are not proven by that."""
    cut: list[str] = field(default_factory=list)
    """What was left out for want of time, as clauses."""


@dataclass(slots=True)
class _Query:
    """What is searched for, as it is looked at."""

    image: bytes
    """Of its file."""
    part: Box | None
    """What of it is the query."""
    view: View
    features: LocalFeatures
    """At first sight."""
    closer: LocalFeatures | None = None
    """At a closer look, once there was one."""
    seen: set[ImageNumber] = field(default_factory=set)
    """Candidates that were looked at closely."""


class DeepSearch:
    """Looks for copies by learned descriptors and geometry; for any thread.

    Args:
        store: The truth.
        tier: Learned descriptors.
        queries: Reads query images.
        proofs: Proves candidates.
    """

    def __init__(
        self,
        store: Store,
        tier: DescriptorTier,
        queries: QueryReader,
        proofs: ProofSearch,
    ) -> None:
        self._store = store
        self._tier = tier
        self._queries = queries
        self._proofs = proofs

    def reach(self) -> int:
        """Return the largest 256-bit distance of what may be a copy, if that is proven.

        Once descriptors say which pictures are worth a look, those far by their hashes are not.
        """
        is_learned = self._tier.answering() is not None
        return verdicts.PROVEN_DISTANCE if is_learned else verdicts.ALIKE_DISTANCE

    def search(  # noqa: PLR0913 - what is searched for, and what is known of it
        self,
        image: bytes,
        part: Box | None,
        by_hash: Sequence[ImageRecord],
        sure: Collection[ImageNumber],
        seconds: float,
        *,
        wants_alike: bool,
    ) -> Deep:
        """Look for copies.

        Args:
            image: The bytes of the query's file.
            part: What of it is the query.
            by_hash: Images whose hashes are near, the nearest first.
            sure: Images of which nothing more has to be known.
            seconds: What it may take.
            wants_alike: Whether what is not proven is of use, too.

        Raises:
            NoWorker: No worker can be had.
        """
        begun = time.monotonic()
        deep = Deep()
        is_of_use = wants_alike or is_installed()
        if not is_of_use or (self._tier.answering() is None and not by_hash):
            # A query is not seen for nothing.
            return deep
        try:
            view = self._queries.view(image, VIEW_SIDE, part)
        except FileFailure as failure:
            deep.cut.append(f"all but hashes (the query: {failure})")
            return deep
        likenesses = self._likenesses(view, deep, begun + ENCODING_SHARE * seconds)
        with self._store.read() as reader:
            records = {number: reader.image(number) for number in likenesses}
        for record in _alternately(records.values(), by_hash):
            is_open = record.number not in deep.candidates and record.number not in sure
            if is_open and len(deep.candidates) < MOST_CANDIDATES:
                likeness = likenesses.get(record.number)
                is_promising = likeness is None or likeness >= verdicts.ALIKE_LIKENESS
                candidate = Candidate(record, likeness, is_promising)
                deep.candidates[record.number] = candidate
        if deep.candidates and is_installed():
            query = _Query(image, part, view, described_query(view))
            self._prove_all(query, deep, begun + seconds, is_sure=bool(sure))
        return deep

    def _likenesses(self, view: View, deep: Deep, until: float) -> Mapping[ImageNumber, float]:
        """Return the images whose learned descriptors are nearest, with their cosines."""
        answering = self._tier.answering()
        if answering is None:
            return {}
        pixels = pixels_of(view)
        looks = [*turns(pixels), *cuts(pixels)]
        described: list[npt.NDArray[np.float32]] = []
        try:
            # As it is first of all: with that alone most copies are found.
            for some in (looks[:1], looks[1:4], looks[4:8], looks[8:]):
                described.append(answering.encode(some, until))  # noqa: PERF401 - may be cut short
        except EncodingLate:
            done = sum(map(len, described))
            deep.cut.append(f"{len(looks) - done} of {len(looks)} ways to look at the query")
        except (ModelMissing, ModelUnusable, EncodingFailed) as error:
            _log.warning("a query has no learned descriptor", error=error)
            deep.cut.append(f"the learned descriptor of the query ({error})")
        if not described:
            return {}
        near = answering.index.nearest(np.concatenate(described), MOST_CANDIDATES)
        return {number: likeness for number, _, likeness in near}

    def _prove_all(self, query: _Query, deep: Deep, until: float, *, is_sure: bool) -> None:
        """Look at the first candidates, closely at the likeliest if none is a copy, at the rest.

        Whoever looks at all of them first has no time left for what finds small parts.
        """
        candidates = list(deep.candidates.values())
        first, rest = candidates[:TRIED_FIRST], candidates[TRIED_FIRST:]
        left = self._prove(query, first, deep, until)
        if not is_sure and not _proven(deep):
            self._look_closer(query, deep, until)
        proven = _proven(deep)
        rest = [each for each in rest if each.image.number not in proven]
        if rest:
            left += self._prove(query, rest, deep, until)
        if left:
            deep.cut.append(f"{left} of {len(candidates)} candidates were not compared")
        if not is_sure:
            self._look_closer(query, deep, until)

    def _prove(
        self, query: _Query, candidates: Sequence[Candidate], deep: Deep, until: float
    ) -> int:
        """Look at some candidates; returns how many there was no time for."""
        proofs = self._proofs.prove(query.features, candidates, until)
        deep.proofs.update({
            number: proof for number, proof in proofs.found.items() if number not in deep.proofs
        })  # fmt: skip
        if is_telling(query.features):
            deep.unproven |= proofs.tried - _copies(proofs)
        return proofs.left

    def _look_closer(self, query: _Query, deep: Deep, until: float) -> None:
        """Look again at the likeliest: a small part of a picture shows few features at first."""
        proven = _proven(deep)
        # Where a copy is found, another one in a smaller size may be among the very like ones.
        least = verdicts.ALIKE_LIKENESS if proven else -1.0
        likely = [
            each
            for number, each in deep.candidates.items()
            if number not in proven and each.likeness is not None and each.likeness >= least
        ]
        likely.sort(key=lambda each: -(each.likeness or 0.0))
        likely = [each for each in likely[:MOST_CLOSER] if each.image.number not in query.seen]
        last = until - CLOSER_SECONDS
        if not likely or time.monotonic() >= last:
            return
        closer = self._closer(query, deep)
        if closer is None or time.monotonic() >= last:
            return
        proofs = self._proofs.prove(closer, likely, last, CLOSER_LOOK)
        query.seen.update(proofs.tried)
        deep.proofs.update(proofs.found)
        # Enlarged, soft pictures have many features that say nothing: who is not proven by them is
        # not refuted either.
        deep.unproven -= _copies(proofs)

    def _closer(self, query: _Query, deep: Deep) -> LocalFeatures | None:
        """Return the local features of a closer look at the query; once for all candidates."""
        if query.closer is None:
            view = query.view
            if max(view.full_width, view.full_height) > VIEW_SIDE:
                try:
                    view = self._queries.view(query.image, CLOSER_LOOK.side, query.part)
                except FileFailure as failure:
                    deep.cut.append(f"a closer look (the query: {failure})")
                    return None
            query.closer = described_query(view, CLOSER_LOOK)
        return query.closer


def _proven(deep: Deep) -> set[ImageNumber]:
    return {number for number, proof in deep.proofs.items() if _is_copy(proof)}


def _copies(proofs: Proofs) -> set[ImageNumber]:
    return {number for number, proof in proofs.found.items() if _is_copy(proof)}


def _is_copy(proof: Proof) -> bool:
    return verdicts.proof_verdict(proof) is Verdict.COPY


def is_telling(query: LocalFeatures) -> bool:
    """Say whether it means something if a picture cannot be laid on another one."""
    return len(query.keypoints) >= TELLING_KEYPOINTS


def _alternately(
    one: Iterable[ImageRecord | None], other: Iterable[ImageRecord]
) -> Iterable[ImageRecord]:
    """Yield of both in turn, for neither is better."""
    waiting = [iter(one), iter(other)]
    while waiting:
        for each in list(waiting):
            try:
                record = next(each)
            except StopIteration:
                waiting.remove(each)
                continue
            if record is not None:
                yield record
