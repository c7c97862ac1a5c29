"""How the hashes of real pictures are spread, so that drawn ones are no easier to search.

    python -m benchmarks.hash_model DIR…        fit it to pictures and write hash_model.npy

Bits of real perceptual hashes are neither even nor independent: skies are above grounds, a strong
frequency is strong in its neighbours, and an index that sorts hashes into buckets meets full and
empty ones. Evenly drawn hashes would be kinder.

The model is of the 256 lowest frequencies of a picture, each as its place in their order, brought
to a normal scale: a mean, sixteen factors, and what is left of each frequency. A drawn picture is a
draw from that; its hashes are the bits above the median, of all 256 frequencies and of the lowest
64, as `pspd.features.hashes` takes them from pixels. So the two agree, and a picture whose
frequencies are moved a little is near in both.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from functools import cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy import fft

SIDE = 16
FREQUENCIES = SIDE * SIDE
LOW_SIDE = 8
FACTORS = 16
_SIZE = (64, 64)
_FILE = Path(__file__).with_name("hash_model.npy")
_LOW = (np.arange(LOW_SIDE)[:, None] * SIDE + np.arange(LOW_SIDE)).ravel()
"""Places of the 64 lowest frequencies among the 256."""

Scores: TypeAlias = NDArray[np.float32]
"""Pictures × 256 frequencies."""
Hashes64: TypeAlias = NDArray[np.uint64]
Hashes256: TypeAlias = NDArray[np.uint8]
"""Pictures × 32 bytes."""


@cache
def model() -> tuple[Scores, Scores, Scores]:
    """Return mean, what is left (both 256) and factors (16 × 256)."""
    rows = np.load(_FILE).astype(np.float32)
    return rows[0], rows[1], rows[2:]


def draw(random: np.random.Generator, count: int) -> Scores:
    """Draw pictures."""
    mean, rest, factors = model()
    common = random.standard_normal((count, len(factors)), dtype=np.float32) @ factors
    own = random.standard_normal((count, FREQUENCIES), dtype=np.float32)
    scores: Scores = mean + common + rest * own
    return scores


def moved(random: np.random.Generator, scores: Scores, strength: float) -> Scores:
    """Return edited copies of pictures: each frequency a little stronger or weaker."""
    noise = random.standard_normal(scores.shape, dtype=np.float32)
    return scores + np.float32(strength) * noise


def hashes_of(scores: Scores) -> tuple[Hashes64, Hashes256]:
    """Return the 64-bit hashes as numbers, and the 256-bit ones as bytes."""
    low = scores[:, _LOW]
    return _values(_bits(low)), np.packbits(_bits(scores), axis=1)


def scores_of(image: Image.Image) -> Scores:
    """Return the scores of one real picture, as 1 × 256."""
    gray = ImageOps.exif_transpose(image).convert("L").resize(_SIZE, Image.Resampling.LANCZOS)
    low = fft.dctn(np.asarray(gray, np.float64))[:SIDE, :SIDE].ravel()
    places = np.argsort(np.argsort(low)) + 1
    normal = statistics.NormalDist()
    return np.array([[normal.inv_cdf(place / (FREQUENCIES + 1)) for place in places]], np.float32)


def near_values(
    random: np.random.Generator, value: int, count: int, least: int, most: int
) -> Hashes64:
    """Draw 64-bit hashes that are from `least` to `most` bits away from one."""
    ranks = np.argsort(random.random((count, 64), dtype=np.float32), axis=1)
    sizes = random.integers(least, most + 1, count)
    return np.uint64(value) ^ _values((ranks < sizes[:, np.newaxis]).astype(np.uint8))


def with_low_bits(hashes: Hashes256, values: Hashes64) -> Hashes256:
    """Return 256-bit hashes whose lowest frequencies have the bits of 64-bit ones."""
    bits = np.unpackbits(hashes, axis=1)
    low = np.unpackbits(values.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)
    bits[:, _LOW] = low
    return np.packbits(bits, axis=1)


def fit(every: Scores) -> Scores:
    """Return the model of some pictures: mean, rest and factors, row by row."""
    mean = every.mean(axis=0)
    covariance = np.cov(every, rowvar=False)
    strengths, directions = np.linalg.eigh(covariance)
    kept = np.argsort(strengths)[::-1][:FACTORS]
    factors = (directions[:, kept] * np.sqrt(strengths[kept])).T
    rest = np.sqrt(np.maximum(np.diag(covariance) - (factors**2).sum(axis=0), 0.0))
    return np.vstack([mean, rest, factors]).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR")
    found = []
    for path in sorted(p for each in parser.parse_args().folders for p in each.rglob("*")):
        try:
            with Image.open(path) as image:
                found.append(scores_of(image))
                found.append(scores_of(ImageOps.mirror(image.convert("L"))))
        except (UnidentifiedImageError, OSError):
            continue
    if len(found) < FREQUENCIES // 4:
        sys.exit("too few pictures to fit a model to")
    every = np.concatenate(found)
    np.save(_FILE, fit(every).astype(np.float16))
    model.cache_clear()
    drawn = draw(np.random.default_rng(0), 2_000)
    print(f"{len(found) // 2} pictures and their mirror images")
    for name, scores in (("real", every[::2]), ("drawn", drawn)):
        share, bias = _near_share(hashes_of(scores)[0])
        print(f"{name}: {share:.3%} of pairs within 16 of 64 bits; bits are {bias:.3f} uneven")


def _near_share(values: Hashes64) -> tuple[float, float]:
    """Return the share of pairs within 16 bits, and how far from even a bit is on average."""
    distances = np.bitwise_count(values[:, np.newaxis] ^ values[np.newaxis, :])
    pairs = distances[np.triu_indices(len(values), 1)]
    bits = np.unpackbits(values.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)
    return float((pairs <= 16).mean()), float(np.abs(bits.mean(axis=0) - 0.5).mean())


def _bits(scores: Scores) -> NDArray[np.uint8]:
    return (scores > np.median(scores, axis=1, keepdims=True)).astype(np.uint8)


def _values(bits: NDArray[np.uint8]) -> Hashes64:
    packed = np.ascontiguousarray(np.packbits(bits, axis=1))
    return packed.view(">u8").astype(np.uint64).ravel()


if __name__ == "__main__":
    main()
