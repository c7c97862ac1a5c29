from __future__ import annotations

import imagehash
import numpy as np
import pytest
from PIL import Image

from pspd.core.model import Turn
from pspd.core.verdict import hamming
from pspd.features import hashes
from tests.features.samples import scene


def _contrasts(gray: Image.Image) -> hashes.Contrasts:
    return hashes.contrasts(hashes.gray_pair(gray))


def _reference(image: Image.Image, size: int) -> bytes:
    return np.packbits(imagehash.phash(image, hash_size=size).hash).tobytes()


@pytest.mark.parametrize("seed", range(8))
def test_the_bits_are_imagehashs_to_the_last(seed: int) -> None:
    gray = Image.fromarray(scene(300, 200, seed)).convert("L")
    pair = hashes.contrasts(hashes.gray_pair(gray))
    assert hashes.phash64(pair) == _reference(gray, 8)
    assert hashes.phash256(pair) == _reference(gray, 16)


@pytest.mark.parametrize("turn", list(Turn))
def test_turning_the_small_picture_is_turning_the_picture(turn: Turn) -> None:
    gray = Image.fromarray(scene(300, 200)).convert("L")
    method = None if turn is Turn.NONE else Image.Transpose[turn.name]
    turned = hashes.gray_pair(gray if method is None else gray.transpose(method))
    pair = hashes.turn_pair(hashes.gray_pair(gray), turn)
    there, here = hashes.contrasts(turned), hashes.contrasts(pair)
    assert hamming(hashes.phash64(here), hashes.phash64(there)) <= 2
    assert hamming(hashes.phash256(here), hashes.phash256(there)) <= 4


def test_the_part_of_a_picture_that_a_box_names_is_hashed() -> None:
    gray = Image.fromarray(scene(300, 200)).convert("L")
    padded = Image.new("L", (310, 203), 255)
    padded.paste(gray)
    boxed = hashes.contrasts(hashes.gray_pair(padded, (0.0, 0.0, 300.0, 200.0)))
    # Lanczos looks a little over the edge of the box.
    whole = hashes.contrasts(hashes.gray_pair(gray))
    assert hamming(hashes.phash256(boxed), hashes.phash256(whole)) <= 4


def test_a_blank_picture_has_the_same_bits_on_every_processor() -> None:
    for value in (0, 77, 255):
        seen = _contrasts(Image.new("L", (100, 80), value))
        assert hashes.phash64(seen) in {bytes(8), b"\x80" + bytes(7)}
        assert hashes.quality(seen) == 0
        assert hashes.is_doubtful(seen)


def test_quality_tells_structure_from_flatness() -> None:
    gradient = np.tile(np.linspace(100, 130, 400).astype(np.uint8), (300, 1))
    noise = np.random.default_rng(2).integers(126, 131, (300, 400)).astype(np.uint8)
    for flat in (gradient, noise):
        assert hashes.quality(_contrasts(Image.fromarray(flat))) < 10
    assert hashes.quality(_contrasts(Image.fromarray(scene()).convert("L"))) > 90


def test_bits_that_hang_on_rounding_are_told() -> None:
    rows, columns = np.mgrid[-150:150, -150:150] + 0.5
    ring = np.where(np.abs(np.hypot(rows, columns) - 90) < 30, 0, 255).astype(np.uint8)
    assert hashes.is_doubtful(_contrasts(Image.fromarray(ring)))
    assert not hashes.is_doubtful(_contrasts(Image.fromarray(scene()).convert("L")))
