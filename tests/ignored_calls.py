"""Runs a program with the system calls ignored that the unit ignores: a seccomp filter by hand.

    python -m tests.ignored_calls PROGRAM ARGUMENTS...

For x86-64 alone, whose numbers these are; it stands in for systemd's own filter where no service
manager runs, and has the same effect: the call does nothing and returns 0. With EPERM instead,
libzmq 4.3.5 ends the process ("Operation not permitted (src/thread.cpp:315)").
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

IGNORED = {
    "sched_setparam": 142,
    "sched_setscheduler": 144,
    "setpriority": 141,
    "setrlimit": 160,
    "sched_setaffinity": 203,
    "mbind": 237,
    "set_mempolicy": 238,
    "ioprio_set": 251,
    "migrate_pages": 256,
    "move_pages": 279,
    "sched_setattr": 314,
}
"""@resources of systemd 252."""

_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def ignore() -> None:
    """Ignore the calls of this process and all it starts, for good."""
    numbers = sorted(IGNORED.values())
    parts = [_instruction(_LOAD, 0)]
    parts += [
        _instruction(_EQUAL, number, if_true=len(numbers) - at) for at, number in enumerate(numbers)
    ]
    parts += [_instruction(_RETURN, _ALLOW), _instruction(_RETURN, _ERRNO)]
    code = ctypes.create_string_buffer(b"".join(parts))
    program = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(parts), ctypes.addressof(code))
    )
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0


if __name__ == "__main__":
    ignore()
    os.execvp(sys.argv[1], sys.argv[1:])
