"""uvicorn's HTTP, which waits for a request's head for as long as it takes: here it does not.

A connection has ten seconds for each head, and there are so many connections at most. Both are
looked at before anything of a request is known, so that who has no token can hold a connection for
that long and no longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from pspc.web.headers import protective
from pspc.web.peers import STATE, Peer
from pspc.web.refusals import ErrorDocument, ErrorPart

if TYPE_CHECKING:
    import asyncio

MOST_CONNECTIONS = 64
HEAD_SECONDS = 10.0

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"retry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)


class Protocol(H11Protocol):
    """One connection.

    It relies on `connections`, `conn`, `transport`, `loop`, `app_state`, `client` and `server` of
    uvicorn's class, and on its `send_400_response`; tests/client/web/test_raw.py sees whether they
    are still what they were.
    """

    head_seconds = HEAD_SECONDS
    most_connections = MOST_CONNECTIONS

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, STATE: Peer(self.client, self.server)}
        if len(self.connections) > self.most_connections:
            transport.write(_FULL)
            transport.close()
            return
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what comes."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._stop_watching()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the signature is uvicorn's
        """Refuse what is no HTTP, or has too long a head."""
        content = msgspec.json.encode(
            ErrorDocument(error=ErrorPart(code="http", message="this is no request in HTTP/1.1"))
        )
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode("ascii")),
            (b"cache-control", b"no-store"),
            (b"connection", b"close"),
            *protective(""),
        ]
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            response = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
            for event in (response, h11.Data(data=content), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _watch(self) -> None:
        """See that a head that has begun, or shall begin, is soon complete."""
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._stop_watching()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_seconds, self._give_up)

    def _stop_watching(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()
