"""Over tcp: who is let in, and what may be asked."""

from __future__ import annotations

import itertools
import os
import resource
import shutil
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from pspc import Connection, DaemonError, Unreachable
from pspc.errors import UsageError
from pspd.__main__ import main
from pspd.errors import AddressError, KeyFileError
from pspd.noticeboard import NoticeBoard
from pspd.rpc import link, wire
from pspd.rpc.doorkeeper import Doorkeeper
from pspd.rpc.front_keeper import FrontKeeper
from pspd.rpc.key_store import KeyStore
from pspd.rpc.server import RpcServer
from tests.rpc.peers import FrontThread, TableHandler, local_settings
from tests.rpc.samples import FOUND, STATUS
from tests.waiting import expect


def free_port() -> int:
    """Return a port that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def handler() -> TableHandler:
    return TableHandler().on(wire.StatusRequest, STATUS).on(wire.SearchRequest, FOUND)


@pytest.fixture
def keys(directory: Path) -> KeyStore:
    store = KeyStore(directory / "keys")
    store.add_client("laptop", directory / "laptop.key")
    return store


def remote_settings(directory: Path, address: str) -> link.Settings:
    path = wire.socket_address(os.fspath(directory / "pspd-remote.sock"))
    return link.Settings(path, address, keys=os.fspath(directory / "keys"))


def remote_front(directory: Path, address: str) -> FrontThread:
    return FrontThread(remote_settings(directory, address))


@pytest.fixture
def address(directory: Path, keys: KeyStore, handler: TableHandler) -> Iterator[str]:
    """Serve at a tcp address."""
    address = f"tcp://127.0.0.1:{free_port()}"
    server = RpcServer([remote_front(directory, address)], handler)
    server.start()
    yield address
    server.close()


def test_a_client_with_its_key_searches(directory: Path, address: str) -> None:
    with Connection(address=address, key=directory / "laptop.key") as connection:
        assert connection.status() == STATUS
        assert connection.search(b"an image") == FOUND


@pytest.mark.parametrize("verb", ["add", "remove", "sync", "stop"])
def test_what_changes_or_costs_much_is_forbidden(
    directory: Path, address: str, handler: TableHandler, verb: str
) -> None:
    with Connection(address=address, key=directory / "laptop.key") as connection:
        method = getattr(connection, verb)
        with pytest.raises(DaemonError) as caught:
            method(*(["/etc"] if verb in {"add", "remove"} else []))
        assert caught.value.code == "forbidden"
        assert connection.status() == STATUS
    assert [type(call.request) for call in handler.calls] == [wire.StatusRequest]


def test_a_key_that_was_removed_is_refused_and_one_added_is_let_in_at_once(
    directory: Path, address: str, keys: KeyStore
) -> None:
    keys.add_client("tablet", directory / "tablet.key")
    with Connection(address=address, key=directory / "tablet.key") as connection:
        assert connection.status() == STATUS
    keys.remove_client("tablet")
    with (
        Connection(address=address, key=directory / "tablet.key", timeout=5) as connection,
        pytest.raises(Unreachable, match="does not let us in"),
    ):
        connection.status()


@pytest.mark.parametrize("is_given_another", [True, False])
def test_a_client_whose_key_is_removed_is_refused_on_the_connection_it_has(
    directory: Path, address: str, keys: KeyStore, handler: TableHandler, *, is_given_another: bool
) -> None:
    keys.add_client("tablet", directory / "tablet.key")
    with Connection(address=address, key=directory / "tablet.key") as connection:
        assert connection.status() == STATUS
        keys.remove_client("tablet")
        if is_given_another:
            keys.add_client("tablet", directory / "new.key")
        handler.calls.clear()
        with pytest.raises(DaemonError, match="key was removed") as caught:
            connection.search(b"private")
        assert caught.value.code == "forbidden"
        assert handler.calls == []
    with Connection(address=address, key=directory / "laptop.key") as connection:
        assert connection.status() == STATUS


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of others are Linux's")
def test_a_client_whose_key_cannot_be_looked_at_is_asked_to_come_back(
    directory: Path, keys: KeyStore, handler: TableHandler
) -> None:
    keys.add_client("tablet", directory / "tablet.key")
    address = f"tcp://127.0.0.1:{free_port()}"
    front = FrontKeeper("remote", remote_settings(directory, address), NoticeBoard())
    server = RpcServer([front], handler)
    server.start()
    try:
        with Connection(address=address, key=directory / "tablet.key", timeout=2) as connection:
            assert connection.status() == STATUS
            pid = front.pid
            assert pid is not None
            before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            used = {int(each.name) for each in Path(f"/proc/{pid}/fd").iterdir()}
            lowest = next(number for number in itertools.count() if number not in used)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest, before[1]))
            with pytest.raises(DaemonError) as caught:
                connection.search(b"private")
            assert caught.value.code == "busy"
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
            assert connection.status() == STATUS
            keys.remove_client("tablet")
            with pytest.raises(DaemonError, match="key was removed"):
                connection.status()
    finally:
        server.close()


def test_keys_that_cannot_be_listed_are_not_called_none(directory: Path, keys: KeyStore) -> None:
    clients = directory / "keys" / "clients"
    clients.rename(directory / "keys" / "elsewhere")
    assert list(keys.clients()) == []
    clients.symlink_to(clients)
    with pytest.raises(OSError, match="Too many levels"):
        list(keys.clients())


def test_a_key_that_cannot_be_read_keeps_no_other_out(directory: Path, keys: KeyStore) -> None:
    clients = directory / "keys" / "clients"
    (clients / "a.key").symlink_to("a.key")
    (clients / "b.key").write_text("no key")
    seen = keys.clients()
    assert next(seen)[0] == "laptop"
    with pytest.raises(OSError, match="Too many levels"):
        next(seen)


def test_a_client_learns_that_its_daemon_is_another(
    directory: Path, address: str, handler: TableHandler
) -> None:
    other = KeyStore(directory / "others")
    other.add_client("laptop", directory / "other.key")
    with (
        Connection(address=address, key=directory / "other.key", timeout=5) as connection,
        pytest.raises(Unreachable, match="does not let us in"),
    ):
        connection.search(b"private")
    assert handler.calls == []


@pytest.mark.parametrize("is_handler_alive", [True, False])
@pytest.mark.parametrize("key", ["none", "wrong server", "unknown", "good"])
def test_only_a_known_key_gets_through_and_none_without_the_handler(
    directory: Path, keys: KeyStore, key: str, *, is_handler_alive: bool
) -> None:
    """The sockets alone, so that nothing but CURVE and ZAP decides."""
    parsed = wire.parse_keys((directory / "laptop.key").read_text(), ("server", "public", "secret"))
    server_key, public, secret = parsed
    if key == "wrong server":
        server_key, _ = zmq.curve_keypair()
    elif key == "unknown":
        public, secret = zmq.curve_keypair()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with context, context.socket(zmq.ROUTER) as router, context.socket(zmq.DEALER) as dealer:
        doorkeeper = Doorkeeper(context, os.fspath(directory / "keys"))
        doorkeeper.guard(router)
        port = router.bind_to_random_port("tcp://127.0.0.1")
        if not is_handler_alive:
            doorkeeper.close()
        dealer.setsockopt(zmq.LINGER, 0)
        if key != "none":
            dealer.curve_serverkey, dealer.curve_publickey, dealer.curve_secretkey = (
                server_key,
                public,
                secret,
            )
        monitor = dealer.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED
            | zmq.EVENT_HANDSHAKE_FAILED_AUTH
            | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
            | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
            | zmq.EVENT_DISCONNECTED
        )
        dealer.connect(f"tcp://127.0.0.1:{port}")
        dealer.send(b"hello")
        poller = zmq.Poller()
        for source in (router, monitor, *([doorkeeper.socket] if is_handler_alive else [])):
            poller.register(source, zmq.POLLIN)
        is_through = False
        for _ in range(10):
            ready = dict(poller.poll(3000))
            if is_handler_alive and doorkeeper.socket in ready:
                doorkeeper.answer()
            is_through = router in ready
            ended = monitor in ready and not (
                int.from_bytes(monitor.recv_multipart()[0][:2], "little")
                & zmq.EVENT_HANDSHAKE_SUCCEEDED
            )
            if is_through or ended or not ready:
                break
        dealer.disable_monitor()
        monitor.close(0)
        router.close(0)
        doorkeeper.close()
    assert is_through == (key == "good" and is_handler_alive)


def test_without_keys_nothing_is_bound(directory: Path, handler: TableHandler) -> None:
    port = free_port()
    front = remote_front(directory, f"tcp://127.0.0.1:{port}")
    with pytest.raises(KeyFileError, match="pspd keys add"):
        RpcServer([front], handler).start()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert list(directory.iterdir()) == []


def test_a_port_that_is_taken_is_told(
    directory: Path, keys: KeyStore, handler: TableHandler
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        front = remote_front(directory, f"tcp://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(AddressError, match="already in use"):
            RpcServer([front], handler).start()


def test_a_server_key_that_others_can_read_is_not_used(directory: Path, keys: KeyStore) -> None:
    (directory / "keys" / "server.key").chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        keys.server_pair()


def test_keys_are_the_users_alone_whatever_the_umask(directory: Path) -> None:
    previous = os.umask(0)
    try:
        KeyStore(directory / "keys").add_client("laptop", directory / "laptop.key")
    finally:
        os.umask(previous)
    made = [directory / "laptop.key", *(directory / "keys").rglob("*.key")]
    assert len(made) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
    folders = [directory / "keys", directory / "keys" / "clients"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".hidden", "x" * 65, "a\n", "ä"])
def test_a_name_cannot_lead_elsewhere(directory: Path, name: str) -> None:
    store = KeyStore(directory / "keys")
    with pytest.raises(KeyFileError):
        store.add_client(name, directory / "f.key")
    with pytest.raises(KeyFileError):
        store.remove_client(name)
    assert list(directory.iterdir()) == []


def test_a_file_that_is_there_is_left_alone_and_nobody_is_let_in(directory: Path) -> None:
    (directory / "diary").write_text("dear diary")
    store = KeyStore(directory / "keys")
    with pytest.raises(KeyFileError, match="left alone"):
        store.add_client("laptop", directory / "diary")
    assert (directory / "diary").read_text() == "dear diary"
    assert list(store.clients()) == []


def test_the_command_line_makes_lists_and_removes(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PSP_HOME", os.fspath(directory))
    monkeypatch.chdir(directory)
    assert main(["keys", "add", "laptop", "laptop.key"]) == 0
    assert main(["keys", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["laptop"]
    assert main(["keys", "remove", "laptop"]) == 0
    assert main(["keys", "remove", "laptop"]) == 78
    assert "no client is called" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        ("", 0o600, "no server key"),
        ("server = 3", 0o600, "no server key"),
        ("\0\xff", 0o600, "no key file"),
        (None, 0o644, "read by others"),
    ],
)
def test_a_key_file_that_cannot_be_used_is_told(
    directory: Path, keys: KeyStore, text: str | None, mode: int, reason: str
) -> None:
    file = directory / "copy.key"
    shutil.copy(directory / "laptop.key", file)
    if text is not None:
        file.write_text(text)
    file.chmod(mode)
    with pytest.raises(UsageError, match=reason):
        Connection(address="tcp://127.0.0.1:1", key=file)


@pytest.mark.parametrize(
    "address", ["nas:7420", "tcp://nas", "tcp://nas:1/x", "ipc:///x", "tcp://:1"]
)
def test_an_address_that_is_none_is_told(directory: Path, keys: KeyStore, address: str) -> None:
    with pytest.raises(UsageError, match="HOST:PORT"):
        Connection(address=address, key=directory / "laptop.key")


def test_a_remote_front_that_cannot_bind_again_costs_the_local_one_nothing(
    directory: Path, keys: KeyStore, handler: TableHandler
) -> None:
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    key = directory / "laptop.key"
    board = NoticeBoard()
    remote = FrontKeeper("remote", remote_settings(directory, address), board)
    server = RpcServer([remote, FrontKeeper("front", local_settings(directory), board)], handler)

    def is_told(reason: str) -> bool:
        assert server.is_reachable()
        return any(reason in notice.cause for notice in board.notices())

    def is_well() -> bool:
        assert server.is_reachable()
        return not board.notices()

    server.start()
    try:
        pid = remote.pid
        assert pid is not None
        (directory / "keys" / "server.key").chmod(0o644)
        os.kill(pid, signal.SIGKILL)
        expect(lambda: is_told("can be read by others"))
        with socket.socket() as occupant:
            occupant.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            occupant.bind(("127.0.0.1", port))
            occupant.listen()
            (directory / "keys" / "server.key").chmod(0o600)
            expect(lambda: is_told("in use"))
            with Connection(directory) as connection:
                assert connection.status() == STATUS
        expect(is_well)
        with Connection(address=address, key=key) as connection:
            assert connection.status() == STATUS
    finally:
        server.close()
    assert board.counters() == {"front_restarts": 1}
