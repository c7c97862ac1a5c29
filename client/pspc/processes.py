"""The daemon as a process: where its log and its lock lie, and whether it lives."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def log_path(environ: Mapping[str, str]) -> str:
    """Return where a daemon started by the client writes its log."""
    return os.path.join(_folder(environ, "XDG_STATE_HOME", "~/.local/state"), "pspd.log")


def lock_path(environ: Mapping[str, str]) -> str:
    """Return where the daemon keeps its lock, unless its configuration names another folder."""
    return os.path.join(_folder(environ, "XDG_DATA_HOME", "~/.local/share"), "pspd.lock")


def acts_path(environ: Mapping[str, str]) -> str:
    """Return the folder of the journals of what was done to pictures."""
    folder = _folder(environ, "XDG_STATE_HOME", "~/.local/state")
    return os.path.join(os.path.abspath(folder), "acts")


def daemon_pid(environ: Mapping[str, str]) -> int | None:
    """Return the process number that the lock has, if that process lives."""
    try:
        with open(lock_path(environ), "rb") as file:
            pid = int(file.read(32))
    except (OSError, ValueError):
        return None
    return pid if pid > 0 and is_alive(pid) else None


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that ended and whose parent has not looked does not."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # pid (name) state …; the name may hold anything, parentheses too (proc(5)).
            state = file.read().rpartition(b")")[2].split()[0]
    except (OSError, IndexError):
        return True  # No /proc: the signal is all there is to go by.
    return state not in {b"Z", b"X"}


def _folder(environ: Mapping[str, str], variable: str, otherwise: str) -> str:
    home = environ.get("PSP_HOME")
    if home:
        return os.path.abspath(home)
    return os.path.join(environ.get(variable) or os.path.expanduser(otherwise), "psp")
