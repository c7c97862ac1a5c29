"""The daemon's tiers as searches for a trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from pspc.selftest.geometry import Points
from pspc.selftest.trial import Answer, Find, Search

if TYPE_CHECKING:
    from pspc.connection import Connection
    from pspd.rpc import wire

RANKED_DISTANCE: Final = 80
"""Bits of 256 up to which hits are asked for, so that the original has a rank also where it is no
copy by the threshold (48). Of real photographs no two strangers are nearer than 82."""

_MOST_HITS: Final = 100


def searches_of(connection: Connection) -> Mapping[str, Search]:
    """Return the tiers that the daemon has, by name: hashes alone, and all that it can do.

    Each lists what only resembles the query too, so that the original has a rank where it is no
    copy. The daemon keeps what it read of a query, so that the time of the second lacks decoding.
    """

    def by_hashes(data: bytes) -> Answer:
        return _answer(connection.search(data, "both", RANKED_DISTANCE, _MOST_HITS, effort="fast"))

    def in_full(data: bytes) -> Answer:
        return _answer(connection.search(data, "both", count=_MOST_HITS, alike=True))

    return {"hashes": by_hashes, "full": in_full}


def _answer(reply: wire.SearchReply) -> Answer:
    finds = [Find(hit.path, hit.image, hit.verdict, _part(hit.proof)) for hit in reply.hits]
    return Answer(reply.query.image, reply.query.flat, finds)


def _part(proof: wire.Proof | None) -> Points | None:
    return None if proof is None else np.array(proof.quadrilateral, np.float64)
