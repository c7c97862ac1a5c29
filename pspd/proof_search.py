"""Proves, by geometry, which candidates a query is a copy of.

    candidates, the most promising first ──several threads──▶ view ──▶ local features ──▶ Proof

What was made of an indexed picture is kept for the next query, within a bound: people search for
one picture again with another part of it, and a library has pictures that many queries come close
to.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from pspd.core.model import Verdict
from pspd.core.verdict import proof_verdict
from pspd.features.inner_pictures import inner_pictures
from pspd.features.views import pixels_of
from pspd.verify.local_features import FIRST_LOOK, LocalFeatures, Look, describe
from pspd.verify.proving import prove
from pspd.workers.messages import Order

if TYPE_CHECKING:
    from pspd.core.model import ImageNumber, ImageRecord
    from pspd.core.proof import Proof
    from pspd.core.view import View
    from pspd.image_reading import ImageReader
    from pspd.verify.local_features import Pixels
    from pspd.verify.polygons import Polygon

KEPT_BYTES: Final = 64 << 20
"""Most memory of local features that are kept; some seventy pictures."""

PATIENCE: Final = 8
"""Candidates in a row that are no copies, after which only promising ones are still tried: a copy
that is ranked by anything at all is mostly among the first, and each costs a tenth of a second."""


def described(view: View, look: Look = FIRST_LOOK) -> LocalFeatures:
    """Make the local features of what is seen of a picture.

    Raises:
        MissingExtra: OpenCV is not installed.
    """
    size = (view.full_width, view.full_height)
    return describe(pixels_of(view), size, look.features, look.enlarged_to)


def described_query(view: View, look: Look = FIRST_LOOK) -> LocalFeatures:
    """Make the local features of what is searched for, and see what pictures may be in it.

    Raises:
        MissingExtra: OpenCV is not installed.
    """
    return replace(described(view, look), parts=parts_of(pixels_of(view)))


def parts_of(pixels: Pixels) -> tuple[Polygon, ...]:
    """Return the corners of what in a picture may be a whole one."""
    return tuple(
        np.array([complex(*corner) for corner in each.corners]) for each in inner_pictures(pixels)
    )


@dataclass(slots=True)
class Proofs:
    """What became of some candidates."""

    found: dict[ImageNumber, Proof] = field(default_factory=dict)
    """Of those that could be laid on the query."""
    tried: set[ImageNumber] = field(default_factory=set)
    """Those that were seen, so that it means something if they are not found."""
    left: int = 0
    """Those for which there was no time."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image that may be a copy."""

    image: ImageRecord
    likeness: float | None = None
    """Cosine of the learned descriptors; None when they were not compared."""
    is_promising: bool = True
    """Whether it is to be tried however many before it were no copies."""


class ProofSearch:
    """Proves candidates, for any thread.

    Args:
        images: Reads indexed pictures.
        threads: At work for one query at the same time.
    """

    def __init__(self, images: ImageReader, threads: int) -> None:
        self._images = images
        self._threads = threads
        self._executor = ThreadPoolExecutor(threads, "pspd-proof")
        self._lock = threading.Lock()
        # Under the lock; the last used is the last.
        self._kept: OrderedDict[tuple[ImageNumber, Look], LocalFeatures] = OrderedDict()
        self._kept_bytes = 0

    def close(self) -> None:
        """Begin nothing more."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def prove(
        self,
        query: LocalFeatures,
        candidates: Sequence[Candidate],
        until: float,
        look: Look = FIRST_LOOK,
    ) -> Proofs:
        """Prove as many candidates as there is time for.

        Args:
            query: The query's local features.
            candidates: The most promising first.
            until: By the monotonic clock; no candidate is begun later.
            look: How closely the candidates are looked at.

        Raises:
            MissingExtra: OpenCV is not installed.
            NoWorker: No worker can be had.
        """
        proofs = Proofs()
        waiting = deque(candidates)
        lock = threading.Lock()
        misses = 0

        def serve() -> None:
            nonlocal misses
            while (candidate := _taken(waiting, until)) is not None:
                if misses >= PATIENCE and not candidate.is_promising:
                    continue
                features = self._features(candidate.image, look)
                if features is None:
                    continue
                proof = prove(query, features)
                is_copy = proof is not None and proof_verdict(proof) is Verdict.COPY
                with lock:
                    misses = 0 if is_copy else misses + 1
                    proofs.tried.add(candidate.image.number)
                    if proof is not None:
                        proofs.found[candidate.image.number] = proof

        helpers = min(self._threads, len(candidates)) - 1
        futures: list[Future[None]] = []
        # When the daemon ends, or has no more threads, it only takes longer.
        with suppress(RuntimeError):
            futures += [self._executor.submit(serve) for _ in range(helpers)]
        serve()
        for future in futures:
            # One that nobody began to serve has nothing to say.
            if not future.cancel():
                future.result()
        proofs.left = len(waiting)
        return proofs

    def _features(self, record: ImageRecord, look: Look) -> LocalFeatures | None:
        key = record.number, look
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                return kept
        order = Order(features=False, view=look.side)
        outcome = self._images.read(record.number, record.image_id, order)
        if outcome is None or outcome.view is None:
            return None
        features = described(outcome.view, look)
        with self._lock:
            before = self._kept.pop(key, None)
            self._kept_bytes += features.nbytes - (0 if before is None else before.nbytes)
            self._kept[key] = features
            self._forget_some()
        return features

    def _forget_some(self) -> None:
        """Forget what was not used for longest, down to the bound; under the lock."""
        while self._kept_bytes > KEPT_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= oldest.nbytes


def _taken(waiting: deque[Candidate], until: float) -> Candidate | None:
    """Take the next candidate, if there is one and time for it."""
    if time.monotonic() >= until:
        return None
    try:
        return waiting.popleft()
    except IndexError:
        return None
