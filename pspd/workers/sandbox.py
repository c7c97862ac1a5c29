"""What a worker gives up before it sees a stranger's file, and its word on what is in force.

    resource limits → no new privileges, no capabilities → Landlock → seccomp → read back

A file that takes a decoder over finds a process that can compute, read the one file it was given,
and answer. Nothing is believed because it was asked for: the report is read back from the kernel.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import math
import os
import resource
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pspd.core.model import Limits
from pspd.workers import landlock, seccomp
from pspd.workers.messages import Protection
from pspd.workers.system_calls import system_call

MAX_FILES: Final = 5_000
"""Files after which a worker is replaced: decoders may leak, and what a file did to one should not
last. Without a template it costs 0.24 s of CPU time, 0.05 ms a file; at 500 it was a third of the
time of tiny files.
5,000 real files took 0.6 MB more than 500, and 3,000 hostile ones nothing."""

NAME: Final = "pspd-worker"
"""Of a worker in lists of processes, where the system has such names."""

_OPEN_FILES: Final = 32
"""Descriptors a worker may have: three standard ones, its socket, one file, and some to spare."""
_OOM_SCORE: Final = 800
"""When memory runs out, the kernel should end a worker and not the daemon (0) or its desktop."""
_PR_SET_NO_NEW_PRIVS: Final = 38
_CAPABILITY_VERSION: Final = 0x2008_0522
"""_LINUX_CAPABILITY_VERSION_3."""
_CAPABILITY_WORDS: Final = 6
"""Effective, permitted and inheritable, each twice."""
_YIELDS_TO_ALL: Final = 19
"""The niceness that means SCHED_IDLE."""
_IOPRIO_WHO_PROCESS: Final = 1
_IOPRIO_IDLE: Final = 3 << 13
_PATH: Final = "/proc/self/status"
"""Anybody's to open, but for those without any path."""


def take_name(name: str = NAME) -> None:
    """Have this process listed under a name of its own, of up to 15 characters."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(name, encoding="ascii")


def yield_to_others(nice: int) -> None:
    """Lower this process's priority for processor and disk.

    Args:
        nice: Added to the niceness, 0 to 19; above 0 the process also counts as a batch job, and
            gets the disk only when nobody else wants it, and with 19 the processor as well.
    """
    os.nice(nice)
    if nice and sys.platform == "linux":
        policy = os.SCHED_IDLE if nice >= _YIELDS_TO_ALL else os.SCHED_BATCH
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, policy, os.sched_param(0))
        with contextlib.suppress(OSError):
            system_call("ioprio_set", _IOPRIO_WHO_PROCESS, 0, _IOPRIO_IDLE)


def enter_sandbox(limits: Limits) -> Protection:
    """Give up what reading files handed over by descriptor does not need, for good.

    Returns:
        What is in force now.
    """
    # Decoders' chatter would flood the daemon's log; until here, standard error tells why a
    # worker cannot start.
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stderr.fileno())
    os.close(null)
    has_limits = _limit_resources(limits)
    if sys.platform != "linux":
        return Protection(limits=has_limits, missing="this system has no such sandbox")
    with open(_PATH, "rb", buffering=0) as status:
        missing: list[str] = []
        _give_up_privileges()
        abi = _try("Landlock", landlock.give_up_everything, missing) or 0
        is_closed = _refusal() == errno.EACCES
        _try("seccomp", seccomp.forbid_all_but_decoding, missing)
        # The whole file is less than half of it; `os.pread` needs nothing that is now forbidden.
        lines = os.pread(status.fileno(), 1 << 14, 0).decode("ascii", "replace").splitlines()
    facts = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if facts.get("Threads") != "1":
        missing.append("Landlock: there are other threads")
        abi = 0
    return Protection(
        landlock=abi if is_closed else 0,
        seccomp=facts.get("Seccomp") == "2" and _refusal() == errno.EPERM,
        no_new_privileges=facts.get("NoNewPrivs") == "1",
        limits=has_limits,
        missing="; ".join(missing),
    )


def _limit_resources(limits: Limits) -> bool:
    """Set the limits; return whether those that count are in force."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    # For the life of the process, in case its parent is gone and cannot keep the time any more.
    _limit(resource.RLIMIT_CPU, math.ceil(MAX_FILES * (limits.max_seconds + 1)))
    _limit(resource.RLIMIT_FSIZE, 0)
    has_room = True
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(f"{_OOM_SCORE}\n", encoding="ascii")
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        _limit(resource.RLIMIT_AS, pages * resource.getpagesize() + limits.max_memory)
        has_room = resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY
    return has_room and resource.getrlimit(resource.RLIMIT_FSIZE)[0] == 0


def _give_up_privileges() -> None:
    """Set no new privileges, and drop those of a daemon that runs as root."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    libc.capset(header, bytes(4 * _CAPABILITY_WORDS))


def _try(name: str, confine: Callable[[], int | None], missing: list[str]) -> int | None:
    try:
        return confine()
    except OSError as error:
        missing.append(f"{name}: {error.strerror}")
        return None


def _refusal() -> int:
    """Try to open a path; return the error's number, 0 if it can be opened."""
    try:
        os.close(os.open(_PATH, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return error.errno or -1
    return 0


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    # macOS refuses some kinds; the parent's deadline and checks hold all the same.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (value, value))
