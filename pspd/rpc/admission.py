"""Which requests are in flight, and how many may be: the front's part of staying small.

A request is in flight from its arrival until its reply is sent. The limits keep one client, or all
of them together, from filling the daemon's memory: what is over them is answered with `busy`, here,
and costs the daemon nothing. A client is a process, by its number, or a key, by its name: another
connection is no way around its share.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import Final

from pspd.rpc import wire

MAX_REQUESTS_PER_CLIENT: Final = 16
"""A client that waits for its replies has one; 16 leaves room for pipelining, and keep the daemon
busy for some milliseconds only, while an honest client waits."""

MAX_REQUESTS: Final = 256
"""Of all clients together."""

SHARE_OF_FREE: Final = 4
"""A client may have one in so many of the requests that are still free, and always its first. So
however many processes flood, some of their places stay free, and whoever has none gets one: the
dynamic thresholds of shared-memory switches (Choudhury and Hahne, IEEE/ACM Transactions on
Networking 6(2), 1998). 16 floods have 12 each then, instead of 16 and all there is."""

MAX_IMAGE_BYTES: Final = wire.MAX_QUERY_BYTES
"""Query images held at one time: one of the largest, or hundreds of usual ones. A client that has
one already may hold half of it, so that others find room."""

SPARE_IMAGE_BYTES: Final = 16 << 20
"""Kept beyond that for clients that hold none: each takes at most half of what is left of it."""

_SESSION_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Admitted:
    """One request that has no reply yet."""

    peer: bytes
    """Routing id of the client's connection."""
    origin: bytes
    """Whose it is: a process number or the name of a key."""
    image_bytes: int


class Admission:
    """The requests in flight, by ticket; belongs to the front's one thread."""

    def __init__(self) -> None:
        self._requests: dict[bytes, Admitted] = {}
        self._count: Counter[bytes] = Counter()
        self._bytes: Counter[bytes] = Counter()
        # A late reply to the front before this one must not meet a ticket of this one.
        self._session = os.urandom(_SESSION_BYTES)
        self._tickets = 0

    def __len__(self) -> int:
        return len(self._requests)

    def refusal(self, origin: bytes, image_bytes: int) -> str:
        """Say why one more request of `origin` is too much; empty when it is not."""
        free = MAX_REQUESTS - len(self._requests)
        if not free:
            return f"the daemon has {MAX_REQUESTS} requests in flight, the most allowed"
        own = self._count[origin]
        if own and own >= min(MAX_REQUESTS_PER_CLIENT, free // SHARE_OF_FREE):
            return f"this client has {own} requests in flight, the most allowed at present"
        return self._image_refusal(self._bytes[origin], image_bytes) if image_bytes else ""

    def _image_refusal(self, own: int, image_bytes: int) -> str:
        if own and own + image_bytes > MAX_IMAGE_BYTES // 2:
            return "the daemon holds as many query images of this client as it may; try again"
        held = self._bytes.total()
        if held + image_bytes <= MAX_IMAGE_BYTES:
            return ""
        spare = MAX_IMAGE_BYTES + SPARE_IMAGE_BYTES - held
        if not own and image_bytes <= min(spare, SPARE_IMAGE_BYTES) // 2:
            return ""
        return "the daemon holds as many query images as it may; try again"

    def add(self, request: Admitted) -> bytes:
        """Take a request in; returns its ticket, which is never used again."""
        self._tickets += 1
        ticket = self._session + self._tickets.to_bytes(8)
        self._requests[ticket] = request
        self._count[request.origin] += 1
        self._bytes[request.origin] += request.image_bytes
        return ticket

    def remove(self, ticket: bytes) -> Admitted | None:
        """Take a request out; None when it is none of this front's."""
        request = self._requests.pop(ticket, None)
        if request is None:
            return None
        self._bytes[request.origin] -= request.image_bytes
        self._count[request.origin] -= 1
        if not self._count[request.origin]:
            del self._count[request.origin], self._bytes[request.origin]
        return request
