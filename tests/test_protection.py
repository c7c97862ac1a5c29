"""What is found to hold is what holds, and the list is the unit's."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pspd.protection import RESTRICTIONS, Finding, inspect, notice_of
from tests.e2e.daemon import Daemon
from tests.e2e.home import Home
from tests.e2e.scenes import save


@pytest.fixture
def home() -> Iterator[Home]:
    home = Home()
    yield home
    home.close()


UNIT = Path(__file__).resolve().parents[1] / "systemd" / "pspd.service"
REMOTE = UNIT.with_name("pspd-remote.conf")

NOT_TRIED = {
    "UMask": "the daemon sets it itself",
    "RuntimeDirectory": "a place, no restriction",
    "RuntimeDirectoryMode": "the daemon makes it private itself",
    "ReadWritePaths": "an exception, no restriction",
    "PrivateMounts": "comes with ProtectSystem",
    "DevicePolicy": "comes with PrivateDevices",
    "IPAddressDeny": "cannot be seen from inside; RestrictAddressFamilies is stricter",
    "RestrictNamespaces": "comes with the filter on system calls; a trial would change the process",
    "RestrictSUIDSGID": "comes with the filter on system calls",
    "RestrictRealtime": "comes with the filter on system calls",
    "LockPersonality": "comes with the filter on system calls; a trial would change the process",
    "KeyringMode": "the daemon uses no keys",
    "RemoveIPC": "happens after the end",
    "SystemCallArchitectures": "comes with the filter on system calls",
    "SystemCallErrorNumber": "how, not whether",
    "ProtectClock": "comes with CapabilityBoundingSet",
    "ProtectHostname": "comes with CapabilityBoundingSet",
    "ProtectKernelModules": "comes with CapabilityBoundingSet",
    "LimitNOFILE": "an allowance, no restriction",
    "TasksMax": "a share of the machine",
    "MemoryHigh": "a share of the machine; MemoryMax is tried",
    "CPUWeight": "a share of the machine",
    "IOWeight": "a share of the machine",
}
INSPECT = (
    "import json, os\n"
    "from pspd.protection import inspect\n"
    "print(json.dumps({each.setting: each.holds for each in inspect(os.environ)}))\n"
)


def settings(file: Path) -> list[str]:
    text = file.read_text().partition("[Service]")[2].partition("[Install]")[0]
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def found_by(*command: str) -> dict[str, bool]:
    """Inspect a process that was started so."""
    done = subprocess.run(
        [*command, sys.executable, "-c", INSPECT], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"{command[0]} cannot do this here: {done.stderr[:200]}")
    found: dict[str, bool] = json.loads(done.stdout)
    return found


def test_each_restriction_of_the_unit_is_tried_or_it_is_said_why_not() -> None:
    lines = settings(UNIT)
    first = lines.index("UMask=0077")
    asked = {line.partition("=")[0] for line in lines[first:]}
    tried = {each.setting.partition("=")[0] for each in RESTRICTIONS}

    assert asked == tried | set(NOT_TRIED)
    assert not tried & set(NOT_TRIED)


def test_what_is_tried_is_what_the_unit_says() -> None:
    lines = settings(UNIT)
    for each in RESTRICTIONS:
        # Several lines make up the filter.
        same = [
            line for line in lines if line == each.setting or "SystemCallFilter=" in each.setting
        ]
        assert same, each.setting


def test_the_unit_with_a_network_promises_all_but_what_it_gives_back() -> None:
    given_back = {line.partition("=")[0] for line in settings(REMOTE)}
    local = {each.setting.partition("=")[0] for each in RESTRICTIONS if each.is_local}
    assert local == given_back - {"Environment", "IPAddressAllow"}
    assert "Environment=PSP_UNIT=remote" in settings(REMOTE)
    assert "Environment=PSP_UNIT=local" in settings(UNIT)
    promised = {each.setting for each in inspect({"PSP_UNIT": "remote"}) if each.is_promised}
    assert promised == {each.setting for each in RESTRICTIONS if not each.is_local}


def test_outside_a_unit_nothing_is_promised_and_nothing_told() -> None:
    findings = inspect({})
    assert not any(each.is_promised for each in findings)
    assert notice_of(findings) is None


def test_a_broken_promise_is_told_with_cause_and_cure() -> None:
    notice = notice_of(
        [Finding("PrivateNetwork=yes", False, True), Finding("NoNewPrivileges=yes", True, True)]
    )
    assert notice is not None
    assert notice.cause == ("the service runs without 1 of its restrictions: PrivateNetwork=yes")
    assert "user namespaces" in notice.cure


@pytest.mark.parametrize(
    ("command", "changed"),
    [
        (("setpriv", "--no-new-privs"), {"NoNewPrivileges=yes"}),
        (("setpriv", "--bounding-set=-all", "--inh-caps=-all"), {"CapabilityBoundingSet="}),
        (("unshare", "--net"), {"PrivateNetwork=yes"}),
        (("unshare", "--user", "--map-root-user"), {"PrivateUsers=yes"}),
        (
            ("unshare", "--mount", "sh", "-c", 'mount -o remount,bind,ro / && exec "$@"', "sh"),
            {"ProtectSystem=strict"},
        ),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_what_is_in_force_is_found_and_nothing_else(
    command: Sequence[str], changed: set[str]
) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    plain = found_by("env")
    if any(plain[setting] for setting in changed):
        pytest.skip("it is in force here anyhow")
    bound = found_by(*command)
    differing = {setting for setting in plain if plain[setting] != bound[setting]}
    # A home on the root's own file system is as read-only as that; a user namespace has no rights
    # outside itself.
    beside = {"ProtectHome=read-only", "AmbientCapabilities=", "ProtectKernelLogs=yes"}

    assert changed <= {setting for setting in differing if bound[setting]}
    assert differing - changed <= beside


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="numbers of x86-64"
)
def test_the_daemon_works_while_the_calls_are_ignored_that_its_unit_ignores(
    home: Home,
) -> None:
    folder = home.pictures()
    for seed in range(4):
        save(seed, folder / f"{seed}.png")
    wrapper = [sys.executable, "-m", "tests.ignored_calls"]
    with Daemon(home, wrapper=wrapper, environ={"PSP_UNIT": "local"}) as daemon:
        assert daemon.await_ready()
        home.pspc("add", folder, "--wait")
        status = home.status()
        assert daemon.stop()[0] == 0

    assert (status["indexed"], status["failed"]) == (4, 0)
    held = {each["setting"]: each["holds"] for each in status["protection"]}
    assert held["SystemCallFilter="]
    assert held["NoNewPrivileges=yes"]
    assert len(held) == len(RESTRICTIONS)
    assert all(each["promised"] for each in status["protection"])
    (notice,) = [each for each in status["notices"] if each["area"] == "host"]
    assert "PrivateNetwork=yes" in notice["cause"]
    assert "user namespaces" in notice["cure"]
