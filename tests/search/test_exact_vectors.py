"""The exact scan keeps the contract, also where chunks meet and when most rows are gone."""

from __future__ import annotations

import numpy as np
import pytest

from pspd.search.best_rows import BestRows
from pspd.search.exact_vectors import CHUNK_ROWS, ExactVectors
from pspd.search.vector_index import VectorRows
from tests.contracts.vector_index_contract import DIMENSIONS, VectorIndexContract, queries_of


class TestExactVectors(VectorIndexContract):
    def make(self, dimensions: int = DIMENSIONS) -> ExactVectors:
        return ExactVectors(dimensions)


def random_rows(numbers: np.ndarray[tuple[int], np.dtype[np.int64]], seed: int) -> VectorRows:
    random = np.random.default_rng(seed)
    vectors = random.integers(-127, 128, (len(numbers), DIMENSIONS)).astype(np.int8)
    vectors[:, 0] = 127
    return VectorRows(numbers, vectors)


def test_rows_over_several_chunks_are_found_by_their_numbers() -> None:
    numbers = np.random.default_rng(1).permutation(3 * CHUNK_ROWS)[: 2 * CHUNK_ROWS + 999]
    rows = random_rows(numbers, seed=2)
    index = ExactVectors(DIMENSIONS)
    for first in range(0, len(rows), 50_000):
        index.put(rows[first : first + 50_000])
    assert len(index) == len(rows)
    assert index.numbers().tolist() == sorted(numbers.tolist())
    assert not len(index.differing(rows))
    for place in range(0, len(rows), 40_000):
        cosines = [
            each for _, _, each in index.nearest(rows.vectors[[place]].astype(np.float32), 3)
        ]
        assert cosines[0] == pytest.approx(1.0, abs=1e-6)


def test_memory_of_rows_that_are_gone_is_used_again() -> None:
    index = ExactVectors(DIMENSIONS)
    numbers = np.arange(5_000)
    for seed in range(3 * CHUNK_ROWS // len(numbers)):
        rows = random_rows(numbers, seed)
        index.put(rows)
    assert len(index) == len(numbers)
    assert index.generation.count < 2 * CHUNK_ROWS
    assert not len(index.differing(rows))
    index.drop(numbers[1:])
    assert [number for number, _, _ in index.nearest(queries_of([(1, 0, 0)]), 9)] == [0]


def test_numbers_far_apart_take_little_memory() -> None:
    index = ExactVectors(DIMENSIONS)
    index.put(random_rows(np.array([50_000_000, 3]), seed=0))
    assert index.numbers().tolist() == [3, 50_000_000]
    parts = list(index.generation.parts())
    assert [part.numbers.tolist() for part in parts] == [[3, 50_000_000]]


def test_columns_that_do_not_fit_together_are_refused() -> None:
    numbers, vectors = np.arange(2), np.ones((2, 3), dtype=np.int8)
    with pytest.raises(ValueError, match="one length"):
        VectorRows(numbers[:1], vectors)
    with pytest.raises(ValueError, match="one length"):
        VectorRows(numbers, vectors[0])
    with pytest.raises(ValueError, match="float32"):
        VectorRows(numbers, vectors.astype(np.float32))
    with pytest.raises(ValueError, match="begin at 0"):
        VectorRows(numbers - 1, vectors)


def test_the_best_rows_are_kept_whatever_comes_in_between() -> None:
    best = BestRows(2)
    for number in range(100):
        best.offer(np.array([number]), np.array([[0.5, number % 10 / 10]], dtype=np.float32))
    assert [(number, query) for number, query, _ in best.near()] == [(9, 1), (19, 1)]
    assert not len(BestRows(0).near())
