"""Linux system calls by number, for those that no library of Python's wraps, and for the filter."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Mapping
from typing import Final, NamedTuple


class Architecture(NamedTuple):
    """How the kernel knows an instruction set."""

    audit: int
    """AUDIT_ARCH_* of linux/audit.h: what a filter sees."""
    numbers: Mapping[str, int]
    """Of the system calls that PSP makes or lets through; absent where there is none."""


_NUMBERS: Final[Mapping[str, tuple[int, int | None]]] = {
    "brk": (12, 214),
    "clock_gettime": (228, 113),
    "clone": (56, 220),
    "clone3": (435, 435),
    "close": (3, 57),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "futex": (202, 98),
    "getpid": (39, 172),
    "getrandom": (318, 278),
    "gettid": (186, 178),
    "ioctl": (16, 29),
    "ioprio_set": (251, 30),
    "landlock_create_ruleset": (444, 444),
    "landlock_restrict_self": (446, 446),
    "madvise": (28, 233),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "munmap": (11, 215),
    "poll": (7, None),
    "ppoll": (271, 73),
    "pread64": (17, 67),
    "read": (0, 63),
    "recvfrom": (45, 207),
    "recvmsg": (47, 212),
    "restart_syscall": (219, 128),
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_yield": (24, 124),
    "seccomp": (317, 277),
    "sendmsg": (46, 211),
    "sendto": (44, 206),
    "set_robust_list": (273, 99),
    "setitimer": (38, 103),
    "tgkill": (234, 131),
}
"""x86_64 (arch/x86/entry/syscalls/syscall_64.tbl), aarch64 (include/uapi/asm-generic/unistd.h)."""

ARCHITECTURES: Final[Mapping[str, Architecture]] = {
    "x86_64": Architecture(0xC000_003E, {name: number for name, (number, _) in _NUMBERS.items()}),
    "aarch64": Architecture(
        0xC000_00B7,
        {name: number for name, (_, number) in _NUMBERS.items() if number is not None},
    ),
}
"""By the name that uname gives to the machine."""


def architecture() -> Architecture | None:
    """Return this process's architecture, or None if its numbers are not known here."""
    is_64_bit = sys.maxsize > 1 << 32
    is_known = sys.platform == "linux" and is_64_bit
    return ARCHITECTURES.get(os.uname().machine) if is_known else None


def system_call(name: str, *arguments: int | ctypes.c_void_p) -> int:
    """Make a system call; missing arguments are zeros.

    Raises:
        OSError: The kernel refuses; ENOSYS also where the number is not known.
    """
    return _called(ctypes.CDLL(None, use_errno=True), name, *arguments)


def system_call_with_lock(name: str, *arguments: int) -> int:
    """Make a system call as `system_call` does, but without letting go of the interpreter's lock.

    Raises:
        OSError: As `system_call`.
    """
    return _called(ctypes.PyDLL(None, use_errno=True), name, *arguments)


def _called(libc: ctypes.CDLL, name: str, *arguments: int | ctypes.c_void_p) -> int:
    here = architecture()
    if here is None or name not in here.numbers:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    libc.syscall.restype = ctypes.c_long
    padded = (*arguments, *(0 for _ in range(6 - len(arguments))))
    words = [each if isinstance(each, ctypes.c_void_p) else ctypes.c_long(each) for each in padded]
    result = int(libc.syscall(ctypes.c_long(here.numbers[name]), *words))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
