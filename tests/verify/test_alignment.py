from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pspd.core.proof import Recolouring
from pspd.verify.alignment import COMPARED_SIDE, LEAST_COMPARED_SIDE, Comparison, compare
from pspd.verify.local_features import Pixels
from pspd.verify.polygons import area, rectangle
from pspd.verify.transforms import mirroring, moving, scaling
from tests.verify.drawings import collage, pixels

PICTURE = pixels(collage(400, 300, seed=3))
SAME_PLACE = np.eye(3)


def _compare(query: Pixels, indexed: Pixels) -> Comparison:
    height, width = indexed.shape[:2]
    comparison = compare(query, indexed, SAME_PLACE, rectangle(0, 0, width, height))
    assert comparison is not None
    return comparison


def _frame(text: str) -> Pixels:
    """Draw a frame that is always the same, and a text."""
    image = Image.new("RGB", (400, 300), "white")
    draw = ImageDraw.Draw(image)
    for row in range(5):
        for column in range(7):
            draw.rectangle((10 + 54 * column, 10 + 56 * row, 64 + 54 * column, 66 + 56 * row),
                           outline="black", width=2)  # fmt: skip
    for number, letter in enumerate(text):
        draw.text((24 + 54 * number, 24), letter, fill="black", font_size=30)
    return pixels(image)


def test_a_picture_agrees_with_itself() -> None:
    comparison = _compare(PICTURE, PICTURE)

    assert comparison.agreement == pytest.approx(1, abs=0.01)
    assert comparison.intact == 1
    assert comparison.foreign == pytest.approx(0, abs=0.01)
    assert comparison.colour is Recolouring.NONE
    assert area(comparison.part) == pytest.approx(400 * 300)


def test_a_change_of_brightness_and_contrast_does_not_matter() -> None:
    darker = (PICTURE // 2 + 20).astype(np.uint8)

    comparison = _compare(darker, PICTURE)

    assert comparison.agreement > 0.95
    assert comparison.foreign < 0.3
    assert comparison.colour is not Recolouring.NONE


def test_the_query_is_compared_where_the_transform_lays_it() -> None:
    small = pixels(Image.fromarray(PICTURE).resize((200, 150), Image.Resampling.BOX))
    flipped = np.ascontiguousarray(small[:, ::-1])
    transform = scaling(2, 2) @ mirroring(200)

    laid = compare(flipped, PICTURE, transform, rectangle(0, 0, 400, 300))
    moved = compare(flipped, PICTURE, moving(30, 0) @ transform, rectangle(30, 0, 400, 300))

    assert laid is not None
    assert moved is not None
    assert laid.agreement > 0.97
    assert moved.agreement < 0.5


def test_other_letters_in_the_same_frame_are_foreign() -> None:
    comparison = _compare(_frame("ABCDE"), _frame("KLRTX"))

    assert comparison.foreign > 0.8
    assert comparison.agreement > 0.5
    assert comparison.plainness > 0.8


def test_what_only_one_picture_has_is_not_foreign() -> None:
    for pair in ((_frame(""), _frame("KLRTX")), (_frame("KLRTX"), _frame(""))):
        comparison = _compare(*pair)
        assert comparison.foreign < 0.5
        assert comparison.agreement > 0.9
        assert comparison.intact < 1


def test_what_lies_over_a_picture_leaves_the_other_blocks_intact() -> None:
    covered = PICTURE.copy()
    covered[100:250, 150:300] = pixels(collage(150, 150, seed=9, shapes=20))

    comparison = _compare(covered, PICTURE)

    assert comparison.foreign > 0.8
    # 150 × 150 of 400 × 300 are 19 %; blocks that are cut count whole, and flat ones not at all.
    assert 0.4 < comparison.intact < 0.85


def test_only_the_rectangle_that_agrees_is_the_part() -> None:
    generator = np.random.default_rng(1)
    noisy = np.clip(PICTURE + generator.normal(0, 25, PICTURE.shape), 0, 255).astype(np.uint8)
    half = noisy.copy()
    half[:, :200] = pixels(collage(200, 300, seed=8))

    part = _compare(half, noisy).part

    assert part.real.min() == pytest.approx(200, abs=12)
    assert part.real.max() == pytest.approx(400, abs=4)
    assert np.ptp(part.imag) == pytest.approx(300, abs=8)


def test_flat_and_small_parts_say_nothing() -> None:
    flat = np.full_like(PICTURE, 90)
    assert compare(flat, flat, SAME_PLACE, rectangle(0, 0, 400, 300)) is None
    narrow = rectangle(0, 0, LEAST_COMPARED_SIDE - 2, 300)
    assert compare(PICTURE, PICTURE, SAME_PLACE, narrow) is None
    # Of the coarser picture: 30 pixels of the query are one of the indexed picture.
    assert compare(PICTURE, PICTURE, scaling(1 / 30, 1 / 30), rectangle(0, 0, 13, 10)) is None


def test_large_parts_are_compared_at_a_bounded_size() -> None:
    large = pixels(collage(4 * COMPARED_SIDE, COMPARED_SIDE, seed=2))

    assert _compare(large, large).agreement > 0.99
