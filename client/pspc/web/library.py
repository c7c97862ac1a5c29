"""Answers about the library: its state, folders, failures, models, and what chance brings."""

from __future__ import annotations

import base64
import binascii
import os
from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec import UNSET

from pspc import care_documents
from pspc.web.file_keys import decoded, encoded
from pspc.web.refusals import refused
from pspc.web.schema import DistancesDocument, FailuresPage
from pspc.web.wishes import KnownRoot, ModelWish, NewRoot, OldRoot, PageWish

if TYPE_CHECKING:
    from pspc.connection import Connection
    from pspc.schema import ModelsDocument, RootDocument, RootsDocument, StatusDocument
    from pspc.web.endpoints import Nothing
    from pspc.web.workers import Workers
    from pspd.rpc import wire

_CHANGE_SECONDS = 600.0
"""To load a model of some hundred megabytes and try it."""


class Library:
    """Asks the daemon about its library."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    async def status(self, _wish: Nothing, _body: Nothing) -> StatusDocument:
        """Tell the daemon's state."""
        return care_documents.status(
            await self._workers.ask(lambda connection: connection.status())
        )

    async def roots(self, _wish: Nothing, _body: Nothing) -> RootsDocument:
        """Tell the watched folders."""
        return care_documents.roots(await self._workers.ask(lambda connection: connection.roots()))

    async def add(self, _wish: Nothing, root: NewRoot) -> RootDocument:
        """Watch a folder."""

        def add(connection: Connection) -> wire.RootStatus:
            path = _path(root.path)
            return connection.add(path, root.include, root.exclude, hidden=root.hidden)

        return care_documents.root(await self._workers.ask(add))

    async def remove(self, _wish: Nothing, root: OldRoot) -> RootDocument:
        """Watch a folder no longer."""
        path = _path(root.path, root.path_base64)
        return care_documents.root(
            await self._workers.ask(lambda connection: connection.remove(path))
        )

    async def pause(self, _wish: Nothing, root: KnownRoot) -> RootDocument:
        """Look at nothing in a folder."""
        path = _path(root.path, root.path_base64)
        return care_documents.root(
            await self._workers.ask(lambda connection: connection.pause(path))
        )

    async def resume(self, _wish: Nothing, root: KnownRoot) -> RootDocument:
        """Go on with a folder that was paused."""
        path = _path(root.path, root.path_base64)
        return care_documents.root(
            await self._workers.ask(lambda connection: connection.resume(path))
        )

    async def failures(self, wish: PageWish, _body: Nothing) -> FailuresPage:
        """List a page of the files that could not be indexed."""
        after = cursor(wish)
        page = await self._workers.ask(
            lambda connection: connection.failures_page(after, wish.limit)
        )
        return FailuresPage(
            failures=care_documents.failures(page.failures).failures,
            next=None if page.next is None else encoded(page.next),
        )

    async def models(self, _wish: Nothing, _body: Nothing) -> ModelsDocument:
        """List the models."""
        return care_documents.models(
            await self._workers.ask(lambda connection: connection.models())
        )

    async def change_model(self, _wish: Nothing, wish: ModelWish) -> ModelsDocument:
        """Use another model, or have describing pause or go on."""
        if (wish.action == "use") != bool(wish.name):
            raise refused(
                HTTPStatus.BAD_REQUEST, "usage", "a model's name is wanted to use it, and only then"
            )
        models = await self._workers.ask(
            lambda connection: connection.change_model(
                wish.action, wish.name, timeout=_CHANGE_SECONDS
            )
        )
        return care_documents.models(models)

    async def distances(self, _wish: Nothing, _body: Nothing) -> DistancesDocument:
        """Tell how many foreign hits a query has on average, by the distance."""

        def ask(connection: Connection) -> tuple[wire.StatusReply, list[float]]:
            return connection.status(), connection.foreign_distances()

        status, expected = await self._workers.ask(ask)
        return DistancesDocument(
            threshold=status.threshold,
            expected=status.expected,
            expected_by_distance=expected,
        )


def cursor(wish: PageWish) -> bytes | None:
    """Return where a page begins; None for the beginning.

    Raises:
        RefusedError: It is no `next` of a page.
    """
    if wish.after is UNSET:
        return None
    found = decoded(str(wish.after))
    if not found:
        raise refused(HTTPStatus.BAD_REQUEST, "usage", "`after` is not the `next` of a page")
    return found


def _path(text: str, exact: str = "") -> bytes:
    try:
        path = base64.b64decode(exact, validate=True) if exact else text.encode()
    except (binascii.Error, ValueError) as error:
        raise refused(HTTPStatus.BAD_REQUEST, "path", "this is no path") from error
    if not os.path.isabs(path) or b"\0" in path:
        raise refused(HTTPStatus.BAD_REQUEST, "path", "the path of a folder begins with a slash")
    return path
