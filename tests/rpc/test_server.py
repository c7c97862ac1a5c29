"""The server over real sockets: what each kind of frame gets, and that nothing stops it."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import msgspec
import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pspd.errors import AddressError, FileFailure, RequestError, RootError
from pspd.rpc import admission, link, wire
from pspd.rpc.server import RpcServer
from tests.rpc import samples
from tests.rpc.peers import (
    Call,
    Dealer,
    FrontThread,
    Gate,
    TableHandler,
    addresses,
    local_settings,
    serving,
)
from tests.rpc.samples import FOUND, STATUS

WELCOME = wire.Welcome(server="pspd", version="0", protocol=1, pid=1)
SYNCED = wire.SyncReply(samples.FRESHNESS)


@pytest.fixture
def handler() -> TableHandler:
    return TableHandler().on(wire.Hello, WELCOME).on(wire.StatusRequest, STATUS)


@pytest.fixture
def server(directory: Path, handler: TableHandler) -> Iterator[RpcServer]:
    with serving(directory, handler) as running:
        yield running


@pytest.fixture
def dealer(directory: Path, server: RpcServer) -> Iterator[Dealer]:
    with Dealer(directory) as client:
        yield client


def test_a_request_gets_the_reply_of_the_handler(dealer: Dealer) -> None:
    assert dealer.ask(wire.StatusRequest(), wire.StatusReply, id=7) == STATUS


def test_the_second_frame_of_a_search_reaches_the_handler(
    dealer: Dealer, handler: TableHandler
) -> None:
    handler.on(wire.SearchRequest, FOUND)
    image = os.urandom(3 << 20)
    request = wire.SearchRequest(mode="original")
    assert dealer.ask(request, wire.SearchReply, image=image) == FOUND
    assert handler.calls[-1].image == image
    assert handler.calls[-1].request == request


def test_status_does_not_wait_behind_searches(dealer: Dealer, handler: TableHandler) -> None:
    gate = Gate()
    handler.on(wire.SearchRequest, gate.before(FOUND))
    for number in range(10):
        dealer.send(wire.SearchRequest(), id=100 + number, image=b"x")
    assert gate.entered.acquire(timeout=30)
    assert dealer.ask(wire.StatusRequest(), wire.StatusReply, id=1) == STATUS
    gate.open()
    assert {dealer.receive()[0] for _ in range(10)} == set(range(100, 110))


def test_one_part_of_a_picture_is_made_at_a_time_and_keeps_no_search_waiting(
    dealer: Dealer, handler: TableHandler
) -> None:
    gate = Gate()
    whole = wire.DetailReply(b"", 1, 1)
    handler.on(wire.DetailRequest, gate.before(whole)).on(wire.SearchRequest, FOUND)
    handler.on(wire.PreviewDetailRequest, gate.before(whole))
    part = wire.Rectangle(0, 0, 1, 1)
    for number in range(5):
        dealer.send(wire.DetailRequest("ab" * 32, part), id=100 + number)
        dealer.send(wire.PreviewDetailRequest(part), id=200 + number, image=b"x")
    assert gate.entered.acquire(timeout=30)
    assert dealer.ask(wire.SearchRequest(), wire.SearchReply, id=1, image=b"x") == FOUND
    assert sum(not isinstance(each.request, wire.SearchRequest) for each in handler.calls) == 1
    gate.open()
    assert len({dealer.receive()[0] for _ in range(10)}) == 10


def test_a_deadline_is_answered_and_the_late_result_is_dropped(
    dealer: Dealer, handler: TableHandler
) -> None:
    gate = Gate()
    handler.on(wire.SearchRequest, gate.before(FOUND))
    dealer.send(wire.SearchRequest(), id=5, deadline_ms=50, image=b"x")
    seen, reply = dealer.receive()
    assert (seen, type(reply)) == (5, wire.ErrorReply)
    assert isinstance(reply, wire.ErrorReply)
    assert reply.code == "deadline"
    gate.open()
    assert dealer.ask(wire.Hello(client="t"), wire.Welcome, id=6) == WELCOME


def test_the_handler_learns_the_deadline_which_is_capped(
    dealer: Dealer, handler: TableHandler
) -> None:
    before = time.monotonic()
    dealer.send(wire.StatusRequest(), deadline_ms=10**15)
    dealer.receive()
    assert before + 3600 <= handler.calls[-1].deadline <= time.monotonic() + 3600


def test_a_future_keeps_no_thread(dealer: Dealer, handler: TableHandler) -> None:
    waiting: list[Future[wire.Reply]] = [Future() for _ in range(12)]
    unasked = iter(waiting)
    asked = threading.Semaphore(0)

    def sync(_call: Call) -> Future[wire.Reply]:
        asked.release()
        return next(unasked)

    handler.on(wire.SyncRequest, sync)
    for number in range(len(waiting)):
        dealer.send(wire.SyncRequest(), id=100 + number)
    for _ in waiting:
        assert asked.acquire(timeout=30)
    assert dealer.ask(wire.StatusRequest(), wire.StatusReply) == STATUS
    for future in waiting:
        future.set_result(SYNCED)
    assert [dealer.receive()[1] for _ in waiting] == [SYNCED] * len(waiting)


@pytest.mark.parametrize(
    ("raised", "code", "reason"),
    [
        (RequestError("bad_request", "no"), "bad_request", ""),
        (FileFailure("truncated", "it ends early"), "bad_query", "truncated"),
        (RootError("it is a file"), "root", ""),
        (RootError("a path: \udcff"), "root", ""),
        (ZeroDivisionError("a slip"), "internal", ""),
    ],
)
@pytest.mark.parametrize("later", [False, True])
def test_what_the_handler_raises_becomes_an_error_reply(
    dealer: Dealer,
    handler: TableHandler,
    caplog: pytest.LogCaptureFixture,
    raised: Exception,
    code: str,
    reason: str,
    *,
    later: bool,
) -> None:
    def sync(_call: Call) -> Future[wire.Reply]:
        if not later:
            raise raised
        future: Future[wire.Reply] = Future()
        future.set_exception(raised)
        return future

    handler.on(wire.SyncRequest, sync)
    with caplog.at_level(logging.ERROR):
        reply = dealer.ask(wire.SyncRequest(), wire.ErrorReply)
    assert (reply.code, reply.reason) == (code, reason)
    assert ("ZeroDivisionError" in caplog.text) == (code == "internal")
    assert "slip" not in reply.message
    assert dealer.ask(wire.StatusRequest(), wire.StatusReply) == STATUS


def test_a_reply_that_cannot_be_encoded_is_an_internal_error(
    dealer: Dealer, handler: TableHandler
) -> None:
    handler.on(wire.Hello, wire.Welcome(server="\udcff", version="", protocol=1, pid=1))
    assert dealer.ask(wire.Hello(client=""), wire.ErrorReply).code == "internal"


def _envelope(**fields: object) -> bytes:
    return msgspec.msgpack.encode({"protocol": 1, "id": 9, "body": {"type": "status"}} | fields)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([b""], (0, "malformed")),
        ([b"", b""], (0, "malformed")),
        ([b"\xc1"], (0, "malformed")),
        ([b"GET / HTTP/1.1\r\n\r\n"], (0, "malformed")),
        ([b"\x91" * 100_000], (0, "malformed")),
        ([b"\x80"], (0, "malformed")),
        ([bytes(wire.MAX_ENVELOPE_BYTES + 1)], (0, "too_large")),
        ([_envelope(), b"x"], (9, "malformed")),
        ([_envelope(), b"x", b"x"], (9, "malformed")),
        ([_envelope()] + [b""] * 5000, (9, "malformed")),
        ([_envelope(body={"type": "search"})], (9, "malformed")),
        ([_envelope(body={"type": "search", "distance": 257}), b"x"], (9, "malformed")),
        ([_envelope(body={"type": "dance"})], (9, "unknown_request")),
        ([_envelope(body={"type": "hello"})], (9, "malformed")),
        ([_envelope(body=[1, 2])], (9, "malformed")),
        ([_envelope(body=None)], (9, "malformed")),
        ([_envelope(deadline_ms="soon")], (9, "malformed")),
        ([_envelope(id="nine")], (0, "malformed")),
        ([_envelope(protocol=2)], (9, "protocol_too_new")),
        ([_envelope(protocol=2, body=None, deadline_ms=[])], (9, "protocol_too_new")),
    ],
)
def test_frames_that_are_no_request_get_an_error_with_a_code(
    dealer: Dealer, frames: list[bytes], expected: tuple[int, str]
) -> None:
    assert dealer.error(frames) == expected
    assert dealer.ask(wire.StatusRequest(), wire.StatusReply) == STATUS


def test_fields_of_a_later_version_are_ignored(dealer: Dealer) -> None:
    body = {"type": "status", "new": {"nested": [1, 2]}}
    dealer.socket.send(_envelope(body=body, priority="high"))
    assert dealer.receive() == (9, STATUS)


def _mutants() -> st.SearchStrategy[list[bytes]]:
    frames = [wire.encode_request(request, id=3, deadline_ms=1000) for request in samples.REQUESTS]
    edits = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4)

    def mutate(frame: bytes, changes: list[tuple[int, int]], length: int) -> bytes:
        mutant = bytearray(frame)
        for position, value in changes:
            mutant[position % len(mutant)] = value
        return bytes(mutant[:length])

    mutant = st.builds(mutate, st.sampled_from(frames), edits, st.integers(1, 300))
    return st.lists(mutant | st.binary(max_size=64), min_size=1, max_size=4)


def test_mutated_frames_never_stop_the_server(directory: Path, handler: TableHandler) -> None:
    handler.on(wire.SearchRequest, FOUND)
    with serving(directory, handler), Dealer(directory) as attacker:

        @settings(max_examples=3000, suppress_health_check=list(HealthCheck))
        @given(_mutants())
        def attack(frames: list[bytes]) -> None:
            attacker.socket.send_multipart(frames)
            attacker.receive()

        attack()
        assert attacker.ask(wire.StatusRequest(), wire.StatusReply) == STATUS


def test_a_process_cannot_keep_more_than_its_share_in_flight_by_any_connection(
    directory: Path, dealer: Dealer, handler: TableHandler
) -> None:
    gate = Gate()
    handler.on(wire.SearchRequest, gate.before(FOUND))
    for number in range(admission.MAX_REQUESTS_PER_CLIENT):
        dealer.send(wire.SearchRequest(), id=number, image=b"x")
    dealer.send(wire.StatusRequest(), id=1000)
    seen, reply = dealer.receive()
    assert isinstance(reply, wire.ErrorReply)
    assert (seen, reply.code) == (1000, "busy")
    with Dealer(directory) as again:
        assert again.ask(wire.StatusRequest(), wire.ErrorReply).retry_ms > 0
    other = subprocess.run(
        [sys.executable, "-m", "pspc", "--no-start", "status"],
        env={**os.environ, "PSP_HOME": os.fspath(directory)},
        capture_output=True,
        check=False,
    )
    assert other.returncode == 0, other.stderr
    gate.open()
    replies = [dealer.receive()[1] for _ in range(admission.MAX_REQUESTS_PER_CLIENT)]
    assert replies == [FOUND] * len(replies)
    assert dealer.ask(wire.StatusRequest(), wire.StatusReply) == STATUS


def test_a_client_that_leaves_does_not_hurt(
    directory: Path, server: RpcServer, handler: TableHandler
) -> None:
    gate = Gate()
    handler.on(wire.SearchRequest, gate.before(FOUND))
    with Dealer(directory) as leaver:
        leaver.send(wire.SearchRequest(), image=b"x")
        assert gate.entered.acquire(timeout=30)
    gate.open()
    with Dealer(directory) as dealer:
        assert dealer.ask(wire.StatusRequest(), wire.StatusReply) == STATUS


def test_events_reach_subscribers(directory: Path, server: RpcServer) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with context, context.socket(zmq.SUB) as subscriber:
        subscriber.setsockopt(zmq.RCVTIMEO, 50)
        subscriber.setsockopt(zmq.LINGER, 0)
        subscriber.subscribe(b"change")
        subscriber.connect(addresses(directory)[1])
        frames: list[bytes] = []
        # A subscription takes effect when it has arrived, which nothing tells the publisher.
        for _ in range(200):
            for event in samples.EVENTS:
                server.publish(event)
            try:
                frames = subscriber.recv_multipart()
                break
            except zmq.Again:
                continue
    assert frames[0] == b"change"
    assert wire.decode_event(frames[1]) == samples.EVENTS[1]


def test_publishing_without_subscribers_or_after_the_end_does_nothing(
    directory: Path, handler: TableHandler
) -> None:
    with serving(directory, handler) as server:
        for _ in range(5000):
            server.publish(samples.EVENTS[0])
    server.publish(samples.EVENTS[0])


def test_closing_lets_a_running_request_end_and_refuses_others(
    directory: Path, handler: TableHandler
) -> None:
    gate = Gate()
    endless: Future[wire.Reply] = Future()
    handler.on(wire.SearchRequest, gate.before(FOUND)).on(wire.SyncRequest, endless)
    with Dealer(directory) as dealer:
        with serving(directory, handler, threads=1) as server:
            dealer.send(wire.SyncRequest(), id=1)
            dealer.send(wire.SearchRequest(), id=2, image=b"runs")
            assert gate.entered.acquire(timeout=30)
            dealer.send(wire.SearchRequest(), id=3, image=b"waits in the queue")
            dealer.ask(wire.Hello(client=""), wire.Welcome, id=4)
            closing = threading.Thread(target=server.close)
            closing.start()
            while True:
                dealer.send(wire.StatusRequest(), id=5)
                reply = dealer.receive()[1]
                if isinstance(reply, wire.ErrorReply):
                    break
            assert reply.code == "stopping"
            gate.open()
            closing.join()
        replies = dict(dealer.receive() for _ in range(3))
    assert replies[2] == FOUND
    for number in (1, 3):
        refused = replies[number]
        assert isinstance(refused, wire.ErrorReply)
        assert refused.code == "stopping"
    assert list(directory.iterdir()) == []


def test_a_stuck_handler_does_not_keep_the_server_from_closing(
    directory: Path, handler: TableHandler
) -> None:
    gate = Gate()
    handler.on(wire.SearchRequest, gate.before(FOUND))
    with Dealer(directory) as dealer:
        with serving(directory, handler):
            dealer.send(wire.SearchRequest(), image=b"x")
            assert gate.entered.acquire(timeout=30)
            before = time.monotonic()
        assert time.monotonic() - before < 4
        reply = dealer.receive()[1]
    gate.open()
    assert isinstance(reply, wire.ErrorReply)
    assert reply.code == "stopping"


def test_the_sockets_are_usable_by_the_user_alone(directory: Path, handler: TableHandler) -> None:
    previous = os.umask(0)
    try:
        with serving(directory, handler):
            modes = [stat.S_IMODE(path.lstat().st_mode) for path in directory.iterdir()]
    finally:
        assert os.umask(previous) == 0
    assert [mode & 0o077 for mode in modes] == [0, 0, 0]


def test_a_stale_socket_is_replaced(directory: Path, handler: TableHandler) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with context, context.socket(zmq.ROUTER) as dead:
        dead.bind(addresses(directory)[0])
    assert len(list(directory.iterdir())) == 1
    with serving(directory, handler), Dealer(directory) as dealer:
        assert dealer.ask(wire.StatusRequest(), wire.StatusReply) == STATUS


def test_a_file_at_the_path_is_left_alone(directory: Path, handler: TableHandler) -> None:
    precious = directory / wire.EVENTS_SOCKET_NAME
    precious.write_text("a diary")
    front = FrontThread(local_settings(directory))
    server = RpcServer([front], handler)
    with pytest.raises(AddressError, match="not a socket"):
        server.start()
    server.close()
    assert [path.name for path in directory.iterdir()] == [wire.EVENTS_SOCKET_NAME]
    assert precious.read_text() == "a diary"


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("ipc:///" + "x" * 110, "allows"),
        ("ipc://pspd.sock", "absolute"),
        ("tcp://127.0.0.1:5555", "begins with ipc://"),
        ("ipc:///nowhere/at/all/pspd.sock", "No such file"),
        ("ipc:///dev/null/pspd.sock", "Not a directory"),
        ("ipc:///\udcff.sock", "UTF-8"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_the_reason(
    handler: TableHandler, address: str, reason: str
) -> None:
    front = FrontThread(link.Settings(address, address, address))
    with pytest.raises(AddressError, match=reason):
        RpcServer([front], handler).start()


def test_requests_whose_deadline_is_over_do_not_pile_up(
    dealer: Dealer, handler: TableHandler
) -> None:
    gate = Gate()
    handler.on(wire.SearchRequest, gate.before(FOUND))
    codes = set()
    for number in range(200):
        dealer.send(
            wire.SearchRequest(), id=number, deadline_ms=0 if number > 1 else 9000, image=b"x"
        )
        if number < 2:
            assert gate.entered.acquire(timeout=30)
            continue
        _, reply = dealer.receive()
        assert isinstance(reply, wire.ErrorReply)
        codes.add(reply.code)
    assert codes == {"deadline", "busy"}
    gate.open()
    assert [dealer.receive()[1] for _ in range(2)] == [FOUND, FOUND]
    assert dealer.ask(wire.StatusRequest(), wire.StatusReply) == STATUS
    assert len(handler.calls) == 3
