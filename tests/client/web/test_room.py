"""All bodies together have a bound, and whoever is alone always has room."""

from __future__ import annotations

import pytest

from pspc.web import gate
from pspc.web.refusals import RefusedError
from pspc.web.room import Room, expected_bytes


def _head(length: int | None, method: str = "POST", path: str = "/api/v1/search") -> gate.Head:
    headers = [(b"content-type", b"image/png")]
    if length is not None:
        headers.append((b"content-length", b"%d" % length))
    return gate.Head(method, path.encode(), path, headers)


def test_what_is_announced_counts_until_it_is_answered() -> None:
    room = Room(100)
    with room.of(_head(60)), room.of(_head(40)):
        with pytest.raises(RefusedError) as caught, room.of(_head(1)):
            pass
        assert caught.value.refusal.status == 503
        assert caught.value.refusal.retry_after == 1
    with room.of(_head(100)):
        pass


def test_whoever_is_alone_has_room_and_whoever_only_reads_needs_none() -> None:
    room = Room(100)
    with room.of(_head(1000)), room.of(_head(None, "GET")), room.of(_head(0)):
        pass


def test_a_body_of_unknown_length_counts_as_the_longest() -> None:
    assert expected_bytes(_head(None)) == gate.PICTURE_BYTES
    assert expected_bytes(_head(5)) == 5
    assert expected_bytes(_head(None, "HEAD")) == 0
