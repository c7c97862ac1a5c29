"""The client stays thin, and its processes end as a shell expects."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest
from msgspec import structs

import pspc
from pspd.rpc import wire
from tests.client.conftest import SEARCH_REPLY
from tests.rpc.peers import Answer, Call, Gate, TableHandler

HEAVY = {"numpy", "PIL", "lmdb", "watchdog"}
LATER = {"zmq", "urllib.request", "subprocess", "json", "dataclasses", "shutil", "signal"}


def _imported(statement: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_the_command_line_imports_nothing_heavy() -> None:
    assert not _imported("import pspc.cli") & (HEAVY | LATER)


IMPORT_ALL = """
import importlib, pkgutil, pspc
for module in pkgutil.walk_packages(pspc.__path__, "pspc."):
    if not module.name.startswith({}):
        importlib.import_module(module.name)
"""


def test_the_verbs_import_nothing_heavy_before_they_run() -> None:
    """The selftest edits pictures; its package is the one exception, and no verb begins with it."""
    modules = _imported(IMPORT_ALL.format("'pspc.selftest'"))
    assert "pspc.commands.selftest" in modules
    assert not modules & HEAVY
    assert not any(name.startswith("pspc.selftest.") for name in modules)


def test_the_client_imports_nothing_of_the_daemon_but_the_wire() -> None:
    modules = _imported(IMPORT_ALL.format("()"))
    assert "pspc.selftest.edits" in modules
    ours = {name for name in modules if name.partition(".")[0] == "pspd"}
    assert {"pspd", "pspd.rpc"} <= ours
    assert all(name in {"pspd", "pspd.rpc"} or name.startswith("pspd.rpc.wire") for name in ours)


def test_the_public_names_exist() -> None:
    assert all(getattr(pspc, name).__name__ == name for name in pspc.__all__)
    with pytest.raises(AttributeError):
        _ = pspc.Nothing


def _pspc(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "pspc", "--no-start", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": ""},
    )


def test_a_closed_pipe_is_no_error_message(daemon: TableHandler, image: str) -> None:
    with _pspc("search", *([image] * 5)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 128 + signal.SIGPIPE


def test_a_process_that_ends_in_a_hurry_loses_nothing(daemon: TableHandler, image: str) -> None:
    hits = [structs.replace(SEARCH_REPLY.hits[0], distance=number) for number in range(5000)]
    daemon.on(wire.SearchRequest, structs.replace(SEARCH_REPLY, hits=hits, total=len(hits)))
    with _pspc("search", image) as process:
        output, errors = process.communicate(timeout=60)
    lines = output.decode().splitlines()
    assert [line.split("\t")[1] for line in lines] == [str(number) for number in range(5000)]
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.parametrize(
    ("freshness", "status"),
    [(wire.Freshness(1, 0, 0), 1), (wire.Freshness(1, 7, 0), 3)],
)
def test_a_process_ends_with_the_status_of_its_command(
    daemon: TableHandler, image: str, freshness: wire.Freshness, status: int
) -> None:
    empty = structs.replace(SEARCH_REPLY, hits=[], total=0, freshness=freshness)
    daemon.on(wire.SearchRequest, empty)
    with _pspc("search", image) as process:
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (status, b"")
    assert (b"pending" in errors) == (freshness.pending > 0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("arguments", [["status"], ["--help"], ["search", "--help"]])
def test_output_that_cannot_be_written_is_one_line(
    daemon: TableHandler, arguments: list[str]
) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pspc", "--no-start", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.stderr == b"pspc: cannot write the output: No space left on device\n"
    assert done.returncode == 2


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_is_as_good_as_the_null_device(daemon: TableHandler, closed: str) -> None:
    command = f"{shlex.quote(sys.executable)} -m pspc --no-start status {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert bool(done.stdout) == closed.startswith("2")


def test_an_interrupted_wait_ends_quietly(daemon: TableHandler) -> None:
    entered = threading.Event()

    def sync(_call: Call) -> Answer:
        entered.set()
        return Future()

    daemon.on(wire.SyncRequest, sync)
    with _pspc("sync") as process:
        assert entered.wait(60)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (130, b"", b"")


def test_an_interrupt_ends_quietly(daemon: TableHandler, image: str) -> None:
    gate = Gate()
    daemon.on(wire.SearchRequest, gate.before(SEARCH_REPLY))
    with _pspc("search", image) as process:
        assert gate.entered.acquire(timeout=60)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    gate.open()
    assert (process.returncode, output, errors) == (130, b"", b"")


def test_standard_input_is_searched_for(daemon: TableHandler, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pspc", "search", "-", "--no-start"],
        input=b"piped",
        capture_output=True,
        check=True,
    )
    assert done.stdout.startswith(b"copy\t")
    assert daemon.calls[-1].image == b"piped"
