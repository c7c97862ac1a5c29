"""What the server needs of its two neighbours: the fronts, and whoever serves the requests."""

from __future__ import annotations

import math
from concurrent.futures import Future
from typing import Protocol

from pspd.rpc import link, wire


class Front(Protocol):
    """What the server needs of a front, which is a process of its own."""

    settings: link.Settings

    def open(self) -> None:
        """Have it bind; raises AddressError."""

    def is_reachable(self) -> bool:
        """Say whether clients can find it."""

    def retire(self) -> None:
        """Expect it to end."""

    def close(self, deadline: float = math.inf) -> None:
        """Wait until it has ended, up to `deadline` of `time.monotonic()`."""


class Handler(Protocol):
    """What the server needs of the daemon."""

    def handle(
        self, request: wire.Request, image: bytes | None, deadline: float
    ) -> wire.Reply | Future[wire.Reply]:
        """Serve one request; called from several threads at once.

        Args:
            request: What is asked for.
            image: The query image of a search, None for every other request.
            deadline: `time.monotonic()` after which nobody waits for the reply.

        Returns:
            The reply, or a future of it where the request has to wait for something: a future
            keeps no thread.

        Raises:
            PspError: becomes an error reply; any other exception becomes `internal`.
        """
