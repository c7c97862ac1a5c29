"""Items by their source in, one of each source in turn out, the source that came last first.

    photos:  p1 p2 p3 …     put first
    inbox:   i1             put last        taken: i1 p1 p2 p3 …

A single new picture so does not wait behind the thousands that somebody copies into another folder.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

SourceT = TypeVar("SourceT", bound=Hashable)
ItemT = TypeVar("ItemT")


class Turns(Generic[SourceT, ItemT]):
    """Not for several threads at once.

    Args:
        most: Items that are kept; of the source whose turn is farthest the oldest are dropped then.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: OrderedDict[SourceT, deque[ItemT]] = OrderedDict()
        self._count = 0

    def put(self, source: SourceT, item: ItemT) -> None:
        """Add an item behind those of its source; it is the next one's turn if it has none."""
        if source not in self._waiting:
            self._waiting[source] = deque()
            self._waiting.move_to_end(source, last=False)
        self._waiting[source].append(item)
        self._count += 1
        if self._count > self._most:
            self._drop()

    def take(self) -> ItemT | None:
        """Remove and return the next item; None when there is none."""
        if not self._waiting:
            return None
        source, items = self._waiting.popitem(last=False)
        item = items.popleft()
        self._count -= 1
        if items:
            self._waiting[source] = items  # now the last
        return item

    def __len__(self) -> int:
        return self._count

    def _drop(self) -> None:
        source = next(reversed(self._waiting))
        self._waiting[source].popleft()
        self._count -= 1
        if not self._waiting[source]:
            del self._waiting[source]
