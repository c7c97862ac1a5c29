"""What a plan has to know of the library: rules, what is told apart, how files are related."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pspc.deciding.trash import is_in_trash
from pspc.errors import DaemonError, SourceError
from pspd.rpc import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pspc.connection import Connection


def usual_rules(connection: Connection) -> str:
    """Return the rules of which copy to keep, as the daemon's configuration has them."""
    return connection.status().keep or wire.DEFAULT_KEEP


def watched_folders(connection: Connection) -> list[bytes]:
    """Return the watched folders, each with a slash at its end."""
    return [os.path.join(root.path, b"") for root in connection.roots()]


def told_apart(connection: Connection) -> frozenset[frozenset[str]]:
    """Return the digests of two contents each that are no copies of one another."""
    return frozenset(frozenset((pair.first, pair.second)) for pair in connection.distinct())


def relations_of(connection: Connection) -> Callable[[wire.GroupFile], Mapping[bytes, str]]:
    """Return what says, by path, what files are to one that is kept: a search with it."""

    def relations(file: wire.GroupFile) -> Mapping[bytes, str]:
        try:
            reply = connection.search(os.fsdecode(file.path), effort="fast")
        except (SourceError, DaemonError):
            return {}  # gone since: then nothing goes in its favour
        return {hit.path: hit.verdict for hit in reply.hits}

    return relations


def outside_trash(files: Iterable[wire.GroupFile]) -> list[wire.GroupFile]:
    """Return the files that were not thrown away already."""
    return [file for file in files if not is_in_trash(file.path, os.environ)]
