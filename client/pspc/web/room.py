"""How much of all requests' bodies is in memory at one time, whoever sends them."""

from __future__ import annotations

from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from pspc.web import gate
from pspc.web.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 256 * gate.MIB
"""Four of the largest pictures; without it 64 connections could bring sixteen times as much."""

_FULL = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "busy",
    "too many pictures are on their way; try again in a moment",
    retry_after=1,
)


class Room:
    """Counts what was announced; for the loop's thread."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._held = 0

    @contextmanager
    def of(self, head: gate.Head) -> Iterator[None]:
        """Keep room for a request's body until it is answered.

        Raises:
            RefusedError: There is none at present; whoever is alone always has it.
        """
        size = expected_bytes(head)
        if self._held and size and self._held + size > self._most:
            raise RefusedError(_FULL)
        self._held += size
        try:
            yield
        finally:
            self._held -= size


def expected_bytes(head: gate.Head) -> int:
    """Return how long a request's body is, or may be where that is not said."""
    if gate.is_reading(head):
        return 0
    lengths = head.values(b"content-length")
    # The gate has seen to it that it is one number, and not too large.
    if lengths:
        return int(lengths[0])
    return gate.most_bytes(head.path, gate.content_type(head))
