"""Whatever arrives is a message or is refused with a code; nothing else comes out."""

from __future__ import annotations

import typing
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pspd.rpc import wire
from tests.rpc import samples

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.sampled_from([[], {}, [[]], {"type": "stop"}, 2**63, -1, "\x1b[2J", b"\xff/"]),
)
_FRAMES = [
    *(wire.encode_request(each, id=7, deadline_ms=100) for each in samples.REQUESTS),
    *(wire.encode_reply(each, id=7) for each in samples.REPLIES),
    *(wire.encode_event(each)[1] for each in samples.EVENTS),
]


def _outcome(frame: bytes) -> list[object]:
    """Decode as all three; returns the messages, or the codes of refusal."""
    outcomes: list[object] = []
    for decode in (wire.decode_request, wire.decode_reply, wire.decode_event):
        try:
            outcomes.append(decode(frame))
        except wire.WireError as error:
            # What a server does with it.
            wire.encode_reply(wire.ErrorReply(error.code, str(error)), id=error.id)
            outcomes.append(error.code)
    codes = {outcome for outcome in outcomes if isinstance(outcome, str)}
    assert codes <= set(typing.get_args(wire.ErrorCode))
    return outcomes


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_a_message(frame: bytes) -> None:
    _outcome(frame)


@given(st.sampled_from(_FRAMES), st.data())
def test_a_frame_with_changed_bytes_is_refused_or_a_message(
    frame: bytes, data: st.DataObject
) -> None:
    changed = bytearray(frame)
    for at in data.draw(st.lists(st.integers(0, len(frame) - 1), max_size=4)):
        changed[at] = data.draw(st.integers(0, 255))
    _outcome(bytes(changed[: data.draw(st.integers(0, len(frame)))]))


def _places(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Yield the way to each value in a decoded message."""
    yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        yield from _places(inner, (*path, key))


@given(st.sampled_from(_FRAMES), _SCALARS, st.data())
def test_a_message_with_a_strange_value_anywhere_is_refused_or_a_message(
    frame: bytes, strange: object, data: st.DataObject
) -> None:
    message: typing.Any = msgspec.msgpack.decode(frame)
    *way, last = data.draw(st.sampled_from([each for each in _places(message) if each]))
    inner = message
    for key in way:
        inner = inner[key]
    inner[last] = strange
    _outcome(msgspec.msgpack.encode(message))


@pytest.mark.parametrize(
    "opening", [b"\x91", b"\x81\xa4body", b"\x83\xa8protocol\x01\xa2id\x01\xa4body\x91"]
)
def test_endless_nesting_is_refused(opening: bytes) -> None:
    outcomes = _outcome(opening + b"\x91" * 100_000)
    assert set(outcomes) <= {"malformed", "unknown_request"}
