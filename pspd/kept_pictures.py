"""Encoded pictures that were shown last, up to a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, Protocol, TypeVar

_ENTRY_BYTES: Final = 600
"""Of one that is kept, beside its file."""


class Encoded(Protocol):
    """A picture as a file."""

    @property
    def content(self) -> bytes:
        """The file's bytes."""


WhatT = TypeVar("WhatT", bound=Hashable)
ShownT = TypeVar("ShownT", bound=Encoded)


class KeptPictures(Generic[WhatT, ShownT]):
    """Keeps them by what they show; for any thread.

    Args:
        most_bytes: Of all of them together.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        # Under the lock; the last used is the last.
        self._shown: OrderedDict[WhatT, ShownT] = OrderedDict()
        self._bytes = 0

    def get(self, what: WhatT) -> ShownT | None:
        """Return one, which is the last used then; None if it is not kept."""
        with self._lock:
            if what in self._shown:
                self._shown.move_to_end(what)
            return self._shown.get(what)

    def put(self, what: WhatT, shown: ShownT) -> None:
        """Keep one; those that were not used for longest go."""
        with self._lock:
            before = self._shown.pop(what, None)
            self._bytes += _cost(shown) - (0 if before is None else _cost(before))
            self._shown[what] = shown
            while self._bytes > self._most_bytes:
                _, oldest = self._shown.popitem(last=False)
                self._bytes -= _cost(oldest)


def _cost(shown: Encoded) -> int:
    return len(shown.content) + _ENTRY_BYTES
