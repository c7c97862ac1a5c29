"""Images are compared in the background, and their groups listed page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pspd.committing import Options
from pspd.comparing import KEPT_COPIES, Comparer
from pspd.copy_search import CopySearch, Known, known
from pspd.core.model import (
    Features,
    FileKey,
    ImageNumber,
    Limits,
    PixelDigest,
    Turn,
    Verdict,
)
from pspd.core.verdict import COPY_DISTANCE, FLAT_QUALITY, SHORTLIST_RADIUS, hamming
from pspd.distinctions import Distinctions
from pspd.errors import RequestError, StoreDamaged
from pspd.features.turning import turned_hashes
from pspd.grouping import FileGroup, Grouping
from pspd.indexer import Indexer
from pspd.quarantine import Quarantine
from pspd.reading import FileReader
from pspd.search.linear import LinearIndex
from pspd.store import batch, codec, keys
from pspd.store.checking import Checker, Progress
from pspd.store.copy_codec import AGAIN, Pair, decode, mark_key
from pspd.store.store import Store
from pspd.workers.pool import WorkerPool
from tests.store.raw import Raw
from tests.store.records import add_root, image_id, stamp


class Bench:
    """A store whose images have the hashes that a test gives them."""

    def __init__(self, folder: Path, stack: ExitStack, distance: int = COPY_DISTANCE) -> None:
        self.store = Store(folder / "store", map_bytes=1 << 26)
        stack.callback(self.store.close)
        self.index = LinearIndex(FLAT_QUALITY)
        self.reader = FileReader(
            self.store, WorkerPool(1, Limits()), Quarantine(self.store, "no one"),
            quiet_seconds=0.0, max_delay_seconds=0.0,
        )  # fmt: skip
        self.indexer = Indexer(self.store, self.index, self.reader, Options(1, 0.0, 16, 0.01), self)
        self.search = CopySearch(self.store, self.index, distance, None)
        self.comparer = Comparer(self.store, self.indexer, self.search)
        self.distinctions = Distinctions(folder)
        self.grouping = Grouping(self.store, self.search, self.distinctions)
        self.root = add_root(self.store)

    def announce(self, changes: Sequence[batch.PathChange]) -> None:
        """Hear nothing."""

    def look_at(self, path: str, seconds: float = 0.0) -> None:
        """Look at nothing."""

    def add(self, name: str, features: Features) -> ImageNumber:
        key = FileKey(self.root.directory, name)
        [(sequence, _)] = self.indexer.apply([batch.FileSeen(key, stamp())]).queued
        self.indexer.apply(
            [batch.FileIndexed(key, sequence, stamp(), False, features.image_id, features)]
        )
        with self.store.read() as reader:
            number = reader.number_of(features.image_id)
        assert number is not None
        return number

    def compare(self) -> None:
        while self.comparer.step():
            pass

    def pairs(self) -> set[tuple[int, int, int]]:
        with self.store.read() as reader:
            found = [decode(*entry) for entry in reader.items("copies")]
        return {(each.image, each.other, each.distance) for each in found if isinstance(each, Pair)}

    def groups(self, *folders: str, limit: int = 1000) -> list[FileGroup]:
        pages = []
        page = self.grouping.page(None, limit, folders)
        pages.append(page)
        while page.following is not None:
            page = self.grouping.page(page.following, limit, folders)
            pages.append(page)
        assert all(sum(len(group.files) for group in page.groups) <= limit for page in pages)
        return [group for page in pages for group in page.groups]

    def names(self, *folders: str) -> list[list[str]]:
        return [[Path(file.path).name for file in group.files] for group in self.groups(*folders)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        made = Bench(tmp_path, stack)
        yield made
        assert [finding.text for finding in Checker(made.store, Progress()).run(pages=False)] == []


def picture(
    content: int, *, like: int | None = None, flips: int = 0, **changes: object
) -> Features:
    """Return features of a content, with the hashes of another one but for some bits."""
    random = np.random.default_rng(content if like is None else like)
    narrow, wide = random.bytes(8), bytearray(random.bytes(32))
    for bit in np.random.default_rng(content).permutation(256)[:flips]:
        wide[bit // 8] ^= 1 << (int(bit) % 8)
    features = Features(
        1, image_id(content), "JPEG", 100, 100, 3, 1000 + content, 1, 1, (1.0, 2.0, 3.0), 90,
        narrow, bytes(wide),
    )  # fmt: skip
    return replace(features, **changes)  # type: ignore[arg-type]


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 60), st.sampled_from(list(Turn))),
        min_size=2,
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_pairs_are_those_of_a_comparison_of_all_with_all_in_any_order(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: list[tuple[int, int, Turn]],
    random: object,
) -> None:
    pictures = []
    for content, (like, flips, turn) in enumerate(drawn):
        features = picture(100 + content, like=like, flips=flips)
        turned = {each.turn: each for each in turned_hashes(features.phash64, features.phash256)}[
            turn
        ]
        pictures.append(replace(features, phash64=turned.phash64, phash256=turned.phash256))
    order = list(range(len(pictures)))
    random.shuffle(order)  # type: ignore[attr-defined]
    with ExitStack() as stack:
        bench = Bench(tmp_path_factory.mktemp("store"), stack)
        for place, content in enumerate(order):
            bench.add(f"{content}", pictures[content])
            if place % 3 == 0:
                bench.compare()
        bench.compare()
        found = {(order[a], order[b], distance) for a, b, distance in bench.pairs()}
    assert found == {
        (a, b, distance)
        for a, first in enumerate(pictures)
        for b, second in enumerate(pictures)
        if a != b and (distance := _nearest(first, second)) is not None
    }


def _nearest(first: Features, second: Features) -> int | None:
    distances = [
        hamming(each.phash256, second.phash256)
        for each in turned_hashes(first.phash64, first.phash256)
        if hamming(each.phash64, second.phash64) <= SHORTLIST_RADIUS
    ]
    return min((each for each in distances if each <= COPY_DISTANCE), default=None)


def test_flat_images_are_copies_of_nobody(bench: Bench) -> None:
    bench.add("a", picture(1))
    bench.add("b", picture(2, like=1, quality=FLAT_QUALITY - 1))
    bench.compare()
    assert bench.pairs() == set()


def test_flat_images_of_equal_pixels_are_a_group(bench: Bench) -> None:
    flat = {"quality": 0}
    first = bench.add("a", picture(1, **flat))
    second = bench.add("b", picture(2, **flat))
    bench.add("c", picture(3, **flat))
    digest = PixelDigest(1, bytes(range(32)))
    bench.indexer.apply([batch.PixelsKnown(number, digest) for number in (first, second)])
    bench.compare()
    [group] = bench.groups()
    assert [file.verdict for file in group.files] == [None, Verdict.SAME_PIXELS]


def test_an_image_extracted_again_leaves_its_group(bench: Bench) -> None:
    first = bench.add("a", picture(1))
    bench.add("b", picture(2, like=1))
    bench.compare()
    assert bench.names() == [["b", "a"]]
    other = replace(picture(7), image_id=image_id(1), version=2)
    bench.indexer.apply([batch.ImageRefreshed(first, other)])
    bench.compare()
    assert bench.names() == []


@pytest.mark.parametrize("count", [0, 1])
def test_a_mark_that_leads_to_no_image_is_not_looked_at_for_ever(
    tmp_path: Path, count: int
) -> None:
    with ExitStack() as stack:
        bench = Bench(tmp_path, stack)
        bench.add("a", picture(1))
        bench.compare()
    raw = Raw(tmp_path / "store")
    raw.put("copies", mark_key(AGAIN, 0), b"")
    raw.put("meta", b"copies", codec.encode_number(count))
    raw.delete("images", keys.number_key(0))
    raw.close()
    with ExitStack() as stack:
        bench = Bench(tmp_path, stack)
        met: list[StoreDamaged] = []
        bench.store.on_damage = met.append
        if count:
            assert bench.comparer.step()
            assert not bench.comparer.step()
        else:
            with pytest.raises(StoreDamaged):
                bench.comparer.step()
            assert len(met) == 1, "and the store is mended"


def test_a_batch_that_was_not_stored_is_compared_again(bench: Bench) -> None:
    bench.add("a", picture(1))
    bench.add("b", picture(2, like=1))
    bench.comparer.retire()
    assert not bench.comparer.step()
    assert bench.pairs() == set()
    successor = Comparer(bench.store, bench.indexer, bench.search)
    while successor.step():
        pass
    assert len(bench.pairs()) == 2


def test_a_crowd_keeps_some_pairs_each_and_is_one_group(bench: Bench) -> None:
    count = 3 * KEPT_COPIES
    for content in range(count):
        bench.add(f"{content:03}", picture(content, like=1000, flips=content % 5))
    bench.compare()
    assert len(bench.pairs()) <= 2 * KEPT_COPIES * count
    assert len(bench.pairs()) < count * (count - 1)
    [group] = bench.groups()
    assert group.total == len(group.files) == count
    assert group.files[0].path.endswith(f"{count - 1:03}"), "most bytes"
    assert all(file.distance <= COPY_DISTANCE for file in group.files)


def test_a_group_larger_than_a_page_goes_on_and_others_are_not_divided(bench: Bench) -> None:
    for content in range(7):
        bench.add(f"big-{content}", picture(content, like=1000))
    for content in range(10, 13):
        bench.add(f"small-{content}", picture(content, like=2000))
    bench.compare()
    whole = bench.groups()
    assert [len(group.files) for group in whole] == [7, 3]
    parts = bench.groups(limit=4)
    assert [(group.first, len(group.files)) for group in parts] == [(0, 4), (4, 3), (0, 3)]
    joined = [file.path for group in parts for file in group.files]
    assert joined == [file.path for group in whole for file in group.files]
    assert [len(group.files) for group in bench.groups(limit=1)] == [1] * 10


def test_the_largest_waste_comes_first_and_totals_are_of_all(bench: Bench) -> None:
    for content, (like, size) in enumerate([(1, 10), (1, 20), (2, 500), (2, 400), (3, 7)]):
        bench.add(f"{content}", picture(100 + content, like=like, size=size))
    bench.add("4 again", picture(104, like=3, size=7))
    bench.compare()
    assert bench.names() == [["2", "3"], ["1", "0"], ["4", "4 again"]]
    page = bench.grouping.page(None, 2)
    assert (len(page.groups), page.total, page.waste) == (1, 3, 400 + 10 + 7)
    assert [group.waste for group in bench.groups()] == [400, 10, 7]


@pytest.mark.parametrize("comes_first", ["best", "turned"])
def test_turns_are_those_of_the_best_picture(bench: Bench, comes_first: str) -> None:
    best = picture(1, size=10**6)
    quarter = turned_hashes(best.phash64, best.phash256)[list(Turn).index(Turn.ROTATE_90)]
    turned = replace(picture(2), phash64=quarter.phash64, phash256=quarter.phash256)
    for features in (best, turned) if comes_first == "best" else (turned, best):
        bench.add(f"{features.size}", features)
        bench.compare()
    [group] = bench.groups()
    assert [file.turn for file in group.files] == [Turn.NONE, Turn.ROTATE_90]


def test_files_that_are_gone_are_in_no_group(bench: Bench) -> None:
    bench.add("a", picture(1))
    bench.add("b", picture(2, like=1))
    bench.compare()
    assert len(bench.groups()) == 1
    bench.indexer.apply([batch.FileGone(FileKey(bench.root.directory, "b"))])
    assert bench.groups() == []
    bench.indexer.apply([batch.ForgetOrphans(2**40)])
    assert bench.pairs() == set()


def test_folders_choose_whole_groups(bench: Bench) -> None:
    bench.add("a", picture(1))
    bench.add("b", picture(2, like=1))
    bench.compare()
    assert bench.names("/pictures") == bench.names("/pictures/", "/x") == [["b", "a"]]
    assert bench.names("/pict") == bench.names("/elsewhere") == []


def test_equally_good_images_are_ranked_by_path(bench: Bench) -> None:
    for name, content in (("z", 1), ("a", 2), ("m", 3)):
        bench.add(name, picture(content, like=1, size=1000))
    bench.compare()
    assert bench.names() == [["a", "m", "z"]]


def test_groups_are_forgotten_and_computed_anew(bench: Bench) -> None:
    bench.add("a", picture(1))
    bench.add("b", picture(2, like=1))
    bench.compare()
    assert bench.names() == bench.names() == [["b", "a"]]
    bench.grouping.forget_unused()
    bench.add("c", picture(3, like=1))
    bench.compare()
    assert bench.names() == [["c", "a", "b"]]


@pytest.mark.parametrize("after", [b"", b"nonsense", bytes(23), bytes(25)])
def test_a_page_that_follows_none_is_refused(bench: Bench, after: bytes) -> None:
    with pytest.raises(RequestError):
        bench.grouping.page(after, 10)


def test_a_difference_of_means_parts_copies_where_it_counts(bench: Bench) -> None:
    bench.add("a", picture(1))
    bench.add("b", picture(2, like=1, mean=(9.0, 2.0, 3.0)))
    with bench.store.read() as reader:
        [first, _] = known(reader, [ImageNumber(0), ImageNumber(1), ImageNumber(5)])
    assert len(bench.search.copies_of(first)) == 1
    strict = CopySearch(bench.store, bench.index, COPY_DISTANCE, 5.0)
    assert strict.copies_of(first) == []
    assert strict.rule != bench.search.rule


def test_two_images_are_as_far_as_their_nearest_turn(bench: Bench) -> None:
    features = picture(1)
    turned = turned_hashes(features.phash64, features.phash256)
    first = Known(ImageNumber(1), features.phash64, features.phash256, 90)
    for each in turned:
        second = Known(ImageNumber(2), each.phash64, each.phash256, 90)
        found = bench.search.between(first, second)
        assert (found.turn, found.distance) == (each.turn, 0)


def test_what_is_told_apart_stands_in_no_group_together(bench: Bench) -> None:
    numbers = {
        "best": bench.add("best", picture(1, width=400)),
        "near": bench.add("near", picture(2, like=1, flips=4, width=200)),
        "other": bench.add("other", picture(3, like=1, flips=6)),
    }
    bench.compare()
    assert bench.names() == [["best", "near", "other"]]
    bench.distinctions.mark([image_id(1), image_id(2)], "2026-12-01T10:00:00Z")
    # The listing is another one at once, though the store is as it was.
    assert sorted(bench.names()) == [["best", "other"]]
    assert {pair[:2] for pair in bench.pairs()} >= {(numbers["best"], numbers["near"])}
    bench.distinctions.mark([image_id(1), image_id(3)], "2026-12-01T10:00:00Z")
    assert bench.names() == [["near", "other"]]
    bench.distinctions.forget([image_id(1)])
    assert bench.names() == [["best", "near", "other"]]
    # Both are copies of the best one, and only the first stands with it.
    bench.distinctions.mark([image_id(2), image_id(3)], "2026-12-01T10:00:00Z")
    assert bench.names() == [["best", "near"]]


def test_equal_pixels_can_be_told_apart_and_what_is_not_there_does_no_harm(bench: Bench) -> None:
    first, second = (bench.add(name, picture(content)) for content, name in ((1, "a"), (2, "b")))
    for number in (first, second):
        bench.indexer.apply([batch.PixelsKnown(number, PixelDigest(1, bytes(32)))])
    bench.compare()
    assert len(bench.names()) == 1
    bench.distinctions.mark([image_id(1), image_id(99)], "")
    assert len(bench.names()) == 1
    bench.distinctions.mark([image_id(1), image_id(2)], "")
    assert bench.names() == []
