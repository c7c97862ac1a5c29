"""Answers about parts of pictures: their pixels, for whoever looks closely."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.web.endpoints import PNG, Media
from pspc.web.wishes import rectangle

if TYPE_CHECKING:
    from pspc.web.endpoints import Nothing
    from pspc.web.queries import Queries
    from pspc.web.wishes import DetailWish
    from pspc.web.workers import Workers


class Details:
    """Shows parts of pictures of the index, and of queries.

    Args:
        workers: Ask the daemon. Few, and no others than these: who zooms about gives up most of
            what was asked, and what waits for one of them costs the daemon nothing.
        queries: The last queries.
    """

    def __init__(self, workers: Workers, queries: Queries) -> None:
        self._workers = workers
        self._queries = queries

    async def indexed(self, wish: DetailWish, _body: Nothing) -> Media:
        """Draw a part of an indexed picture."""
        part = rectangle(wish.part)
        reply = await self._workers.ask(lambda connection: connection.detail(wish.image, part))
        return Media(reply.picture, PNG, is_kept=True)

    async def query(self, wish: DetailWish, _body: Nothing) -> Media:
        """Draw a part of a query that is kept."""
        part = rectangle(wish.part)
        data = self._queries.get(wish.image)
        reply = await self._workers.ask(lambda connection: connection.preview_detail(data, part))
        return Media(reply.picture, PNG, is_kept=True)
