"""Parts of a query are found where a picture is framed, turned or beside another one."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from benchmarks.methods import viewed
from pspc.selftest import geometry
from pspc.selftest.edits import Source, chosen, encode
from pspc.selftest.made_pictures import scene
from pspd.core import verdict
from pspd.core.model import Limits, Turn
from pspd.features import inner_pictures as inner
from pspd.features.extract import extract

SIZE = (480, 360)
FRAMES = (
    "border", "letterbox", "caption", "screenshot", "collage-half", "collage-quarter", "turn-3",
    "turn-25",
)  # fmt: skip


def polygon(where: inner.InnerPicture) -> geometry.Points:
    return np.array(where.corners, np.float64)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", FRAMES)
def test_a_picture_in_a_frame_is_an_inner_picture_whose_hash_finds_it(name: str, seed: int) -> None:
    (edit,) = chosen([name])
    source = Source(scene(Random(seed), SIZE), SIZE)
    edited = edit.apply(source, seed)
    view = viewed(edited.data)
    pixels = np.asarray(view)
    truth = geometry.moved(edited.seen, edited.transform) * view.width / edited.size[0]
    found = inner.inner_pictures(pixels)
    best = max(found, key=lambda where: geometry.overlap(polygon(where), truth))
    assert geometry.overlap(polygon(best), truth) > 0.95
    original = extract_of(source)
    distances = [
        verdict.hamming(hashes.phash256, original)
        for hashes in inner.hash_inner_picture(pixels, best).turned
    ]
    assert min(distances) <= verdict.COPY_DISTANCE


def extract_of(source: Source) -> bytes:
    return extract(encode(source.image, "PNG"), Limits()).phash256


@given(
    arrays.arrays(
        np.uint8,
        st.tuples(st.integers(1, 90), st.integers(1, 90), st.just(3)),
        elements=st.sampled_from([0, 10, 200, 255]),
    )
)
def test_any_pixels_have_few_inner_pictures_within_them(pixels: inner.Pixels) -> None:
    found = inner.inner_pictures(pixels)
    assert len(found) <= inner.MAX_INNER_PICTURES
    for where in found:
        frame = geometry.frame((pixels.shape[1], pixels.shape[0]))
        inside = geometry.area(geometry.clipped(polygon(where), frame))
        assert inside == pytest.approx(geometry.area(polygon(where)), rel=0.05)
        hashed = inner.hash_inner_picture(pixels, where)
        assert 0 <= hashed.quality <= 100
        assert [each.turn for each in hashed.turned] == list(Turn)


def test_a_picture_of_one_colour_has_no_inner_picture() -> None:
    assert inner.inner_pictures(np.full((300, 400, 3), 90, np.uint8)) == ()


@pytest.mark.parametrize("seed", range(3))
def test_a_picture_without_a_frame_has_no_inner_picture(seed: int) -> None:
    pixels = np.asarray(scene(Random(seed), SIZE))
    assert inner.inner_pictures(pixels) == ()


def test_within_two_frames_both_are_found() -> None:
    pixels = np.full((400, 500, 3), 255, np.uint8)
    pixels[50:350, 50:450] = (0, 80, 0)
    pixels[100:300, 100:400] = np.asarray(scene(Random(1), (300, 200)))
    boxes = [where.corners[0] + where.corners[2] for where in inner.inner_pictures(pixels)]
    assert (50, 50, 450, 350) in boxes
    assert (100, 100, 400, 300) in boxes


def test_the_hash_of_a_turned_one_is_that_of_the_picture_upright() -> None:
    pixels = np.asarray(scene(Random(2), SIZE))
    whole = inner.InnerPicture(((0, 0), (480, 0), (480, 360), (0, 360)))
    turned = inner.InnerPicture(((480, 0), (480, 360), (0, 360), (0, 0)))
    one, other = inner.hash_inner_picture(pixels, whole), inner.hash_inner_picture(pixels, turned)
    by_turn = {each.turn: each.phash256 for each in one.turned}
    distance = verdict.hamming(by_turn[Turn.ROTATE_90], other.turned[0].phash256)
    assert distance <= 8


def test_stripes_leave_no_picture_between_two_margins() -> None:
    """Of each side most looks like a margin with writing on it, and both together are all."""
    pixels = np.full((200, 300, 3), 255, np.uint8)
    pixels[80:120:2, 60:200] = 0
    pixels[::25] = 255
    inner.inner_pictures(pixels)


@given(st.integers(0, 2**32 - 1), st.integers(1, 90), st.integers(1, 90), st.integers(1, 12))
def test_whatever_is_drawn_the_parts_lie_in_the_picture(
    seed: int, width: int, height: int, blocks: int
) -> None:
    generator = np.random.default_rng(seed)
    small = generator.choice([0, 90, 255], (blocks, blocks, 3)).astype(np.uint8)
    pixels = np.asarray(Image.fromarray(small).resize((4 * width, 4 * height), 0))
    for where in inner.inner_pictures(pixels):
        for x, y in where.corners:
            assert -1 <= x <= 4 * width + 1
            assert -1 <= y <= 4 * height + 1
        assert len(inner.hash_inner_picture(pixels, where).turned) == len(Turn)


@pytest.mark.parametrize("seed", range(3))
def test_what_was_cut_to_nine_tenths_is_found_by_a_wider_one(seed: int) -> None:
    (edit,) = chosen(["crop-90"])
    source = Source(scene(Random(seed), SIZE), SIZE)
    edited = edit.apply(source, seed)
    pixels = np.asarray(viewed(edited.data))
    found = inner.wider(pixels)
    assert len(found) == 5
    for where in found:
        assert where.size[0] > pixels.shape[1]
    original = extract_of(source)
    distances = [
        verdict.hamming(hashes.phash256, original)
        for where in found
        for hashes in inner.hash_inner_picture(pixels, where).turned
    ]
    assert min(distances) <= verdict.COPY_DISTANCE


def test_what_lies_beyond_the_edge_is_mirrored() -> None:
    pixels = np.arange(12 * 10 * 3, dtype=np.uint8).reshape(10, 12, 3)
    cut = np.asarray(inner._cut(pixels, inner._box(-2, -1, 13, 10)))
    assert cut.shape == (11, 15, 3)
    np.testing.assert_array_equal(cut[1:, 2:14], pixels)
    np.testing.assert_array_equal(cut[0], cut[1])
    np.testing.assert_array_equal(cut[:, 0], cut[:, 3])
    np.testing.assert_array_equal(cut[:, 14], cut[:, 13])
