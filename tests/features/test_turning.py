"""Turned bits are about the hashes of the turned picture, and keep all distances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pspd.core.groups import inverse
from pspd.core.model import Turn, TurnedHashes
from pspd.core.verdict import hamming
from pspd.features import hashes
from pspd.features.turning import turned_hashes
from tests.e2e.scenes import scene

NARROW = st.binary(min_size=8, max_size=8)
WIDE = st.binary(min_size=32, max_size=32)

MOST_OFF = 24
"""Of 256 bits: all of the scenes below are within it, strangers are 100 apart."""


def about_turns(pair: hashes.GrayPair) -> tuple[TurnedHashes, ...]:
    """Turn the bits of a pair's hashes."""
    seen = hashes.contrasts(pair)
    return turned_hashes(hashes.phash64(seen), hashes.phash256(seen))


@pytest.mark.parametrize("seed", range(6))
def test_turned_bits_are_close_to_the_hashes_of_the_turned_picture(seed: int) -> None:
    pair = hashes.gray_pair(scene(seed, 240, 240).convert("L"))
    for each in about_turns(pair):
        turned = hashes.contrasts(hashes.turn_pair(pair, each.turn))
        off = hamming(each.phash256, hashes.phash256(turned))
        assert off <= (0 if each.turn in {Turn.NONE, Turn.TRANSPOSE} else MOST_OFF)
        assert hamming(each.phash64, hashes.phash64(turned)) <= MOST_OFF // 2


@given(NARROW, WIDE)
def test_a_turn_and_its_inverse_change_nothing(narrow: bytes, wide: bytes) -> None:
    for turn, once in zip(Turn, turned_hashes(narrow, wide), strict=True):
        assert once.turn is turn
        back = dict(zip(Turn, turned_hashes(once.phash64, once.phash256), strict=True))
        again = back[inverse(turn)]
        assert (again.phash64, again.phash256) == (narrow, wide)


@given(NARROW, WIDE, NARROW, WIDE)
def test_it_does_not_matter_which_of_two_pictures_is_turned(
    narrow: bytes, wide: bytes, other_narrow: bytes, other_wide: bytes
) -> None:
    other = {each.turn: each for each in turned_hashes(other_narrow, other_wide)}
    for each in turned_hashes(narrow, wide):
        back = other[inverse(each.turn)]
        assert hamming(each.phash256, other_wide) == hamming(wide, back.phash256)
        assert hamming(each.phash64, other_narrow) == hamming(narrow, back.phash64)


def test_turns_mean_what_they_mean_of_a_picture() -> None:
    """A wave from left to right, mirrored, and turned by a quarter."""
    wave = np.tile(np.cos(np.pi * 3 * (2 * np.arange(64) + 1) / 128) * 100 + 128, (64, 1))
    noise = np.random.default_rng(1).normal(0, 20, (64, 64))
    gray = Image.fromarray(np.clip(wave + noise, 0, 255).astype(np.uint8))
    pair = hashes.gray_pair(gray)
    turned = {turn: hashes.contrasts(hashes.turn_pair(pair, turn)) for turn in Turn}
    exact = {turn: hashes.phash256(seen) for turn, seen in turned.items()}
    for each in about_turns(pair):
        nearest = min(exact, key=lambda turn: hamming(exact[turn], each.phash256))
        assert nearest is each.turn
