"""Keeps the best of rows that are compared slice by slice: many cosines in, the few largest out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pspd.search.vector_index import NearVectors

_ROOM = 4
"""How many times as many rows are kept as are wanted, before they are sorted."""


class BestRows:
    """The rows of the largest cosines with any query, each row once.

    Args:
        count: How many.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._numbers: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self._queries: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self._cosines: list[NDArray[np.float32]] = [np.empty(0, dtype=np.float32)]
        self._kept = 0
        self._least = np.float32(-2.0)
        """What a row needs to be among the best, at least; of equal ones the number decides."""

    def offer(self, numbers: NDArray[np.int64], cosines: NDArray[np.float32]) -> None:
        """Keep those rows that may be among the best.

        Args:
            numbers: Of the rows. One may be offered again: its largest cosine counts.
            cosines: Rows × queries; minus infinity for what must not be kept.
        """
        if not self._count:
            return
        # The largest of each row would cost five times as much as looking at all of them.
        hits = np.flatnonzero(cosines >= self._least)
        if not len(hits):
            return
        good = np.unique(hits // cosines.shape[1])
        self._numbers.append(numbers[good])
        self._queries.append(cosines[good].argmax(axis=1))
        self._cosines.append(cosines[good].max(axis=1))
        self._kept += len(good)
        if self._kept > _ROOM * self._count:
            self._sort()

    def near(self) -> NearVectors:
        """Return the best."""
        self._sort()
        return NearVectors(self._numbers[0], self._queries[0], self._cosines[0])

    def _sort(self) -> None:
        numbers, queries = np.concatenate(self._numbers), np.concatenate(self._queries)
        cosines = np.concatenate(self._cosines)
        order = np.lexsort((queries, numbers, -cosines))
        # A number may be there twice; the first is its best.
        _, firsts = np.unique(numbers[order], return_index=True)
        order = order[np.sort(firsts)][: self._count]
        self._numbers, self._queries = [numbers[order]], [queries[order]]
        self._cosines = [cosines[order]]
        self._kept = len(order)
        if self._kept == self._count > 0:
            self._least = self._cosines[0][-1]
