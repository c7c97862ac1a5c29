"""What an index of learned descriptors is: vectors in, numbers of near pictures out.

    store's descriptors ─┐
                         ├─> put(VectorRows) ──> index ──> nearest(queries, count) ──> NearVectors
    encoder's batch ─────┘   drop(numbers)

All vectors of an index are of one model. Like `pspd.search.index` it is a rebuildable cache: it may
lag behind the store, and whoever asks verifies what it proposes. `pspd.search.exact_vectors` is the
reference, which compares with every row; others may miss some, never invent one, and give the same
cosine to what they find. The contract is in `tests/contracts/vector_index_contract.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pspd.core.model import ImageNumber
from pspd.core.pausing import Pause
from pspd.search.quantising import quantised, squared_lengths

_EIGHT: Final = 8

MOST_QUERIES: Final = 64
"""Most vectors of one question: a picture's turns and crops are some fourteen."""


@dataclass(frozen=True, slots=True, eq=False)
class VectorRows:
    """Rounded vectors of some images; columns of equal length.

    Raises:
        ValueError: The columns are not of one length and of these dtypes, or a number is negative.
    """

    numbers: NDArray[np.int64]
    """Image numbers, in any order; the last of equal ones counts."""
    vectors: NDArray[np.int8]
    """Rows × dimensions, as `pspd.search.quantising` makes them; none of zeros."""

    def __post_init__(self) -> None:
        numbers, vectors = self.numbers, self.vectors
        if numbers.ndim != 1 or vectors.ndim != 2 or len(numbers) != len(vectors):  # noqa: PLR2004
            raise ValueError("the columns of VectorRows must be of one length")
        if numbers.dtype != np.int64 or vectors.dtype != np.int8:
            raise ValueError(f"VectorRows of {numbers.dtype} and {vectors.dtype}")
        if len(numbers) and numbers.min() < 0:
            raise ValueError("numbers begin at 0")

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, chosen: slice | NDArray[np.int64] | NDArray[np.bool_]) -> VectorRows:
        """Return some of the rows."""
        return VectorRows(self.numbers[chosen], self.vectors[chosen])

    def last_of_equals(self) -> VectorRows:
        """Return the rows in the order of their numbers, and of equal ones the last."""
        if np.all(self.numbers[1:] > self.numbers[:-1]):
            return self
        order = np.argsort(self.numbers, kind="stable")
        numbers = self.numbers[order]
        return self[order[np.append(numbers[1:] != numbers[:-1], True)]]


@dataclass(frozen=True, slots=True, eq=False)
class NearVectors:
    """Rows that are near, each once, the nearest first; nothing is proven by it.

    Columns of equal length, by cosine (descending), then by number.
    """

    numbers: NDArray[np.int64]
    queries: NDArray[np.int64]
    """Position of the query that is nearest; the first of equal ones."""
    cosines: NDArray[np.float32]
    """Of the rounded vectors, -1 to 1."""

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[tuple[ImageNumber, int, float]]:
        """Yield number, query and cosine of each."""
        for number, query, cosine in zip(
            self.numbers.tolist(), self.queries.tolist(), self.cosines.tolist(), strict=True
        ):
            yield ImageNumber(number), query, cosine


class VectorIndex(Protocol):
    """Vectors by image number, searched by cosine.

    Any thread may call `put` and `drop`, which wait for one another; any number may ask meanwhile,
    and none of those waits.
    """

    @property
    def dimensions(self) -> int:
        """Components of each vector."""

    def put(self, rows: VectorRows) -> None:
        """Add rows, and replace those whose number is there already.

        Raises:
            ValueError: They have other dimensions.
        """

    def drop(self, numbers: Sequence[int] | NDArray[np.int64]) -> None:
        """Remove rows; numbers that are not there are passed over."""

    def nearest(self, queries: NDArray[np.float32], count: int, pause: Pause = ...) -> NearVectors:
        """Find the rows whose cosine with any of the queries is largest.

        Args:
            queries: One or several vectors × dimensions, of any length but 0.
            count: Most rows of the answer.
            pause: Called every few milliseconds, for those who ask while others should go first.

        Raises:
            ValueError: There are no queries or too many, they are not float32 or of other
                dimensions, one is zero or not finite, or `count` is negative.
        """

    def differing(self, rows: VectorRows) -> NDArray[np.int64]:
        """Return the numbers, ascending, of those of these rows that are not there as they are."""

    def numbers(self) -> NDArray[np.int64]:
        """Return the numbers, ascending, of the rows that are there."""

    def settle(self) -> bool:
        """Make answers faster for what was put, a piece at a time; returns whether there is more.

        A piece takes half a second at most. Whoever puts or drops meanwhile does not wait for it.
        """

    def close(self) -> None:
        """End what is under way; nothing is asked any more."""

    def __len__(self) -> int:
        """Return the number of rows that are there."""


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Queries as an index compares them."""

    codes: NDArray[np.int8]
    """Rounded as the rows are, so that every index gives a pair the same cosine."""
    columns: NDArray[np.float32]
    """The same, dimensions × queries; and columns of zeros, of which BLAS likes eight: of 14
    queries a row took 279 ns to be compared with all, of 16 it takes 200."""
    shares: NDArray[np.float32]
    """1 / length of each."""

    @classmethod
    def of(cls, queries: NDArray[np.float32], dimensions: int, count: int) -> Looks:
        """Take in what `VectorIndex.nearest` is asked, and refuse what it must refuse."""
        if count < 0:
            raise ValueError(f"an answer of {count} rows is none")
        if queries.ndim != 2 or queries.shape[1] != dimensions:  # noqa: PLR2004
            raise ValueError(f"queries are of {dimensions} dimensions, not {queries.shape}")
        if not 1 <= len(queries) <= MOST_QUERIES:
            raise ValueError(f"one asks for 1 to {MOST_QUERIES} vectors, not {len(queries)}")
        codes = quantised(queries)
        width = len(codes) if len(codes) == 1 else -(-len(codes) // _EIGHT) * _EIGHT
        columns = np.zeros((dimensions, width), dtype=np.float32)
        columns[:, : len(codes)] = codes.T
        return cls(codes, columns, inverse_lengths(codes))

    def __len__(self) -> int:
        return len(self.codes)


def inverse_lengths(codes: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return 1 / length of each rounded vector."""
    return (1 / np.sqrt(squared_lengths(codes))).astype(np.float32)
