"""Answers what is said to be distinct, with the files that have those contents now."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pspd import translation
from pspd.rpc import wire

if TYPE_CHECKING:
    from pspd.core.model import ImageId
    from pspd.distinctions import Distinctions
    from pspd.store.reader import Reader
    from pspd.store.store import Store

MOST_PATHS: Final = 3
"""Files of a content that are named: for a person to know it by."""


class TellingApart:
    """Answers from any thread.

    Args:
        store: Knows where the files are.
        distinctions: Knows what was said.
    """

    def __init__(self, store: Store, distinctions: Distinctions) -> None:
        self._store = store
        self._distinctions = distinctions

    def answer(self, request: wire.DistinctRequest) -> wire.DistinctReply:
        """Do what is asked.

        Raises:
            RequestError: It makes no sense.
            StoreError: It cannot be written; nothing has changed.
        """
        images = [translation.image_id(each) for each in request.images]
        match request.action:
            case "list":
                return self._page(request.after, request.limit)
            case "mark":
                when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                return wire.DistinctReply([], self._distinctions.mark(images, when))
            case "forget":
                return wire.DistinctReply([], self._distinctions.forget(images))

    def _page(self, after: int, limit: int) -> wire.DistinctReply:
        self._distinctions.require_known()
        pairs = self._distinctions.pairs()
        end = after + limit
        with self._store.read() as reader:
            page = [
                wire.DistinctPair(
                    first.hex(), second.hex(), when, _paths(reader, first), _paths(reader, second)
                )
                for (first, second), when in pairs[after:end]
            ]
        return wire.DistinctReply(page, next=end if end < len(pairs) else None)


def _paths(reader: Reader, image_id: ImageId) -> list[bytes]:
    number = reader.number_of(image_id)
    links = [] if number is None else reader.links(number)[:MOST_PATHS]
    paths = (reader.file_path(key) for key in links)
    return [os.fsencode(path) for path in paths if path is not None]
