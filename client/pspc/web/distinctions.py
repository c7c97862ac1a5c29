"""What a person has told apart: pictures that look alike and are no copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.distinct_document import DistinctDocument, distinct
from pspc.web.schema import Added, Forgotten

if TYPE_CHECKING:
    from pspc.web.endpoints import Nothing
    from pspc.web.wishes import Images
    from pspc.web.workers import Workers


class Distinctions:
    """Has the daemon remember them."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    async def mark(self, _wish: Nothing, images: Images) -> Added:
        """Tell some pictures apart, each from each other."""
        return Added(
            added=await self._workers.ask(
                lambda connection: connection.mark_distinct(images.images)
            )
        )

    async def forget(self, _wish: Nothing, images: Images) -> Forgotten:
        """Take it back: of one picture all, of more the pairs among them."""
        return Forgotten(
            forgotten=await self._workers.ask(
                lambda connection: connection.forget_distinct(images.images)
            )
        )

    async def pairs(self, _wish: Nothing, _body: Nothing) -> DistinctDocument:
        """List what was told apart."""
        pairs = await self._workers.ask(lambda connection: connection.distinct())
        return distinct(pairs)
