"""Searches: with bytes that come, with what an address leads to, with what is known already."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from msgspec import UnsetType, structs

from pspc import documents
from pspc.sources import checked
from pspc.web.originals import original
from pspc.web.schema import FoundDocument, KeyedHit, WholeDocument
from pspc.web.wishes import rectangle

if TYPE_CHECKING:
    from collections.abc import Callable

    from pspc.connection import Connection
    from pspc.schema import WhyDocument
    from pspc.web.endpoints import Nothing
    from pspc.web.file_keys import FileKeys
    from pspc.web.queries import Queries
    from pspc.web.wishes import Address, CompareWish, KeptSearchWish, SearchWish
    from pspc.web.workers import Workers
    from pspd.rpc import wire

T = TypeVar("T")

_DOWNLOADS = 2
"""At the same time; the others wait."""

_SMALL = 16
"""Pixels of a picture of which only the size is wanted."""


class Searches:
    """Searches, and remembers the last queries.

    Args:
        workers: Ask the daemon.
        queries: The last queries.
        keys: Of files.
        fetch: Brings what an address leads to; blocks.
    """

    def __init__(
        self, workers: Workers, queries: Queries, keys: FileKeys, fetch: Callable[[str], bytes]
    ) -> None:
        self._workers = workers
        self._queries = queries
        self._keys = keys
        self._fetch = fetch
        self._downloads = ThreadPoolExecutor(_DOWNLOADS, "web-fetch")

    async def search(self, wish: SearchWish, data: bytes) -> FoundDocument:
        """Search with a picture that comes."""
        return await self._found(checked(data), "", wish)

    async def search_url(self, wish: SearchWish, address: Address) -> FoundDocument:
        """Search with a picture of the web."""
        loop = asyncio.get_running_loop()
        data = await loop.run_in_executor(self._downloads, self._fetch, address.url)
        return await self._found(data, address.url, wish)

    async def search_kept(self, wish: KeptSearchWish, _body: Nothing) -> FoundDocument:
        """Search once more with a query that is kept."""
        return await self._found(self._queries.get(wish.image), "", wish)

    async def search_indexed(self, wish: KeptSearchWish, _body: Nothing) -> FoundDocument:
        """Search with an indexed picture."""
        data = await self._workers.ask(lambda connection: original(connection, wish.image))
        return await self._found(data, "", wish)

    async def compare(self, wish: CompareWish, _body: Nothing) -> WhyDocument:
        """Say what joins or parts two pictures."""
        kept = [self._queries.find(each) for each in (wish.first, wish.second)]

        def ask(connection: Connection) -> wire.WhyReply:
            first, second = (
                original(connection, image) if data is None else data
                for image, data in zip((wish.first, wish.second), kept, strict=True)
            )
            return connection.why(first, second)

        return documents.why(await self._workers.ask(ask))

    def close(self) -> None:
        """Fetch nothing more; never waits."""
        self._downloads.shutdown(wait=False, cancel_futures=True)

    async def _found(self, data: bytes, source: str, wish: SearchWish) -> FoundDocument:
        def ask(connection: Connection) -> wire.SearchReply:
            return connection.search(
                data,
                wish.mode,
                _given(wish.distance),
                _given(wish.count),
                effort=wish.effort,
                alike=wish.alike,
                budget=_given(wish.budget),
                expect=_given(wish.expect),
                crop=rectangle(wish.crop) if wish.crop else None,
            )

        reply = await self._workers.ask(ask)
        query = reply.query
        whole = WholeDocument(image=query.image, width=query.width, height=query.height)
        if wish.crop:
            # Of a part the daemon says what the part is.
            seen = await self._workers.ask(lambda connection: connection.preview(data, _SMALL))
            whole = WholeDocument(image=seen.image, width=seen.width, height=seen.height)
        self._queries.keep(whole.image, data)
        return self._document(source, reply, whole)

    def _document(
        self, source: str, reply: wire.SearchReply, whole: WholeDocument
    ) -> FoundDocument:
        plain = documents.result(source, reply)
        hits = [
            KeyedHit(**structs.asdict(document), key=self._keys.key(hit.path))
            for document, hit in zip(plain.hits, reply.hits, strict=True)
        ]
        return FoundDocument(**{**structs.asdict(plain), "hits": hits}, whole=whole)


def _given(value: T | UnsetType) -> T | None:
    return None if isinstance(value, UnsetType) else value
