"""What every index of vectors must do, compared with an index made of a dictionary.

A class that inherits `VectorIndexContract` and says how to make an index is that index's test. What
may miss some rows inherits it as well, at sizes at which it does not.
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

from pspd.search.quantising import quantised, squared_lengths
from pspd.search.vector_index import MOST_QUERIES, VectorIndex, VectorRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

DIMENSIONS = 3

Vector = tuple[int, ...]
Answer = list[tuple[int, int, float]]
"""Number, query, cosine."""

# Few directions, so that many rows are equally near, and some that are all but equal.
VECTORS = st.one_of(
    st.sampled_from([(127, 0, 0), (-127, 0, 0), (0, 127, 0), (127, 127, 0), (127, 126, 0)]),
    st.tuples(*[st.integers(-127, 127)] * DIMENSIONS).filter(any),
)
NUMBERS = st.integers(0, 60)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.lists(st.tuples(NUMBERS, VECTORS), max_size=20)),
        st.tuples(st.just("drop"), st.lists(st.integers(0, 80), max_size=8)),
    ),
    max_size=8,
)


def rows_of(rows: Sequence[tuple[int, Vector]]) -> VectorRows:
    """Make columns of rows."""
    numbers = np.array([number for number, _ in rows], dtype=np.int64)
    vectors = np.array([vector for _, vector in rows], dtype=np.int8)
    return VectorRows(numbers, vectors.reshape(len(rows), DIMENSIONS))


def queries_of(vectors: Sequence[Vector]) -> NDArray[np.float32]:
    """Make queries of vectors."""
    return np.array(vectors, dtype=np.float32)


class ReferenceVectors:
    """The slow definition: a dictionary, and whole numbers added up."""

    def __init__(self) -> None:
        self.rows: dict[int, Vector] = {}

    def put(self, rows: Sequence[tuple[int, Vector]]) -> None:
        self.rows.update(rows)

    def drop(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self.rows.pop(number, None)

    def nearest(self, queries: Sequence[Vector], count: int) -> Answer:
        rounded = [tuple(each) for each in quantised(queries_of(queries)).tolist()]
        found = []
        for number, row in self.rows.items():
            compared = [cosine(row, query) for query in rounded]
            best = max(compared)
            found.append((number, compared.index(best), best))
        return sorted(found, key=lambda each: (-each[2], each[0]))[:count]


def cosine(row: Vector, query: Vector) -> float:
    """Return the cosine of two rounded vectors, as the contract wants it."""
    product = np.float32(sum(a * b for a, b in zip(row, query, strict=True)))
    shares = [np.float32(1 / np.sqrt(sum(a * a for a in each))) for each in (row, query)]
    return float(product * shares[0] * shares[1])


class VectorIndexContract(ABC):
    """The tests; a subclass named `Test…` runs them."""

    @abstractmethod
    def make(self, dimensions: int = DIMENSIONS) -> VectorIndex:
        """Return an empty index."""

    @settings(
        # One test is inherited by several classes on purpose.
        suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow],
        max_examples=60,
        deadline=None,
    )
    @given(OPERATIONS, st.lists(VECTORS, min_size=1, max_size=5), st.integers(0, 70))
    def test_answers_are_those_of_the_reference(
        self,
        operations: list[tuple[str, list[tuple[int, Vector]]] | tuple[str, list[int]]],
        queries: list[Vector],
        count: int,
    ) -> None:
        index, reference = self.make(), ReferenceVectors()
        for verb, values in operations:
            if verb == "put":
                index.put(rows_of(values))  # type: ignore[arg-type]  # the verb says which
                reference.put(values)  # type: ignore[arg-type]
            else:
                index.drop(values)  # type: ignore[arg-type]
                reference.drop(values)  # type: ignore[arg-type]
        assert len(index) == len(reference.rows)
        assert index.numbers().tolist() == sorted(reference.rows)
        found = list(index.nearest(queries_of(queries), count))
        assert found == reference.nearest(queries, count)
        assert not len(index.differing(rows_of(list(reference.rows.items()))))

    def test_an_empty_index_answers_nothing(self) -> None:
        index = self.make()
        assert (len(index), index.dimensions) == (0, DIMENSIONS)
        assert list(index.nearest(queries_of([(1, 0, 0)]), 5)) == []
        assert index.numbers().tolist() == []

    def test_only_the_direction_of_a_query_counts(self) -> None:
        index = self.make()
        index.put(rows_of([(0, (127, 0, 0)), (1, (0, 1, 0)), (2, (127, 100, 0))]))
        answers = [
            list(index.nearest(queries_of([(0, 1, 0)]) * np.float32(length), 3))
            for length in (1.0, 1e-30, 3e38)
        ]
        assert [number for number, _, _ in answers[0]] == [1, 2, 0]
        assert answers[0] == answers[1] == answers[2]

    def test_equal_rows_come_in_the_order_of_their_numbers_and_the_first_query_counts(self) -> None:
        index = self.make()
        index.put(rows_of([(number, (5, 5, 5)) for number in (9, 3, 7, 1)]))
        found = index.nearest(queries_of([(1, 0, 0), (1, 1, 1), (2, 2, 2)]), 3)
        assert [(number, query) for number, query, _ in found] == [(1, 1), (3, 1), (7, 1)]

    def test_the_last_of_equal_numbers_counts(self) -> None:
        index = self.make()
        index.put(rows_of([(1, (127, 0, 0)), (0, (0, 127, 0)), (1, (0, 0, 127))]))
        [(number, query, cosine)] = index.nearest(queries_of([(0, 0, 9)]), 1)
        assert (number, query) == (1, 0)
        assert cosine == pytest.approx(1.0)
        assert len(index) == 2

    def test_a_row_comes_back_after_its_removal(self) -> None:
        index = self.make()
        index.put(rows_of([(0, (127, 0, 0)), (1, (0, 127, 0))]))
        index.drop([0, 0, 7])
        assert [number for number, _, _ in index.nearest(queries_of([(1, 0, 0)]), 2)] == [1]
        index.put(rows_of([(0, (0, 127, 0))]))
        assert [number for number, _, _ in index.nearest(queries_of([(0, 1, 0)]), 2)] == [0, 1]

    @settings(suppress_health_check=[HealthCheck.differing_executors], max_examples=30)
    @given(st.lists(st.tuples(NUMBERS, VECTORS), min_size=1, max_size=20), st.data())
    def test_a_row_that_is_otherwise_or_not_there_differs(
        self, values: list[tuple[int, Vector]], data: st.DataObject
    ) -> None:
        index = self.make()
        index.put(rows_of(values))
        there = dict(values)
        number = data.draw(st.sampled_from(sorted(there)))
        other = data.draw(VECTORS.filter(lambda vector: vector != there[number]))
        missing = data.draw(st.integers(61, 99))
        asked = {**there, number: other, missing: other}
        assert index.differing(rows_of(list(asked.items()))).tolist() == [number, missing]

    def test_whoever_lets_others_pass_finds_the_same(self) -> None:
        index = self.make()
        index.put(rows_of([(number, (number + 1, 60, 3)) for number in range(20)]))
        passed: list[int] = []
        found = index.nearest(queries_of([(3, 9, 1)]), 5, lambda: passed.append(1))
        assert list(found) == list(index.nearest(queries_of([(3, 9, 1)]), 5))
        assert passed

    @pytest.mark.parametrize(
        "queries",
        [
            np.zeros((1, 3), dtype=np.float32),
            np.full((1, 3), np.nan, dtype=np.float32),
            np.full((1, 3), np.inf, dtype=np.float32),
            np.ones((1, 3)),
            np.ones((1, 4), dtype=np.float32),
            np.ones(3, dtype=np.float32),
            np.ones((0, 3), dtype=np.float32),
            np.ones((MOST_QUERIES + 1, 3), dtype=np.float32),
        ],
    )
    def test_queries_that_make_no_sense_are_refused(self, queries: NDArray[np.float32]) -> None:
        index = self.make()
        index.put(rows_of([(0, (1, 2, 3))]))
        with pytest.raises(ValueError, match=r"vector|queries"):
            index.nearest(queries, 1)

    def test_rows_of_other_dimensions_are_refused(self) -> None:
        with pytest.raises(ValueError, match="dimensions"):
            self.make().put(VectorRows(np.arange(1), np.ones((1, 4), dtype=np.int8)))

    def test_a_negative_count_is_refused(self) -> None:
        with pytest.raises(ValueError, match="-1 rows"):
            self.make().nearest(queries_of([(1, 0, 0)]), -1)

    @pytest.mark.parametrize("dimensions", [1, 384, 2048])
    def test_cosines_are_exact_whatever_the_dimensions(self, dimensions: int) -> None:
        random = np.random.default_rng(dimensions)
        vectors = random.integers(-127, 128, (300, dimensions)).astype(np.int8)
        vectors[:, 0] = 127
        index = self.make(dimensions)
        index.put(VectorRows(np.arange(300), vectors))
        queries = random.standard_normal((3, dimensions)).astype(np.float32)
        found = index.nearest(queries, 10)
        codes = quantised(queries).astype(np.int64)
        products = vectors.astype(np.int64) @ codes.T
        lengths = np.sqrt(squared_lengths(vectors)[:, None] * squared_lengths(quantised(queries)))
        exact = products / lengths
        for number, query, cosine in found:
            assert cosine == pytest.approx(exact[number, query], abs=1e-6)
            assert cosine == pytest.approx(exact[number].max(), abs=1e-6)
        assert min(cosine for _, _, cosine in found) >= np.sort(exact.max(axis=1))[-10] - 1e-6

    def test_readers_see_a_prefix_of_what_a_writer_appends(self) -> None:
        """Every answer is exact for the rows of one moment between two appends."""
        index = self.make()
        total, step = 6_000, 501
        # No two are alike: what may miss rows misses some of very many equal ones.
        vectors = np.random.default_rng(3).integers(-30, 31, (total, DIMENSIONS)).astype(np.int8)
        vectors[:, 0] = -60
        vectors[::97, 0] = 127
        finished = threading.Event()

        def write() -> None:
            for first in range(0, total, step):
                numbers = np.arange(first, min(first + step, total))
                index.put(VectorRows(numbers, vectors[numbers]))
            finished.set()

        def read() -> int:
            answers, seen, is_last = 0, -1, False
            while not is_last:
                is_last = finished.is_set()
                found = index.nearest(queries_of([(1, 0, 0)]), 1000)
                marked = sorted(number for number, _, cosine in found if cosine > 0.9)
                assert marked == list(range(0, 97 * len(marked), 97))
                assert len(marked) >= seen
                seen, answers = len(marked), answers + 1
            assert seen == -(-total // 97)
            return answers

        with ThreadPoolExecutor(3) as threads:
            readers = [threads.submit(read) for _ in range(2)]
            threads.submit(write).result()
            assert all(reader.result() for reader in readers)

    def test_a_row_that_is_replaced_again_and_again_is_always_there(self) -> None:
        index = self.make()
        index.put(rows_of([(number, (1, number % 100, 127)) for number in range(200)]))
        finished = threading.Event()

        def write() -> None:
            for turn in range(300):
                index.put(rows_of([(7, (127, turn % 3, 0))]))
                index.drop([8])
                index.put(rows_of([(8, (0, 127, 0))]))
            finished.set()

        def read() -> int:
            answers = 0
            while not finished.is_set():
                found = [number for number, _, _ in index.nearest(queries_of([(1, 0, 0)]), 200)]
                assert len(found) == len(set(found))
                assert found[0] == 7 or not answers
                answers += 1
            return answers

        index.put(rows_of([(7, (127, 0, 0))]))
        with ThreadPoolExecutor(3) as threads:
            readers = [threads.submit(read) for _ in range(2)]
            threads.submit(write).result()
            assert all(reader.result() >= 0 for reader in readers)
