"""Whether a picture is in the library already: by content, by pixels, as a copy; never by name.

A copy counts while there is as much of it: one with fewer pixels, a part of the picture or its
first frame alone is `lesser`, and who deletes the other one loses something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pspc.errors import DaemonError, SourceError
from pspc.render import WHOLE
from pspc.sources import read_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from pspc.connection import Connection
    from pspd.rpc import wire

State = Literal["safe", "lesser", "missing", "unread", "no_picture"]
"""`unread`: a picture that could not be looked for; whether it is there, nobody knows."""

Efforts = tuple[Literal["fast", "full"], ...]


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
    best = Presence(path, "missing")
    try:
        image = read_path(path)
        for effort in efforts:
            reply = connection.search(image, effort=effort)
            state, found = judged(reply, counts)
            best = Presence(path, state, found, freshness=reply.freshness)
            if state == "safe":
                break
    except (SourceError, DaemonError) as error:
        is_none = isinstance(error, DaemonError) and error.reason == "not_a_picture"
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
    has_all = hit.proof is None or hit.proof.query_share >= WHOLE
    has_frames = hit.frames >= query.frames
    return has_all and has_frames and hit.width * hit.height >= query.width * query.height
