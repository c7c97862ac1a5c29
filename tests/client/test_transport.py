"""One request, one reply, and what happens when there is none."""

from __future__ import annotations

import os
import socket
import threading
import time
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest

from pspc import Connection, DaemonError, NotRunning, SourceError, Unreachable
from pspc.errors import TooSlow
from pspc.transport import Transport, check_listening
from pspd.rpc import wire
from tests.client.conftest import SEARCH_REPLY
from tests.rpc import samples
from tests.rpc.peers import Call, Dealer, Gate, TableHandler, serving


def _paths(home: Path) -> tuple[str, str]:
    return wire.socket_paths({"PSP_HOME": os.fspath(home)})


def test_every_verb_has_a_typed_method(daemon: TableHandler, tmp_path: Path) -> None:
    image = tmp_path / "image.png"
    image.write_bytes(b"pixels")
    with Connection() as connection:
        assert connection.hello().pid == 4242
        assert connection.status().pictures == 1100
        assert connection.roots() == [samples.ROOT]
        assert connection.add(tmp_path, exclude=["*.gif"], hidden=True) == samples.ROOT
        assert connection.remove(b"/caf\xe9") == samples.ROOT
        assert [call.request for call in daemon.calls[-2:]] == [
            wire.AddRoot(os.fsencode(tmp_path), exclude=["*.gif"], hidden=True),
            wire.RemoveRoot(b"/caf\xe9"),
        ]
        assert connection.search(image, mode="original", count=3) == SEARCH_REPLY
        assert daemon.calls[-1].image == b"pixels"
        assert connection.search(b"other pixels") == SEARCH_REPLY
        assert connection.sync(timeout=5) == SEARCH_REPLY.freshness
        assert list(connection.failures()) == []


def test_failures_are_read_page_by_page(daemon: TableHandler) -> None:
    entries = [wire.FailureEntry(b"/%d" % number, "broken", "it is") for number in range(5)]

    def page(call: Call) -> wire.Reply:
        assert isinstance(call.request, wire.FailuresRequest)
        start = int(call.request.after or b"0")
        following = b"%d" % (start + 2) if start + 2 < len(entries) else None
        return wire.FailuresReply(entries[start : start + 2], next=following)

    daemon.on(wire.FailuresRequest, page)
    with Connection() as connection:
        assert list(connection.failures()) == entries


def test_an_error_reply_is_raised_with_its_code(daemon: TableHandler) -> None:
    daemon.on(wire.SearchRequest, wire.ErrorReply("bad_query", "it is torn", "truncated"))
    with Connection() as connection, pytest.raises(DaemonError, match="it is torn") as caught:
        connection.search(b"x")
    assert (caught.value.code, caught.value.reason) == ("bad_query", "truncated")


def test_a_reply_of_another_kind_is_an_error(daemon: TableHandler) -> None:
    daemon.on(wire.StatusRequest, SEARCH_REPLY)
    with Connection() as connection, pytest.raises(Unreachable, match="StatusRequest"):
        connection.status()


def test_without_a_daemon_it_is_said_at_once(home: Path) -> None:
    with Connection() as connection, pytest.raises(NotRunning, match="pspc start"):
        connection.status()


def test_a_socket_that_a_dead_daemon_left_is_no_daemon(home: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(_paths(home)[0])
    with pytest.raises(NotRunning):
        check_listening(_paths(home)[0])


def test_a_path_that_cannot_be_a_socket_is_refused_with_the_reason(tmp_path: Path) -> None:
    connection = Connection(tmp_path / ("x" * 120))
    with connection, pytest.raises(Unreachable, match="PSP_HOME or XDG_RUNTIME_DIR"):
        connection.status()


def test_a_file_in_place_of_the_socket_is_no_daemon(home: Path) -> None:
    Path(_paths(home)[0]).write_text("a diary")
    with pytest.raises(NotRunning):
        check_listening(_paths(home)[0])


def test_a_daemon_that_accepts_and_says_nothing_costs_the_deadline_only(home: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as mute:
        mute.bind(_paths(home)[0])
        mute.listen()
        before = time.monotonic()
        with Connection(timeout=0.3) as connection, pytest.raises(TooSlow, match=r"0\.3 s"):
            connection.search(bytes(10 << 20))
        assert 0.3 <= time.monotonic() - before < 0.3 + 0.2 + 0.3  # the last: a busy machine


def test_a_hung_daemon_is_told_with_its_process_and_its_log(home: Path) -> None:
    (home / "pspd.lock").write_text(f"{os.getpid()}\n")
    (home / "pspd.log").touch()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as mute:
        mute.bind(_paths(home)[0])
        mute.listen()
        with Connection(timeout=0.1) as connection, pytest.raises(TooSlow) as caught:
            connection.status()
    assert str(caught.value) == (
        f"the daemon did not answer within 0.1 s; its log is '{home}/pspd.log'; "
        f"if it hangs, end it with: kill {os.getpid()}"
    )


def test_a_path_that_cannot_be_read_is_named(daemon: TableHandler, tmp_path: Path) -> None:
    missing = tmp_path / "nope.jpg"
    with Connection() as connection, pytest.raises(SourceError) as caught:
        connection.search(missing)
    assert str(caught.value) == f"{missing}: No such file or directory"


def test_a_slow_daemon_says_so_itself(daemon: TableHandler) -> None:
    daemon.on(wire.SyncRequest, Future())
    with Connection() as connection:
        with pytest.raises(DaemonError) as caught:
            connection.sync(timeout=0.05)
        assert caught.value.code == "deadline"
        assert connection.status().pid == 4242


def test_a_late_reply_is_not_taken_for_another(daemon: TableHandler, home: Path) -> None:
    gate = Gate()
    daemon.on(wire.SearchRequest, gate.before(SEARCH_REPLY))
    transport = Transport(*_paths(home))
    reply = transport.request(wire.SearchRequest(), b"x", timeout=0.05)
    assert isinstance(reply, wire.ErrorReply)
    gate.open()
    assert isinstance(transport.request(wire.StatusRequest(), timeout=30), wire.StatusReply)
    transport.close()


@pytest.mark.parametrize("is_back", [True, False])
def test_a_request_survives_a_restart_of_the_daemon(
    home: Path, handler: TableHandler, *, is_back: bool
) -> None:
    outcome: list[object] = []

    def ask() -> None:
        try:
            with Connection() as connection:
                outcome.append(connection.search(b"x"))
        except Unreachable as error:
            outcome.append(error)

    # A daemon that is killed says nothing: a bare listener takes the request and goes away.
    path = _paths(home)[0]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as first:
        first.bind(path)
        first.listen()
        asking = threading.Thread(target=ask)
        asking.start()
        first.accept()[0].close()  # looks whether somebody listens
        held, _ = first.accept()
    os.unlink(path)
    if is_back:
        with serving(home, handler):
            held.close()
            asking.join()
        assert outcome == [SEARCH_REPLY]
    else:
        held.close()
        asking.join()
        assert "went away" in str(outcome[0]) or "does not run" in str(outcome[0])


def test_a_job_is_asked_after_again_when_the_front_dies(home: Path, handler: TableHandler) -> None:
    handler.on(wire.JobRequest, wire.JobReply(1, finished=True))
    path = _paths(home)[0]
    outcome: list[wire.Reply] = []

    def ask() -> None:
        with closing(Transport(*_paths(home))) as transport:
            outcome.append(transport.request(wire.JobRequest(1), timeout=30))

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as first:
        first.bind(path)
        first.listen()
        asking = threading.Thread(target=ask)
        asking.start()
        first.accept()[0].close()  # looks whether somebody listens
        held, _ = first.accept()
    os.unlink(path)
    with serving(home, handler):
        held.close()
        asking.join()
    assert outcome == [wire.JobReply(1, finished=True)]


def test_a_connection_outlives_a_restart_between_two_requests(
    home: Path, handler: TableHandler
) -> None:
    with Connection() as connection:
        for _start in range(3):
            with serving(home, handler):
                assert connection.status().pid == 4242
            # NotRunning, or that it went away: the news of the end may come after the request.
            with pytest.raises(Unreachable):
                connection.status()


def test_stop_is_never_sent_twice(home: Path, handler: TableHandler) -> None:
    gate = Gate()
    handler.on(wire.StopRequest, gate.before(wire.Stopping(pid=1)))
    with serving(home, handler), Connection(timeout=0.1) as connection:
        with pytest.raises(DaemonError):
            connection.stop()
        gate.open()
    assert len(handler.calls) == 1


def test_events_are_yielded_until_the_daemon_ends(home: Path, handler: TableHandler) -> None:
    seen: list[wire.Event] = []
    arrived = threading.Event()
    ended = threading.Event()

    def listen() -> None:
        with Connection() as connection:
            try:
                for event in connection.events():
                    seen.append(event)
                    arrived.set()
            except Unreachable:
                ended.set()

    with serving(home, handler) as server:
        listening = threading.Thread(target=listen)
        listening.start()
        # A subscription takes effect when it has arrived, which nothing tells the publisher.
        while not arrived.wait(0.01):
            server.publish(samples.EVENTS[0])
    listening.join()
    assert set(seen) == {samples.EVENTS[0]}
    assert ended.is_set()


def test_the_client_answers_nobody_but_its_own_user(home: Path, handler: TableHandler) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a socket to another user")
    with serving(home, handler), Dealer(home):
        os.chown(_paths(home)[0], 65534, 65534)
        with Connection() as connection, pytest.raises(Unreachable, match="another user"):
            connection.search(b"private")
    assert handler.calls == []
