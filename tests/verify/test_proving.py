from __future__ import annotations

import cmath
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from pspd.core.model import Verdict
from pspd.core.proof import Fit, Proof, Quadrilateral, Recolouring
from pspd.core.verdict import proof_verdict
from pspd.verify.local_features import CLOSER_LOOK, FIRST_LOOK, describe
from pspd.verify.polygons import overlap, rectangle
from pspd.verify.proving import matched_points, prove
from tests.verify.drawings import collage, photograph, pixels, placed

EXAMPLES = settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    # No shrinking: each try describes pictures, and no smaller number is a simpler picture.
    phases=(Phase.explicit, Phase.generate),
)
ORIGINAL = collage(560, 420, seed=3)
FEATURES = describe(pixels(ORIGINAL))


def _proof(query: Image.Image, indexed: Image.Image = ORIGINAL) -> Proof:
    proof = prove(describe(pixels(query)), describe(pixels(indexed)))
    assert proof is not None
    return proof


def _moved(proof: Proof, x: float, y: float) -> complex:
    a, b, c = np.array(proof.transform).reshape(3, 3) @ (x, y, 1)
    return complex(a / c, b / c)


def _is_at(corners: Quadrilateral, *box: float) -> bool:
    found = np.array([complex(*corner) for corner in corners])
    return overlap(found, rectangle(*box)) > 0.97


@EXAMPLES
@given(
    st.floats(0.4, 1.6),
    st.floats(-180, 180),
    st.integers(0, 2**16),
)
def test_a_known_transform_is_found_within_a_pixel(scale: float, degrees: float, seed: int) -> None:
    original = collage(480, 360, seed=seed)
    factor = scale * cmath.exp(-1j * math.radians(degrees))
    corners = np.array([0, 480, 480 + 360j, 360j]) * factor
    offset = complex(20 - corners.real.min(), 30 - corners.imag.min())
    size = (int(np.ptp(corners.real)) + 40, int(np.ptp(corners.imag)) + 60)
    edited = placed(original, factor, offset, size)

    proof = _proof(edited, original)

    assert not proof.mirrored
    assert proof.inliers >= 20
    for place in (0j, 480 + 0j, 480 + 360j, 360j, 240 + 180j):
        there = place * factor + offset
        assert abs(_moved(proof, there.real, there.imag) - place) < max(1.0, 1 / scale)
    assert abs((proof.angle + degrees + 180) % 360 - 180) < 0.5
    assert proof.indexed_share > 0.98
    assert proof_verdict(proof) is Verdict.COPY


@EXAMPLES
@given(st.integers(0, 2**16), st.floats(0.15, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_crop_is_placed(seed: int, area: float, across: float, down: float) -> None:
    original = collage(600, 450, seed=seed, shapes=140)
    width, height = (round(side * math.sqrt(area)) for side in original.size)
    left, top = round((600 - width) * across), round((450 - height) * down)
    box = (left, top, left + width, top + height)

    proof = _proof(original.crop(box), original)

    assert _is_at(proof.quadrilateral, *box)
    assert _is_at(proof.query_quadrilateral, 0, 0, width, height)
    assert proof.query_share == pytest.approx(1, abs=0.03)
    assert proof.indexed_share == pytest.approx(width * height / (600 * 450), abs=0.03)
    assert proof_verdict(proof) is Verdict.COPY


@EXAMPLES
@given(st.integers(0, 2**16), st.integers(0, 2**16))
def test_unrelated_pictures_have_no_proof(seed: int, other: int) -> None:
    query, indexed = collage(seed=seed), collage(400, 500, seed=other + 2**17)

    assert prove(describe(pixels(query)), describe(pixels(indexed))) is None


@EXAMPLES
@given(scale=st.floats(0.5, 1.0), degrees=st.floats(-180, 180), is_mirrored=st.booleans())
def test_exchanging_the_two_gives_the_inverse(
    scale: float, degrees: float, *, is_mirrored: bool
) -> None:
    factor = scale * cmath.exp(-1j * math.radians(degrees))
    middle = 280 + 210j
    edited = placed(ORIGINAL, factor, 360 + 360j - middle * factor, (720, 720))
    edited = ImageOps.mirror(edited) if is_mirrored else edited

    there, back = _proof(edited), _proof(ORIGINAL, edited)

    assert there.mirrored == back.mirrored == is_mirrored
    both = np.array(back.transform).reshape(3, 3) @ np.array(there.transform).reshape(3, 3)
    both /= both[2, 2]
    for x, y in ((360, 360), (300, 300), (420, 350)):
        a, b, _ = both @ (x, y, 1)
        assert abs(complex(a - x, b - y)) < max(1.0, scale)
    assert there.query_share == pytest.approx(back.indexed_share, abs=0.02)
    assert there.agreement == pytest.approx(back.agreement, abs=0.1)
    expected = back.angle if is_mirrored else -back.angle
    assert abs((there.angle - expected + 180) % 360 - 180) < 0.5


def test_the_same_pictures_give_the_same_proof_each_time() -> None:
    query = describe(pixels(ORIGINAL.rotate(17, expand=True, fillcolor="white")))

    assert prove(query, FEATURES) == prove(query, FEATURES)


def test_places_are_those_of_the_full_pictures() -> None:
    small = ORIGINAL.resize((280, 210), Image.Resampling.BOX)
    query = describe(pixels(small), full_size=(2800, 2100))
    indexed = describe(pixels(ORIGINAL), full_size=(1120, 840))

    proof = prove(query, indexed)

    assert proof is not None
    assert abs(_moved(proof, 2800, 2100) - (1120 + 840j)) < 3
    assert abs(_moved(proof, 0, 0)) < 3
    assert proof.fit is Fit.SIMILARITY
    assert _is_at(proof.quadrilateral, 0, 0, 1120, 840)
    assert _is_at(proof.query_quadrilateral, 0, 0, 2800, 2100)


def test_a_mirrored_query_is_proven_and_said_to_be() -> None:
    proof = _proof(ImageOps.mirror(ORIGINAL))

    assert proof.mirrored
    assert proof.angle == pytest.approx(0, abs=0.2)
    assert abs(_moved(proof, 560, 0)) < 1
    # From the query's upper left, which is the original's upper right.
    assert proof.quadrilateral[0] == pytest.approx((560, 0), abs=2)
    assert proof.query_quadrilateral[0] == pytest.approx((0, 0), abs=2)


def test_the_angle_is_counted_as_pillow_does() -> None:
    turned = ORIGINAL.rotate(-30, expand=True, fillcolor="white")

    assert _proof(turned).angle == pytest.approx(30, abs=0.3)
    upside_down = ORIGINAL.transpose(Image.Transpose.ROTATE_180)
    assert abs(_proof(upside_down).angle) == pytest.approx(180, abs=0.2)


def test_a_squeezed_query_is_an_affine_copy() -> None:
    proof = _proof(ORIGINAL.resize((560, 315)))

    assert proof.fit is Fit.AFFINE
    assert abs(_moved(proof, 560, 315) - (560 + 420j)) < 1.5


def test_a_photograph_of_a_picture_is_a_homography() -> None:
    back = (0.95, -0.03, 20, 0.06, 0.85, 30, 2e-4, 1e-4)
    slanted = ORIGINAL.transform(
        (560, 420), Image.Transform.PERSPECTIVE, back, Image.Resampling.BICUBIC
    )

    proof = _proof(slanted)

    assert proof.fit is Fit.HOMOGRAPHY
    for x, y in ((0, 0), (560, 0), (560, 420), (0, 420)):
        a, b, c = np.array((*back, 1.0)).reshape(3, 3) @ (x, y, 1)
        assert abs(_moved(proof, x, y) - complex(a / c, b / c)) < 2


def test_half_of_a_collage_is_found_where_it_is() -> None:
    both = Image.new("RGB", (1120, 420))
    both.paste(collage(560, 420, seed=8), (0, 0))
    both.paste(ORIGINAL, (560, 0))

    proof = _proof(both)

    assert _is_at(proof.query_quadrilateral, 560, 0, 1120, 420)
    assert _is_at(proof.quadrilateral, 0, 0, 560, 420)
    assert proof.query_share == pytest.approx(0.5, abs=0.02)
    assert proof_verdict(proof) is Verdict.COPY


def test_a_part_in_a_collage_ends_where_it_ends() -> None:
    # The transform says that the original would go on where the other picture is.
    original = photograph(560, 420)
    both = original.copy()
    both.paste(photograph(280, 420, seed=8), (0, 0))

    proof = _proof(both, original)

    assert proof.query_share == pytest.approx(0.5, abs=0.06)
    found = np.array([complex(*corner) for corner in proof.quadrilateral])
    assert overlap(found, rectangle(280, 0, 560, 420)) > 0.9


def _plain(seed: int) -> Image.Image:
    """Draw few shapes on white."""
    drawn = Image.new("RGB", (560, 420), "white")
    draw = ImageDraw.Draw(drawn)
    generator = np.random.default_rng(seed)
    for _ in range(30):
        x, y, side = (int(each) for each in generator.integers((0, 0, 16), (540, 400, 60)))
        colour = tuple(int(each) for each in generator.integers(0, 200, 3))
        draw.regular_polygon((x, y, side // 2), int(generator.integers(3, 8)), x, fill=colour)
    return drawn


def test_in_a_plain_collage_each_picture_is_compared_by_itself() -> None:
    # Of plain pictures a part that agrees is not believed to end anywhere; the collage says where.
    original = _plain(4)
    both = original.copy()
    both.paste(_plain(5).crop((0, 0, 280, 420)), (0, 0))
    query, indexed = describe(pixels(both)), describe(pixels(original))
    halves = (rectangle(0, 0, 280, 420), rectangle(280, 0, 560, 420))

    alone = prove(query, indexed)
    proof = prove(replace(query, parts=halves), indexed)

    assert alone is None or proof_verdict(alone) is Verdict.ALIKE
    assert proof is not None
    assert proof_verdict(proof) is Verdict.COPY
    assert _is_at(proof.quadrilateral, 280, 0, 560, 420)
    assert _is_at(proof.query_quadrilateral, 280, 0, 560, 420)
    assert proof.query_share == pytest.approx(0.5, abs=0.02)
    # What is none of its pictures is no copy of it, part by part.
    other = prove(replace(query, parts=halves), describe(pixels(_plain(6))))
    assert other is None or proof_verdict(other) is Verdict.ALIKE


def test_a_turn_of_hue_leaves_the_whole_picture_common() -> None:
    # Two thirds are so blue that the turn makes them darker, the rest is gray.
    tinted = np.asarray(photograph(560, 420).convert("L"))[..., None].repeat(3, axis=2)
    tinted = np.where(np.arange(560)[:, None] > 186, tinted * (0.1, 0.7, 1.0), tinted)
    original = Image.fromarray(tinted.astype(np.uint8))
    hue, saturation, value = original.convert("HSV").split()
    turned = Image.merge("HSV", (hue.point(lambda level: (level + 28) % 256), saturation, value))

    proof = _proof(turned.convert("RGB"), original)

    assert proof_verdict(proof) is Verdict.COPY
    assert _is_at(proof.quadrilateral, 0, 0, 560, 420)


def test_a_closer_look_holds_on_to_more() -> None:
    small = photograph(1600, 1200, seed=12).resize((400, 300), Image.Resampling.BOX)
    crop = pixels(small.crop((150, 100, 270, 190)))
    first = describe(crop)

    before = prove(first, describe(pixels(small), None, *FIRST_LOOK[1:]))
    proof = prove(first, describe(pixels(small), None, *CLOSER_LOOK[1:]))

    assert proof is not None
    assert before is None or proof.inliers > 1.5 * before.inliers
    assert proof_verdict(proof) is Verdict.COPY
    assert _is_at(proof.quadrilateral, 150, 100, 270, 190)


def test_a_copy_may_have_something_laid_over_it() -> None:
    original = photograph(560, 420)
    covered = original.copy()
    covered.paste(photograph(300, 230, seed=9), (130, 90))

    proof = _proof(covered, original)

    assert 0.4 < proof.intact < 0.9
    assert proof_verdict(proof) is Verdict.COPY


def test_one_icon_in_common_makes_no_copy() -> None:
    icon = collage(120, 120, seed=5, shapes=60)
    pictures = []
    for seed in (20, 21):
        picture = collage(640, 480, seed=seed, shapes=60)
        picture.paste(icon, (30, 30))
        pictures.append(picture)

    proof = prove(*(describe(pixels(picture)) for picture in pictures))

    assert proof is None or proof_verdict(proof) is Verdict.ALIKE


def test_another_sign_on_the_same_plate_makes_no_copy() -> None:
    plates = []
    for seed in (30, 31):
        plate = Image.new("RGB", (500, 400), "white")
        draw = ImageDraw.Draw(plate)
        draw.rounded_rectangle((20, 20, 480, 380), 40, outline="#224488", width=14)
        draw.text((150, 330), "Operating System", fill="black", font_size=26)
        plate.paste(collage(180, 180, seed=seed, shapes=12), (160, 110))
        plates.append(plate)

    proof = prove(*(describe(pixels(plate)) for plate in plates))

    assert proof is None or proof_verdict(proof) is Verdict.ALIKE


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda image: image, Recolouring.NONE),
        (lambda image: image.convert("L"), Recolouring.GRAY),
        (ImageOps.invert, Recolouring.INVERTED),
        (lambda image: image.point(lambda level: min(255, level + 40)), Recolouring.BRIGHTER),
        (lambda image: image.point(lambda level: level // 2), Recolouring.DARKER),
        (lambda image: Image.merge("RGB", image.split()[1:] + image.split()[:1]),
         Recolouring.OTHER_HUE),
        (lambda image: image.point(lambda level: 128 + (level - 128) // 3), Recolouring.PALER),
    ],
)  # fmt: skip
def test_a_change_of_colours_is_named(change: object, expected: Recolouring) -> None:
    assert callable(change)
    assert _proof(change(ORIGINAL)).colour is expected


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 700), (700, 1), (9, 9), (20, 20), (31, 31), (640, 12), (12, 640)]
)
def test_tiny_and_narrow_pictures_are_no_error(size: tuple[int, int]) -> None:
    small = describe(pixels(ORIGINAL.resize(size)))
    blank = describe(np.full((size[1], size[0], 3), 255, np.uint8))

    assert prove(blank, FEATURES) is None
    assert prove(FEATURES, blank) is None
    for proof in (prove(small, FEATURES), prove(FEATURES, small)):
        assert proof is None or min(size) >= 20


def test_matched_points_lie_where_the_proof_says() -> None:
    edited = describe(
        pixels(ImageOps.mirror(ORIGINAL).rotate(20, expand=True)), full_size=(1300, 1150)
    )
    proof = prove(edited, FEATURES)
    assert proof is not None

    points = matched_points(edited, FEATURES, proof)

    assert len(points) >= proof.inliers
    for x, y, x_there, y_there in points.tolist():
        assert abs(_moved(proof, x, y) - complex(x_there, y_there)) < 6
