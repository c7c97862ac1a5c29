"""Runs a gateway at its sockets until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import TYPE_CHECKING

import uvicorn

from pspc.web.gate import HEAD_BYTES
from pspc.web.gateway import Gateway
from pspc.web.protocol import Protocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from starlette.types import ASGIApp

    from pspc.web.gateway import Settings

_KEEP_ALIVE_SECONDS = 30
_LAST_SECONDS = 2
"""How long answers that are under way may take once the end has come."""


class _Server(uvicorn.Server):
    """uvicorn, which tells when it has begun and when it ends."""

    def __init__(
        self, config: uvicorn.Config, on_start: Callable[[], None], on_end: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._on_start = on_start
        self._on_end = on_end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self._on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End streams first: the others end by themselves."""
        self._on_end()
        await super().shutdown(sockets)


def serve(
    settings: Settings,
    sockets: Sequence[socket.socket],
    on_start: Callable[[str], None],
    report: Callable[[Exception], None],
    *,
    on_end: Callable[[], None] = lambda: None,
) -> None:
    """Serve until a signal comes.

    Args:
        settings: What the gateway is told.
        sockets: Where it listens.
        on_start: Told, once it does, a key that opens a session.
        report: Told of errors that nobody expected.
        on_end: Told before it listens no longer.

    Raises:
        KeyboardInterrupt: The signal was SIGINT.
    """
    for name in ("uvicorn.error", "uvicorn.asgi"):
        # What strangers send wrongly is no news, and what goes wrong here `report` tells.
        logging.getLogger(name).setLevel(logging.CRITICAL)

    def end() -> None:
        server.should_exit = True

    def begin() -> None:
        gateway.begin()
        on_start(gateway.sessions.new_key())

    def retire() -> None:
        on_end()
        gateway.end()

    gateway = Gateway(settings, report, end)
    server = _Server(_config(gateway.app), begin, retire)
    # uvicorn ends by this signal and then raises it once more, which would end the process before
    # the step of an act that is under way.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    try:
        asyncio.run(server.serve(list(sockets)))
    finally:
        gateway.close()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=Protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_LAST_SECONDS,
        h11_max_incomplete_event_size=HEAD_BYTES,
    )
