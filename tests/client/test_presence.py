"""What a search says of whether a picture may be deleted elsewhere."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pspc.presence import judged
from pspd.rpc import wire
from tests.client.conftest import SEARCH_REPLY
from tests.rpc import samples

QUERY = replace(samples.QUERY, width=640, height=480, frames=1)
COPY = replace(samples.HIT, verdict="copy", width=640, height=480, frames=1, proof=None)
PROOF = samples.PROOF


def state(*hits: wire.Hit, query: wire.QueryInfo = QUERY) -> str:
    return judged(replace(SEARCH_REPLY, query=query, hits=list(hits)), lambda _path: True)[0]


@pytest.mark.parametrize("verdict", ["same_file", "same_pixels"])
def test_the_same_picture_is_safe_however_small_it_says_it_is(verdict: str) -> None:
    assert state(replace(COPY, verdict=verdict, width=1, height=1)) == "safe"


def test_a_copy_is_safe_if_it_is_as_large_whole_and_has_all_frames() -> None:
    assert state(COPY) == "safe"
    # Turned.
    assert state(replace(COPY, width=480, height=640)) == "safe"
    assert state(replace(COPY, width=639)) == "lesser"
    assert state(COPY, query=replace(QUERY, frames=2)) == "lesser"
    assert state(replace(COPY, proof=replace(PROOF, query_share=0.5))) == "lesser"
    assert state(replace(COPY, proof=replace(PROOF, query_share=1.0))) == "safe"


def test_the_best_copy_counts() -> None:
    small = replace(COPY, width=64)
    assert state(small, COPY) == "safe"
    found = judged(replace(SEARCH_REPLY, query=QUERY, hits=[small]), lambda _path: True)[1]
    assert found == small


def test_what_resembles_it_or_lies_in_the_folder_itself_does_not_count() -> None:
    assert state() == "missing"
    assert state(replace(COPY, verdict="alike")) == "missing"
    reply = replace(SEARCH_REPLY, query=QUERY, hits=[COPY])
    assert judged(reply, lambda path: path != COPY.path) == ("missing", None)
