"""The front as a process: what kills it costs its clients a reconnect, and the daemon nothing."""

from __future__ import annotations

import os
import select
import shlex
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from pspc import Connection, transport
from pspd.errors import AddressError
from pspd.noticeboard import NoticeBoard
from pspd.rpc import front_keeper, link, wire
from pspd.rpc.front_keeper import FrontKeeper
from pspd.rpc.server import RpcServer
from tests.rpc.peers import (
    Gate,
    TableHandler,
    local_settings,
    serving_by_process,
)
from tests.rpc.samples import FOUND, STATUS
from tests.waiting import expect


@pytest.fixture
def handler() -> TableHandler:
    return TableHandler().on(wire.StatusRequest, STATUS).on(wire.SearchRequest, FOUND)


def test_a_request_that_runs_while_the_front_dies_is_answered(
    directory: Path, handler: TableHandler
) -> None:
    gate = Gate()
    handler.on(wire.SearchRequest, gate.before(FOUND))
    board = NoticeBoard()
    replies: list[object] = []
    with serving_by_process(directory, handler, board) as keeper:

        def ask() -> None:
            with Connection(directory) as connection:
                replies.append(connection.search(b"an image"))

        asking = threading.Thread(target=ask)
        asking.start()
        assert gate.entered.acquire(timeout=30)
        pid = keeper.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        gate.open()
        asking.join()
        assert replies == [FOUND]
        assert len(handler.calls) == 2
        expect(lambda: not board.notices())
        assert board.counters() == {"front_restarts": 1}
        assert keeper.pid not in {None, pid}


def test_a_connection_survives_the_death_of_a_front(directory: Path, handler: TableHandler) -> None:
    with serving_by_process(directory, handler) as keeper, Connection(directory) as connection:
        pid = keeper.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert connection.status() == STATUS


BOUND_IN_SILENCE = """
{front} | {{ read -r report; cat {gate}; printf '%s\\n' "$report"; cat; }}
"""


def test_a_successor_that_has_bound_and_not_said_so_is_reachable(
    directory: Path, handler: TableHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = NoticeBoard()
    path, gate = directory / wire.SOCKET_NAME, directory / "gate"
    os.mkfifo(gate)
    with serving_by_process(directory, handler, board) as keeper:
        pid = keeper.pid
        assert pid is not None
        os.link(path, directory / "former")  # Or the next socket might have the same inode.
        front = shlex.join(front_keeper.COMMAND)
        script = BOUND_IN_SILENCE.format(front=front, gate=shlex.quote(os.fspath(gate)))
        monkeypatch.setattr("pspd.rpc.front_keeper.COMMAND", ("sh", "-c", script))
        os.kill(pid, signal.SIGKILL)
        with gate.open("wb"):  # It waits until the other end is opened, after the report.
            assert keeper.is_reachable()
        expect(lambda: not board.notices())
        assert keeper.is_reachable()
        path.unlink()
        assert not keeper.is_reachable()


def test_a_daemon_that_nobody_can_reach_for_long_says_so(
    directory: Path, handler: TableHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pspd.rpc.front_keeper.LOCAL_SECONDS", 0.5)
    path = directory / wire.SOCKET_NAME
    with serving_by_process(directory, handler) as keeper:
        pid = keeper.pid
        assert pid is not None
        path.unlink()
        path.mkdir()  # so that no successor can bind
        os.kill(pid, signal.SIGKILL)
        expect(lambda: not keeper.is_reachable())
        path.rmdir()
        expect(keeper.is_reachable)


SERVING = """
import sys, time
from pathlib import Path
from tests.rpc.peers import TableHandler, serving_by_process
with serving_by_process(Path(sys.argv[1]), TableHandler()) as keeper:
    print(keeper.pid, flush=True)
    time.sleep(60)
"""

ASKED_WITHOUT_A_CORE = """
import sys, time
from pathlib import Path
from pspd.noticeboard import NoticeBoard
from pspd.rpc import wire
from pspd.rpc.front_keeper import FrontKeeper
from tests.rpc.peers import Dealer, local_settings
folder = Path(sys.argv[1])
keeper = FrontKeeper("front", local_settings(folder), NoticeBoard())
keeper.start()
keeper.open()
with Dealer(folder) as dealer:
    dealer.send(wire.StatusRequest())
    assert not dealer.socket.poll(500)
    print(keeper.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("script", [SERVING, ASKED_WITHOUT_A_CORE], ids=["serving", "no core"])
def test_a_front_ends_with_its_daemon_and_leaves_the_socket_to_the_next(
    directory: Path, script: str
) -> None:
    daemon = subprocess.Popen(
        [sys.executable, "-c", script, os.fspath(directory)], stdout=subprocess.PIPE
    )
    with daemon:
        assert daemon.stdout is not None
        front = os.pidfd_open(int(daemon.stdout.readline()))
        daemon.kill()
        os.waitid(os.P_PID, daemon.pid, os.WEXITED | os.WNOWAIT)
        poll = select.poll()
        poll.register(front)
        assert poll.poll(10_000), "the front outlives its daemon"
        os.close(front)
    assert (directory / wire.SOCKET_NAME).is_socket()


def test_a_front_that_hangs_is_replaced(
    directory: Path, handler: TableHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pspd.rpc.front_keeper.SILENCE_SECONDS", 2 * link.ALIVE_SECONDS)
    board = NoticeBoard()
    with serving_by_process(directory, handler, board) as keeper:
        pid = keeper.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        with Connection(directory, timeout=60) as connection:
            assert connection.status() == STATUS
        assert board.counters() == {"front_restarts": 1}


def test_a_front_that_dies_again_and_again_is_told_loudly(
    directory: Path, handler: TableHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pspd.rpc.front_keeper.FIRST_DELAY_SECONDS", 0.001)
    monkeypatch.setattr("pspd.rpc.front_keeper.LOUD_DEATHS", 4)
    board = NoticeBoard()
    with serving_by_process(directory, handler, board) as keeper:
        for number in range(4):
            with Connection(directory) as connection:
                assert connection.status() == STATUS
            pid = keeper.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            counted = number + 1
            expect(lambda: board.counters().get("front_restarts") == counted)  # noqa: B023
        (notice,) = [notice for notice in board.notices() if "times" in notice.cause]
    assert notice.area == "sockets"
    assert notice.cure


def test_a_front_is_back_before_its_clients_lose_patience() -> None:
    start_on_a_busy_machine = 2.0
    longest = front_keeper.LONGEST_DELAY_SECONDS + start_on_a_busy_machine
    assert longest < transport.FRONT_SECONDS


def test_a_front_lets_its_connections_go_before_its_descriptors_end(
    directory: Path,
    handler: TableHandler,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    limited = ("prlimit", "--nofile=400:400", *front_keeper.COMMAND)
    monkeypatch.setattr("pspd.rpc.front_keeper.COMMAND", limited)
    board = NoticeBoard()
    with serving_by_process(directory, handler, board), Connection(directory) as connection:
        assert connection.status() == STATUS
        with ExitStack() as stack:
            for _ in range(390):
                held = stack.enter_context(socket.socket(socket.AF_UNIX))
                held.settimeout(5)
                with suppress(OSError):
                    held.connect(os.fspath(directory / wire.SOCKET_NAME))
                    held.recv(10)  # The front has accepted it, and greets.
            expect(lambda: board.counters().get("front_restarts", 0) > 0)
            assert connection.status() == STATUS
    assert "lets its connections go" in capfd.readouterr().err


def test_an_address_that_cannot_be_bound_is_told_and_nothing_is_left(
    directory: Path, handler: TableHandler
) -> None:
    (directory / wire.SOCKET_NAME).write_text("a diary")
    keeper = FrontKeeper("front", local_settings(directory), NoticeBoard())
    with pytest.raises(AddressError, match="not a socket"):
        RpcServer([keeper], handler).start()
    assert [path.name for path in directory.iterdir()] == [wire.SOCKET_NAME]
    assert keeper.pid is None


def test_a_front_that_was_never_opened_ends(directory: Path) -> None:
    keeper = FrontKeeper("front", local_settings(directory), NoticeBoard())
    keeper.start()
    keeper.close()
    assert keeper.pid is None
    assert list(directory.iterdir()) == []


def test_another_user_is_refused(directory: Path, handler: TableHandler) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    script = (
        "import os, socket, sys\n"
        "os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)\n"
        "probe = socket.socket(socket.AF_UNIX)\n"
        "probe.settimeout(10)\n"
        "probe.connect(sys.argv[1])\n"
        "probe.sendall(bytes.fromhex('ff00000000000000017f0300') + b'NULL' + bytes(48))\n"
        "print(probe.recv(10))\n"
    )
    with serving_by_process(directory, handler):
        path = directory / wire.SOCKET_NAME
        # Folder and socket let nobody in; were they open, the front would still look who comes.
        closed = subprocess.run(
            [sys.executable, "-c", script, path], capture_output=True, check=False
        )
        directory.chmod(0o755)
        path.chmod(0o777)
        opened = subprocess.run(
            [sys.executable, "-c", script, path], capture_output=True, check=False
        )
        mine = socket.socket(socket.AF_UNIX)
        with mine:
            mine.settimeout(10)
            mine.connect(os.fspath(path))
            assert mine.recv(10)
    assert b"PermissionError" in closed.stderr
    assert opened.stdout.strip() == b"b''" or b"Error" in opened.stderr
