"""What every index must do, compared with an index made of a dictionary.

A class that inherits `IndexContract` and says how to make an index is that index's test.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pspd.search.index import SURE_RADIUS, Index, Query, Rows, hash_words, shape_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FLAT_QUALITY = 10
RADII = st.integers(0, SURE_RADIUS)
NUMBERS = st.integers(0, 60)

# Hashes near one another and shapes that repeat, so that most queries find something.
HASHES = st.one_of(
    st.integers(0, 2**64 - 1),
    st.sampled_from([0, 1, 3, 7, 0xFF, 2**63, 2**64 - 1]),
    st.integers(0, 63).map(lambda bit: 1 << bit),
)
WORDS = st.one_of(st.sampled_from([0, 1, 3, 2**255, 2**256 - 1]), st.integers(0, 2**256 - 1))
DISTANCES = st.sampled_from([0, 1, 2, 48, 256])
SIDES = st.integers(1, 3)
ROW = st.tuples(NUMBERS, HASHES, WORDS, SIDES, SIDES, st.integers(0, 100))
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.lists(ROW, max_size=20)),
        st.tuples(st.just("drop"), st.lists(st.integers(0, 80), max_size=8)),
    ),
    max_size=8,
)

ReferenceRow = tuple[int, int, int, int, int, int]
"""Number, 64-bit hash, 256-bit hash, width, height, quality."""

Turned = tuple[int, int]
"""64-bit hash, 256-bit hash."""

Answer = list[tuple[int, int, int]]
"""Number, turn, distance."""


def rows_of(rows: Sequence[ReferenceRow]) -> Rows:
    """Make columns of rows."""
    return Rows(
        numbers=np.array([row[0] for row in rows], dtype=np.int64),
        phash64=np.array([row[1] for row in rows], dtype=np.uint64),
        phash256=hash_words([row[2].to_bytes(32, "big") for row in rows]),
        shapes=np.array([shape_value(row[3], row[4]) for row in rows], dtype=np.uint64),
        quality=np.array([row[5] for row in rows], dtype=np.uint8),
    )


def query_of(turns: Sequence[Turned]) -> Query:
    """Make a query of hashes."""
    narrow = np.array([each for each, _ in turns], dtype=np.uint64)
    return Query(narrow, hash_words([each.to_bytes(32, "big") for _, each in turns]))


def near(index: Index, hashes: Sequence[int], radius: int) -> Answer:
    """Ask for 64-bit hashes alone: every 256-bit hash of these tests is 0."""
    return list(index.near(query_of([(each, 0) for each in hashes]), radius, 256))


class ReferenceIndex:
    """The slow definition: a dictionary, and every bit counted."""

    def __init__(self) -> None:
        self.rows: dict[int, ReferenceRow] = {}

    def put(self, rows: Sequence[ReferenceRow]) -> None:
        self.rows.update((row[0], row) for row in rows)

    def drop(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self.rows.pop(number, None)

    def near(self, turns: Sequence[Turned], radius: int, distance: int) -> Answer:
        return self._nearest(
            (bits, number, turn)
            for number, row in self.rows.items()
            for turn, (narrow, wide) in enumerate(turns)
            if row[5] >= FLAT_QUALITY
            and (narrow ^ row[1]).bit_count() <= radius
            and (bits := (wide ^ row[2]).bit_count()) <= distance
        )

    def shaped(self, turns: Sequence[Turned], shape: tuple[int, int], most: int) -> Answer:
        return self._nearest(
            ((wide ^ row[2]).bit_count(), number, turn)
            for number, row in self.rows.items()
            for turn, (_, wide) in enumerate(turns)
            if row[3:5] == shape and row[5] <= most
        )

    @staticmethod
    def _nearest(found: Iterable[tuple[int, int, int]]) -> Answer:
        best: dict[int, tuple[int, int]] = {}
        for bits, number, turn in sorted(found):
            best.setdefault(number, (turn, bits))
        ordered = sorted(best.items(), key=lambda each: (each[1][1], each[0]))
        return [(number, turn, bits) for number, (turn, bits) in ordered]


class IndexContract(ABC):
    """The tests; a subclass named `Test…` runs them."""

    @abstractmethod
    def make(self) -> Index:
        """Return an empty index whose flat quality is `FLAT_QUALITY`."""

    @settings(
        # One test is inherited by several classes on purpose.
        suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow],
        max_examples=60,
    )
    @given(
        OPERATIONS,
        st.lists(st.tuples(HASHES, WORDS), min_size=1, max_size=8),
        RADII,
        DISTANCES,
        st.tuples(SIDES, SIDES),
        st.integers(0, 100),
    )
    def test_answers_are_those_of_the_reference(
        self,
        operations: list[tuple[str, list[ReferenceRow]] | tuple[str, list[int]]],
        turns: list[Turned],
        radius: int,
        distance: int,
        shape: tuple[int, int],
        most_quality: int,
    ) -> None:
        index, reference = self.make(), ReferenceIndex()
        for verb, values in operations:
            if verb == "put":
                index.put(rows_of(values))  # type: ignore[arg-type]  # the verb says which
                reference.put(values)  # type: ignore[arg-type]
            else:
                index.drop(values)  # type: ignore[arg-type]
                reference.drop(values)  # type: ignore[arg-type]
        query = query_of(turns)
        assert len(index) == len(reference.rows)
        assert list(index.near(query, radius, distance)) == reference.near(turns, radius, distance)
        found = list(index.shaped(query, *shape, most_quality))
        assert found == reference.shaped(turns, shape, most_quality)
        assert not len(index.differing(rows_of(list(reference.rows.values()))))

    @settings(suppress_health_check=[HealthCheck.differing_executors], max_examples=30)
    @given(st.lists(ROW, min_size=1, max_size=20), st.integers(0, 4), st.data())
    def test_a_row_that_is_otherwise_or_not_there_differs(
        self, values: list[ReferenceRow], column: int, data: st.DataObject
    ) -> None:
        index = self.make()
        index.put(rows_of(values))
        there = {row[0]: row for row in values}
        number = data.draw(st.sampled_from(sorted(there)))
        other = list(there[number])
        other[column + 1] += 1 if other[column + 1] == 0 else -1
        missing = (data.draw(st.integers(61, 99)), 0, 0, 1, 1, 100)
        asked = {**there, number: tuple(other), missing[0]: missing}
        differing = index.differing(rows_of(list(asked.values())))  # type: ignore[arg-type]
        assert differing.tolist() == [number, missing[0]]

    def test_an_empty_index_answers_nothing(self) -> None:
        index = self.make()
        assert len(index) == 0
        assert near(index, [0], 64) == []
        assert list(index.shaped(query_of([(0, 0)]), 1, 1, 100)) == []

    def test_a_radius_is_inclusive(self) -> None:
        index = self.make()
        index.put(rows_of([(0, 0b111, 0b11, 1, 1, 100)]))
        query = query_of([(0, 0)])
        assert list(index.near(query, 2, 256)) == []
        assert list(index.near(query, 3, 1)) == []
        assert list(index.near(query, 3, 2)) == [(0, 0, 2)]

    def test_a_row_is_found_once_by_its_nearest_hash_and_the_first_of_equals(self) -> None:
        index = self.make()
        index.put(rows_of([(0, 0, 0b1, 1, 1, 100), (1, 0, 0b1111, 1, 1, 100)]))
        query = query_of([(1, 0b1111), (0, 0b1), (1, 0b1), (255, 0b1111)])
        assert list(index.near(query, 1, 256)) == [(0, 1, 0), (1, 0, 0)]

    def test_flat_rows_are_never_near_but_have_a_shape(self) -> None:
        index = self.make()
        rows = [(0, 0, 0, 4, 5, FLAT_QUALITY - 1), (1, 0, 0, 4, 5, FLAT_QUALITY)]
        index.put(rows_of(rows))
        assert near(index, [0], 64) == [(1, 0, 0)]
        assert [number for number, _, _ in index.shaped(query_of([(0, 0)]), 4, 5, 100)] == [0, 1]
        assert len(index) == 2

    def test_a_shape_is_not_its_transpose(self) -> None:
        index = self.make()
        index.put(rows_of([(0, 0, 0, 65_500, 1, 50)]))
        assert list(index.shaped(query_of([(0, 0)]), 65_500, 1, 50)) == [(0, 0, 0)]
        assert list(index.shaped(query_of([(0, 0)]), 65_500, 1, 49)) == []
        assert list(index.shaped(query_of([(0, 0)]), 1, 65_500, 100)) == []

    @pytest.mark.parametrize("shape", [(65_535, 65_535), (65_536, 1), (1, 2**31), (2**32 - 1, 7)])
    def test_a_shape_of_any_length_is_found_and_is_not_a_small_one(
        self, shape: tuple[int, int]
    ) -> None:
        index = self.make()
        index.put(rows_of([(0, 0, 0, *shape, 50), (1, 0, 0, 1, 1, 50)]))
        assert list(index.shaped(query_of([(0, 0)]), *shape, 50)) == [(0, 0, 0)]
        assert list(index.shaped(query_of([(0, 0)]), 1, 1, 50)) == [(1, 0, 0)]
        assert index.differing(rows_of([(0, 0, 0, *shape, 50)])).tolist() == []

    def test_a_row_comes_back_after_its_removal(self) -> None:
        index = self.make()
        index.put(rows_of([(0, 0, 0, 1, 1, 50), (1, 0, 0, 1, 1, 50)]))
        index.drop([0, 0, 7])
        assert near(index, [0], 0) == [(1, 0, 0)]
        assert len(index) == 1
        index.put(rows_of([(0, 5, 0, 1, 1, 50)]))
        assert near(index, [5], 0) == [(0, 0, 0)]
        assert len(index) == 2

    def test_whoever_lets_others_pass_finds_the_same(self) -> None:
        index = self.make()
        index.put(rows_of([(number, number, 0, 1, 1, 50) for number in range(20)]))
        passed: list[int] = []
        found = index.near(query_of([(3, 0)]), 1, 256, lambda: passed.append(1))
        assert list(found) == near(index, [3], 1)
        assert passed

    @pytest.mark.parametrize("radius", [-1, 65])
    def test_a_radius_out_of_range_is_refused(self, radius: int) -> None:
        with pytest.raises(ValueError, match="radius"):
            near(self.make(), [0], radius)

    @pytest.mark.parametrize("count", [0, 9])
    def test_a_query_of_no_or_nine_turns_is_refused(self, count: int) -> None:
        with pytest.raises(ValueError, match="1 to 8 hashes"):
            query_of([(0, 0)] * count)

    def test_readers_see_a_prefix_of_what_a_writer_appends(self) -> None:
        """Every answer is exact for the rows of one moment between two appends."""
        index = self.make()
        total, step = 150_000, 7_001
        hashes = np.arange(total, dtype=np.uint64) % np.uint64(97)
        finished = threading.Event()

        def write() -> None:
            for first in range(0, total, step):
                numbers = np.arange(first, min(first + step, total))
                shapes = np.full(len(numbers), shape_value(2, 3), dtype=np.uint64)
                quality = np.full(len(numbers), 50, dtype=np.uint8)
                words = np.zeros((len(numbers), 4), dtype=np.uint64)
                index.put(Rows(numbers, hashes[numbers], words, shapes, quality))
            finished.set()

        def read() -> int:
            answers, seen = 0, -1
            is_last = False
            while not is_last:
                is_last = finished.is_set()
                found = [number for number, _, _ in near(index, [0], 0)]
                assert found == list(range(0, 97 * len(found), 97))
                count = len(index.shaped(query_of([(0, 0)]), 2, 3, 100))
                assert count % step == 0 or count == total
                assert count >= seen
                seen, answers = count, answers + 1
            assert seen == total
            return answers

        with ThreadPoolExecutor(3) as threads:
            readers = [threads.submit(read) for _ in range(2)]
            threads.submit(write).result()
            assert all(reader.result() for reader in readers)
