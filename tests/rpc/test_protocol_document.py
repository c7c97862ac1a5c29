"""The frames printed in docs/protocol.md are sent to a real server, byte for byte."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import pytest
import zmq

from pspd.rpc import wire
from tests.rpc.frames import printed
from tests.rpc.peers import Dealer, TableHandler, serving, short_directory

DOCUMENT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")

EXAMPLES: dict[str, tuple[int, wire.Request, wire.Reply]] = {
    "hello": (
        1,
        wire.Hello(client="pspc 0.1.0"),
        wire.Welcome(server="pspd", version="0.1.0", protocol=1, pid=4242),
    ),
    "add_root": (
        2,
        wire.AddRoot(path=b"/home/ann/Pictures", exclude=["*.gif"]),
        wire.RootReply(
            root=wire.RootStatus(
                path=b"/home/ann/Pictures",
                state="scanning",
                indexed=0,
                pending=0,
                failed=0,
                exclude=["*.gif"],
            )
        ),
    ),
    "search": (
        3,
        wire.SearchRequest(count=10),
        wire.SearchReply(
            query=wire.QueryInfo(width=640, height=480, size=4, format="PNG", image="cd" * 32),
            hits=[
                wire.Hit(
                    path=b"/home/ann/Pictures/caf\xe9.jpg",
                    verdict="copy",
                    distance=6,
                    turn="rotate_90",
                    width=480,
                    height=640,
                    size=34567,
                    format="JPEG",
                    image="ab" * 32,
                )
            ],
            freshness=wire.Freshness(indexed=1200, pending=0, failed=3),
            total=1,
            elapsed_ms=7.25,
        ),
    ),
    "remove_root": (
        4,
        wire.RemoveRoot(path=b"/nowhere"),
        wire.ErrorReply("root", "/nowhere is not watched"),
    ),
}
"""What the printed frames say, by the name they have there."""


def _printed() -> dict[tuple[str, str], bytes]:
    blocks = re.findall(r"^```frame (\w+) (\w+)\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    return {(kind, name): bytes.fromhex(re.sub(r";.*", "", text)) for kind, name, text in blocks}


FRAMES = _printed()


def test_the_document_prints_these_examples() -> None:
    requests = {name for kind, name in FRAMES if kind == "request"}
    assert requests == set(EXAMPLES)
    assert {name for kind, name in FRAMES if kind == "reply"} == requests


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_document_prints_frames_as_they_are_sent(name: str) -> None:
    number, request, reply = EXAMPLES[name]
    sent = wire.encode_request(request, id=number, deadline_ms=30_000)
    assert f"```frame request {name}\n{printed(sent)}\n```" in DOCUMENT
    answered = wire.encode_reply(reply, id=number)
    assert f"```frame reply {name}\n{printed(answered)}\n```" in DOCUMENT


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_printed_request_gets_the_printed_reply(name: str) -> None:
    number, request, reply = EXAMPLES[name]
    image = FRAMES.get(("image", name))
    handler = TableHandler().on(type(request), reply)
    with short_directory() as directory, serving(directory, handler), Dealer(directory) as dealer:
        dealer.socket.send_multipart([FRAMES["request", name], *([] if image is None else [image])])
        answer = dealer.socket.recv()
    assert handler.calls[0].request == request
    assert handler.calls[0].image == image
    assert wire.decode_reply(answer) == (number, reply)
    assert answer == FRAMES["reply", name]


def test_a_printed_event_is_what_the_server_publishes() -> None:
    event = wire.ChangeEvent(
        kind="moved", path=b"/home/ann/Pictures/new.jpg", old_path=b"/home/ann/Pictures/old.jpg"
    )
    assert wire.encode_event(event) == (FRAMES["topic", "change"], FRAMES["event", "change"])
    assert wire.decode_event(FRAMES["event", "change"]) == event


def test_the_document_names_every_message_field_and_code() -> None:
    unions = (wire.Request, wire.Reply, wire.Event)
    messages = [message for union in unions for message in typing.get_args(union)]
    structures = [wire.RootStatus, wire.Hit, wire.QueryInfo, wire.Freshness, wire.FailureEntry]
    structures += [wire.Rectangle, wire.Proof, wire.Reason, wire.ModelStatus, wire.DistinctPair]
    words = set(re.findall(r"`(\w+)`", DOCUMENT))
    for message in messages:
        assert message.__struct_config__.tag in words
    for structure in (*messages, *structures):
        assert set(structure.__struct_encode_fields__) <= words, structure
    assert set(typing.get_args(wire.ErrorCode)) <= words


def test_a_socket_of_the_request_reply_pattern_is_told_what_is_wrong() -> None:
    with short_directory() as directory, serving(directory, TableHandler()):
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        with context, context.socket(zmq.DEALER) as socket:
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.RCVTIMEO, 30_000)
            socket.connect(wire.socket_address(f"{directory}/{wire.SOCKET_NAME}"))
            socket.send_multipart([b"", FRAMES["request", "hello"]])
            _, reply = wire.decode_reply(socket.recv())
    assert isinstance(reply, wire.ErrorReply)
    assert reply.code == "malformed"
