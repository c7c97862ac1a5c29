"""Whatever a server does, a command returns by its deadline."""

from __future__ import annotations

import io
import itertools
import os
import random
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pspc.cli import main
from pspc.console import Console
from pspd.rpc import wire
from tests.e2e.home import Home
from tests.e2e.scenes import save
from tests.reliability.attacker import GREETING, READY
from tests.reliability.conftest import Report
from tests.reliability.goals import Size
from tests.rpc.peers import short_directory

TIMEOUT = 0.1
MARGIN = 0.2
BEFORE = 0.5
"""Share of the blows that fall before the command begins; the others fall while it runs."""

COMMANDS = (
    ("status",),
    ("roots",),
    ("failures",),
    ("sync",),
    ("stop",),
    ("start",),
    ("add", "/"),
    ("remove", "/"),
    ("search", "query.jpg"),
    ("search", "query.jpg", "--wait"),
)

_HELD: list[socket.socket] = []


def say_nothing(_peer: socket.socket) -> None:
    """Accept, and be mute."""


def hang_up(peer: socket.socket) -> None:
    """Accept, and close."""
    peer.close()


def say(data: bytes) -> Callable[[socket.socket], None]:
    """Accept, say so much and be mute."""

    def behave(peer: socket.socket) -> None:
        peer.sendall(data)

    return behave


def drip(peer: socket.socket) -> None:
    """Say a byte at a time, for ever."""

    def go_on() -> None:
        with suppress(OSError):
            for byte in itertools.chain(GREETING + READY, itertools.repeat(0)):
                peer.sendall(bytes([byte]))
                threading.Event().wait(0.02)

    threading.Thread(target=go_on, daemon=True).start()


def hang_up_in_the_middle(peer: socket.socket) -> None:
    """Take the request, say half a reply and close."""
    peer.sendall(GREETING + READY)
    peer.settimeout(5)
    with suppress(OSError):
        peer.recv(1 << 16)
        peer.recv(1 << 16)
        peer.sendall(b"\x00\xf0half")
    peer.close()


SERVERS: Mapping[str, Callable[[socket.socket], None]] = {
    "mute": say_nothing,
    "gone": hang_up,
    "http": say(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "greets": say(GREETING),
    "shakes hands": say(GREETING + READY),
    "garbage": say(bytes(range(256)) * 100),
    "half a frame": say(GREETING + READY + b"\x00\x40half"),
    "no message": say(GREETING + READY + b"\x00\x03\xc1\xc1\xc1"),
    "many parts": say(GREETING + READY + b"\x01\x01a" * 10_000),
    "announces 2^62": say(GREETING + READY + b"\x02" + struct.pack(">Q", 1 << 62)),
    "announces 1 GiB": say(GREETING + READY + b"\x02" + struct.pack(">Q", 1 << 30)),
    "drips": drip,
    "half a reply": hang_up_in_the_middle,
}


@contextmanager
def serving(path: str, behave: Callable[[socket.socket], None] | None) -> Iterator[None]:
    """Listen and behave so; None accepts nobody, and its queue is full."""
    accepting = threading.Thread()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1 if behave is None else 100)
        if behave is None:
            for _ in range(3):
                waiting = socket.socket(socket.AF_UNIX)
                waiting.setblocking(False)
                with suppress(BlockingIOError):
                    waiting.connect(path)
                _HELD.append(waiting)
        else:
            accepting = threading.Thread(target=_accept, args=(listener, behave))
            accepting.start()
        yield
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        if behave is not None:
            accepting.join()
    while _HELD:
        _HELD.pop().close()
    os.unlink(path)


def _accept(listener: socket.socket, behave: Callable[[socket.socket], None]) -> None:
    with suppress(OSError):
        while True:
            peer, _ = listener.accept()
            _HELD.append(peer)
            with suppress(OSError):
                behave(peer)


def run(*words: str) -> tuple[int, str]:
    """Run a command here; returns its exit status and what it complained."""
    errors = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    status = main(words, Console(io.TextIOWrapper(io.BytesIO()), errors))
    errors.seek(0)
    return status, errors.read()


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with short_directory() as directory:
        monkeypatch.setenv("PSP_HOME", os.fspath(directory))
        monkeypatch.chdir(directory)
        (directory / "query.jpg").write_bytes(os.urandom(1 << 20))
        yield directory


@pytest.mark.goal("G24")
def test_every_command_returns_by_its_deadline(home: Path, goal: Report, size: Size) -> None:
    number = size.of(30, 1000, 10_000)
    path = wire.socket_paths({"PSP_HOME": os.fspath(home)})[0]
    cases = list(itertools.product([None, *SERVERS], COMMANDS))
    random.Random(24).shuffle(cases)
    late: list[str] = []
    worst = 0.0
    run("status", "--no-start")  # imports
    for server, command in itertools.islice(itertools.cycle(cases), number):
        with serving(path, SERVERS[server] if server else None):
            stall = _Stall()
            with stall:
                begun = time.monotonic()
                options = () if command[0] in {"start", "stop"} else ("--no-start",)
                status, errors = run(*command, *options, "--timeout", str(TIMEOUT))
                took = time.monotonic() - begun
        assert status == 2, (server, command, errors)
        assert "Traceback" not in errors
        assert "should not happen" not in errors, errors
        worst = max(worst, took)
        if took > TIMEOUT + MARGIN + stall.longest:
            late.append(f"{server} {command}: {took:.2f} s")
    goal.figure(
        f"{number:,} commands against {len(SERVERS) + 1} kinds of broken servers: "
        f"{len(late)} late, {worst - TIMEOUT:.2f} s after the deadline at most {late[:3]}",
        reached=not late,
    )


@pytest.mark.goal("G24")
def test_a_stopped_or_killed_daemon_keeps_nobody(
    monkeypatch: pytest.MonkeyPatch, goal: Report, size: Size
) -> None:
    number = size.of(4, 60, 1000)
    home = Home()
    monkeypatch.setenv("PSP_HOME", str(home.path))
    query = save(1, home.pictures() / "a.png")
    home.pspc("add", query.parent, "--wait")
    commands = (("search", str(query)), ("sync",), ("status",))
    signals = (signal.SIGSTOP, signal.SIGKILL)
    cases = itertools.product(signals, ("front", "daemon"), commands)
    chance = random.Random(24)
    late: list[str] = []
    worst = 0.0
    for number_of, victim, command in itertools.islice(itertools.cycle(cases), number):
        home.pspc("start")
        pid = home.pid() if victim == "daemon" else _front_of(home.pid())
        stall = _Stall()
        with stall:
            timer = threading.Timer(chance.random() * 0.02, os.kill, (pid, number_of))
            if chance.random() < BEFORE:
                os.kill(pid, number_of)
            else:
                timer.start()
            begun = time.monotonic()
            _, errors = run(*command, "--timeout", "0.5")
            took = time.monotonic() - begun
            if timer.ident is not None:
                timer.join()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        assert "should not happen" not in errors, errors
        worst = max(worst, took)
        if took > 0.5 + MARGIN + stall.longest:
            late.append(f"{number_of.name} {victim} {command[0]}: {took:.2f} s")
    home.close()
    goal.figure(
        f"{number:,} commands while daemon or front was stopped or killed: {len(late)} late, "
        f"{worst:.2f} s at most of 0.5 s {late[:3]}",
        reached=not late,
    )


def _front_of(daemon: int) -> int:
    found = subprocess.run(
        ["pgrep", "-P", str(daemon), "-f", "front_process"], capture_output=True, check=True
    )
    return int(found.stdout.split()[0])


class _Stall:
    """Measures how long this machine lets a thread wait that has nothing to do."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_exception: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._is_over.wait(0.005):
            now = time.monotonic()
            self.longest = max(self.longest, now - before - 0.005)
            before = now
