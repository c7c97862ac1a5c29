"""A request's body as it comes: counted, and waited for only so long."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from pspc.web import gate
from pspc.web.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from starlette.types import Message, Receive

SILENT_SECONDS = 10.0
"""How long no byte of a body may come."""

WHOLE_SECONDS = 300.0
"""How long all of it may take."""

_LINGER_SECONDS = 1.0

_TOO_SLOW = Refusal(
    HTTPStatus.REQUEST_TIMEOUT, "too_slow", "the body of the request did not come in time"
)


class Body:
    """The body of one request.

    Args:
        head: Of the request, which the gate has let pass.
        receive: Where it comes from.
    """

    silent_seconds = SILENT_SECONDS
    whole_seconds = WHOLE_SECONDS

    def __init__(self, head: gate.Head, receive: Receive) -> None:
        self._receive = receive
        self._most = gate.most_bytes(head.path, gate.content_type(head))
        self._bytes = 0
        self._end = asyncio.get_running_loop().time() + self.whole_seconds
        self.is_finished = not (head.values(b"content-length") or head.values(b"transfer-encoding"))
        """Whether nothing more will come."""

    async def receive(self) -> Message:
        """Return the next part, as ASGI has it.

        Raises:
            RefusedError: It is too long, or does not come.
        """
        if self.is_finished:
            return await self._receive()
        left = self._end - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(min(self.silent_seconds, left)):
                message = await self._receive()
        except TimeoutError:
            raise RefusedError(_TOO_SLOW) from None
        if message["type"] != "http.request":
            self.is_finished = True
            return message
        self.is_finished = not message.get("more_body", False)
        self._bytes += len(message.get("body", b""))
        if self._bytes > self._most:
            raise RefusedError(gate.too_large(self._most))
        return message

    async def drop(self) -> None:
        """Take what still comes for a moment, after the answer.

        A client that is cut off while it sends may not read why.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while not self.is_finished:
                    message = await self._receive()
                    self.is_finished = not message.get("more_body", False)
