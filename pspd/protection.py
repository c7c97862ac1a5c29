"""Finds out which of the unit's restrictions hold for this process.

A user's service manager leaves restrictions out without a word where it lacks user namespaces or
the kernel lacks a feature, so what a unit file promises may not be so. Each probe asks the kernel,
or tries, once at the start; none of them changes anything.
"""

from __future__ import annotations

import errno
import mmap
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pspd.noticeboard import Notice

UNIT_VARIABLE = "PSP_UNIT"
"""Set by the unit: `local`, or `remote` by the addition that gives the network back."""

_STATUS = Path("/proc/self/status")
_SECCOMP_FILTER = "2"


@dataclass(frozen=True, slots=True)
class Restriction:
    """One thing that this process shall not be able to do."""

    setting: str
    """The line of the unit that asks for it."""
    holds: Callable[[], bool]
    is_local: bool = False
    """Whether a unit with a network leaves it out."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether one restriction holds."""

    setting: str
    holds: bool
    is_promised: bool
    """Whether the daemon runs in a unit that asks for it."""


def _status(field: str) -> str:
    for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return value.strip()
    return ""


def _is_read_only(path: str) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _is_home_read_only() -> bool:
    return _is_read_only(os.path.expanduser("~"))


def _has_own_users() -> bool:
    """Whether users and groups are those of a user namespace: the first one maps all of them."""
    whole = "4294967295"
    return Path("/proc/self/uid_map").read_text(encoding="ascii").split() != ["0", "0", whole]


def _has_no_network() -> bool:
    lines = Path("/proc/self/net/dev").read_text(encoding="ascii").splitlines()[2:]
    return {line.partition(":")[0].strip() for line in lines} <= {"lo"}


def _has_unix_sockets_only() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    except OSError as error:
        return error.errno in {errno.EAFNOSUPPORT, errno.EPERM, errno.EACCES}
    return False


def _has_no_writable_code() -> bool:
    try:
        mmap.mmap(-1, 1, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()
    except PermissionError:
        return True
    return False


def _has_no_foreign_processes() -> bool:
    """Whether /proc shows nobody else's processes; the first process is always somebody else's."""
    return os.getpid() != 1 and not os.path.exists("/proc/1/status")


def _has_bounded_memory() -> bool:
    own = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    paths = [line.removeprefix("0::/") for line in own if line.startswith("0::/")]
    limits = [Path("/sys/fs/cgroup", path, "memory.max") for path in paths]
    return bool(limits) and all(limit.read_text().strip() != "max" for limit in limits)


RESTRICTIONS: Final = (
    Restriction("NoNewPrivileges=yes", lambda: _status("NoNewPrivs") == "1"),
    Restriction("CapabilityBoundingSet=", lambda: int(_status("CapBnd"), 16) == 0),
    Restriction("AmbientCapabilities=", lambda: int(_status("CapAmb"), 16) == 0),
    Restriction("SystemCallFilter=", lambda: _status("Seccomp") == _SECCOMP_FILTER),
    Restriction("PrivateUsers=yes", _has_own_users),
    Restriction("ProtectSystem=strict", lambda: _is_read_only("/")),
    Restriction("ProtectHome=read-only", _is_home_read_only),
    Restriction("ProtectKernelTunables=yes", lambda: _is_read_only("/sys")),
    Restriction("ProtectControlGroups=yes", lambda: _is_read_only("/sys/fs/cgroup")),
    Restriction("ProtectKernelLogs=yes", lambda: not os.access("/dev/kmsg", os.R_OK)),
    Restriction("PrivateDevices=yes", lambda: not os.path.exists("/dev/mem")),
    Restriction("ProtectProc=invisible", _has_no_foreign_processes),
    Restriction("ProcSubset=pid", lambda: not os.path.exists("/proc/meminfo")),
    Restriction("MemoryDenyWriteExecute=yes", _has_no_writable_code),
    Restriction("MemoryMax=4G", _has_bounded_memory),
    Restriction("PrivateNetwork=yes", _has_no_network, is_local=True),
    Restriction("RestrictAddressFamilies=AF_UNIX", _has_unix_sockets_only, is_local=True),
)


def inspect(environ: Mapping[str, str]) -> list[Finding]:
    """Probe every restriction; one that cannot be probed does not hold."""
    unit = unit_of(environ)
    findings = []
    for restriction in RESTRICTIONS:
        holds = False
        with suppress(OSError, ValueError):
            holds = restriction.holds()
        is_promised = unit == "local" or (unit == "remote" and not restriction.is_local)
        findings.append(Finding(restriction.setting, holds, is_promised))
    return findings


def unit_of(environ: Mapping[str, str]) -> Literal["local", "remote", ""]:
    """Return in which unit this process was started; empty when in none of PSP's."""
    match environ.get(UNIT_VARIABLE):
        case "local":
            return "local"
        case "remote":
            return "remote"
        case _:
            return ""


def notice_of(findings: list[Finding]) -> Notice | None:
    """Return what to tell when the unit's promises do not all hold."""
    broken = [each.setting for each in findings if each.is_promised and not each.holds]
    if not broken:
        return None
    return Notice(
        "host",
        f"the service runs without {len(broken)} of its restrictions: {', '.join(broken)}",
        "let unprivileged user namespaces be made, which the user's service manager needs for them "
        "(sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns), "
        "or update systemd and the kernel; the journal says which could not be set up",
    )
