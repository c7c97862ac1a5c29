from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pspd.core.expectation import BITS, Expectation
from pspd.core.verdict import COPY_DISTANCE

COUNTS = st.lists(st.integers(0, 10**6), min_size=BITS + 1, max_size=BITS + 1)


def bell(mean: float = 110.0, deviation: float = 8.0, pairs: int = 10**6) -> list[int]:
    """Return how many of so many pairs are at each distance."""
    return [
        round(pairs * math.exp(-(((bits - mean) / deviation) ** 2) / 2) / (deviation * 2.5066))
        for bits in range(BITS + 1)
    ]


def test_where_there_are_pairs_they_are_counted() -> None:
    expectation = Expectation.of(bell())
    assert expectation.foreign_hits(110, 1000) == pytest.approx(525, rel=0.02)
    assert expectation.foreign_hits(94, 1000) == pytest.approx(1000 * 0.0263, rel=0.1)


def test_where_there_are_none_a_bell_has_fewer_than_is_said() -> None:
    expectation = Expectation.of(bell())
    told = expectation.foreign_hits(COPY_DISTANCE, 10**6)
    really = 10**6 * 0.5 * math.erfc((110 - COPY_DISTANCE) / 8 / math.sqrt(2))
    assert really < told < 1.0


def test_copies_of_the_library_do_not_count() -> None:
    counts = bell()
    copies = [1000 if bits <= COPY_DISTANCE else count for bits, count in enumerate(counts)]
    assert Expectation.of(copies) == Expectation.of(counts)


def test_a_threshold_is_chosen_by_what_it_lets_through() -> None:
    expectation = Expectation.of(bell())
    distance = expectation.distance_for(0.1, 100_000)
    assert expectation.foreign_hits(distance, 100_000) <= 0.1
    assert expectation.foreign_hits(distance + 1, 100_000) > 0.1


@given(COUNTS, st.integers(0, 10**8))
def test_more_distance_never_lets_less_through(counts: list[int], pictures: int) -> None:
    expectation = Expectation.of(counts)
    hits = [expectation.foreign_hits(bits, pictures) for bits in range(BITS + 1)]
    assert all(0 <= each <= pictures * (1 + 1e-9) for each in hits)
    assert all(a <= b * (1 + 1e-9) for a, b in itertools.pairwise(hits))


@given(COUNTS, st.integers(1, 10**8), st.floats(0, 10**6))
def test_the_distance_for_some_hits_is_the_largest(
    counts: list[int], pictures: int, wanted: float
) -> None:
    expectation = Expectation.of(counts)
    distance = expectation.distance_for(wanted, pictures)
    assert distance == -1 or expectation.foreign_hits(distance, pictures) <= wanted
    assert distance == BITS or expectation.foreign_hits(distance + 1, pictures) > wanted


def test_a_library_without_pairs_expects_nothing() -> None:
    empty = Expectation((0,) * (BITS + 1))
    assert empty.foreign_hits(BITS, 10**6) == 0.0
    assert empty.distance_for(0.1, 10**6) == BITS


@pytest.mark.parametrize("counts", [(), (0,) * BITS, (-1,) + (0,) * BITS])
def test_counts_that_cannot_be_are_refused(counts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="257"):
        Expectation(counts)
