"""Which requests are in flight, how many may be, and when each of them runs out of time.

A request is in flight from its arrival until its reply is sent. The limits keep one client, or all
of them together, from filling the daemon's memory: what is over them is answered with `busy`.
Belongs to the server's one I/O thread; the time is an argument.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pspd.rpc import wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    import zmq

MAX_REQUESTS_PER_PEER = 64
"""A client that waits for its replies has one; 64 leaves room for pipelining."""

MAX_REQUESTS = 256
"""Of all peers together."""

MAX_IMAGE_BYTES = 2 * wire.MAX_QUERY_BYTES
"""Query images held at one time: two of the largest, or hundreds of usual ones."""


@dataclass(slots=True)
class InFlight:
    """One request that has no reply yet."""

    peer: bytes
    """Routing id of the client's connection."""
    id: int
    """The client's number of the request."""
    expires: float
    """`time.monotonic()` at which its client stops waiting."""
    image: zmq.Frame | None
    """The second frame; dropped with the reply, so that a queued request holds no memory."""


class Admission:
    """The requests in flight, by ticket."""

    def __init__(self) -> None:
        self._requests: dict[int, InFlight] = {}
        self._by_peer: Counter[bytes] = Counter()
        self._image_bytes = 0
        self._tickets = 0

    def __len__(self) -> int:
        return len(self._requests)

    def refusal(self, peer: bytes, image_bytes: int) -> str:
        """Say why one more request of `peer` is too much; empty when it is not."""
        if self._by_peer[peer] >= MAX_REQUESTS_PER_PEER:
            return f"this client has {MAX_REQUESTS_PER_PEER} requests in flight, the most allowed"
        if len(self._requests) >= MAX_REQUESTS:
            return f"the daemon has {MAX_REQUESTS} requests in flight, the most allowed"
        if image_bytes and self._image_bytes + image_bytes > MAX_IMAGE_BYTES:
            return "the daemon holds as many query images as it may; try again"
        return ""

    def add(self, request: InFlight) -> int:
        """Take a request in; returns its ticket, which is never used again."""
        self._tickets += 1
        self._requests[self._tickets] = request
        self._by_peer[request.peer] += 1
        self._image_bytes += _image_size(request)
        return self._tickets

    def remove(self, ticket: int) -> InFlight | None:
        """Take a request out; None when it was already answered."""
        request = self._requests.pop(ticket, None)
        if request is None:
            return None
        self._by_peer[request.peer] -= 1
        if not self._by_peer[request.peer]:
            del self._by_peer[request.peer]
        self._image_bytes -= _image_size(request)
        request.image = None
        return request

    def remove_expired(self, now: float) -> Iterator[InFlight]:
        """Take out, one by one, the requests whose time is over."""
        late = [ticket for ticket, request in self._requests.items() if request.expires <= now]
        return self._remove_each(late)

    def remove_all(self) -> Iterator[InFlight]:
        """Take out, one by one, every request."""
        return self._remove_each(list(self._requests))

    def next_expiry(self) -> float | None:
        """Return when the first request runs out of time; None when there is none."""
        return min((request.expires for request in self._requests.values()), default=None)

    def _remove_each(self, tickets: list[int]) -> Iterator[InFlight]:
        for ticket in tickets:
            request = self.remove(ticket)
            if request is not None:
                yield request


def _image_size(request: InFlight) -> int:
    return len(request.image) if request.image is not None else 0
