"""Daemons beside each other and after each other, and other users of the machine."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pspc.processes import is_alive
from pspd.rpc import wire
from tests.e2e.home import Home
from tests.e2e.scenes import save
from tests.reliability.conftest import Report
from tests.reliability.goals import Size


@pytest.mark.goal("G20")
def test_of_many_daemons_at_once_one_wins(home: Home, goal: Report, size: Size) -> None:
    number = size.of(6, 30, 30)
    home.pspc("start")
    begun = time.monotonic()
    assert home.run("pspd").returncode == 75
    alone = time.monotonic() - begun
    home.pspc("stop")
    command = [sys.executable, "-m", "pspd"]
    before = _seconds_of_children()
    started = [
        subprocess.Popen(command, env=home.environ, stderr=subprocess.DEVNULL)
        for _ in range(number)
    ]
    home.await_daemon()
    inode = (home.path / wire.SOCKET_NAME).stat().st_ino
    winners = [each for each in started if each.pid == home.pid()]
    statuses = {each.wait(60) for each in started if each not in winners}
    # Of the processor, for they share two cores with each other and with whatever else runs.
    each_took = (_seconds_of_children() - before) / number
    unchanged = inode == (home.path / wire.SOCKET_NAME).stat().st_ino
    home.pspc("stop")
    for winner in winners:
        winner.wait(60)
    goal.figure(
        f"{number} daemons: {len(winners)} won, the others exited with {statuses}, "
        f"{each_took:.2f} s of a processor each, {alone:.2f} s alone; socket "
        f"{'unchanged' if unchanged else 'replaced'}",
        reached=len(winners) == 1 and statuses == {75} and each_took <= 1.0 and unchanged,
    )


def _seconds_of_children() -> float:
    """Return the processor time of all children that have ended and were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.goal("G20")
def test_leftovers_of_a_killed_daemon_cost_nothing(home: Home, goal: Report, size: Size) -> None:
    kills = size.of(1, 20, 100)
    after_kill, after_stop = [], []
    home.pspc("start")
    for _ in range(kills):
        pid = home.pid()
        os.kill(pid, signal.SIGKILL)
        while is_alive(pid):
            os.sched_yield()
        after_kill.append(_seconds_to_start(home))
        # By turns, and as many: the longest of many is longer than a single one.
        home.pspc("stop")
        after_stop.append(_seconds_to_start(home))
    worst, clean = max(after_kill), max(after_stop)
    goal.figure(
        f"{kills} kills: started again in {worst:.2f} s at most, {clean:.2f} s without leftovers",
        reached=worst <= max(1.0, 2 * clean),
    )


def _seconds_to_start(home: Home) -> float:
    begun = time.monotonic()
    home.pspc("start")
    return time.monotonic() - begun


@pytest.mark.goal("G22")
def test_others_reach_nothing_though_the_umask_is_open(home: Home, goal: Report) -> None:
    if os.geteuid() != 0:
        goal.cannot_run("only root can try as another user")
    (home.folder / "config").mkdir()
    home.configure('[remote]\nlisten = "tcp://127.0.0.1:0"\n')
    picture = save(1, home.pictures() / "a.png")
    previous = os.umask(0)
    try:
        assert home.run("pspd", "keys", "add", "laptop", home.path / "f.key").returncode == 0
        home.pspc("add", picture.parent, "--wait")
        home.pspc("search", picture)
    finally:
        os.umask(previous)
    made = [path for path in home.path.rglob("*") if path.name != "config.toml"]
    open_to_others = [path for path in made if path.lstat().st_mode & 0o077]
    sockets = [path for path in made if path.is_socket()]
    keys = [path for path in made if path.suffix == ".key"]
    home.folder.chmod(0o755)
    reached = [path for path in made if _is_reached_by_nobody(path)]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in keys}
    goal.figure(
        f"{len(made)} files, {len(sockets)} sockets of them, {len(keys)} keys: "
        f"{len(open_to_others)} open to others, {len(reached)} reached by uid 65534",
        reached=not open_to_others and not reached and modes == {0o600} and len(sockets) == 4,
    )


def _is_reached_by_nobody(path: Path) -> bool:
    script = (
        "import os, socket, sys\n"
        "os.setgroups([]); os.setresgid(*[65534] * 3); os.setresuid(*[65534] * 3)\n"
        "try:\n"
        "    if sys.argv[2] == 'socket': socket.socket(socket.AF_UNIX).connect(sys.argv[1])\n"
        "    else: os.scandir(sys.argv[1]) if os.path.isdir(sys.argv[1]) else open(sys.argv[1])\n"
        "except OSError: sys.exit(1)\n"
    )
    kind = "socket" if path.is_socket() else "file"
    command = [sys.executable, "-S", "-c", script, str(path), kind]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
