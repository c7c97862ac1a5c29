"""Threads with a connection to the daemon each: requests block, and the loop must not."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from pspc.connection import Connection
from pspc.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 5
PICTURE_THREADS = 3
"""Besides the others: a screen of thumbnails must not keep a search waiting."""

DETAIL_THREADS = 2
"""Parts of pictures: the daemon makes one at a time, and shall find the next one waiting."""

LIST_THREADS = 2
"""A page of groups reads what its files tell of themselves, and may search for each that stays."""

T = TypeVar("T")


class Workers:
    """Asks the daemon, in as many threads as there are, each with its own connection.

    What waits for a thread is dropped when nobody waits for it any more; what a thread has begun it
    finishes.

    Args:
        connect: Makes a connection.
        threads: How many at most.
    """

    def __init__(self, connect: Callable[[], Connection], threads: int) -> None:
        self._connect = connect
        self._own = threading.local()
        self._executor = ThreadPoolExecutor(threads, "web-daemon")

    async def ask(self, question: Callable[[Connection], T]) -> T:
        """Return what a function of a connection returns.

        Raises:
            PspcError: As the connection's methods do.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._answer, question)

    def close(self) -> None:
        """Begin nothing more; never waits."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _answer(self, question: Callable[[Connection], T]) -> T:
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._connect()
        try:
            return question(connection)
        except Unreachable:
            # Of one that is lost nobody knows what it still expects.
            self._own.connection = None
            connection.close()
            raise
