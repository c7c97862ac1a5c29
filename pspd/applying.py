"""The one door through which the store changes, so that the index follows each change.

    operations ──▶ store ──▶ index ──▶ those who are told

The index may lag behind the store, but it never tells of what the store does not have: what ended
a change half-way is made up for before the next one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pspd.core.pausing import Pause, unhindered
from pspd.search.index import Index, Rows

if TYPE_CHECKING:
    from pspd.core.model import ImageNumber
    from pspd.store import batch
    from pspd.store.manifest import KeptRoot
    from pspd.store.mending import Mended
    from pspd.store.store import Store


class Listener(Protocol):
    """Whoever hears of what is stored; it must not keep anybody waiting."""

    def announce(self, changes: Sequence[batch.PathChange]) -> None:
        """Hear of changes that are stored."""


class Follower(Protocol):
    """Whoever keeps up with learned descriptors."""

    def take(self, described: Sequence[batch.DescriptorsKnown]) -> None:
        """Take descriptors that are stored now."""

    def drop(self, numbers: Sequence[ImageNumber]) -> None:
        """Forget images that are gone."""


class Applier:
    """Applies every change; from any thread, one at a time.

    Args:
        store: The truth.
        index: Brought up to the store after each change.
        listener: Told what is stored.
        pause: Called between two operations; those who search may be let pass.
        follower: Keeps up with learned descriptors.
    """

    def __init__(
        self,
        store: Store,
        index: Index,
        listener: Listener,
        pause: Pause = unhindered,
        follower: Follower | None = None,
    ) -> None:
        self._store = store
        self._index = index
        self._listener = listener
        self._follower = follower
        self._pause = pause
        self._applying = threading.Lock()
        self._is_index_behind = False

    def apply(self, operations: Sequence[batch.Operation]) -> batch.Applied:
        """Apply operations to the store, then to the index.

        Raises:
            StoreError: Nothing of it was stored.
        """
        with self._applying:
            if self._is_index_behind:
                self._catch_up()
            applied = self._store.apply(operations, pause=self._pause)
            # Whatever ends this block early, the store has what the index does not have yet.
            self._is_index_behind = True
            self._pause()
            if applied.images:
                self._index.put(Rows.of(applied.images))
            if applied.dropped:
                self._index.drop(applied.dropped)
            self._is_index_behind = False
            if self._follower is not None:
                if applied.described:
                    self._follower.take(applied.described)
                if applied.dropped:
                    self._follower.drop(applied.dropped)
        if applied.changes:
            self._listener.announce(applied.changes)
        return applied

    def mend(self, roots: Sequence[KeptRoot], distrusted: frozenset[ImageNumber]) -> Mended:
        """Mend the store as `Store.mend` does, and bring the index up to it.

        Raises:
            StoreError: Nothing was changed.
        """
        with self._applying:
            mended = self._store.mend(roots, distrusted)
            self._is_index_behind = True
            self._catch_up()
        return mended

    @contextmanager
    def at_rest(self) -> Iterator[Index]:
        """Let nothing be applied meanwhile: index and store say the same."""
        with self._applying:
            if self._is_index_behind:
                self._catch_up()
            yield self._index

    def settle_index(self) -> bool:
        """Have the index make its answers faster; returns whether there is more to do."""
        return self._index.settle()

    def _catch_up(self) -> None:
        """Bring the whole index up to the store again."""
        with self._store.read() as reader:
            rows = reader.rows()
            ever = np.arange(reader.meta("next_image"), dtype=np.int64)
        self._index.put(rows)
        self._index.drop(np.setdiff1d(ever, rows.numbers))
        self._is_index_behind = False
