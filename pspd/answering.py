"""Answers searches, and questions about them, in the words of the wire."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from pspd import translation
from pspd.core.expectation import BITS
from pspd.errors import RequestError
from pspd.foreign_distances import LEAST_IMAGES
from pspd.rpc import wire

if TYPE_CHECKING:
    from pspd.describing import Describer
    from pspd.explaining import Explainer
    from pspd.foreign_distances import ForeignDistances
    from pspd.found import Found
    from pspd.precedence import Precedence
    from pspd.searcher import Searcher
    from pspd.store.store import Store

Freshness = Callable[[int], wire.Freshness]
"""Candidates that were left uncompared → what a reply given now is computed over."""


class Answering:
    """Answers from any thread.

    Args:
        store: The truth.
        searcher: Finds.
        explainer: Says why.
        describer: Says how far learned descriptors are.
        distances: Know what chance brings.
        precedence: Others wait while an answer is made.
        copy_distance: Largest 256-bit distance of a copy, unless a search says another.
        max_hits: Most hits of an answer.
    """

    def __init__(  # noqa: PLR0913 - every part by its name
        self,
        *,
        store: Store,
        searcher: Searcher,
        explainer: Explainer,
        describer: Describer,
        distances: ForeignDistances,
        precedence: Precedence,
        copy_distance: int,
        max_hits: int,
    ) -> None:
        self._store = store
        self._searcher = searcher
        self._explainer = explainer
        self.describer = describer
        """Describes in the background."""
        self._distances = distances
        self._precedence = precedence
        self.copy_distance = copy_distance
        """Largest 256-bit distance of a copy."""
        self._max_hits = max_hits

    def search(
        self,
        request: wire.SearchRequest,
        image: bytes | None,
        deadline: float,
        freshness: Freshness,
    ) -> wire.SearchReply:
        """Search.

        Raises:
            RequestError: The request makes no sense.
            FileFailure: The query cannot be read as a picture.
        """
        if image is None:
            raise RequestError("bad_request", "a search needs the image in a second frame")
        begun = time.monotonic()
        distance = self._distance(request)
        found = self._searcher.search(image, translation.wishes(request, distance), deadline)
        most = self._max_hits if request.count is None else min(request.count, self._max_hits)
        with self._precedence.first():
            return wire.SearchReply(
                query=translation.query(found),
                hits=[translation.hit(hit, found) for hit in found.hits[:most]],
                freshness=self._freshness(request, found, freshness),
                total=len(found.hits),
                elapsed_ms=round(1000 * (time.monotonic() - begun), 3),
                threshold=self.copy_distance if distance is None else distance,
                expected=self.foreign_hits(distance),
            )

    def why(self, request: wire.WhyRequest, image: bytes | None) -> wire.WhyReply:
        """Say what joins or parts two images.

        Raises:
            RequestError: There are not two.
            FileFailure: One of them cannot be read as a picture.
        """
        if image is None or not 0 < request.first_bytes < len(image):
            raise RequestError("bad_request", "two images are wanted in the second frame")
        first, second = image[: request.first_bytes], image[request.first_bytes :]
        found = self._explainer.explain(first, second, wants_drawing=request.show)
        return translation.explanation(found)

    def expected_hits(self) -> list[float]:
        """Return the foreign hits that a query has on average within each distance, 0 to 256.

        Empty when too little is known.
        """
        expectation = self._distances.expectation
        if expectation is None:
            return []
        pictures = self._pictures()
        return [expectation.foreign_hits(bits, pictures) for bits in range(BITS + 1)]

    def foreign_hits(self, distance: int | None = None) -> float | None:
        """Return how many foreign hits a query has on average, as far as that is known.

        Args:
            distance: Largest 256-bit distance of a hit; None for the usual one.
        """
        expectation = self._distances.expectation
        if expectation is None:
            return None
        within = self.copy_distance if distance is None else distance
        return expectation.foreign_hits(within, self._pictures())

    def _distance(self, request: wire.SearchRequest) -> int | None:
        """Return the threshold that a search asks for; None for the usual one."""
        if request.expect is None:
            return request.distance
        expectation = self._distances.expectation
        if expectation is None:
            raise RequestError(
                "bad_request",
                f"what to expect is known of a library of {LEAST_IMAGES} pictures or more, once "
                "they are indexed; give a distance instead (--distance)",
            )
        return max(0, expectation.distance_for(request.expect, self._pictures()))

    def _pictures(self) -> int:
        with self._store.read() as reader:
            return reader.meta("pictures")

    def _freshness(
        self, request: wire.SearchRequest, found: Found, freshness: Freshness
    ) -> wire.Freshness:
        """Say what a search saw."""
        seen = freshness(found.unverified)
        if request.effort == "fast" or request.mode != "both":
            return seen
        learned = self.describer.progress()
        return msgspec.structs.replace(
            seen,
            model=learned.model,
            described=learned.described,
            describable=learned.describable,
            cut="; ".join(found.cut),
        )
