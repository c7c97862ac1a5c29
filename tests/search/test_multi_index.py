"""The index by tables keeps the contract, before and after it makes them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pspd.search import buckets
from pspd.search.buckets import FOUR, THREE, Buckets, Probes, Scheme
from pspd.search.generation import CHUNK_ROWS, Chunk
from pspd.search.index import SURE_RADIUS, Rows
from pspd.search.linear import LinearIndex
from pspd.search.multi_index import MultiIndex
from tests.contracts.index_contract import FLAT_QUALITY, IndexContract, near, query_of, rows_of
from tests.search.test_linear import random_rows

COUNT = 20_000
LOOSE_ROWS = 1_000


class TestMultiIndex(IndexContract):
    def make(self) -> MultiIndex:
        return MultiIndex(FLAT_QUALITY)


class Settling(MultiIndex):
    """Makes tables as soon as it can."""

    def put(self, rows: Rows) -> None:
        super().put(rows)
        while self.settle():
            pass


class TestMultiIndexOfTables(IndexContract):
    """Everything is in tables at once."""

    def make(self) -> Settling:
        return Settling(FLAT_QUALITY, loose_rows=1)


class TestMultiIndexOfTablesWithoutHashes(IndexContract):
    def make(self) -> Settling:
        return Settling(FLAT_QUALITY, loose_rows=1, most_hashes=0)


class TestMultiIndexOfBoth(IndexContract):
    def make(self) -> Settling:
        return Settling(FLAT_QUALITY, loose_rows=8)


SCHEMES = pytest.mark.parametrize("scheme", [FOUR, THREE], ids=["four parts", "three parts"])


@SCHEMES
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_the_parts_of_two_hashes_differ_in_as_many_bits_as_the_hashes(
    scheme: Scheme, one: int, other: int
) -> None:
    hashes = np.array([one, other], dtype=np.uint64)
    parts = [scheme.keys(hashes, part) for part in range(len(scheme.parts))]
    bits = [int(keys[0] ^ keys[1]).bit_count() for keys in parts]
    assert sum(bits) == (one ^ other).bit_count()


@SCHEMES
def test_the_radius_of_the_parts_is_enough(scheme: Scheme) -> None:
    assert len(scheme.parts) * (scheme.radius + 1) > SURE_RADIUS


@SCHEMES
def test_keys_of_a_few_hashes_are_those_of_many(scheme: Scheme, rows: Rows) -> None:
    few = scheme.all_keys(rows.phash64[:8])
    for part in range(len(scheme.parts)):
        assert few[:, part].tolist() == scheme.keys(rows.phash64, part)[:8].tolist()


HASHES = pytest.mark.parametrize("most_hashes", [0, COUNT], ids=["without hashes", "with hashes"])


@SCHEMES
@HASHES
def test_tables_of_each_scheme_lead_to_all_that_is_surely_found(
    scheme: Scheme, most_hashes: int, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "MANY_ROWS", 0 if scheme is THREE else COUNT + 1)
    chunk = Chunk.empty()
    chunk.hashes[:COUNT] = rows.phash64
    chunk.quality[:COUNT] = rows.quality
    tables = Buckets.of(chunk, COUNT, FLAT_QUALITY, most_hashes=most_hashes)
    assert tables.scheme is scheme
    assert (tables.hashes is not None) == bool(most_hashes)
    for number in range(0, COUNT, 400):
        query = np.array(flipped(rows.phash64[number : number + 1], 11, number), dtype=np.uint64)
        found = tables.visit(chunk, Probes.of(query, scheme), SURE_RADIUS)
        assert found is not None
        distances = np.bitwise_count(rows.phash64 ^ query)
        near = np.flatnonzero((distances <= SURE_RADIUS) & (rows.quality >= FLAT_QUALITY))
        assert sorted({int(row) for places in found for row in places.rows}) == near.tolist()
        assert (number in near) == (rows.quality[number] >= FLAT_QUALITY)


def flipped(hashes: np.ndarray[tuple[int], np.dtype[np.uint64]], bits: int, seed: int) -> list[int]:
    """Return each hash with so many bits changed."""
    random = np.random.default_rng(seed)
    return [
        int(each) ^ sum(1 << int(place) for place in random.choice(64, bits, replace=False))
        for each in hashes
    ]


@pytest.fixture(scope="module")
def rows() -> Rows:
    random = np.random.default_rng(7)
    return Rows(
        numbers=np.arange(COUNT),
        phash64=random.integers(0, 2**64, COUNT, dtype=np.uint64),
        phash256=np.zeros((COUNT, 4), dtype=np.uint64),
        shapes=np.ones(COUNT, dtype=np.uint64),
        quality=random.integers(0, 101, COUNT, dtype=np.uint8),
    )


@pytest.mark.parametrize("bits", [0, 4, SURE_RADIUS])
def test_what_is_surely_found_is_found(rows: Rows, bits: int) -> None:
    index, linear = Settling(FLAT_QUALITY, loose_rows=LOOSE_ROWS), LinearIndex(FLAT_QUALITY)
    index.put(rows)
    linear.put(rows)
    for number in range(0, COUNT, 500):
        query = flipped(rows.phash64[number : number + 8], bits, number)
        found = near(index, query, bits)
        assert found == near(linear, query, bits)
        lively = [each for each in range(number, number + 8) if rows.quality[each] >= FLAT_QUALITY]
        assert {each for each, _, _ in found} >= set(lively)


def test_further_ones_are_mostly_found_and_never_anything_else(rows: Rows) -> None:
    index, linear = Settling(0, loose_rows=LOOSE_ROWS), LinearIndex(0)
    index.put(rows)
    linear.put(rows)
    met = 0
    for number in range(0, COUNT, 100):
        query = flipped(rows.phash64[number : number + 1], 14, number)
        found = near(index, query, 16)
        assert set(found) <= set(near(linear, query, 16))
        met += number in [each for each, _, _ in found]
    # Of 14 bits spread evenly over four parts, 85 % leave one with two at most.
    assert met > 0.75 * COUNT / 100


@HASHES
def test_a_row_that_changed_is_found_as_it_is(rows: Rows, most_hashes: int) -> None:
    index = Settling(0, loose_rows=LOOSE_ROWS, most_hashes=most_hashes)
    index.put(rows)
    old, new = int(rows.phash64[77]), int(rows.phash64[77]) ^ (2**64 - 1)
    index.put(rows_of([(77, new, 0, 1, 1, 50)]))
    assert near(index, [old], 8) == []
    assert near(index, [new], 0) == [(77, 0, 0)]
    index.drop([77])
    assert near(index, [new], 0) == []
    assert len(index) == COUNT - 1


@HASHES
def test_changes_enough_for_new_tables_are_in_them(rows: Rows, most_hashes: int) -> None:
    index, linear = (
        Settling(0, loose_rows=LOOSE_ROWS, most_hashes=most_hashes),
        LinearIndex(0),
    )
    for each in (index, linear):
        each.put(rows)
    random = np.random.default_rng(3)
    for _ in range(5):
        numbers = np.unique(random.integers(0, COUNT + 5_000, 700))
        changes = Rows(
            numbers=numbers,
            phash64=random.integers(0, 2**64, len(numbers), dtype=np.uint64),
            phash256=np.zeros((len(numbers), 4), dtype=np.uint64),
            shapes=np.ones(len(numbers), dtype=np.uint64),
            quality=np.full(len(numbers), 50, dtype=np.uint8),
        )
        for each in (index, linear):
            each.put(changes)
        for value in changes.phash64[::50]:
            assert near(index, [int(value)], 4) == near(linear, [int(value)], 4) != []


def test_pictures_that_share_a_key_are_all_found() -> None:
    count = 5_000
    numbers = np.arange(count)
    alike = Rows(
        numbers=numbers,
        phash64=(numbers % 5).astype(np.uint64),
        phash256=np.zeros((count, 4), dtype=np.uint64),
        shapes=np.ones(count, dtype=np.uint64),
        quality=np.full(count, 90, dtype=np.uint8),
    )
    index = Settling(0, loose_rows=100)
    index.put(alike)
    assert len(index.near(query_of([(0, 0)] * 8), 2, 0)) == count


def test_tables_over_several_chunks_are_all_looked_into() -> None:
    index = Settling(0, loose_rows=10)
    for first in (0, CHUNK_ROWS - 20, CHUNK_ROWS, 2 * CHUNK_ROWS - 5):
        index.put(rows_of([(first + each, each, 0, 1, 1, 50) for each in range(20)]))
    found = [number for number, _, _ in near(index, [3], 0)]
    assert found == [3, CHUNK_ROWS - 17, CHUNK_ROWS + 3, 2 * CHUNK_ROWS - 2]


def test_tables_are_made_a_chunk_at_a_time_until_none_is_loose() -> None:
    index = MultiIndex(0, loose_rows=10)
    for first in (0, CHUNK_ROWS, 3 * CHUNK_ROWS):
        index.put(rows_of([(first + each, each, 0, 1, 1, 50) for each in range(20)]))
    before = near(index, [3], 1)
    made = 0
    while index.settle():
        made += 1
        assert near(index, [3], 1) == before
    assert made == 4  # the third has only empty places, but so many
    expected = [each for each in range(20) if (each ^ 3).bit_count() <= 1]
    assert sorted(number % CHUNK_ROWS for number, _, _ in before) == sorted(3 * expected)


def test_rows_that_are_put_while_tables_are_made_are_found() -> None:
    index, linear = MultiIndex(0, loose_rows=500), LinearIndex(0)
    random = np.random.default_rng(11)
    is_over = threading.Event()

    def settle() -> int:
        made = 0
        while not is_over.is_set():
            made += index.settle()
        return made

    with ThreadPoolExecutor(1) as threads:
        settling = threads.submit(settle)
        for _ in range(200):
            numbers = np.unique(random.integers(0, 20_000, 300))
            changes = random_rows(numbers, int(random.integers(2**32)))
            index.put(changes)
            linear.put(changes)
        is_over.set()
        assert settling.result() > 0
    while index.settle():
        pass
    for value in changes.phash64[::10]:
        assert near(index, [int(value)], 8) == near(linear, [int(value)], 8) != []
    assert len(index) == len(linear)
