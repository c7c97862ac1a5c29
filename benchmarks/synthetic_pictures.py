"""What is known of pictures that do not exist: hashes that cluster as real ones do, and the rest.

* `COPY_SHARE` of the pictures are edited copies of others, in groups of three on average.
* Around each query image lie `NEAR_SHARE` of all pictures, within the shortlist's radius but
  strangers, and a few copies of it.
* All else is drawn as real pictures are spread (`benchmarks.hash_model`).
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import hash_model
from pspd.core import verdict
from pspd.core.model import Features, ImageId, Limits
from pspd.features.extract import FEATURES_VERSION, extract_query

NEAR_SHARE = 0.0013
"""Of 56 real photographs, the share of the others that lay from 13 to 16 bits of one of another's
eight turns; those nearer were copies. With drawings and copies it is 0.0085 (docs/quality.md)."""

COPY_SHARE = 0.05
GROUP_SIZE = 3
COPY_STRENGTHS = (0.03, 0.15)
"""How far a copy's frequencies are from its original's: 3 to 15 of 256 bits on average."""

QUERY_COPIES = 4
FLAT_SHARE = 0.04
SHAPES = (
    (4032, 3024),
    (3024, 4032),
    (6000, 4000),
    (1920, 1080),
    (4000, 3000),
    (1080, 1920),
    (5472, 3648),
    (1600, 1200),
    (1179, 2556),
    (1024, 1024),
)
"""Sizes in pixels, those of many pictures first."""

DRAWN_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Query:
    """A query image that pictures are put around."""

    data: bytes
    phash64: int
    scores: hash_model.Scores

    @classmethod
    def of(cls, data: bytes) -> Query:
        """Take what is needed out of a file.

        Raises:
            ValueError: It is flat, so that nothing would be searched for.
        """
        features, _ = extract_query(data, Limits())
        if features.quality < verdict.FLAT_QUALITY:
            raise ValueError("a query image must not be flat")
        with Image.open(io.BytesIO(data)) as image:
            scores = hash_model.scores_of(image)
        return cls(data, int.from_bytes(features.phash64, "big"), scores)


@dataclass(frozen=True, slots=True)
class Hashes:
    """The hashes of some pictures, numbered from `first`."""

    first: int
    phash64: NDArray[np.uint64]
    phash256: NDArray[np.uint8]
    """Pictures × 32 bytes."""
    quality: NDArray[np.int64]
    originals: NDArray[np.int64]
    """Place of what each is a copy of: another picture of these, or itself."""


def draw_hashes(count: int, queries: Sequence[Query]) -> Iterator[Hashes]:
    """Draw the hashes of `count` pictures, the same each time, some at once."""
    for first in range(0, count, DRAWN_AT_ONCE):
        random = np.random.default_rng((count, first))
        yield _draw(random, first, min(DRAWN_AT_ONCE, count - first), queries)


def copies_of(hashes: Hashes) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Yield the number of each picture with copies before it; and their numbers and distances.

    The distance is that of the 256-bit hashes; a picture without structure has no copies.
    """
    groups: dict[int, list[int]] = {}
    for place in np.flatnonzero(hashes.quality >= verdict.FLAT_QUALITY).tolist():
        groups.setdefault(int(hashes.originals[place]), []).append(place)
    for group in groups.values():
        for rank, place in enumerate(group[1:], 1):
            differing = hashes.phash256[group[:rank]] ^ hashes.phash256[place]
            distances = np.bitwise_count(differing).sum(axis=1).tolist()
            near = [
                (hashes.first + other, distance)
                for other, distance in zip(group[:rank], distances, strict=True)
                if distance <= verdict.COPY_DISTANCE
            ]
            if near:
                yield hashes.first + place, near


def features_of(hashes: Hashes) -> Iterator[Features]:
    """Make the features of pictures with such hashes."""
    random = np.random.default_rng((1, hashes.first))
    count = len(hashes.phash64)
    means = random.uniform(20.0, 235.0, (count, 3)).tolist()
    shapes = np.minimum(random.geometric(0.2, count) - 1, len(SHAPES) - 1)
    sizes = random.integers(100_000, 8_000_000, count).tolist()
    values = hashes.phash64.astype(">u8").tobytes()
    wide = hashes.phash256.tobytes()
    for place in range(count):
        number = hashes.first + place
        width, height = SHAPES[shapes[place]]
        yield Features(
            version=FEATURES_VERSION,
            image_id=ImageId(hashlib.blake2b(b"%d" % number, digest_size=32).digest()),
            format="JPEG",
            width=width,
            height=height,
            channels=3,
            size=sizes[place],
            frames=1,
            orientation=1,
            mean=tuple(means[place]),
            quality=int(hashes.quality[place]),
            phash64=values[8 * place : 8 * place + 8],
            phash256=wide[32 * place : 32 * place + 32],
        )


def _draw(random: np.random.Generator, first: int, count: int, queries: Sequence[Query]) -> Hashes:
    scores = hash_model.draw(random, count)
    places = random.permutation(count)
    copies, places = np.split(places, [round(count * COPY_SHARE)])
    originals = np.arange(count)
    originals[copies] = random.choice(
        places[: max(1, len(copies) // (GROUP_SIZE - 1))], len(copies)
    )
    scores[copies] = _edited(random, scores[originals[copies]])
    groups = np.array_split(places, max(1, len(queries)))
    is_first = first == 0
    for query, group in zip(queries, groups, strict=False):
        if is_first:
            around = group[:QUERY_COPIES]
            scores[around] = _edited(random, query.scores.repeat(len(around), 0))
            originals[around] = around[0]
    phash64, phash256 = hash_model.hashes_of(scores)
    radius = verdict.SHORTLIST_RADIUS
    for query, group in zip(queries, groups, strict=False):
        near = group[QUERY_COPIES:][: round(count * NEAR_SHARE)]
        phash64[near] = hash_model.near_values(random, query.phash64, len(near), radius - 3, radius)
        phash256[near] = hash_model.with_low_bits(phash256[near], phash64[near])
    quality = random.integers(verdict.FLAT_QUALITY, 101, count)
    quality[random.random(count) < FLAT_SHARE] = 10
    return Hashes(first, phash64, phash256, quality, originals)


def _edited(random: np.random.Generator, scores: hash_model.Scores) -> hash_model.Scores:
    strengths = random.uniform(*COPY_STRENGTHS, (len(scores), 1)).astype(np.float32)
    noise = random.standard_normal(scores.shape, dtype=np.float32)
    return scores + strengths * noise
