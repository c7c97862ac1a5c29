"""The JSON document of `pspc missing --json`, described in docs/json.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

from pspc.documents import freshness as freshness_document
from pspc.documents import hit, path_base64, path_text
from pspc.schema import FreshnessDocument, HitDocument, PathDocument

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from pspc.presence import Presence
    from pspd.rpc import wire


class MissingFileDocument(PathDocument, kw_only=True):
    """One picture that is not safe."""

    state: str
    found: HitDocument | UnsetType = UNSET
    """What there is of a `lesser` one."""
    message: str
    """Why it is `unread`."""


class MissingDocument(msgspec.Struct, kw_only=True):
    """All pictures of some folders that are not in the library."""

    files: list[MissingFileDocument]
    pictures: int
    safe: int
    not_pictures: int
    unlisted: list[str]
    """Why folders could not be looked into."""
    freshness: FreshnessDocument | UnsetType = UNSET


def document(
    listed: Sequence[Presence],
    counts: Counter[str],
    unlisted: Sequence[str],
    freshness: wire.Freshness | None,
) -> MissingDocument:
    """Make the document.

    Args:
        listed: What is not safe.
        counts: Of all files, by state.
        unlisted: Why folders could not be looked into.
        freshness: Of the last answer; None where nothing was asked.
    """
    return MissingDocument(
        files=[
            MissingFileDocument(
                path=path_text(each.path),
                path_base64=path_base64(each.path),
                state=each.state,
                found=UNSET if each.found is None else hit(each.found),
                message=path_text(each.message),
            )
            for each in listed
        ],
        pictures=counts.total() - counts["no_picture"],
        safe=counts["safe"],
        not_pictures=counts["no_picture"],
        unlisted=[path_text(text) for text in unlisted],
        freshness=UNSET if freshness is None else freshness_document(freshness),
    )
