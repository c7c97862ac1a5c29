"""The JSON document of `pspc distinct --list --json`, described in docs/json.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pspc.documents import path_base64, path_text
from pspc.schema import PathDocument

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pspd.rpc import wire


class ContentDocument(msgspec.Struct, kw_only=True):
    """A content, wherever it lies."""

    image: str
    files: list[PathDocument]
    """Some of those that have it now."""


class DistinctPairDocument(msgspec.Struct, kw_only=True):
    """Two contents that somebody has told apart."""

    first: ContentDocument
    second: ContentDocument
    when: str


class DistinctDocument(msgspec.Struct, kw_only=True):
    """All of them."""

    pairs: list[DistinctPairDocument]


def distinct(pairs: Iterable[wire.DistinctPair]) -> DistinctDocument:
    """Make the document of what was told apart."""
    return DistinctDocument(
        pairs=[
            DistinctPairDocument(
                first=_content(pair.first, pair.first_paths),
                second=_content(pair.second, pair.second_paths),
                when=pair.when,
            )
            for pair in pairs
        ]
    )


def _content(image: str, paths: Iterable[bytes]) -> ContentDocument:
    files = [PathDocument(path=path_text(path), path_base64=path_base64(path)) for path in paths]
    return ContentDocument(image=image, files=files)
