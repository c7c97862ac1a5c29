"""Connections that no browser makes: slow, endless, too many, and not HTTP."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from pspc.web import bodies, protocol
from tests.client.web.running import Gateway, body_of, environ_of, read_all, read_answer, status_of
from tests.rpc.peers import short_directory
from tests.waiting import expect

QUICK = """
import sys
from pspc.web import bodies, protocol
protocol.Protocol.head_seconds = 0.5
bodies.Body.silent_seconds = 0.5
from pspc.__main__ import run
run()
"""
"""The client with the times of the tests: what is tested is that they are kept, not how long they
are."""


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that waits for half a second where others wait for ten."""
    program = tmp_path_factory.mktemp("hasty") / "hasty.py"
    program.write_text(QUICK)
    with (
        short_directory() as home,
        Gateway(environ_of(home), "--no-start", program=[str(program)]) as gateway,
    ):
        yield gateway


def _head(
    gateway: Gateway, *lines: str, method: str = "POST", path: str = "/api/v1/search"
) -> bytes:
    return "\r\n".join(
        [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{gateway.port}",
            f"X-PSP-Token: {gateway.token}",
            *lines,
            "",
            "",
        ]
    ).encode()


def test_the_times_are_those_that_were_decided() -> None:
    assert protocol.HEAD_SECONDS == protocol.Protocol.head_seconds == 10.0
    assert bodies.SILENT_SECONDS == bodies.Body.silent_seconds == 10.0
    assert protocol.MOST_CONNECTIONS == 64


def test_two_hosts_are_refused(lonely: Gateway) -> None:
    head = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{lonely.port}\r\nHost: evil.com\r\n\r\n"
    assert status_of(lonely.raw(head.encode())) == 400


def test_a_head_that_is_too_large_is_refused(lonely: Gateway) -> None:
    at_once = _head(lonely, f"X: {'y' * 20_000}", "Connection: close", method="GET", path="/")
    assert status_of(lonely.raw(at_once)) in {400, 431}
    with lonely.connection() as line:
        line.sendall(at_once[:1000])
        for begin in range(1000, len(at_once) - 4, 1000):
            try:
                line.sendall(at_once[begin : begin + 1000])
            except OSError:
                break
        assert status_of(read_all(line)) in {0, 400}


def test_a_body_of_ten_gigabytes_is_refused_before_it_comes(lonely: Gateway) -> None:
    answer = lonely.raw(_head(lonely, "Content-Type: image/png", f"Content-Length: {10 << 30}"))
    assert status_of(answer) == 413
    assert body_of(answer)["error"]["message"] == "this is larger than the limit of 64 MiB"


def test_who_sends_two_gigabytes_is_told_while_they_send(lonely: Gateway) -> None:
    """The answer is read though what was sent is not: the connection is not cut at once."""
    with lonely.connection() as line:
        line.sendall(_head(lonely, "Content-Type: image/png", f"Content-Length: {2 << 30}"))
        line.sendall(b"x" * (4 << 20))
        assert status_of(read_answer(line)) == 413


def test_a_body_without_a_length_is_counted(lonely: Gateway) -> None:
    with lonely.connection() as line:
        line.sendall(
            _head(
                lonely,
                "Content-Type: application/json",
                "Transfer-Encoding: chunked",
                path="/api/v1/distinct",
            )
        )
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        for _ in range(17):
            line.sendall(chunk)
        assert status_of(read_answer(line)) == 413


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_does_not_come_is_not_waited_for(hasty: Gateway, sent: bytes) -> None:
    begun = time.monotonic()
    assert status_of(hasty.raw(sent)) == 0
    assert time.monotonic() - begun < 30


def test_a_head_that_drips_is_not_waited_for(hasty: Gateway) -> None:
    """Each byte comes soon after the one before, and all together never end."""
    with hasty.connection() as line:
        line.settimeout(0.05)
        begun = time.monotonic()
        with pytest.raises(OSError):  # noqa: PT012, PT011 - cut off at some byte
            while time.monotonic() - begun < 30:
                line.sendall(b"G")
                try:
                    if not line.recv(1):
                        raise ConnectionResetError
                except TimeoutError:
                    continue


def test_the_second_head_of_a_connection_has_to_come_as_soon(hasty: Gateway) -> None:
    with hasty.connection() as line:
        line.sendall(_head(hasty, method="GET", path="/static/none"))
        assert status_of(read_answer(line)) == 404
        line.sendall(b"GET /")
        assert read_all(line) == b""


def test_a_body_that_stops_is_not_waited_for(hasty: Gateway) -> None:
    for lines in (["Content-Length: 100"], ["Transfer-Encoding: chunked"]):
        sent = _head(hasty, "Content-Type: image/png", *lines) + b"5\r\nhello\r\n"
        answer = hasty.raw(sent)
        assert status_of(answer) == 408
        assert body_of(answer)["error"]["code"] == "too_slow"


def test_a_hundred_slow_clients_do_not_keep_others_out(hasty: Gateway) -> None:
    with ExitStack() as stack:
        lines = [stack.enter_context(hasty.connection()) for _ in range(100)]
        for line in lines[:50]:
            try:
                line.sendall(b"GET / HTTP/1.1\r\n")
            except OSError:
                continue
        # 64 are let in, and none of them for longer than a head may take.
        expect(lambda: _is_served(hasty))


def _is_served(gateway: Gateway) -> bool:
    try:
        with httpx.Client(base_url=gateway.base) as client:
            return client.get("/").status_code == 401
    except httpx.HTTPError:
        return False


def test_there_are_so_many_connections_and_no_more(lonely: Gateway) -> None:
    expect(lambda: _is_served(lonely))
    with ExitStack() as stack:
        lines = [stack.enter_context(lonely.connection()) for _ in range(80)]
        expect(lambda: sum(map(bool, map(_said, lines))) >= 16)
        full = [line for line in lines if _said(line)]
        assert len(full) <= 20
        assert {status_of(_said(line)) for line in full} == {503}
    expect(lambda: _is_served(lonely))


def _said(line: socket.socket) -> bytes:
    """Return what has come, without waiting."""
    is_readable = bool(select.select([line], [], [], 0)[0])
    return line.recv(1 << 16, socket.MSG_PEEK) if is_readable else b""


def test_an_upgrade_is_no_way_in(lonely: Gateway) -> None:
    for protocol_name in ("websocket", "h2c"):
        head = _head(
            lonely,
            f"Upgrade: {protocol_name}",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            method="GET",
            path="/static/none",
        )
        with lonely.connection() as line:
            line.sendall(head)
            assert status_of(read_answer(line)) == 404


def test_requests_that_follow_at_once_are_each_judged(lonely: Gateway) -> None:
    good = _head(lonely, method="GET", path="/static/none")
    bad = b"GET / HTTP/1.1\r\nHost: evil.com\r\nConnection: close\r\n\r\n"
    answer = lonely.raw(good + bad)
    assert status_of(answer) == 404
    assert b"HTTP/1.1 421 " in answer


@pytest.mark.parametrize(
    "target",
    [
        "/static/../index.html", "/static/%2e%2e/%2e%2e/etc/passwd", "/static//etc/passwd",
        "/static/..%2f..%2fpyproject.toml", "/static/main.js%00.css", "/static/index.html",
        "/static/", "/static", "/..", "/%2e%2e/%2e%2e/etc/passwd", "/favicon.ico/..", "/api/v1/",
        "/api/v1/status/", "/api/v1/pictures/../status", "/api//v1/status",
    ],
)  # fmt: skip
def test_no_path_leads_to_a_file_of_the_disk(lonely: Gateway, target: str) -> None:
    answer = lonely.raw(_head(lonely, "Connection: close", method="GET", path=target))
    assert status_of(answer) in {400, 404}
    assert b"root:" not in answer
