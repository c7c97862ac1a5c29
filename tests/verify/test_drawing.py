from __future__ import annotations

import numpy as np

from pspd.verify.drawing import draw_proof
from pspd.verify.local_features import describe
from pspd.verify.proving import matched_points, prove
from tests.verify.drawings import collage, pixels

OUTLINE = (255, 64, 64)


def test_a_proof_is_outlined_in_both_pictures() -> None:
    original = collage(600, 450, seed=3)
    indexed = describe(pixels(original))
    query = describe(pixels(original.crop((150, 100, 500, 400))))
    proof = prove(query, indexed)
    assert proof is not None

    drawn = draw_proof(query, indexed, proof, matched_points(query, indexed, proof))

    assert drawn.dtype == np.uint8
    assert drawn.shape == (549, 640 + 16 + 640, 3)
    red = (drawn == OUTLINE).all(axis=2)
    assert red[:, :640].any()
    # The crop's corners in the original, drawn 640 / 600 as large, 656 pixels to the right.
    for x, y in ((150, 100), (500, 100), (500, 400), (150, 400)):
        left, top = round(656 + x * 640 / 600), round(y * 640 / 600)
        assert red[top - 6 : top + 7, left - 6 : left + 7].any()


def test_pictures_without_a_proof_are_drawn_alone() -> None:
    blank = describe(np.full((10, 400, 3), 255, np.uint8))

    drawn = draw_proof(blank, blank)

    assert drawn.shape == (16, 1296, 3)
    assert not (drawn == OUTLINE).all(axis=2).any()
