"""Runs a scenario as root of a user and mount namespace of its own, where mounting is free."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

SECONDS = 600.0


def can_mount() -> bool:
    """Say whether this machine lets anybody make such a namespace."""
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def run_scenario(module: str, *arguments: str, options: str = "-Urm") -> dict[str, Any]:
    """Run `python -m tests.reliability.MODULE` in a namespace; returns what it printed as JSON."""
    done = subprocess.run(
        ["unshare", options, sys.executable, "-m", f"tests.reliability.{module}", *arguments],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-3000:]
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def mount(*arguments: str | os.PathLike[str]) -> None:
    """Mount something; only in a scenario."""
    subprocess.run(["mount", *arguments], check=True)


def unmount(path: str | os.PathLike[str]) -> None:
    """Unmount something, also while somebody looks into it."""
    subprocess.run(["umount", "-l", path], check=True)
