"""The classes of hostile files: a name, a way to make one, and what may become of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image

from pspd.core.model import FailureReason as Reason
from tests.features.samples import encode, scene

INDEXED = "indexed"
"""The disposition of what is no failure."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
SUFFIXES = (".jpg", ".png", ".webp", ".gif", ".bmp", ".tif", ".avif")

WRONG = frozenset({Reason.BROKEN, Reason.TRUNCATED})
REFUSED = WRONG | {Reason.TOO_BIG}
NO_FORMAT = frozenset({Reason.NOT_A_PICTURE, Reason.UNSUPPORTED})
NEEDS_EXTRA = frozenset({Reason.MISSING_EXTRA})
READ = frozenset({INDEXED})

Make = Callable[[random.Random], bytes]


@dataclass(frozen=True, slots=True)
class HostileClass:
    """One way to be hostile by content."""

    name: str
    suffix: str
    right: frozenset[str]
    """The dispositions that are right: `INDEXED`, or a `FailureReason`."""
    make: Make
    rarity: int
    """A rare one costs a worker tenths of a second: one file of so many is of this class."""


CLASSES: dict[str, HostileClass] = {}


def hostile(
    right: frozenset[str], *, suffix: str = ".jpg", rarity: int = 1
) -> Callable[[Make], Make]:
    """Register a function that makes the content of one file, by its name."""

    def register(make: Make) -> Make:
        name = make.__name__
        assert name not in CLASSES, name
        CLASSES[name] = HostileClass(name, suffix, right, make, rarity)
        return make

    return register


@lru_cache(maxsize=256)
def good(format: str, number: int = 0, width: int = 48, height: int = 32) -> bytes:
    """Return a good picture of a format; `number` chooses which."""
    options = {"quality": 60} if format in {"JPEG", "WEBP", "AVIF"} else {}
    return encode(scene(width, height, number), format, **options)


def any_good(chance: random.Random) -> bytes:
    """Return a good picture of any format."""
    return good(chance.choice(FORMATS), chance.randrange(4))


def flat(mode: str, width: int, height: int, format: str, **options: object) -> bytes:
    """Return a picture of one colour, which compresses to next to nothing."""
    return encode(Image.new(mode, (width, height), 1), format, **options)


def noise(chance: random.Random, count: int) -> bytes:
    """Return so many random bytes."""
    return chance.randbytes(count)


def deep_noise(
    chance: random.Random, width: int, height: int
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return floats of every kind, numbers or not."""
    raw = np.frombuffer(chance.randbytes(4 * width * height), np.float32)
    return raw.reshape(height, width)
