"""What one tab still has to be told: the newest of each kind, and the last changes."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_CHANGES = 256


class Mailbox:
    """Of one tab. Who reads slowly loses old changes, never the newest progress."""

    def __init__(self) -> None:
        self._newest: dict[str, bytes] = {}
        self._changes: deque[bytes] = deque(maxlen=MOST_CHANGES)
        self._filled = asyncio.Event()
        self.is_closed = False

    def put(self, kind: str, document: msgspec.Struct) -> None:
        """Add an event; one of the same kind that was not read yet is replaced, but a change."""
        event = event_of(kind, document)
        if kind == "change":
            self._changes.append(event)
        else:
            self._newest[kind] = event
        self._filled.set()

    def close(self) -> None:
        """Have the reader end."""
        self.is_closed = True
        self._filled.set()

    async def wait(self, seconds: float) -> bool:
        """Wait until there is something; returns whether there is, and not only time has passed."""
        try:
            async with asyncio.timeout(seconds):
                await self._filled.wait()
        except TimeoutError:
            return False
        return True

    def take(self) -> Iterator[bytes]:
        """Yield what there is, and have it no more."""
        self._filled.clear()
        newest, self._newest = self._newest, {}
        yield from newest.values()
        while self._changes:
            yield self._changes.popleft()


def event_of(kind: str, document: msgspec.Struct) -> bytes:
    """Return an event as the stream has it."""
    return b"event: %s\ndata: %s\n\n" % (kind.encode("ascii"), msgspec.json.encode(document))
