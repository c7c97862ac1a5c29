"""Bytes of every message as they once were still mean the same."""

from __future__ import annotations

import typing
from pathlib import Path

import msgspec
import pytest

from pspd.rpc import wire
from tests.rpc import samples

GOLDEN: dict[str, dict[str, str]] = msgspec.json.decode(
    (Path(__file__).parent / "golden" / "messages.json").read_bytes(),
    type=dict[str, dict[str, str]],
)


@pytest.mark.parametrize("request_", samples.REQUESTS, ids=lambda value: type(value).__name__)
def test_old_bytes_of_a_request_still_decode(request_: wire.Request) -> None:
    frame = bytes.fromhex(GOLDEN["requests"][type(request_).__name__])
    envelope, decoded = wire.decode_request(frame)
    assert decoded == request_
    assert (envelope.protocol, envelope.id, envelope.deadline_ms) == (1, 77, 5000)


@pytest.mark.parametrize("reply", samples.REPLIES, ids=lambda value: type(value).__name__)
def test_old_bytes_of_a_reply_still_decode(reply: wire.Reply) -> None:
    frame = bytes.fromhex(GOLDEN["replies"][type(reply).__name__])
    assert wire.decode_reply(frame) == (77, reply)


@pytest.mark.parametrize("name", samples.LATER_REQUESTS)
def test_later_bytes_of_a_request_still_decode(name: str) -> None:
    _, decoded = wire.decode_request(bytes.fromhex(GOLDEN["requests"][name]))
    assert decoded == samples.LATER_REQUESTS[name]


@pytest.mark.parametrize("name", samples.LATER_REPLIES)
def test_later_bytes_of_a_reply_still_decode(name: str) -> None:
    frame = bytes.fromhex(GOLDEN["replies"][name])
    assert wire.decode_reply(frame) == (77, samples.LATER_REPLIES[name])


@pytest.mark.parametrize("event", samples.EVENTS, ids=lambda value: type(value).__name__)
def test_old_bytes_of_an_event_still_decode(event: wire.Event) -> None:
    assert wire.decode_event(bytes.fromhex(GOLDEN["events"][type(event).__name__])) == event


def test_every_message_has_a_sample() -> None:
    assert {type(value) for value in samples.REQUESTS} == set(typing.get_args(wire.Request))
    assert {type(value) for value in samples.REPLIES} == set(typing.get_args(wire.Reply))
    assert {type(value) for value in samples.EVENTS} == set(typing.get_args(wire.Event))


@pytest.mark.parametrize("request_", samples.REQUESTS, ids=lambda value: type(value).__name__)
def test_a_request_survives_its_encoding(request_: wire.Request) -> None:
    frame = wire.encode_request(request_, id=2**63, deadline_ms=1)
    envelope, decoded = wire.decode_request(frame)
    assert (envelope.id, decoded) == (2**63, request_)


@pytest.mark.parametrize("event", samples.EVENTS, ids=lambda value: type(value).__name__)
def test_an_event_survives_its_encoding(event: wire.Event) -> None:
    assert wire.decode_event(wire.encode_event(event)[1]) == event


def test_a_reply_that_is_none_is_refused() -> None:
    with pytest.raises(wire.WireError) as caught:
        wire.decode_reply(b"\xc1")
    assert caught.value.code == "malformed"


@pytest.mark.parametrize(
    ("environ", "directory"),
    [
        ({"PSP_HOME": "/home/ann/.psp", "XDG_RUNTIME_DIR": "/run/user/1"}, "/home/ann/.psp"),
        ({"XDG_RUNTIME_DIR": "/run/user/1"}, "/run/user/1/psp"),
    ],
)
def test_the_environment_says_where_the_sockets_lie(
    environ: dict[str, str], directory: str
) -> None:
    assert wire.socket_paths(environ) == (f"{directory}/pspd.sock", f"{directory}/pspd-events.sock")


def test_without_a_runtime_directory_the_sockets_lie_in_one_named_after_the_user() -> None:
    assert wire.runtime_directory({"TMPDIR": "/scratch"}).startswith("/scratch/psp-")
