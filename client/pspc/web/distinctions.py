"""What a person has told apart: pictures that look alike and are no copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.documents import path_base64, path_text
from pspc.schema import PathDocument
from pspc.web.schema import Added, DistinctDocument, DistinctPair, Forgotten

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        return DistinctDocument(
            pairs=[
                DistinctPair(
                    first=pair.first,
                    second=pair.second,
                    when=pair.when,
                    first_files=_files(pair.first_paths),
                    second_files=_files(pair.second_paths),
                )
                for pair in pairs
            ]
        )


def _files(paths: Iterable[bytes]) -> list[PathDocument]:
    return [PathDocument(path=path_text(path), path_base64=path_base64(path)) for path in paths]
