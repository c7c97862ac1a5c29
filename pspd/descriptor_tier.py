"""Learned descriptors in memory: whose answer, and whose follow.

    store ──load──▶ an index for each model ◀──take, drop── what is stored from now on
                              │
    a search ──answering()────┘   the model in use, once it is through; the one before until then

A model's descriptors mean nothing to another one's. When another model is chosen, the old one's
descriptors answer until the new one has described as many pictures.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pspd.core.pausing import Pause, unhindered
from pspd.search.vector_index import VectorIndex, VectorRows
from pspd.store.vector_filling import fill

if TYPE_CHECKING:
    import numpy.typing as npt

    from pspd.core.model import ImageNumber, ModelKey
    from pspd.store import batch
    from pspd.store.descriptors import KnownModel
    from pspd.store.store import Store

Encode = Callable[[Sequence["npt.NDArray[np.uint8]"], float], "npt.NDArray[np.float32]"]
"""Pictures and a deadline of the monotonic clock → descriptors, as `pspd.learned.encoder` does."""


@dataclass(frozen=True, slots=True)
class Answering:
    """The model whose descriptors answer."""

    model: ModelKey
    index: VectorIndex
    encode: Encode


class DescriptorTier:
    """Holds an index for each model that is of use; from any thread.

    Args:
        store: The truth.
        make_index: Makes an empty index for vectors of so many dimensions.
    """

    def __init__(self, store: Store, make_index: Callable[[ModelKey, int], VectorIndex]) -> None:
        self._store = store
        self._make_index = make_index
        self._lock = threading.Lock()
        # Under the lock:
        self._indexes: dict[ModelKey, VectorIndex] = {}
        self._answering: Answering | None = None

    def answering(self) -> Answering | None:
        """Return the model whose descriptors answer; None while there is none."""
        return self._answering

    def answer_with(self, model: ModelKey, encode: Encode) -> None:
        """Have a model answer from now on, and forget the index of any other."""
        with self._lock:
            index = self._indexes.get(model)
            self._answering = None if index is None else Answering(model, index, encode)
            others = [each for key, each in self._indexes.items() if key != model]
            self._indexes = {} if index is None else {model: index}
        for other in others:
            other.close()

    def load(self, model: KnownModel, pause: Pause = unhindered) -> None:
        """Bring the descriptors of a model into memory, if they are not there; for one thread.

        Raises:
            StoreDamaged: One is damaged.
        """
        if model.key in self._indexes:
            return
        # Without the lock: what it kept on disk is verified, and others store meanwhile.
        index = self._make_index(model.key, model.dimensions)
        with self._lock:
            # From now on it takes what is stored.
            self._indexes[model.key] = index
        try:
            fill(index, self._store, model.key, pause)
        except BaseException:
            with self._lock:
                self._indexes.pop(model.key, None)
            index.close()
            raise

    def take(self, described: Sequence[batch.DescriptorsKnown]) -> None:
        """Take what was stored."""
        with self._lock:
            indexes = dict(self._indexes)
        for model, index in indexes.items():
            found = [each for each in described if each.model == model]
            if found:
                vectors = np.frombuffer(b"".join(each.descriptor for each in found), np.int8)
                numbers = np.array([each.number for each in found], np.int64)
                index.put(VectorRows(numbers, vectors.reshape(len(found), -1)))

    def drop(self, numbers: Sequence[ImageNumber]) -> None:
        """Forget images that are gone."""
        with self._lock:
            indexes = list(self._indexes.values())
        for index in indexes:
            index.drop(numbers)

    def close(self) -> None:
        """End what is under way."""
        with self._lock:
            indexes, self._indexes = list(self._indexes.values()), {}
        for index in indexes:
            index.close()

    def settle(self) -> bool:
        """Make answers faster for what was put, a piece at a time; True if there is more."""
        with self._lock:
            indexes = list(self._indexes.values())
        has_more = [index.settle() for index in indexes]
        return any(has_more)
