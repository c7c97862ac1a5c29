"""What a search says of whether a picture may be deleted elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from pspc.deciding.keeping import LOSSLESS
from pspc.presence import SURE_BITS, judged
from pspd.core import verdict
from pspd.core.groups import LOSSLESS_FORMATS
from pspd.rpc import wire
from tests.client.conftest import SEARCH_REPLY
from tests.rpc import samples

QUERY = replace(samples.QUERY, width=640, height=480, frames=1)
COPY = replace(samples.HIT, verdict="copy", distance=6, width=640, height=480, frames=1, proof=None)
PROOF = replace(samples.PROOF, query_share=1.0, indexed_share=1.0, colour="")


def state(*hits: wire.Hit, query: wire.QueryInfo = QUERY) -> str:
    return judged(replace(SEARCH_REPLY, query=query, hits=list(hits)), lambda _path: True)[0]


@pytest.mark.parametrize("verdict", ["same_file", "same_pixels"])
def test_the_same_picture_is_safe_however_small_it_says_it_is(verdict: str) -> None:
    assert state(replace(COPY, verdict=verdict, width=1, height=1)) == "safe"


def test_a_copy_is_safe_if_it_is_as_large_whole_and_has_all_frames() -> None:
    assert state(COPY) == "safe"
    # Turned.
    assert state(replace(COPY, width=480, height=640)) == "safe"
    assert state(replace(COPY, width=320, height=240)) == "lesser"
    assert state(COPY, query=replace(QUERY, frames=2)) == "lesser"


def test_hashes_alone_make_it_safe_only_if_they_are_nearly_equal_and_the_shapes_are() -> None:
    # Cards of one layout are 11 to 48 bits apart.
    assert state(replace(COPY, distance=11)) == "lesser"
    # The library's picture, found within a collage at 0 bits.
    assert state(replace(COPY, distance=0, width=1280, height=1280)) == "lesser"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "safe"),
        ({"query_share": 0.5}, "lesser"),
        # The library has all of the scene, and a quarter of this part's pixels.
        ({"indexed_share": 0.25}, "lesser"),
        ({"colour": "gray"}, "lesser"),
    ],
)
def test_a_proof_says_what_would_be_lost(change: dict[str, Any], expected: str) -> None:
    proven = replace(COPY, distance=90, proof=replace(PROOF, **change))
    assert state(proven) == expected


def test_the_best_copy_counts() -> None:
    small = replace(COPY, width=64, height=48)
    assert state(small, COPY) == "safe"
    found = judged(replace(SEARCH_REPLY, query=QUERY, hits=[small]), lambda _path: True)[1]
    assert found == small


def test_what_resembles_it_or_lies_in_the_folder_itself_does_not_count() -> None:
    assert state() == "missing"
    assert state(replace(COPY, verdict="alike")) == "missing"
    reply = replace(SEARCH_REPLY, query=QUERY, hits=[COPY])
    assert judged(reply, lambda path: path != COPY.path) == ("missing", None)


def test_what_the_client_may_not_import_is_the_same_in_both() -> None:
    assert SURE_BITS == verdict.SURE_DISTANCE
    assert LOSSLESS == LOSSLESS_FORMATS
