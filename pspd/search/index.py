"""What an index is: rows of small descriptors in, numbers of near pictures out.

    store's columns ─┐
                     ├─> put(Rows) ──> index ──> near(Query, radius, distance) ──> Near
    indexer's batch ─┘   drop(numbers)       └─> shaped(width, height) ──> numbers

An index is a rebuildable cache: it may lag behind the store, and whoever asks verifies what it
proposes. `pspd.search.linear` is the reference that every other index is compared with, by the
contract in `tests/contracts/index_contract.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from pspd.core.model import Features, ImageNumber, TurnedHashes
from pspd.core.pausing import Pause

MAX_HASHES = 8
"""Most hashes of one query: the eight turns of a picture."""

HASH_BITS = 64
"""Length of the hash that shortens the field, in bits; the largest radius that means anything."""

WORDS = 4
"""64-bit words of the hash that decides."""

LONGEST_SIDE = 65_535
"""Of a picture with a longer side an index may keep less than its shape."""

MAX_QUALITY = 100
"""Largest quality of a row, as `pspd.core.model.Features.quality`."""

SURE_RADIUS = 11
"""Distance of the 64-bit hashes up to which an index must find every row. From there to the radius
asked for it may miss some: of the copies after 20 edits, one in 6,000 lies there at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What an index knows of some images, as columns of equal length.

    Raises:
        ValueError: the columns are not of one length and of these dtypes, or a number is negative,
            or a quality is above 100.
    """

    numbers: NDArray[np.int64]
    """Dense from 0 over all rows ever put; in any order here, the last of equal ones counts."""
    phash64: NDArray[np.uint64]
    """`Features.phash64` read as one big-endian number."""
    phash256: NDArray[np.uint64]
    """`Features.phash256` in four words, rows × 4; in which order of bytes is all the same, as long
    as it is the same for all."""
    shapes: NDArray[np.uint64]
    """Width of the upright picture × 2³² + its height, in pixels."""
    quality: NDArray[np.uint8]
    """0 (flat) to 100."""

    def __post_init__(self) -> None:
        count = len(self.numbers)
        columns = (self.numbers, self.phash64, self.shapes, self.quality)
        is_even = all(column.shape == (count,) for column in columns)
        if not is_even or self.phash256.shape != (count, WORDS):
            raise ValueError("the columns of Rows must be of one length")
        names = [column.dtype.name for column in (*columns, self.phash256)]
        if names != ["int64", "uint64", "uint64", "uint8", "uint64"]:
            raise ValueError(f"the columns of Rows have the wrong dtypes: {names}")
        if count and (self.numbers.min() < 0 or self.quality.max() > MAX_QUALITY):
            raise ValueError("numbers begin at 0 and qualities end at 100")

    @classmethod
    def of(cls, features: Sequence[tuple[ImageNumber, Features]]) -> Self:
        """Take the columns out of numbered features."""
        return cls(
            numbers=np.array([number for number, _ in features], dtype=np.int64),
            phash64=np.array([hash_value(each.phash64) for _, each in features], dtype=np.uint64),
            phash256=hash_words([each.phash256 for _, each in features]),
            shapes=np.array(
                [shape_value(each.width, each.height) for _, each in features], dtype=np.uint64
            ),
            quality=np.array([each.quality for _, each in features], dtype=np.uint8),
        )

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """What is searched for: a picture's hashes, after each turn that counts.

    Raises:
        ValueError: There are none, or more than eight.
    """

    phash64: NDArray[np.uint64]
    phash256: NDArray[np.uint64]
    """Turns × 4, as in `Rows`."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.phash64) <= MAX_HASHES:
            raise ValueError(f"a query has 1 to {MAX_HASHES} hashes, not {len(self.phash64)}")

    @classmethod
    def of(cls, turns: Sequence[TurnedHashes]) -> Self:
        """Take the hashes out of turns, in their order."""
        return cls(
            np.array([hash_value(each.phash64) for each in turns], dtype=np.uint64),
            hash_words([each.phash256 for each in turns]),
        )

    def __len__(self) -> int:
        return len(self.phash64)


@dataclass(frozen=True, slots=True, eq=False)
class Near:
    """Rows that are near, each once, the nearest first; nothing is proven by it.

    Columns of equal length, by distance and then by number.
    """

    numbers: NDArray[np.int64]
    turns: NDArray[np.int64]
    """Position, in the query, of the hash that is nearest; the first of equal ones."""
    distances: NDArray[np.int64]
    """Hamming distance of the 256-bit hashes, in bits, 0 to 256."""

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[tuple[ImageNumber, int, int]]:
        """Yield number, turn and distance of each."""
        for number, turn, distance in zip(
            self.numbers.tolist(), self.turns.tolist(), self.distances.tolist(), strict=True
        ):
            yield ImageNumber(number), turn, distance


class Index(Protocol):
    """Rows by image number, searched by distance of hashes and by shape.

    Any thread may call `put` and `drop`, which wait for one another; any number may ask meanwhile,
    and none of those waits.
    """

    def put(self, rows: Rows) -> None:
        """Add rows, and replace those whose number is there already."""

    def drop(self, numbers: Sequence[int] | NDArray[np.int64]) -> None:
        """Remove rows; numbers that are not there are passed over."""

    def near(
        self,
        query: Query,
        radius: int,
        distance: int,
        pause: Pause = ...,
    ) -> Near:
        """Find the rows near any of the query's hashes; flat ones are never among them.

        Args:
            query: The hashes.
            radius: Largest distance of the 64-bit hashes, in bits, 0 to 64, inclusive; those
                further than `SURE_RADIUS` may be missed.
            distance: Largest distance of the 256-bit hashes after the same turn, inclusive.
            pause: Called every few milliseconds, for those who ask while others should go first.

        Raises:
            ValueError: The radius is out of range.
        """

    def shaped(self, query: Query, width: int, height: int, most_quality: int) -> Near:
        """Find the rows of this upright shape, however far; flat ones too.

        With a side above `LONGEST_SIDE` there may be some of other such shapes among them.

        Args:
            query: Hashes to sort them by.
            width: In pixels.
            height: In pixels.
            most_quality: Rows of a higher quality are left out.
        """

    def settle(self) -> bool:
        """Make answers faster for what was put, a piece at a time; returns whether there is more.

        A piece takes half a second at most. Whoever puts or drops meanwhile does not wait for it.
        """

    def differing(self, rows: Rows) -> NDArray[np.int64]:
        """Return the numbers, ascending, of those of these rows that are not there as they are."""

    def __len__(self) -> int:
        """Return the number of rows that are there."""


def hash_value(phash64: bytes) -> int:
    """Return the 8 bytes of a perceptual hash as the number that an index compares."""
    return int.from_bytes(phash64, "big")


def hash_words(hashes: Sequence[bytes]) -> NDArray[np.uint64]:
    """Return hashes of 32 bytes as the words that an index compares, hashes × 4."""
    return np.frombuffer(b"".join(hashes), dtype=np.uint64).reshape(-1, WORDS)


def shape_value(width: int, height: int) -> int:
    """Return an upright shape as the number that an index compares."""
    return width << 32 | height


def check_radius(radius: int) -> None:
    """Raise ValueError unless an index can be asked for this radius."""
    if not 0 <= radius <= HASH_BITS:
        raise ValueError(f"a radius is 0 to {HASH_BITS} bits, not {radius}")
