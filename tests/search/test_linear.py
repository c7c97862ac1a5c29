"""The linear index keeps the contract, also where chunks meet."""

from __future__ import annotations

import numpy as np
import pytest

from pspd.search.generation import CHUNK_ROWS
from pspd.search.index import Rows
from pspd.search.linear import LinearIndex
from tests.contracts.index_contract import (
    FLAT_QUALITY,
    IndexContract,
    near,
    query_of,
    rows_of,
)


class TestLinearIndex(IndexContract):
    def make(self) -> LinearIndex:
        return LinearIndex(FLAT_QUALITY)


def random_rows(numbers: np.ndarray[tuple[int], np.dtype[np.int64]], seed: int) -> Rows:
    random = np.random.default_rng(seed)
    return Rows(
        numbers=numbers,
        phash64=random.integers(0, 2**64, len(numbers), dtype=np.uint64),
        phash256=np.zeros((len(numbers), 4), dtype=np.uint64),
        shapes=random.integers(1, 4, len(numbers), dtype=np.uint64) << np.uint64(32),
        quality=random.integers(0, 101, len(numbers), dtype=np.uint8),
    )


def around_chunks(width: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return numbers on both sides of where chunks meet."""
    return np.concatenate(
        [np.arange(place - width, place + width) for place in (width, CHUNK_ROWS, 2 * CHUNK_ROWS)]
    )


def test_rows_over_several_chunks_are_found_in_all_of_them() -> None:
    numbers = around_chunks(70_000)
    rows = random_rows(numbers, seed=1)
    index = LinearIndex(FLAT_QUALITY)
    index.put(rows)
    assert len(index) == len(numbers)
    for place in range(0, len(numbers), 20_000):
        found = near(index, [int(rows.phash64[place])], 0)
        is_found = numbers[place] in [each for each, _, _ in found]
        assert is_found == (rows.quality[place] >= FLAT_QUALITY)
    distances = np.bitwise_count(rows.phash64 ^ np.uint64(99))
    expected = numbers[(distances <= 14) & (rows.quality >= FLAT_QUALITY)]
    assert [number for number, _, _ in near(index, [99], 14)] == expected.tolist()
    shaped = index.shaped(query_of([(0, 0)]), 2, 0, 60)
    expected = numbers[(rows.shapes == np.uint64(2 << 32)) & (rows.quality <= 60)]
    assert shaped.numbers.tolist() == expected.tolist()


def test_rows_in_any_order_and_with_gaps_are_put_where_they_belong() -> None:
    random = np.random.default_rng(2)
    numbers = random.permutation(around_chunks(10_000))[:5_000]
    rows = random_rows(numbers, seed=3)
    index = LinearIndex(0)
    index.put(rows)
    assert len(index) == 5_000
    assert not len(index.differing(rows))
    for place in range(0, 5_000, 500):
        found = near(index, [int(rows.phash64[place])], 0)
        assert [number for number, _, _ in found] == [numbers[place]]


def test_removal_across_chunks_leaves_the_others() -> None:
    numbers = around_chunks(50)
    index = LinearIndex(0)
    index.put(random_rows(numbers, seed=4))
    index.drop(numbers[10:-10])
    assert len(index) == 20
    assert len(near(index, [0], 64)) == 20


def test_the_last_of_equal_numbers_counts() -> None:
    index = LinearIndex(0)
    index.put(rows_of([(1, 5, 0, 1, 1, 50), (0, 6, 0, 1, 1, 50), (1, 7, 0, 1, 1, 50)]))
    assert near(index, [7], 0) == [(1, 0, 0)]
    assert near(index, [5], 0) == []


def test_columns_that_do_not_fit_together_are_refused() -> None:
    numbers = np.arange(2)
    good = rows_of([(0, 0, 0, 1, 1, 1), (1, 0, 0, 1, 1, 1)])
    wide = good.phash256
    with pytest.raises(ValueError, match="one length"):
        Rows(numbers, good.phash64[:1], wide, good.shapes, good.quality)
    with pytest.raises(ValueError, match="one length"):
        Rows(numbers, good.phash64, wide[:, :3], good.shapes, good.quality)
    with pytest.raises(ValueError, match="dtypes"):
        Rows(numbers, good.phash64, wide, good.shapes, good.quality.astype(np.int64))
    with pytest.raises(ValueError, match="numbers begin at 0"):
        Rows(numbers - 1, good.phash64, wide, good.shapes, good.quality)
    with pytest.raises(ValueError, match="qualities end at 100"):
        Rows(numbers, good.phash64, wide, good.shapes, good.quality + np.uint8(200))
