"""The sample pictures: the same each time, all distinct, and copies that are what they say."""

from __future__ import annotations

import hashlib
from itertools import combinations
from pathlib import Path

import imagehash
import pytest
from PIL import Image, ImageOps

from examples import make_samples


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    assert make_samples.make_samples(folder) == len(pictures(folder))
    return folder


def pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def pixels(path: Path) -> bytes:
    with Image.open(path) as image:
        return ImageOps.exif_transpose(image).convert("RGBA").tobytes()


def test_a_picture_is_the_same_each_time() -> None:
    for make in (make_samples.landscape, make_samples.pattern):
        assert make(3).tobytes() == make(3).tobytes()


def test_pictures_that_are_not_copies_look_different(samples: Path) -> None:
    hashes = []
    for path in pictures(samples):
        if path.parent.name != "copies" and path.name != "blank.png":
            with Image.open(path) as image:
                hashes.append(imagehash.phash(image, hash_size=16))
    # Two different photographs differ in half of the 256 bits; the closest samples in 102.
    assert min(one - other for one, other in combinations(hashes, 2)) > 80


def test_only_the_copy_that_says_so_is_the_same_file(samples: Path) -> None:
    digests = [hashlib.sha256(path.read_bytes()).digest() for path in pictures(samples)]
    assert len(digests) - len(set(digests)) == 1


@pytest.mark.parametrize(
    ("original", "copy"),
    [
        ("landscapes/landscape-00.jpg", "landscape-00-same-pixels.png"),
        ("landscapes/landscape-00.jpg", "landscape-00-same-pixels.webp"),
        ("landscapes/landscape-00.jpg", "landscape-00-other-comment.jpg"),
        ("patterns/pattern-00.png", "pattern-00-same-pixels.bmp"),
        ("patterns/pattern-00.png", "pattern-00-same-pixels.webp"),
        ("patterns/pattern-00.png", "pattern-00-turned-by-exif.png"),
    ],
)
def test_copies_with_the_same_pixels_have_them(samples: Path, original: str, copy: str) -> None:
    assert pixels(samples / original) == pixels(samples / "copies" / copy)
