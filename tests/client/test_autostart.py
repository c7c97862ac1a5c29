"""Starting the daemon, by small programs that stand in for it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pspc.autostart import MAX_LOG_BYTES, ensure_running
from pspc.errors import StartFailed, Unreachable
from pspc.processes import daemon_pid, is_alive, lock_path, log_path
from pspc.transport import is_running
from tests.rpc.peers import TableHandler, serving

CHECKOUT = Path(__file__).parents[2]

DAEMON = """
import os, signal, sys
sys.path.insert(0, os.environ["CHECKOUT"])
from pathlib import Path
from pspd.rpc import wire
from tests.rpc.peers import TableHandler, serving
welcome = wire.Welcome(server="stand-in", version="0", protocol=1, pid=os.getpid())
home = Path(os.environ["PSP_HOME"])
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
(home / "pid").write_text(str(os.getpid()))
print("cwd", os.getcwd(), "session", os.getsid(0) == os.getpid(), flush=True)
with serving(home, TableHandler().on(wire.Hello, welcome)):
    signal.sigwait({signal.SIGTERM})
"""


@pytest.fixture
def environ(home: Path) -> Iterator[dict[str, str]]:
    yield {**os.environ, "PSP_HOME": os.fspath(home), "CHECKOUT": os.fspath(CHECKOUT)}
    pid_file = home / "pid"
    if pid_file.exists():
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


def _program(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_a_daemon_is_started_detached_and_answers(environ: dict[str, str], home: Path) -> None:
    assert ensure_running(environ, command=_program(DAEMON), seconds=60)
    assert is_running(environ)
    assert not ensure_running(environ, command=_program("raise SystemExit(1)"))
    assert "cwd / session True" in (home / "pspd.log").read_text()
    assert (home / "pspd.log").stat().st_mode & 0o077 == 0


def test_a_daemon_that_cannot_start_says_why_in_one_line(environ: dict[str, str]) -> None:
    command = _program("import sys; sys.exit('first\\nthe store is too new: upgrade')")
    with pytest.raises(Unreachable) as caught:
        ensure_running(environ, command=command, seconds=60)
    assert str(caught.value) == "pspd does not start: the store is too new: upgrade"


def test_all_mistakes_of_a_configuration_are_shown(environ: dict[str, str]) -> None:
    text = "import sys; print('pspd: two mistakes:\\n  one\\n  two', file=sys.stderr); sys.exit(78)"
    with pytest.raises(StartFailed) as caught:
        ensure_running(environ, command=_program(text), seconds=60)
    assert str(caught.value) == "pspd does not start: pspd: two mistakes: one two"
    assert caught.value.report() == (
        "pspd does not start:",
        "pspd: two mistakes:",
        "  one",
        "  two",
    )


def test_a_daemon_that_says_nothing_is_told_by_its_status(environ: dict[str, str]) -> None:
    with pytest.raises(Unreachable, match="ended with status 3 and said nothing"):
        ensure_running(environ, command=_program("raise SystemExit(3)"), seconds=60)


def test_a_daemon_that_never_listens_is_given_up(environ: dict[str, str], home: Path) -> None:
    text = "import os, signal; open(os.environ['PSP_HOME'] + '/pid', 'w').write(str(os.getpid()));"
    with pytest.raises(Unreachable, match="does not answer after 1 s"):
        ensure_running(environ, command=_program(text + "signal.pause()"), seconds=1)


def test_the_winner_of_a_race_is_taken(environ: dict[str, str], handler: TableHandler) -> None:
    # The first start finds the store held; by the second one, the other has ended.
    text = f"""
import os, sys
marker = os.environ["PSP_HOME"] + "/marker"
if not os.path.exists(marker):
    open(marker, "w").close()
    sys.exit(75)
{DAEMON}"""
    assert ensure_running(environ, command=_program(text), seconds=60)


def test_a_running_daemon_is_not_started_again(
    environ: dict[str, str], home: Path, handler: TableHandler
) -> None:
    with serving(home, handler):
        assert not ensure_running(environ, command=_program("raise SystemExit(1)"))
    assert not (home / "pspd.log").exists()


def test_a_long_log_is_put_aside(environ: dict[str, str], home: Path) -> None:
    (home / "pspd.log").write_bytes(b"x" * (MAX_LOG_BYTES + 1))
    ensure_running(environ, command=_program(DAEMON), seconds=60)
    assert (home / "pspd.log").stat().st_size < 1000
    assert (home / "pspd.log.old").stat().st_size > MAX_LOG_BYTES


@pytest.mark.parametrize(
    ("environ_", "path"),
    [
        ({"PSP_HOME": "/p", "XDG_STATE_HOME": "/s"}, "/p/pspd.log"),
        ({"XDG_STATE_HOME": "/s"}, "/s/psp/pspd.log"),
        ({}, os.path.expanduser("~/.local/state/psp/pspd.log")),
    ],
)
def test_the_log_lies_where_the_environment_says(environ_: dict[str, str], path: str) -> None:
    assert log_path(environ_) == path


@pytest.mark.parametrize(
    ("environ_", "path"),
    [
        ({"PSP_HOME": "/p", "XDG_DATA_HOME": "/d"}, "/p/pspd.lock"),
        ({"XDG_DATA_HOME": "/d"}, "/d/psp/pspd.lock"),
        ({}, os.path.expanduser("~/.local/share/psp/pspd.lock")),
    ],
)
def test_the_lock_lies_where_the_environment_says(environ_: dict[str, str], path: str) -> None:
    assert lock_path(environ_) == path


@pytest.mark.parametrize("text", ["", "x", "0", "-1", "9" * 30])
def test_a_lock_that_names_no_process_names_none(tmp_path: Path, text: str) -> None:
    assert daemon_pid({"PSP_HOME": os.fspath(tmp_path)}) is None
    (tmp_path / "pspd.lock").write_text(text)
    assert daemon_pid({"PSP_HOME": os.fspath(tmp_path)}) is None


def test_a_process_that_ended_unnoticed_is_not_alive() -> None:
    assert is_alive(os.getpid())
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], os.environ)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    started = time.monotonic()
    assert is_alive(pid) == (not Path("/proc/self/stat").exists())
    os.waitpid(pid, 0)
    assert not is_alive(pid)
    assert time.monotonic() - started < 30
