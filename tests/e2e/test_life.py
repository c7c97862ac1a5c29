"""Starting, stopping, being killed, and starting again."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pspc import Connection
from tests.e2e.home import Home
from tests.e2e.scenes import save, scene
from tests.waiting import expect

PICTURES = 120


@pytest.fixture
def full(home: Home) -> Path:
    """A folder whose indexing takes a second or two."""
    folder = home.pictures()
    for seed in range(PICTURES):
        save(seed, folder / f"{seed:03}.png")
    return folder


def test_every_command_starts_the_daemon_and_no_start_refuses(home: Home) -> None:
    done = home.run("pspc", "status", "--no-start")
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1

    assert home.status()["roots"] == []
    assert home.run("pspc", "status", "--no-start").returncode == 0


def test_stop_waits_until_the_daemon_is_gone_and_is_no_error_twice(home: Home) -> None:
    home.pspc("start")
    home.pspc("stop")
    with open(home.path / "pspd.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    home.pspc("stop")

    assert not (home.path / "pspd.sock").exists()


def test_a_stop_in_the_middle_of_indexing_loses_nothing(home: Home, full: Path) -> None:
    home.pspc("add", full)
    home.pspc("stop")
    home.pspc("sync")
    status = home.status()

    assert (status["indexed"], status["pending"]) == (PICTURES, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_signal_in_the_middle_of_indexing_loses_nothing(
    home: Home, full: Path, number: signal.Signals
) -> None:
    home.pspc("add", full)
    os.kill(home.pid(), number)
    home.pspc("sync")
    status = home.status()

    assert (status["indexed"], status["failed"], status["pending"]) == (PICTURES, 0, 0)
    assert status["pictures"] == PICTURES


@pytest.mark.parametrize("ender", ["terminal", "service manager"])
def test_a_stop_while_the_store_is_looked_at_costs_nothing(home: Home, ender: str) -> None:
    """A terminal ends the daemon's group; a service manager every process of the unit's."""
    folder = home.pictures()
    save(1, folder / "1.png")
    home.pspc("add", folder, "--wait")
    os.kill(home.pid(), signal.SIGKILL)
    await_unlocked(home)
    with open(home.path / "store" / "lock.mdb", "r+b") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)  # LMDB's own: whoever opens the store waits for it
        daemon = subprocess.Popen(
            [sys.executable, "-m", "pspd"], env=home.environ, start_new_session=True
        )
        expect(lambda: len(looking_at_store(daemon.pid)) == 1)
        # The look begins while the daemon still imports; before it takes signals, one just ends it.
        expect(lambda: takes_stops(daemon.pid))
        [child] = looking_at_store(daemon.pid)
        if ender == "service manager":
            os.kill(child, signal.SIGTERM)
        os.killpg(daemon.pid, signal.SIGTERM)
        assert daemon.wait(30) == 0
    assert list(home.path.glob("store.bad-*")) == []
    home.pspc("sync")
    status = home.status()
    assert (status["indexed"], status["extracted"], status["notices"]) == (1, 0, [])


def await_unlocked(home: Home) -> None:
    """Wait until no daemon has the home: one that was killed is gone a moment later."""
    with open(home.path / "pspd.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


def takes_stops(pid: int) -> bool:
    """Say whether a process handles SIGTERM by itself."""
    command = ["ps", "-o", "caught=", "-p", str(pid)]
    caught = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def looking_at_store(daemon: int) -> list[int]:
    """Return a daemon's children that look at its store."""
    command = ["ps", "-A", "-o", "pid=", "-o", "ppid=", "-o", "args="]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    rows = [line.split(maxsplit=2) for line in lines]
    return [
        int(pid) for pid, parent, words in rows
        if int(parent) == daemon and "pspd.store.preflight" in words
    ]  # fmt: skip


def test_the_second_daemon_says_so_and_exits(home: Home) -> None:
    home.pspc("start")
    pid = home.pid()
    second = home.run("pspd")

    assert second.returncode == 75
    assert second.stderr.count(b"\n") == 1
    assert str(pid).encode() in second.stderr
    assert home.status()["pid"] == pid


def test_of_many_clients_at_once_only_one_starts_a_daemon(home: Home) -> None:
    command = [sys.executable, "-m", "pspc", "status", "--json"]
    clients = [
        subprocess.Popen(command, env=home.environ, stdout=subprocess.PIPE) for _ in range(8)
    ]
    outputs = [client.communicate(timeout=60)[0] for client in clients]

    assert [client.returncode for client in clients] == [0] * 8
    assert len({output.split(b'"pid":', 1)[1].split(b",")[0] for output in outputs}) == 1


def test_a_store_of_a_newer_version_is_refused_by_the_client_in_one_line(home: Home) -> None:
    import lmdb  # noqa: PLC0415

    from pspd.store import checksum, codec  # noqa: PLC0415

    home.pspc("start")
    home.pspc("stop")
    environment = lmdb.open(str(home.path / "store"), lib_version=0, max_dbs=20)
    meta = environment.open_db(b"meta")
    with environment.begin(write=True) as transaction:
        transaction.put(b"format", checksum.seal(b"format", codec.encode_number(99)), db=meta)
    environment.close()
    before = (home.path / "store" / "data.mdb").read_bytes()
    done = home.run("pspc", "status")

    assert done.returncode == 2
    assert b"left untouched" in done.stderr
    assert (home.path / "store" / "data.mdb").read_bytes() == before


def test_mistakes_in_the_configuration_are_all_named_at_once(home: Home) -> None:
    home.configure("[watch]\nquiet_secondz = 1\n[limits]\nmax_bytes = 'many'\n")
    done = home.run("pspd")

    assert done.returncode == 78
    assert b"quiet_seconds" in done.stderr
    assert b"max_bytes" in done.stderr


def test_print_config_shows_what_is_in_force(home: Home) -> None:
    home.configure("[watch]\nquiet_seconds = 4.5\n")
    printed = home.run("pspd", "--print-config").stdout.decode()

    assert "quiet_seconds = 4.5" in printed
    assert str(home.path) in printed


def test_a_socket_path_that_is_too_long_is_refused_with_the_reason(home: Home) -> None:
    home_too_long = home.folder / ("x" * 120)
    home_too_long.mkdir(mode=0o700)
    done = home.run("pspc", "status", environ={"PSP_HOME": str(home_too_long)})

    assert done.returncode == 2
    assert b"107" in done.stderr or b"103" in done.stderr


def test_a_home_that_others_can_write_to_is_refused(home: Home) -> None:
    open_home = home.folder / "open"
    open_home.mkdir()
    open_home.chmod(0o777)
    done = home.run("pspd", environ={"PSP_HOME": str(open_home)})

    assert done.returncode == 78
    assert b"written by others" in done.stderr


def test_nothing_of_psp_can_be_reached_by_other_users(home: Home) -> None:
    folder = home.pictures()
    save(1, folder / "a.png")
    previous = os.umask(0)
    try:
        home.pspc("add", folder, "--wait")
    finally:
        os.umask(previous)
    for path in home.path.rglob("*"):
        assert path.lstat().st_mode & 0o077 == 0, path


def test_the_daemon_answers_status_while_it_indexes(home: Home, full: Path) -> None:
    home.pspc("add", full)
    status = home.status()
    home.pspc("sync")

    assert status["pid"] == home.pid()
    assert home.status()["indexed"] == PICTURES


def test_two_stores_cannot_share_one_socket(home: Home) -> None:
    runtime = home.folder / "run"
    runtime.mkdir(mode=0o700)
    shared = {"PSP_HOME": "", "XDG_RUNTIME_DIR": str(runtime), "HOME": str(home.folder)}
    first = {**shared, "XDG_DATA_HOME": str(home.folder / "first")}
    second = {**shared, "XDG_DATA_HOME": str(home.folder / "second")}
    assert home.run("pspc", "start", environ=first).returncode == 0
    try:
        refused = home.run("pspd", environ=second)
        status = json.loads(home.run("pspc", "status", "--json", environ=second).stdout)
    finally:
        home.run("pspc", "stop", environ=first)

    assert refused.returncode == 75
    assert str(status["pid"]).encode() in refused.stderr


@pytest.mark.parametrize("is_home_gone", [True, False])
def test_a_daemon_that_nobody_can_reach_any_more_ends_and_is_started_again(
    home: Home, *, is_home_gone: bool
) -> None:
    command = [sys.executable, "-m", "pspd"]
    with subprocess.Popen(command, env=home.environ, stderr=subprocess.PIPE) as daemon:
        home.await_daemon()
        if is_home_gone:
            shutil.rmtree(home.path)
        else:
            (home.path / "pspd.sock").unlink()
        _, said = daemon.communicate(timeout=60)
        home.path.mkdir(mode=0o700, exist_ok=True)

    assert daemon.returncode == 69, said  # systemd restarts upon it
    assert b"start it again" in said.splitlines()[-1]


def test_a_full_disk_is_told_and_nothing_is_lost_when_there_is_room_again(home: Home) -> None:
    mounted = home.path / "store"
    mounted.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=240k,mode=700", "psp-test", str(mounted)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs root and the right to mount a small tmpfs")
    try:
        folder = home.pictures()
        for seed in range(600):
            scene(seed, 32, 24).save(folder / f"{seed}.png")
        home.pspc("add", folder)
        home.run("pspc", "sync", "--timeout", "3")
        status = home.status()
        assert "disk full" in status["problem"]
        assert status["pending"] > 0
        home.search(folder / "0.png", expect=None)
        remount = ["mount", "-o", "remount,size=64m", str(mounted)]
        subprocess.run(remount, check=True, capture_output=True)
        home.pspc("sync")
        assert home.status()["indexed"] == 600
        assert home.status()["problem"] == ""
    finally:
        home.pspc("stop", expect=None)
        subprocess.run(["umount", "-l", str(mounted)], check=False, capture_output=True)


def test_a_command_that_meets_a_dying_daemon_starts_the_next_one(home: Home) -> None:
    folder = home.pictures()
    path = save(1, folder / "a.png")
    home.pspc("add", folder, "--wait")
    with Connection(home.path, start=True) as connection:
        assert connection.search(path).hits
        os.kill(home.pid(), signal.SIGKILL)
        assert connection.search(path).hits
        os.kill(home.pid(), signal.SIGTERM)
        assert connection.sync(timeout=30).indexed == 1


def test_a_daemon_that_lacks_its_keys_says_so_to_the_client(home: Home) -> None:
    home.configure('[remote]\nlisten = "tcp://127.0.0.1:1"\n')
    done = home.run("pspc", "status")
    home.configure("")

    assert done.returncode == 2
    assert b"pspd keys add" in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert not list(home.path.glob("*.sock"))
