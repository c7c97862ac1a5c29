"""Whether a picture is in the library already: by content, by pixels, as a copy; never by name.

A copy counts while nothing of the picture would be lost but its file: it has as many pixels, all of
it, all frames and its colours, and is nearly equal by its hashes or proven by geometry. Any other
is `lesser`. How strongly either was compressed nobody can say.
"""

from __future__ import annotations

import os
from mimetypes import guess_type
from typing import TYPE_CHECKING, Literal, NamedTuple

from pspc.errors import DaemonError, SourceError, TooSlow
from pspc.render import WHOLE
from pspc.sources import claims_to_be_a_picture, read_path
from pspd.rpc import wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from pspc.connection import Connection

State = Literal["safe", "lesser", "missing", "unread", "no_picture"]
"""`unread`: a picture that could not be looked for; whether it is there, nobody knows."""

Efforts = tuple[Literal["fast", "full"], ...]

SURE_BITS = 10
"""As `pspd.core.verdict.SURE_DISTANCE`: pictures whose hashes differ in more may only resemble each
other, unless a proof says that they do not."""

_NO_PICTURES = frozenset({"audio", "text", "video"})
"""Kinds of files, by the ends of their names."""

_SAME_SHAPE = 0.02
"""How much the aspect ratios of two whole pictures may differ; a frame or a second picture beside
it, in which hashes find the library's, change it by more."""

_LEAST_PIXELS = 0.97
"""Of the query's, as what a proof says of shares is exact to some per cent."""


class Presence(NamedTuple):
    """What is known of one file."""

    path: bytes
    state: State
    found: wire.Hit | None = None
    """The best that the library has of it."""
    message: str = ""
    """Why it is `unread`."""
    freshness: wire.Freshness | None = None
    """What the last answer was computed over."""


def presence(
    path: bytes, connection: Connection, efforts: Efforts, counts: Callable[[bytes], bool]
) -> Presence:
    """Look for a file's picture.

    Args:
        path: Of the file.
        connection: To the daemon.
        efforts: Of the searches, one after the other until it is found safe.
        counts: Whether a path in the library counts.

    Raises:
        PspcError: The daemon cannot be asked.
    """
    if not _may_be_a_picture(path):
        return Presence(path, "no_picture")
    best = Presence(path, "missing")
    try:
        image = read_path(path)
        for effort in efforts:
            reply = connection.search(image, effort=effort)
            state, found = judged(reply, counts)
            best = Presence(path, state, found, freshness=reply.freshness)
            if state == "safe":
                break
    except (SourceError, DaemonError, TooSlow) as error:
        is_none = isinstance(error, DaemonError) and error.reason == "not_a_picture"
        is_none = is_none and not claims_to_be_a_picture(path)
        return Presence(path, "no_picture" if is_none else "unread", message=str(error))
    return best


def judged(
    reply: wire.SearchReply, counts: Callable[[bytes], bool]
) -> tuple[State, wire.Hit | None]:
    """Say what a search found, and the best of it.

    Args:
        reply: With the strongest hits first.
        counts: Whether a path counts.
    """
    copies = [hit for hit in reply.hits if hit.verdict != "alike" and counts(hit.path)]
    for hit in copies:
        if _is_as_much(reply.query, hit):
            return "safe", hit
    return ("lesser", copies[0]) if copies else ("missing", None)


def _is_as_much(query: wire.QueryInfo, hit: wire.Hit) -> bool:
    """Say whether nothing of the query would be lost but its file."""
    if hit.verdict != "copy":
        return True
    if hit.frames < query.frames:
        return False
    pixels, wanted = hit.width * hit.height, query.width * query.height
    proof = hit.proof
    if proof is None:
        return hit.distance <= SURE_BITS and _are_shaped_alike(query, hit) and pixels >= wanted
    has_all = proof.query_share >= WHOLE and not proof.colour
    return has_all and proof.indexed_share * pixels >= _LEAST_PIXELS * wanted


def _are_shaped_alike(query: wire.QueryInfo, hit: wire.Hit) -> bool:
    """Say whether one may be the other, turned or not."""
    here, there = query.width / query.height, hit.width / hit.height
    return any(abs(each / there - 1) <= _SAME_SHAPE for each in (here, 1 / here))


def _may_be_a_picture(path: bytes) -> bool:
    """Say whether a file is worth being read whole: films and texts are not, by their names.

    Nor is what is empty or too large to be searched for, unless its name says that it is one.
    """
    if claims_to_be_a_picture(path):
        return True
    kind = guess_type(os.fsdecode(os.path.basename(path)))[0] or ""
    try:
        size = os.lstat(path).st_size
    except OSError:
        return True
    return 0 < size <= wire.MAX_QUERY_BYTES and kind.partition("/")[0] not in _NO_PICTURES
