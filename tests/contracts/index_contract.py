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

from pspd.core.model import ImageNumber
from pspd.search.index import Candidate, Index, Rows, shape_value

if TYPE_CHECKING:
    from collections.abc import Sequence

FLAT_QUALITY = 10
RADII = st.integers(0, 64)
NUMBERS = st.integers(0, 60)

# Hashes near one another and shapes that repeat, so that most queries find something.
HASHES = st.one_of(
    st.integers(0, 2**64 - 1),
    st.sampled_from([0, 1, 3, 7, 0xFF, 2**63, 2**64 - 1]),
    st.integers(0, 63).map(lambda bit: 1 << bit),
)
SIDES = st.integers(1, 3)
ROW = st.tuples(NUMBERS, HASHES, SIDES, SIDES, st.integers(0, 100))
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.lists(ROW, max_size=20)),
        st.tuples(st.just("drop"), st.lists(st.integers(0, 80), max_size=8)),
    ),
    max_size=8,
)

ReferenceRow = tuple[int, int, int, int, int]
"""Number, hash, width, height, quality."""


def rows_of(rows: Sequence[ReferenceRow]) -> Rows:
    """Make columns of rows."""
    return Rows(
        numbers=np.array([row[0] for row in rows], dtype=np.int64),
        phash64=np.array([row[1] for row in rows], dtype=np.uint64),
        shapes=np.array([shape_value(row[2], row[3]) for row in rows], dtype=np.uint64),
        quality=np.array([row[4] for row in rows], dtype=np.uint8),
    )


class ReferenceIndex:
    """The slow definition: a dictionary, and every bit counted."""

    def __init__(self) -> None:
        self.rows: dict[int, ReferenceRow] = {}

    def put(self, rows: Sequence[ReferenceRow]) -> None:
        self.rows.update((row[0], row) for row in rows)

    def drop(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self.rows.pop(number, None)

    def near(self, hashes: Sequence[int], radius: int) -> list[Candidate]:
        found = [
            (distance, number, turn)
            for number, row in self.rows.items()
            for turn, each in enumerate(hashes)
            if row[4] >= FLAT_QUALITY and (distance := (each ^ row[1]).bit_count()) <= radius
        ]
        return [Candidate(ImageNumber(n), turn, distance) for distance, n, turn in sorted(found)]

    def shaped(self, width: int, height: int) -> list[int]:
        return sorted(n for n, row in self.rows.items() if row[2:4] == (width, height))


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
    @given(OPERATIONS, st.lists(HASHES, min_size=1, max_size=8), RADII, SIDES, SIDES)
    def test_answers_are_those_of_the_reference(
        self,
        operations: list[tuple[str, list[ReferenceRow]] | tuple[str, list[int]]],
        hashes: list[int],
        radius: int,
        width: int,
        height: int,
    ) -> None:
        index, reference = self.make(), ReferenceIndex()
        for verb, values in operations:
            if verb == "put":
                index.put(rows_of(values))  # type: ignore[arg-type]  # the verb says which
                reference.put(values)  # type: ignore[arg-type]
            else:
                index.drop(values)  # type: ignore[arg-type]
                reference.drop(values)  # type: ignore[arg-type]
        assert len(index) == len(reference.rows)
        assert index.near(hashes, radius) == reference.near(hashes, radius)
        assert index.shaped(width, height).tolist() == reference.shaped(width, height)

    def test_an_empty_index_answers_nothing(self) -> None:
        index = self.make()
        assert len(index) == 0
        assert index.near([0], 64) == []
        assert index.shaped(1, 1).tolist() == []

    def test_a_radius_is_inclusive(self) -> None:
        index = self.make()
        index.put(rows_of([(0, 0b111, 1, 1, 100)]))
        assert index.near([0], 2) == []
        assert index.near([0], 3) == [Candidate(ImageNumber(0), 0, 3)]

    def test_each_hash_that_is_near_is_a_candidate_of_its_own(self) -> None:
        index = self.make()
        index.put(rows_of([(0, 0, 1, 1, 100), (1, 1, 1, 1, 100)]))
        found = [(each.distance, each.number, each.turn) for each in index.near([1, 0, 255], 1)]
        assert found == [(0, 0, 1), (0, 1, 0), (1, 0, 0), (1, 1, 1)]

    def test_flat_rows_are_never_near_but_have_a_shape(self) -> None:
        index = self.make()
        index.put(rows_of([(0, 0, 4, 5, FLAT_QUALITY - 1), (1, 0, 4, 5, FLAT_QUALITY)]))
        assert [each.number for each in index.near([0], 64)] == [1]
        assert index.shaped(4, 5).tolist() == [0, 1]
        assert len(index) == 2

    def test_a_shape_is_not_its_transpose(self) -> None:
        index = self.make()
        index.put(rows_of([(0, 0, 65_500, 1, 50)]))
        assert index.shaped(65_500, 1).tolist() == [0]
        assert index.shaped(1, 65_500).tolist() == []

    def test_a_row_comes_back_after_its_removal(self) -> None:
        index = self.make()
        index.put(rows_of([(0, 0, 1, 1, 50), (1, 0, 1, 1, 50)]))
        index.drop([0, 0, 7])
        assert [each.number for each in index.near([0], 0)] == [1]
        assert len(index) == 1
        index.put(rows_of([(0, 5, 1, 1, 50)]))
        assert [each.number for each in index.near([5], 0)] == [0]
        assert len(index) == 2

    @pytest.mark.parametrize(
        ("hashes", "radius"),
        [([], 1), ([0] * 9, 1), ([-1], 1), ([2**64], 1), ([0], -1), ([0], 65)],
    )
    def test_a_query_out_of_range_is_refused(self, hashes: list[int], radius: int) -> None:
        with pytest.raises(ValueError, match=r"hash|radius"):
            self.make().near(hashes, radius)

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
                index.put(Rows(numbers, hashes[numbers], shapes, quality))
            finished.set()

        def read() -> int:
            answers, seen = 0, -1
            is_last = False
            while not is_last:
                is_last = finished.is_set()
                found = [each.number for each in index.near([0], 0)]
                assert found == list(range(0, 97 * len(found), 97))
                count = len(index.shaped(2, 3))
                assert count % step == 0 or count == total
                assert count >= seen
                seen, answers = count, answers + 1
            assert seen == total
            return answers

        with ThreadPoolExecutor(3) as threads:
            readers = [threads.submit(read) for _ in range(2)]
            threads.submit(write).result()
            assert all(reader.result() for reader in readers)
