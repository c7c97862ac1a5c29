"""The requests that the daemon has not answered yet, and when each of them runs out of time.

How many there may be is the front's to say (`admission`). Belongs to the server's one I/O thread;
the time is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import zmq


@dataclass(slots=True)
class InFlight:
    """One request that has no reply yet."""

    link: zmq.Socket[bytes]
    """Where it came from, and where its reply goes."""
    ticket: bytes
    """The front's number of it."""
    id: int
    """The client's number of it."""
    expires: float
    """`time.monotonic()` at which its client stops waiting."""
    image: zmq.Frame | None
    """The second frame; dropped with the reply, so that a queued request holds no memory."""


class Unanswered:
    """The requests in flight, by a number of the server's own."""

    def __init__(self) -> None:
        self._requests: dict[int, InFlight] = {}
        self._numbers = 0

    def add(self, request: InFlight) -> int:
        """Take a request in; returns its number, which is never used again."""
        self._numbers += 1
        self._requests[self._numbers] = request
        return self._numbers

    def remove(self, number: int) -> InFlight | None:
        """Take a request out; None when it was already answered."""
        request = self._requests.pop(number, None)
        if request is not None:
            request.image = None
        return request

    def remove_expired(self, now: float) -> Iterator[InFlight]:
        """Take out, one by one, the requests whose time is over."""
        late = [number for number, request in self._requests.items() if request.expires <= now]
        return self._remove_each(late)

    def remove_all(self) -> Iterator[InFlight]:
        """Take out, one by one, every request."""
        return self._remove_each(list(self._requests))

    def next_expiry(self) -> float | None:
        """Return when the first request runs out of time; None when there is none."""
        return min((request.expires for request in self._requests.values()), default=None)

    def _remove_each(self, numbers: list[int]) -> Iterator[InFlight]:
        for number in numbers:
            request = self.remove(number)
            if request is not None:
                yield request
