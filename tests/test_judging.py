"""What hashes, likenesses and proofs together make of a candidate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pspd.core import verdict as verdicts
from pspd.core.model import ImageId, ImageNumber, ImageRecord, Turn, Verdict
from pspd.core.proof import Fit, Proof, Recolouring, turn_of
from pspd.deep_search import Deep
from pspd.found import Recognized, Wishes
from pspd.judging import Near, by_hash, judged
from pspd.proof_search import Candidate

IMAGE = ImageRecord(
    number=ImageNumber(7),
    version=3,
    image_id=ImageId(bytes(32)),
    format="JPEG",
    width=640,
    height=480,
    channels=3,
    size=1000,
    frames=1,
    orientation=1,
    mean=(1.0, 2.0, 3.0),
    quality=90,
)

PROOF = Proof(
    transform=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
    fit=Fit.SIMILARITY,
    angle=0.0,
    mirrored=False,
    inliers=200,
    matches=210,
    query_share=1.0,
    indexed_share=0.5,
    quadrilateral=((0.0, 0.0), (320.0, 0.0), (320.0, 480.0), (0.0, 480.0)),
    query_quadrilateral=((0.0, 0.0), (320.0, 0.0), (320.0, 480.0), (0.0, 480.0)),
    agreement=0.95,
    coverage=0.6,
    foreign=0.1,
    intact=0.9,
    plainness=0.1,
    colour=Recolouring.NONE,
)
UNPROVEN = replace(PROOF, query_share=0.1, indexed_share=0.1)

COPY_DISTANCE = verdicts.COPY_DISTANCE


def near(distance: int) -> Near:
    return Near(IMAGE, distance, Turn.NONE)


def judge(
    distance: int,
    wishes: Wishes | None = None,
    *,
    proof: Proof | None = None,
    is_unproven: bool = False,
    likeness: float | None = None,
) -> Recognized | None:
    """Judge one candidate that was looked at closely."""
    wishes = wishes or Wishes()
    before = by_hash([near(distance)], wishes, COPY_DISTANCE)
    deep = Deep(
        proofs={} if proof is None else {IMAGE.number: proof},
        candidates={IMAGE.number: Candidate(IMAGE, likeness)},
        unproven={IMAGE.number} if is_unproven else set(),
    )
    return judged(before, deep, {IMAGE.number: near(distance)}, wishes).get(IMAGE.number)


def test_hashes_alone_decide_by_their_distance() -> None:
    wishes = Wishes()
    assert by_hash([near(COPY_DISTANCE)], wishes, COPY_DISTANCE) == {
        IMAGE.number: Recognized(IMAGE, Verdict.COPY, COPY_DISTANCE, Turn.NONE)
    }
    assert by_hash([near(COPY_DISTANCE + 1)], wishes, COPY_DISTANCE) == {}
    wide = by_hash([near(70)], Wishes(distance=80), COPY_DISTANCE)
    assert wide[IMAGE.number].verdict is Verdict.ALIKE


@pytest.mark.parametrize("distance", [0, COPY_DISTANCE, 128])
def test_what_is_proven_is_a_copy_whatever_its_hashes_say(distance: int) -> None:
    found = judge(distance, proof=PROOF, likeness=0.1)
    assert found is not None
    assert (found.verdict, found.proof, found.likeness) == (Verdict.COPY, PROOF, 0.1)


def test_a_copy_by_hash_that_cannot_be_laid_on_the_query_is_none() -> None:
    doubtful = verdicts.SURE_DISTANCE + 1
    foreign = replace(PROOF, foreign=1.2, plainness=0.6)
    for proof, likeness in ((None, None), (None, 0.3), (foreign, 0.9), (UNPROVEN, 0.3)):
        assert judge(doubtful, proof=proof, likeness=likeness, is_unproven=True) is None
    alike = judge(doubtful, Wishes(wants_alike=True), proof=foreign, is_unproven=True)
    assert alike is not None
    assert alike.verdict is Verdict.ALIKE


@pytest.mark.parametrize(
    ("proof", "likeness"),
    [
        # Six watermarks on a drawing: too much of it is touched for a proof.
        (replace(PROOF, agreement=0.92, foreign=0.9, intact=0.1, plainness=0.9), 0.6),
        # A soft picture, which nothing can be laid on.
        (None, 0.8),
        # A small part in common is no evidence against it.
        (UNPROVEN, 0.8),
    ],
)
def test_a_copy_by_hash_stays_one_until_something_speaks_against_it(
    proof: Proof | None, likeness: float
) -> None:
    assert proof is None or verdicts.proof_verdict(proof) is Verdict.ALIKE
    found = judge(COPY_DISTANCE, proof=proof, likeness=likeness, is_unproven=True)
    assert found is not None
    assert (found.verdict, found.likeness) == (Verdict.COPY, likeness)
    assert found.proof == (None if proof is UNPROVEN else proof)


def test_hashes_are_believed_where_nobody_could_look_closer() -> None:
    found = judge(COPY_DISTANCE)
    assert found is not None
    assert found.verdict is Verdict.COPY


def test_hashes_that_are_nearly_equal_need_no_proof() -> None:
    found = judge(verdicts.SURE_DISTANCE, is_unproven=True)
    assert found is not None
    assert found.verdict is Verdict.COPY


@pytest.mark.parametrize(
    ("distance", "likeness", "is_shown"),
    [
        (verdicts.ALIKE_DISTANCE, None, True),
        (verdicts.ALIKE_DISTANCE + 1, None, False),
        (128, verdicts.ALIKE_LIKENESS, True),
        (128, verdicts.ALIKE_LIKENESS - 0.01, False),
    ],
)
def test_what_only_resembles_is_shown_when_asked_for(
    distance: int, likeness: float | None, *, is_shown: bool
) -> None:
    assert judge(distance, likeness=likeness) is None
    found = judge(distance, Wishes(wants_alike=True), likeness=likeness)
    assert (found is not None) == is_shown
    assert found is None or found.verdict is Verdict.ALIKE


def test_an_image_that_is_gone_by_now_is_not_shown() -> None:
    deep = Deep(proofs={IMAGE.number: PROOF}, candidates={IMAGE.number: Candidate(IMAGE, 0.9)})
    assert judged({}, deep, {}, Wishes(wants_alike=True)) == {}


@pytest.mark.parametrize(
    ("angle", "is_mirrored", "turn"),
    [
        (0.0, 0, Turn.NONE),
        (44.0, 0, Turn.NONE),
        (89.0, 0, Turn.ROTATE_90),
        (180.0, 0, Turn.ROTATE_180),
        (-179.0, 0, Turn.ROTATE_180),
        (-90.0, 0, Turn.ROTATE_270),
        (1.0, 1, Turn.FLIP_LEFT_RIGHT),
        (90.0, 1, Turn.TRANSPOSE),
        (180.0, 1, Turn.FLIP_TOP_BOTTOM),
        (-90.0, 1, Turn.TRANSVERSE),
    ],
)
def test_what_is_proven_is_turned_as_the_proof_says(
    angle: float, is_mirrored: int, turn: Turn
) -> None:
    found = judge(118, proof=replace(PROOF, angle=angle, mirrored=bool(is_mirrored)))
    assert found is not None
    assert found.turn is turn


def test_the_turns_are_pillows() -> None:
    """Mirrored left to right, then turned: as `Proof.angle` is defined."""
    picture = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4))
    for turn in Turn:
        turned = picture if turn is Turn.NONE else picture.transpose(Image.Transpose[turn.name])
        ways = [
            (quarters, mirrored)
            for quarters in range(4)
            for mirrored in (False, True)
            if np.array_equal(
                np.rot90(np.asarray(picture)[:, :: -1 if mirrored else 1], quarters),
                np.asarray(turned),
            )
        ]
        [(quarters, mirrored)] = ways
        assert turn_of(replace(PROOF, angle=90.0 * quarters, mirrored=mirrored)) is turn
