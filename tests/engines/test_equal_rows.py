"""Rows with equal vectors are told, however they come."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pspd.engines.equal_rows import Crowds, Members

BLOCKS = st.lists(st.lists(st.integers(0, 5), max_size=8), max_size=6)


@given(BLOCKS, st.integers(1, 20))
def test_each_row_follows_the_first_that_has_its_vector(
    blocks: list[list[int]], dimensions: int
) -> None:
    every = np.random.default_rng(1).integers(-127, 128, (6, dimensions)).astype(np.int8)
    every[:, 0] = np.arange(6)
    crowds, first, number = Crowds(), dict[int, int](), 100
    leads: list[tuple[int, int]] = []
    follows: list[tuple[int, int]] = []
    for block in blocks:
        numbers = np.arange(number, number + len(block))
        number += len(block)
        found = crowds.take(numbers, every[block].reshape(len(block), dimensions))
        for each, value, is_leader in zip(numbers.tolist(), block, found.tolist(), strict=True):
            assert is_leader == (value not in first)
            first.setdefault(value, each)
            (leads if is_leader else follows).append((each, first[value]))
    pairs = crowds.followers()
    assert sorted(map(tuple, pairs.tolist())) == sorted(follows)

    leaders = np.array([each for each, _ in leads], dtype=np.int64)
    members = Members.of(leaders, pairs)
    places, counts = members.places(leaders)
    told = np.split(members.numbers[places], np.cumsum(counts)[:-1]) if len(leaders) else []
    for leader, numbers in zip(leaders.tolist(), told, strict=True):
        rows = [leader, *(each for each, whom in follows if whom == leader)]
        assert numbers.tolist() == sorted(rows)


def test_vectors_that_differ_in_one_bit_are_told_apart() -> None:
    base = np.random.default_rng(2).integers(-127, 128, 40).astype(np.int8)
    rows = np.repeat(base[np.newaxis], 321, axis=0)
    bits = rows[1:].view(np.uint8)
    for number in range(320):
        bits[number, number // 8] ^= 1 << number % 8
    assert Crowds().take(np.arange(321), rows).all()
