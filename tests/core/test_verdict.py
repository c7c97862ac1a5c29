from __future__ import annotations

import pytest

from pspd.core import verdict
from pspd.core.model import Verdict


def test_the_hamming_distance_counts_differing_bits() -> None:
    assert verdict.hamming(b"\x00\xff", b"\x00\xff") == 0
    assert verdict.hamming(b"\x00\xff", b"\x01\xfe") == 2
    assert verdict.hamming(bytes(32), b"\xff" * 32) == 256


def test_hashes_of_different_lengths_are_not_compared() -> None:
    with pytest.raises(ValueError, match="8 and 32 bytes"):
        verdict.hamming(bytes(8), bytes(32))


def test_the_threshold_for_a_copy_is_inclusive() -> None:
    assert verdict.similar_verdict(verdict.COPY_DISTANCE) is Verdict.COPY
    assert verdict.similar_verdict(verdict.COPY_DISTANCE + 1) is None


def test_a_wider_threshold_shows_more_but_proves_no_more() -> None:
    wide = verdict.COPY_DISTANCE + 20
    assert verdict.similar_verdict(verdict.COPY_DISTANCE, wide) is Verdict.COPY
    assert verdict.similar_verdict(verdict.COPY_DISTANCE + 1, wide) is Verdict.ALIKE
    assert verdict.similar_verdict(wide + 1, wide) is None


def test_a_narrower_threshold_hides_copies() -> None:
    assert verdict.similar_verdict(5, 4) is None
    assert verdict.similar_verdict(0, 0) is Verdict.COPY


def test_the_shortlist_is_wider_than_equal_pixels_need() -> None:
    assert 0 < verdict.PIXELS_DISTANCE <= verdict.COPY_DISTANCE < 128
    assert 0 < verdict.SHORTLIST_RADIUS < 32
    assert 0 < verdict.FLAT_QUALITY < 100
