from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pspd.core import verdict
from pspd.core.model import Verdict
from pspd.core.proof import Fit, Proof, Recolouring


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


SQUARE = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
WHOLE = Proof(
    transform=(1, 0, 0, 0, 1, 0, 0, 0, 1),
    fit=Fit.SIMILARITY,
    angle=0.0,
    mirrored=False,
    inliers=100,
    matches=120,
    query_share=1.0,
    indexed_share=0.1,
    quadrilateral=SQUARE,
    query_quadrilateral=SQUARE,
    agreement=0.99,
    intact=1.0,
    coverage=0.2,
    foreign=0.1,
    plainness=0.9,
    colour=Recolouring.NONE,
)
COVERED = replace(
    WHOLE, indexed_share=1.0, agreement=0.6, intact=0.5, foreign=1.2, plainness=0.2, coverage=0.4
)


def test_what_agrees_everywhere_is_a_copy_however_plain() -> None:
    assert verdict.proof_verdict(WHOLE) is Verdict.COPY
    assert verdict.proof_verdict(replace(WHOLE, colour=Recolouring.GRAY)) is Verdict.COPY
    # A watermark touches many blocks of a drawing, and takes nothing away.
    assert verdict.proof_verdict(replace(WHOLE, intact=0.3)) is Verdict.COPY


@pytest.mark.parametrize(
    "change",
    [
        {"inliers": verdict.PROOF_INLIERS - 1},
        {"query_share": 0.3},
        {"agreement": 0.7},
        {"foreign": 1.0},
        {"intact": 0.7, "agreement": 0.93},
    ],
)
def test_a_proof_that_lacks_one_thing_leaves_two_pictures_alike(change: dict[str, Any]) -> None:
    assert verdict.proof_verdict(replace(WHOLE, **change)) is Verdict.ALIKE


def test_a_photograph_may_have_something_laid_over_it() -> None:
    assert verdict.proof_verdict(COVERED) is Verdict.COPY
    watermarked = replace(COVERED, intact=0.05, agreement=0.75)
    assert verdict.proof_verdict(watermarked) is Verdict.COPY
    assert verdict.proof_verdict(replace(WHOLE, intact=0.5, plainness=0.2)) is Verdict.COPY


@pytest.mark.parametrize(
    "change",
    [
        {"plainness": 0.43},
        {"intact": 0.1},
        {"foreign": 3.0},
        {"foreign": 2.4, "query_share": 0.8},
        {"coverage": 0.02},
        {"inliers": verdict.COVERED_INLIERS - 1},
        {"query_share": 0.2, "indexed_share": 0.2},
    ],
)
def test_a_drawing_or_a_text_may_not(change: dict[str, Any]) -> None:
    assert verdict.proof_verdict(replace(COVERED, **change)) is Verdict.ALIKE


def test_a_part_of_a_query_is_a_copy_if_nothing_lies_over_it() -> None:
    part = replace(WHOLE, plainness=0.2)
    assert verdict.part_verdict(part) is Verdict.COPY
    assert verdict.part_verdict(COVERED) is Verdict.ALIKE
    assert verdict.part_verdict(replace(part, inliers=1)) is Verdict.ALIKE


def test_a_plain_part_is_a_copy_if_it_is_all_of_the_other_or_half_of_a_collage() -> None:
    part = replace(WHOLE, query_share=0.8, indexed_share=0.8)
    assert verdict.part_verdict(part) is Verdict.ALIKE
    assert verdict.part_verdict(replace(part, plainness=0.2)) is Verdict.COPY
    assert verdict.part_verdict(replace(part, indexed_share=1.0)) is Verdict.COPY
    half = replace(part, query_share=0.5, indexed_share=0.5)
    assert verdict.part_verdict(half) is Verdict.COPY
    assert verdict.part_verdict(replace(half, intact=0.7)) is Verdict.ALIKE
