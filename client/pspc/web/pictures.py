"""Answers about one picture: how it looks, what it is, where its files lie."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from pspc.documents import path_base64, path_text
from pspc.web.endpoints import JPEG, Media
from pspc.web.refusals import refused
from pspc.web.schema import PictureDocument, PictureFile, Shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from pspc.web.endpoints import Nothing
    from pspc.web.file_keys import FileKeys
    from pspc.web.queries import Queries
    from pspc.web.wishes import FileWish, ImageWish, QueryPictureWish, ThumbnailWish
    from pspc.web.workers import Workers

_SMALL = 16


class Pictures:
    """Shows pictures of the index, and queries.

    Args:
        workers: Ask the daemon.
        queries: The last queries.
        keys: Of files.
        show: Opens a file's folder on this machine's desktop; None where nobody sits at it.
    """

    def __init__(
        self,
        workers: Workers,
        queries: Queries,
        keys: FileKeys,
        show: Callable[[bytes], None] | None,
    ) -> None:
        self._workers = workers
        self._queries = queries
        self._keys = keys
        self._show = show

    async def thumbnail(self, wish: ThumbnailWish, _body: Nothing) -> Media:
        """Draw an indexed picture small."""
        reply = await self._workers.ask(
            lambda connection: connection.picture(wish.image, wish.size)
        )
        return Media(reply.picture, JPEG, is_kept=True)

    async def query(self, wish: QueryPictureWish, _body: Nothing) -> Media:
        """Draw a query that is kept."""
        data = self._queries.get(wish.image)
        reply = await self._workers.ask(lambda connection: connection.preview(data, wish.size))
        return Media(reply.picture, JPEG, is_kept=True)

    async def details(self, wish: ImageWish, _body: Nothing) -> PictureDocument:
        """Tell what an indexed picture is, and where its files lie."""
        reply = await self._workers.ask(
            lambda connection: connection.picture(wish.image, _SMALL, tags=True)
        )
        files = await asyncio.to_thread(lambda: [self._file(path) for path in reply.paths])
        return PictureDocument(
            image=wish.image,
            width=reply.width,
            height=reply.height,
            format=reply.format,
            bytes=reply.size,
            frames=reply.frames,
            channels=reply.channels,
            orientation=reply.orientation,
            files=files,
            tags=reply.tags,
        )

    async def show(self, _wish: ImageWish, file: FileWish) -> Shown:
        """Open a file's folder on the desktop."""
        path = self._keys.path(file.key)
        show = self._show
        if show is None:
            raise refused(
                HTTPStatus.NOT_IMPLEMENTED,
                "desktop",
                "the page may be open on another machine, so that no folder is shown",
            )
        await asyncio.to_thread(lambda: show(path))
        return Shown(shown=True)

    def _file(self, path: bytes) -> PictureFile:
        file = PictureFile(
            path=path_text(path), path_base64=path_base64(path), key=self._keys.key(path)
        )
        try:
            status = os.stat(path)
        except OSError:
            file.missing = True
            return file
        file.bytes = status.st_size
        with suppress(ValueError, OverflowError, OSError):  # file systems know years above 9999
            moment = datetime.fromtimestamp(status.st_mtime, UTC)
            file.modified = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        return file
