"""Original search with a real store, real files and several workers."""

from __future__ import annotations

import io
import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PIL import Image

from pspd.core.model import ImageId, Limits, Verdict
from pspd.errors import NoWorker
from pspd.found import Found, Mode, Wishes
from pspd.pixel_search import PixelSearch
from pspd.precedence import Precedence
from pspd.quarantine import Quarantine
from pspd.query_reading import QueryReader
from pspd.searcher import Options, Searcher
from pspd.workers.messages import Order
from pspd.workers.pool import WorkerPool
from pspd.workers.replies import Outcome
from tests.e2e.scenes import save, scene
from tests.test_indexing import Bench

WORKERS = 3
NAMES = {"a.png", "b.bmp", "c.tiff", "d.webp", "e.png"}


class WatchedPool(WorkerPool):
    """A pool that says whose pixels were decoded, and how many at the same time."""

    def __init__(self) -> None:
        super().__init__(WORKERS, Limits())
        self.decoded: list[ImageId] = []
        self.meeting: threading.Barrier | None = None
        """Where so many have to meet before they go on."""

    def run(
        self,
        descriptor: int,
        order: Order,
        *,
        is_known: Callable[[ImageId], bool] | None = None,
        wants_pixels: Callable[[Outcome], bool] | None = None,
        on_worker: Callable[[], None] | None = None,
    ) -> Outcome:
        """Have a file read, and look at what comes of it."""
        if self.meeting is not None and not order.features:
            self.meeting.wait(30)
        outcome = super().run(
            descriptor, order, is_known=is_known, wants_pixels=wants_pixels, on_worker=on_worker
        )
        if outcome.pixels is not None:
            self.decoded.append(outcome.image_id)
        return outcome


class Searching:
    """Indexed pictures, and a searcher over them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.bench = Bench(folder, stack)
        self.pool = WatchedPool()
        self.pool.start()
        stack.callback(self.pool.close)

    def index(self) -> None:
        """Take in all the files that there are."""
        self.bench.start()
        self.bench.scan()
        self.bench.settle()

    def search(self, image: bytes, mode: Mode = "original", **options: float) -> Found:
        """Search with a searcher that remembers no earlier query."""
        store = self.bench.tree.store
        given = Options(
            copy_distance=48,
            mean_difference=None,
            pixel_comparisons=int(options.get("pixel_comparisons", 64)),
            verify_seconds=options.get("verify_seconds", 60.0),
        )
        quarantine = Quarantine(store, "this one")
        searcher = Searcher(
            store,
            self.bench.index,
            QueryReader(self.pool, quarantine),
            PixelSearch(
                store,
                self.bench.index,
                self.pool,
                quarantine,
                most=given.pixel_comparisons,
                remember=self.bench.indexer.apply,
            ),
            given,
            Precedence(),
        )
        return searcher.search(image, Wishes(mode), math.inf)


@pytest.fixture
def searching(tmp_path: Path) -> Iterator[Searching]:
    with ExitStack() as stack:
        yield Searching(tmp_path, stack)


def query() -> bytes:
    """Return a file with the pixels of scene 1, and no other file's bytes."""
    file = io.BytesIO()
    scene(1).save(file, "PNG", compress_level=1)
    return file.getvalue()


def save_copies(folder: Path) -> None:
    for name in NAMES - {"e.png"}:
        save(1, folder / name, **({"lossless": True} if name.endswith("webp") else {}))
    Image.open(folder / "a.png").save(folder / "e.png", compress_level=9)
    save(2, folder / "other.png")
    changed = scene(1)
    changed.putpixel((7, 7), (0, 255, 0))
    changed.save(folder / "changed.png")


def verdicts(found: Found) -> dict[str, Verdict]:
    return {os.path.basename(hit.path): hit.found.verdict for hit in found.hits}


def test_all_candidates_are_compared_and_none_of_them_twice(searching: Searching) -> None:
    save_copies(searching.bench.tree.top)
    searching.index()

    first = searching.search(query())

    assert verdicts(first) == dict.fromkeys(NAMES, Verdict.SAME_PIXELS)
    assert first.unverified == 0
    # The five, the one that is changed, and the query; nothing twice.
    assert len(searching.pool.decoded) == len(set(searching.pool.decoded)) == len(NAMES) + 2
    again = searching.search(query())
    assert verdicts(again) == verdicts(first)
    assert searching.pool.decoded[len(NAMES) + 2 :] == [first.query.image_id]


def test_an_indexed_query_that_was_compared_before_is_not_decoded_for_its_pixels(
    searching: Searching,
) -> None:
    save_copies(searching.bench.tree.top)
    searching.index()
    image = (searching.bench.tree.top / "a.png").read_bytes()
    searching.search(query())
    before = len(searching.pool.decoded)

    found = searching.search(image)

    expected = dict.fromkeys(NAMES, Verdict.SAME_PIXELS) | {"a.png": Verdict.SAME_FILE}
    assert verdicts(found) == expected
    assert len(searching.pool.decoded) == before


def test_candidates_are_decoded_side_by_side(searching: Searching) -> None:
    save_copies(searching.bench.tree.top)
    searching.index()
    # Those three that are not held up by the query meet; one alone would wait for ever.
    searching.pool.meeting = threading.Barrier(WORKERS)

    found = searching.search(query(), pixel_comparisons=WORKERS)

    assert len(found.hits) in {WORKERS, WORKERS - 1}  # one may be the changed one
    assert found.unverified == len(NAMES) + 1 - WORKERS


def test_what_may_not_be_compared_is_counted(searching: Searching) -> None:
    save_copies(searching.bench.tree.top)
    searching.index()
    candidates = len(NAMES) + 1

    late = searching.search(query(), verify_seconds=0.0)
    assert (late.hits, late.unverified) == ((), candidates)
    few = searching.search(query(), pixel_comparisons=2)
    assert few.unverified == candidates - 2
    # What was learned counts from then on, and two more can be.
    assert searching.search(query(), pixel_comparisons=2).unverified == candidates - 4


def test_a_candidate_that_cannot_be_read_costs_no_other_its_turn(searching: Searching) -> None:
    save_copies(searching.bench.tree.top)
    searching.index()
    for name in ("a.png", "b.bmp"):
        (searching.bench.tree.top / name).unlink()

    found = searching.search(query(), pixel_comparisons=len(NAMES) - 1)

    assert set(verdicts(found)) == NAMES - {"a.png", "b.bmp"}
    assert found.unverified == 2


def test_copies_are_found_beside_equal_pixels(searching: Searching) -> None:
    save_copies(searching.bench.tree.top)
    searching.index()

    found = searching.search(query(), "both")

    same = dict.fromkeys(NAMES, Verdict.SAME_PIXELS)
    assert verdicts(found) == same | {"changed.png": Verdict.COPY}
    similar = searching.search(query(), "similar")
    assert verdicts(similar) == dict.fromkeys([*NAMES, "changed.png"], Verdict.COPY)


def test_a_pool_that_closes_meanwhile_ends_the_search(searching: Searching) -> None:
    save_copies(searching.bench.tree.top)
    searching.index()
    searching.pool.meeting = threading.Barrier(1, action=searching.pool.close)

    with pytest.raises(NoWorker):
        searching.search(query())
