"""What an index is: rows of small descriptors in, candidates within a Hamming radius out.

    store's columns ─┐
                     ├─> put(Rows) ──> index ──> near(hashes, radius) ──> [Candidate, …]
    indexer's batch ─┘   drop(numbers)       └─> shaped(width, height) ──> numbers

An index is a rebuildable cache: it may lag behind the store, and whoever asks verifies what it
proposes. `pspd.search.linear` is the reference that every other index is compared with, by the
contract in `tests/contracts/index_contract.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from pspd.core.model import Features, ImageNumber

MAX_HASHES = 8
"""Most hashes of one query: the eight turns of a picture."""

HASH_BITS = 64
"""Length of an indexed hash, in bits; the largest radius that means anything."""

MAX_QUALITY = 100
"""Largest quality of a row, as `pspd.core.model.Features.quality`."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row within the radius of one of the query's hashes; nothing is proven by it."""

    number: ImageNumber
    turn: int
    """Position, in the query, of the hash that is near."""
    distance: int
    """Hamming distance of the 64-bit hashes, in bits, 0 to 64."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What an index knows of some images, as columns of equal length.

    Raises:
        ValueError: the columns are no vectors of one length and of these dtypes, or a number is
            negative, or a quality is above 100.
    """

    numbers: NDArray[np.int64]
    """Dense from 0 over all rows ever put; in any order here, the last of equal ones counts."""
    phash64: NDArray[np.uint64]
    """`Features.phash64` read as one big-endian number."""
    shapes: NDArray[np.uint64]
    """Width of the upright picture × 2³² + its height, in pixels."""
    quality: NDArray[np.uint8]
    """0 (flat) to 100."""

    def __post_init__(self) -> None:
        columns = (self.numbers, self.phash64, self.shapes, self.quality)
        if any(column.shape != (len(self.numbers),) for column in columns):
            raise ValueError("the columns of Rows must be vectors of one length")
        names = [column.dtype.name for column in columns]
        if names != ["int64", "uint64", "uint64", "uint8"]:
            raise ValueError(f"the columns of Rows have the wrong dtypes: {names}")
        if len(self.numbers) and (self.numbers.min() < 0 or self.quality.max() > MAX_QUALITY):
            raise ValueError("numbers begin at 0 and qualities end at 100")

    @classmethod
    def of(cls, features: Sequence[tuple[ImageNumber, Features]]) -> Self:
        """Take the columns out of numbered features."""
        return cls(
            numbers=np.array([number for number, _ in features], dtype=np.int64),
            phash64=np.array([hash_value(each.phash64) for _, each in features], dtype=np.uint64),
            shapes=np.array(
                [shape_value(each.width, each.height) for _, each in features], dtype=np.uint64
            ),
            quality=np.array([each.quality for _, each in features], dtype=np.uint8),
        )

    def __len__(self) -> int:
        return len(self.numbers)


class Index(Protocol):
    """Rows by image number, searched by distance of hashes and by shape.

    One thread at a time may call `put` and `drop`; any number may ask meanwhile, and none of
    them waits.
    """

    def put(self, rows: Rows) -> None:
        """Add rows, and replace those whose number is there already."""

    def drop(self, numbers: Sequence[int] | NDArray[np.int64]) -> None:
        """Remove rows; numbers that are not there are passed over."""

    def near(self, hashes: Sequence[int], radius: int) -> list[Candidate]:
        """Find the rows near any of the hashes; flat ones are never among them.

        Args:
            hashes: 1 to 8 numbers of 64 bits, one for each turn of the query.
            radius: Largest distance, in bits, 0 to 64, inclusive.

        Returns:
            One candidate for each row and hash that are near, by distance, number and turn.

        Raises:
            ValueError: too few or many hashes, or one of them or the radius out of range.
        """

    def shaped(self, width: int, height: int) -> NDArray[np.int64]:
        """Return the numbers, ascending, of all rows of this upright shape, flat ones too."""

    def __len__(self) -> int:
        """Return the number of rows that are there."""


def hash_value(phash64: bytes) -> int:
    """Return the 8 bytes of a perceptual hash as the number that an index compares."""
    return int.from_bytes(phash64, "big")


def shape_value(width: int, height: int) -> int:
    """Return an upright shape as the number that an index compares."""
    return width << 32 | height


def check_query(hashes: Sequence[int], radius: int) -> None:
    """Raise ValueError unless an index can be asked this, as `Index.near` says."""
    if not 1 <= len(hashes) <= MAX_HASHES:
        raise ValueError(f"a query has 1 to {MAX_HASHES} hashes, not {len(hashes)}")
    if not 0 <= radius <= HASH_BITS:
        raise ValueError(f"a radius is 0 to {HASH_BITS} bits, not {radius}")
    if any(not 0 <= each < 1 << HASH_BITS for each in hashes):
        raise ValueError("a hash is a number of 64 bits")
