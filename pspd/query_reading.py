"""Bytes of a query image → its features, the hashes of its turns, and its pixels when they matter.

    image ──▶ known? ──▶ a worker: features, turns ──▶ pixels wanted? ──▶ the worker: pixels

Pixels cost a full decode, and few queries have a candidate that they could equal: so the worker
shows the features first and waits. What the last queries were is kept, for people ask twice: first
for all, then for originals only.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, NamedTuple

import msgspec

from pspd.core.model import ImageId
from pspd.core.view import LONGEST_VIEW
from pspd.errors import FileFailure
from pspd.features.extract import image_id_of
from pspd.workers.messages import ONLY_PIXELS, Order

if TYPE_CHECKING:
    from collections.abc import Callable

    from pspd.core.model import Features, PixelDigest, TurnedHashes
    from pspd.core.view import Box, View
    from pspd.features.inner_pictures import InnerHashes
    from pspd.quarantine import Quarantine
    from pspd.workers.pool import WorkerPool
    from pspd.workers.replies import Outcome

MOST_KEPT = 256
"""Queries that are kept, of 2 to 8 kB each."""


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """What a query image is."""

    features: Features
    turns: tuple[TurnedHashes, ...]
    """In the order of `Turn`; none when nobody wanted them so far."""
    pixels: PixelDigest | None
    """None when nobody wanted them, or they cannot be read."""
    inner: tuple[InnerHashes, ...] | None = None
    """Of the parts that may be whole pictures; None when nobody wanted them so far."""


class _What(NamedTuple):
    """What a query is: a content, or a part of one."""

    image_id: ImageId
    part: Box | None


class QueryReader:
    """Reads query images, from any thread.

    Args:
        pool: Workers of its own, so that no query waits behind indexing.
        quarantine: Stands before them.
    """

    def __init__(self, pool: WorkerPool, quarantine: Quarantine) -> None:
        self._pool = pool
        self._quarantine = quarantine
        self._lock = threading.Lock()
        # Under the lock; the last used is the last.
        self._kept: OrderedDict[_What, ReadQuery] = OrderedDict()

    def read(
        self,
        image: bytes,
        wants_pixels: Callable[[Features], bool] | None,
        *,
        wants_turns: bool = True,
        part: Box | None = None,
    ) -> ReadQuery:
        """Read a query image.

        Args:
            image: The bytes of its file.
            wants_pixels: Called once, in this thread, as soon as the features are known; None when
                pixels do not matter whatever they are.
            wants_turns: Whether its turned hashes matter; they are a fifth of its extraction.
            part: What of it is the query, in pixels of the upright picture; None for all of it.

        Raises:
            FileFailure: It cannot be read as a picture, or has no such part.
        """
        what = _What(image_id_of(image), part)
        query = known = self._recall(what)
        if query is None or (wants_turns and not query.turns):
            pixels = None if known is None else known.pixels
            query = self._read(image, what, wants_pixels, pixels, wants_turns=wants_turns)
        elif wants_pixels is not None and wants_pixels(query.features) and query.pixels is None:
            query = replace(query, pixels=self._pixels(image, what))
        return self._keep(what, query)

    def view(self, image: bytes, longest: int, part: Box | None = None) -> View:
        """See a query image, or a part of it, with so many pixels on its longer side at most.

        Raises:
            FileFailure: It cannot be read as a picture, or has no such part.
        """
        return _view_of(self._run(image, Order(features=False, view=longest, part=part)))

    def look(
        self, image: bytes, longest: int, *, wants_tags: bool
    ) -> tuple[View, tuple[tuple[str, str], ...]]:
        """See a query image as `view` does, and read what its EXIF says, if that is wanted.

        Raises:
            FileFailure: It cannot be read as a picture.
        """
        outcome = self._run(image, Order(features=False, view=longest, tags=wants_tags))
        return _view_of(outcome), outcome.tags

    def detail(self, image: bytes, part: Box) -> View:
        """See a part of a query image, pixel for pixel where it has few enough.

        Raises:
            FileFailure: It cannot be read as a picture, or the part does not lie in it.
        """
        return _view_of(self._run(image, Order(features=False, view=LONGEST_VIEW, within=part)))

    def inner(self, image: bytes, part: Box | None = None) -> tuple[InnerHashes, ...]:
        """Find what may be whole pictures in a query image, or in a part of it.

        Raises:
            FileFailure: It cannot be read as a picture, or has no such part.
        """
        what = _What(image_id_of(image), part)
        known = self._recall(what)
        if known is not None and known.inner is not None:
            return known.inner
        inner = self._run(image, Order(features=False, inner=True, part=part)).inner
        if known is not None:
            self._keep(what, replace(known, inner=inner))
        return inner

    def _run(self, image: bytes, order: Order) -> Outcome:
        with _as_descriptor(image) as descriptor:
            return self._quarantine.run_known(self._pool, descriptor, order, image_id_of(image))

    def _read(
        self,
        image: bytes,
        what: _What,
        wants_pixels: Callable[[Features], bool] | None,
        pixels: PixelDigest | None,
        *,
        wants_turns: bool,
    ) -> ReadQuery:
        """Read a query of which nothing is known, or its pixels."""
        shown: list[Outcome] = []

        def show(outcome: Outcome) -> bool:
            assert outcome.features is not None, "they were ordered"
            shown.append(outcome)
            is_wanted = wants_pixels is not None and wants_pixels(outcome.features)
            return is_wanted and pixels is None

        order = Order(turns=wants_turns, pixels=wants_pixels is not None, part=what.part)
        with _as_descriptor(image) as descriptor:
            try:
                outcome = self._quarantine.run_known(
                    self._pool, descriptor, order, what.image_id, show
                )
            except FileFailure:
                # Without its pixels it can still be searched for.
                if not shown:
                    raise
                outcome = shown[0]
        assert outcome.features is not None, "they were ordered"
        return ReadQuery(outcome.features, outcome.turns, outcome.pixels or pixels)

    def _pixels(self, image: bytes, what: _What) -> PixelDigest | None:
        order = msgspec.structs.replace(ONLY_PIXELS, part=what.part)
        with _as_descriptor(image) as descriptor, suppress(FileFailure):
            return self._quarantine.run_known(self._pool, descriptor, order, what.image_id).pixels
        return None

    def _recall(self, what: _What) -> ReadQuery | None:
        with self._lock:
            return self._kept.get(what)

    def _keep(self, what: _What, query: ReadQuery) -> ReadQuery:
        """Keep a query with what is known of it by now; returns that."""
        with self._lock:
            kept = self._kept.get(what, query)
            query = replace(
                query,
                turns=query.turns or kept.turns,
                pixels=query.pixels or kept.pixels,
                inner=kept.inner if query.inner is None else query.inner,
            )
            self._kept[what] = query
            self._kept.move_to_end(what)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return query


def _view_of(outcome: Outcome) -> View:
    assert outcome.view is not None, "it was ordered"
    return outcome.view


@contextmanager
def _as_descriptor(image: bytes) -> Iterator[int]:
    """Give bytes to a worker as it gets files: as an open descriptor."""
    if hasattr(os, "memfd_create"):
        opened: IO[bytes] = os.fdopen(os.memfd_create("pspd-query", os.MFD_CLOEXEC), "w+b")
    else:
        opened = tempfile.TemporaryFile(prefix="pspd-query-")  # noqa: SIM115 - closed below
    with opened as file:
        file.write(image)
        file.flush()
        yield file.fileno()
