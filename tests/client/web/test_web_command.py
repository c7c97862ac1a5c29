"""`pspc web` on the command line: one gateway an address, its end, and what it says."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from pspc.web import daemon_life, listening
from tests.client.web.conftest import Library
from tests.client.web.running import Gateway, environ_of
from tests.rpc.peers import short_directory
from tests.waiting import expect


def _pspc(environ: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pspc", "web", "--no-browser", *arguments],
        capture_output=True,
        text=True,
        env=dict(environ),
        timeout=60,
        check=False,
    )


def test_a_second_call_prints_a_fresh_address(lonely: Gateway) -> None:
    again = _pspc(environ_of(lonely.home), "--no-start", "--port", str(lonely.port))
    assert (again.returncode, again.stderr) == (0, "")
    address = again.stdout.strip()
    assert address.startswith(f"{lonely.base}/?key=")
    assert address != lonely.address
    assert httpx.get(address).status_code == 303


def test_the_word_is_taken_back_before_it_listens_no_longer(tmp_path: Path) -> None:
    """Else whoever takes the port in that moment is sent the token."""
    environ = environ_of(tmp_path)
    with listening.announced(environ, listening.LOOPBACK, 8383) as withdraw:
        assert listening.is_announced(environ, listening.LOOPBACK, 8383)
        withdraw()
        assert not listening.is_announced(environ, listening.LOOPBACK, 8383)


def test_a_port_of_another_program_is_told_and_sent_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = _pspc(environ_of(tmp_path), "--no-start", "--port", str(port))
        other.settimeout(0.2)
        with pytest.raises(TimeoutError):
            other.accept()
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"port {port} is taken by another program" in done.stderr
    assert "--port" in done.stderr


def test_a_gateway_of_another_home_is_another_program(lonely: Gateway) -> None:
    with short_directory() as home:
        done = _pspc(environ_of(home), "--no-start", "--port", str(lonely.port))
    assert done.returncode == 2
    assert "is taken by another program" in done.stderr


def test_ctrl_c_ends_it_cleanly_also_with_open_streams() -> None:
    with (
        short_directory() as home,
        Gateway(environ_of(home), "--no-start") as gateway,
        gateway.script() as client,
        client.stream("GET", "/api/v1/events") as stream,
    ):
        assert stream.status_code == 200
        assert gateway.stop(signal.SIGINT) == (130, "")


def test_a_term_signal_ends_it_as_well() -> None:
    with short_directory() as home, Gateway(environ_of(home), "--no-start") as gateway:
        assert gateway.stop(signal.SIGTERM) == (0, "")


def test_it_listens_by_both_versions_of_ip(lonely: Gateway) -> None:
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6")
    answer = httpx.get(f"http://[::1]:{lonely.port}/api/v1/status")
    assert answer.status_code == 401


def test_it_starts_the_daemon_unless_it_must_not(library: Library) -> None:
    library.home.pspc("stop")
    with Gateway(library.home.environ) as gateway, gateway.script() as script:
        assert script.get("/api/v1/status").status_code == 200
    library.home.pspc("stop")
    with Gateway(library.home.environ, "--no-start") as gateway, gateway.script() as script:
        assert script.get("/api/v1/status").status_code == 503


ALONE = """
from pspc.web import daemon_life
daemon_life.Loneliness.seconds = 0.5
from pspc.__main__ import run
run()
"""


def test_in_the_background_it_ends_once_the_daemon_has_been_gone(
    library: Library, tmp_path: Path
) -> None:
    program = tmp_path / "alone.py"
    program.write_text(ALONE)
    assert daemon_life.Loneliness.seconds == 60.0
    with Gateway(library.home.environ, "--detached", program=[str(program)]) as gateway:
        library.home.pspc("stop")
        _, errors = gateway.process.communicate(timeout=60)
        assert (gateway.process.returncode, errors) == (0, b"")


def test_in_the_background_it_stays(library: Library) -> None:
    environ = library.home.environ
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    done = _pspc(environ, "--background", "--port", str(port))
    assert (done.returncode, done.stderr) == (0, "")
    base = f"http://127.0.0.1:{port}"
    assert done.stdout.startswith(f"{base}/?key=")
    assert httpx.get(done.stdout.strip()).status_code == 303
    again = _pspc(environ, "--background", "--port", str(port))
    assert again.returncode == 0
    assert again.stdout.startswith(f"{base}/?key=")
    pid = int((library.home.path / f"web-127.0.0.1-{port}.lock").read_text())
    os.kill(pid, signal.SIGTERM)
    expect(lambda: not listening.is_announced(environ, "127.0.0.1", port))


def test_what_keeps_it_from_staying_is_told(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("short")
    password.chmod(0o600)
    done = _pspc(
        environ_of(tmp_path), "--no-start", "--host", "0.0.0.0", "--password-file", str(password),
        "--background", "--port", "0",
    )  # fmt: skip
    assert done.returncode == 2
    assert "8 characters" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "--host lets others in: give --password-file FILE as well"),
        (["--password-file", "x"], "--password-file belongs to --host"),
        (["--host", "localhost", "--password-file", "x"], "--password-file belongs to --host"),
        (["--port", "65536"], "a number from 0 to 65535"),
        (["--connect", "tcp://x:1"], "only be used on the daemon's own machine"),
    ],
)
def test_what_makes_no_sense_is_one_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = _pspc(environ_of(tmp_path), "--no-start", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_the_extra_one_line_says_how_to_get_it(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['starlette'] = None; sys.modules['uvicorn'] = None; "
        "from pspc.cli import main; sys.exit(main(['--no-start', 'web']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environ_of(tmp_path),
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "pspc: the page needs an extra: pip install 'picsearchpic[web]'\n"


def test_only_its_verb_loads_the_servers() -> None:
    program = "import pspc.cli, pspc.commands.web, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"starlette", "uvicorn", "anyio", "h11", "asyncio", "zmq", "httpx"}


@pytest.mark.parametrize(
    ("has_screen", "options", "opens"),
    [(True, (), True), (False, (), False), (True, ("--no-browser",), False)],
)
def test_a_browser_is_opened_where_a_person_sits_at_a_screen(
    tmp_path: Path, *, has_screen: bool, options: tuple[str, ...], opens: bool
) -> None:
    record, program = tmp_path / "record", tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" >{record}.new && mv {record}.new {record}\n')
    program.chmod(0o700)
    ours, theirs = pty.openpty()
    with short_directory() as home, open(ours, "rb", buffering=0) as screen:
        environ = environ_of(home) | {"BROWSER": str(program)}
        environ.pop("WAYLAND_DISPLAY", None)
        environ["DISPLAY"] = ":99" if has_screen else ""
        command = [sys.executable, "-m", "pspc", "--no-start", "web", "--port", "0", *options]
        with subprocess.Popen(command, stdin=theirs, stdout=theirs, env=environ) as process:
            os.close(theirs)
            address = screen.read(1000).decode().strip()
            assert address.startswith("http://127.0.0.1:")
            if opens:
                expect(record.exists)
                assert record.read_text().strip() == address
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
        assert record.exists() == opens


PASSWORD = "correct horse battery"


def _address_of_this_machine() -> str | None:
    """Return an address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        found: str = probe.getsockname()[0]
    return found


def test_others_come_in_by_the_password(tmp_path: Path) -> None:
    address = _address_of_this_machine()
    if address is None:
        pytest.skip("this machine has no other address")
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\n")
    password.chmod(0o600)
    arguments = ("--no-start", "--host", "0.0.0.0", "--password-file", str(password))
    with short_directory() as home, Gateway(environ_of(home), *arguments) as gateway:
        base = f"http://{address}:{gateway.port}"
        with httpx.Client(base_url=base, headers={"Origin": base}) as browser:
            arrived = browser.get("/")
            assert (arrived.status_code, arrived.headers["location"]) == (303, "/login")
            form = browser.get("/login")
            assert form.status_code == 200
            assert "form-action 'self'" in form.headers["content-security-policy"]
            wrong = browser.post("/login", data={"password": "wrong"})
            assert wrong.status_code == 401
            soon = browser.post("/login", data={"password": PASSWORD})
            assert soon.status_code == 429
            assert int(soon.headers["retry-after"]) == 1
            expect(lambda: browser.post("/login", data={"password": PASSWORD}).status_code == 303)
            assert browser.get("/").status_code == 200
            show = browser.post(
                f"/api/v1/pictures/{'0' * 64}/show",
                json={"key": "x" * 40},
                headers={"X-PSP-Token": gateway.token},
            )
            assert show.status_code == 400
        with httpx.Client(base_url=base) as stranger:
            assert stranger.get("/api/v1/status").status_code == 401
            for host in ("evil.com", "evil.com:8383", f"evil.com:{gateway.port}"):
                assert stranger.get("/login", headers={"Host": host}).status_code == 421
            foreign = stranger.post(
                "/login", data={"password": PASSWORD}, headers={"Origin": "http://evil.com"}
            )
            assert foreign.status_code == 403
            long = stranger.post("/login", data={"password": "x" * 5000})
            assert long.status_code == 413
        _, errors = gateway.stop()
        assert "everybody who reaches this address and knows the password" in errors
        assert PASSWORD not in errors


def test_loopback_has_no_login(lonely: Gateway) -> None:
    with lonely.script() as script:
        assert script.get("/login").status_code == 404
        form = script.post("/login", data={"password": "x"})
        assert form.status_code == 415


def test_the_word_of_a_gateway_lasts_as_long_as_it(lonely: Gateway) -> None:
    environ = environ_of(lonely.home)
    assert listening.is_announced(environ, "127.0.0.1", lonely.port)
    assert not listening.is_announced(environ, "127.0.0.1", lonely.port + 1)
    assert not listening.is_announced(environ, "192.168.1.5", lonely.port)
    with listening.announced(environ, "127.0.0.1", 1):
        assert listening.is_announced(environ, "127.0.0.1", 1)
    assert not listening.is_announced(environ, "127.0.0.1", 1)
    assert os.path.exists(lonely.home / "web-127.0.0.1-1.lock")
