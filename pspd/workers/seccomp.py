"""Seccomp: from now on this process can make a few system calls only; all others give EPERM.

The filter is classic BPF over `struct seccomp_data` (linux/seccomp.h), put together here: PyPI's
`pyseccomp` needs libseccomp on the machine, libseccomp's own binding is not on PyPI, and
`seccompy` is some weeks old. It is a chain of comparisons, as long as the list below.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from pspd.workers.system_calls import Architecture, architecture, system_call

ALLOWED: Final = (
    # Memory.
    *("brk", "mmap", "munmap", "mprotect", "mremap", "madvise"),
    # The descriptors there are: the socket to the parent, and the file that came through it.
    *("read", "pread64", "close", "recvfrom", "recvmsg", "sendto", "sendmsg"),
    *("poll", "ppoll", "ioctl"),
    # Signals to itself, time, locks, the end.
    *("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "tgkill", "setitimer", "restart_syscall"),
    *("clock_gettime", "sched_yield", "futex", "getpid", "gettid", "getrandom"),
    *("exit", "exit_group"),
    # Threads of the decoder: libde265, which reads HEIC, cannot do without one.
    *("clone", "set_robust_list", "rseq"),
)
"""What Python, numpy, Pillow and the readers of the extras were seen to need to decode, with what
an interrupted call needs to go on. None opens, looks up, makes or changes anything that has a
name, starts a process, or reaches one but this one."""


class _Rule(NamedTuple):
    """What the low word of one argument has to be."""

    argument: int
    values: tuple[int, ...] = ()
    """One of these, if there are any."""
    required_bits: int = 0
    """Any of these, if there are any."""
    forbidden_bits: int = 0
    """None of these."""


_FIONBIO: Final = 0x5421
_PROT_EXEC: Final = 4
_CLONE_THREAD: Final = 0x1_0000

_LOAD_WORD: Final = 0x20
_JUMP_IF_EQUAL: Final = 0x15
_JUMP_IF_NOT_LESS: Final = 0x35
_JUMP_IF_ANY_BIT: Final = 0x45
_RETURN: Final = 0x06

_ALLOW: Final = 0x7FFF_0000
_ERROR: Final = 0x0005_0000
_REFUSE: Final = _ERROR | errno.EPERM
_NOT_THERE: Final = _ERROR | errno.ENOSYS
_KILL: Final = 0x8000_0000

_NUMBER_OFFSET: Final = 0
_ARCHITECTURE_OFFSET: Final = 4
_ARGUMENTS_OFFSET: Final = 16
_X32_BIT: Final = 0x4000_0000
"""On x86_64, numbers from here on are those of another ABI."""

_SET_MODE_FILTER: Final = 1
_ALL_THREADS: Final = 1
"""SECCOMP_FILTER_FLAG_TSYNC."""

_INSTRUCTION: Final = struct.Struct("=HBBI")
"""struct sock_filter: code, jump if true, jump if false, value."""


def forbid_all_but_decoding() -> None:
    """Put the filter in force for all threads of this process; nothing can take it off again.

    Raises:
        OSError: The kernel refuses, or the architecture is not known here (ENOSYS).
    """
    here = architecture()
    if here is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    code = b"".join(_INSTRUCTION.pack(*each) for each in program(here, os.getpid()))
    instructions = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: the number of instructions, and where they are.
    count = len(code) // _INSTRUCTION.size
    header = struct.pack("@HP", count, ctypes.addressof(instructions))
    filter_ = ctypes.create_string_buffer(header, len(header))
    system_call("seccomp", _SET_MODE_FILTER, _ALL_THREADS, ctypes.cast(filter_, ctypes.c_void_p))


def program(here: Architecture, pid: int) -> list[tuple[int, int, int, int]]:
    """Assemble the filter: (code, jump if true, jump if false, value), jumps relative to the next.

    Args:
        here: What the numbers mean.
        pid: Of the process that may be signalled.
    """
    return [
        (_LOAD_WORD, 0, 0, _ARCHITECTURE_OFFSET),
        (_JUMP_IF_EQUAL, 1, 0, here.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD_WORD, 0, 0, _NUMBER_OFFSET),
        (_JUMP_IF_NOT_LESS, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, _KILL),
        # Its flags are out of a filter's sight; without it, the C library takes `clone`.
        (_JUMP_IF_EQUAL, 0, 1, here.numbers["clone3"]),
        (_RETURN, 0, 0, _NOT_THERE),
        *_choices(here, pid),
        (_RETURN, 0, 0, _REFUSE),
    ]


def _choices(here: Architecture, pid: int) -> Iterator[tuple[int, int, int, int]]:
    rules = {
        # A name's worth of trouble hides behind ioctl: attributes of the file, a terminal's input.
        "ioctl": _Rule(1, values=(_FIONBIO,)),
        # No new machine code: no decoder makes any.
        "mmap": _Rule(2, forbidden_bits=_PROT_EXEC),
        "mprotect": _Rule(2, forbidden_bits=_PROT_EXEC),
        # So that `abort` ends with the signal that tells what happened.
        "tgkill": _Rule(0, values=(pid,)),
        # A thread of this process, never another process.
        "clone": _Rule(0, required_bits=_CLONE_THREAD),
    }
    for name in ALLOWED:
        if name not in here.numbers:
            continue
        body = [*_check(rules[name])] if name in rules else [(_RETURN, 0, 0, _ALLOW)]
        yield (_JUMP_IF_EQUAL, 0, len(body), here.numbers[name])
        yield from body


def _check(rule: _Rule) -> Iterator[tuple[int, int, int, int]]:
    """Decide by one argument; all of these take no more than its low word."""
    yield (_LOAD_WORD, 0, 0, _ARGUMENTS_OFFSET + 8 * rule.argument)
    if rule.values:
        for left, value in zip(range(len(rule.values), 0, -1), rule.values, strict=True):
            yield (_JUMP_IF_EQUAL, left, 0, value)
    elif rule.required_bits:
        yield (_JUMP_IF_ANY_BIT, 1, 0, rule.required_bits)
    else:
        yield (_JUMP_IF_ANY_BIT, 0, 1, rule.forbidden_bits)
    yield (_RETURN, 0, 0, _REFUSE)
    yield (_RETURN, 0, 0, _ALLOW)
