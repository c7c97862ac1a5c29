"""What a plan has to know of the library: rules, what is told apart, how files are related."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from pspc.deciding.trash import is_in_trash
from pspc.errors import DaemonError, SourceError
from pspd.rpc import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pspc.connection import Connection

_SEARCHES = 64
"""Of which the hits are remembered: of one group more are rarely asked."""


def usual_rules(connection: Connection) -> str:
    """Return the rules of which copy to keep, as the daemon's configuration has them."""
    return connection.status().keep or wire.DEFAULT_KEEP


def watched_folders(connection: Connection) -> list[bytes]:
    """Return the watched folders, each with a slash at its end."""
    return [os.path.join(root.path, b"") for root in connection.roots()]


def told_apart(connection: Connection) -> frozenset[frozenset[str]]:
    """Return the digests of two contents each that are no copies of one another."""
    return frozenset(frozenset((pair.first, pair.second)) for pair in connection.distinct())


def hits_of(connection: Connection) -> Callable[[wire.GroupFile], Mapping[bytes, wire.Hit]]:
    """Return what finds, by path, what is like a file: a search with it.

    The last ones are remembered, for what parts a group and what makes a plan of it ask the same.
    """

    @functools.lru_cache(maxsize=_SEARCHES)
    def found(path: bytes) -> Mapping[bytes, wire.Hit]:
        try:
            reply = connection.search(os.fsdecode(path), effort="fast")
        except (SourceError, DaemonError):
            return {}  # gone since: then nothing goes in its favour
        return {hit.path: hit for hit in reply.hits}

    return lambda file: found(file.path)


def relations_of(
    hits: Callable[[wire.GroupFile], Mapping[bytes, wire.Hit]],
) -> Callable[[wire.GroupFile], Mapping[bytes, str]]:
    """Return what says, by path, what files are to one that is kept."""
    return lambda file: {path: hit.verdict for path, hit in hits(file).items()}


def outside_trash(files: Iterable[wire.GroupFile]) -> list[wire.GroupFile]:
    """Return the files that were not thrown away already."""
    return [file for file in files if not is_in_trash(file.path, os.environ)]
