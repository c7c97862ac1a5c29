"""What is asked of usearch: graphs over vectors of signed bytes, compared by cosine."""

from __future__ import annotations

import importlib.metadata
from contextlib import suppress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

CONNECTIVITY: Final = 32
EXPANSION_ADD: Final = 128
EXPANSION_SEARCH: Final = 384
"""Neighbours of a row, and rows that are kept in mind while one is added or searched; measured in
docs/performance/vectors.md."""


def vectors_of(index: Any, keys: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return vectors that are in a graph."""
    every = index.get(keys.astype(np.uint64))
    together = np.concatenate([np.empty(0, dtype=np.int8), *(each.ravel() for each in every)])
    return together.reshape(len(keys), index.ndim)


def library() -> str:
    """Return name and release of usearch, without importing it.

    Raises:
        importlib.metadata.PackageNotFoundError: It is not installed.
    """
    return f"usearch {importlib.metadata.version('usearch')}"


def is_installed() -> bool:
    """Say whether there is what makes and searches graphs."""
    with suppress(importlib.metadata.PackageNotFoundError):
        return bool(library())
    return False


def empty_index(dimensions: int) -> Any:
    """Return a graph without rows."""
    from usearch.index import Index  # noqa: PLC0415 - an extra

    return Index(
        ndim=dimensions,
        metric="cos",
        dtype="i8",
        connectivity=CONNECTIVITY,
        expansion_add=EXPANSION_ADD,
        expansion_search=EXPANSION_SEARCH,
    )
