"""G14: what the service is kept from, by systemd's own reckoning and as the daemon finds it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pspd.protection import RESTRICTIONS, inspect
from tests.reliability.conftest import Report

UNIT = Path(__file__).resolve().parents[2] / "systemd" / "pspd.service"
MOST_LOCAL = 0.8
MOST_REMOTE = 1.6


def exposure(unit: Path) -> float:
    """Return what `systemd-analyze security` says of a unit file, 0 (closed) to 10."""
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    last = done.stdout.splitlines()[-1]
    return float(last.partition("level for")[2].split(":")[1].split()[0])


@pytest.mark.goal("G14")
def test_the_unit_is_as_closed_as_promised(goal: Report, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        goal.cannot_run("systemd-analyze is not installed")
    text = UNIT.read_text().replace("\nExecStart=pspd\n", f"\nExecStart={sys.executable}\n")
    local, remote = tmp_path / "pspd.service", tmp_path / "remote" / "pspd.service"
    local.write_text(text)
    remote.parent.mkdir()
    remote.write_text(text + UNIT.with_name("pspd-remote.conf").read_text())
    figures = exposure(local), exposure(remote)
    goal.figure(
        f"exposure {figures[0]} local, {figures[1]} with a network",
        reached=figures[0] <= MOST_LOCAL and figures[1] <= MOST_REMOTE,
    )


@pytest.mark.goal("G14")
def test_what_the_daemon_finds_is_what_the_kernel_was_asked_for(goal: Report) -> None:
    code = (
        "import json, os; from pspd.protection import inspect; "
        "print(json.dumps({each.setting: each.holds for each in inspect(os.environ)}))"
    )
    wrapper = ["unshare", "--net", "setpriv", "--no-new-privs", "--bounding-set=-all"]
    command = [*wrapper, sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        goal.cannot_run("a network namespace cannot be made here: it needs root")
    bound = json.loads(done.stdout)
    plain = {each.setting: each.holds for each in inspect({})}
    asked = {"NoNewPrivileges=yes", "PrivateNetwork=yes", "CapabilityBoundingSet="}
    wrong = [name for name in bound if bound[name] != (name in asked or plain[name])]
    goal.figure(
        f"{len(RESTRICTIONS)} restrictions tried: {len(wrong)} misjudged", reached=not wrong
    )
