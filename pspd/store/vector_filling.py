"""Has a vector index hold what the store holds of a model: at a start, and in case of doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pspd.core.pausing import Pause, unhindered
from pspd.store import descriptors

if TYPE_CHECKING:
    from pspd.core.model import ModelKey
    from pspd.search.vector_index import VectorIndex
    from pspd.store.store import Store


_ROWS_EACH = 256
"""Rows that are compared between two pauses; some 0.3 ms."""


def fill(index: VectorIndex, store: Store, model: ModelKey, pause: Pause = unhindered) -> int:
    """Compare an index with the store, row by row, and put right what differs.

    Others may put and drop meanwhile what `Store.apply` returned, as they do at any time.

    Args:
        index: Of the model's dimensions; empty, or with what it kept of an earlier life.
        store: An open store.
        model: Whose descriptors these are.
        pause: Called every few tenths of a millisecond.

    Returns:
        How many rows were put or dropped.

    Raises:
        StoreDamaged: A descriptor is damaged; what came before it is in the index. Mending drops
            it, after which this may be called again.
    """
    before = index.numbers()
    seen = [np.empty(0, dtype=np.int64)]
    changed = 0
    for part in descriptors.parts(store, model, pause):
        seen.append(part.numbers)
        for first in range(0, len(part), _ROWS_EACH):
            piece = part[first : first + _ROWS_EACH]
            other = np.isin(piece.numbers, index.differing(piece))
            if other.any():
                index.put(piece[other])
                changed += int(np.count_nonzero(other))
            pause()
    gone = np.setdiff1d(before, np.concatenate(seen))
    with store.read() as reader:
        # One may have been described behind the walk.
        gone = np.array(
            [each for each in gone.tolist() if descriptors.descriptor(reader, model, each) is None],
            dtype=np.int64,
        )
    index.drop(gone)
    return changed + len(gone)
