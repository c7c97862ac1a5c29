"""What a decoder that was taken over might try, each act harmless where it succeeds.

An act returns 0 or raises an OSError. System calls are made by number, so that nothing between
the act and the kernel says no.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import resource
import socket
import threading
from collections.abc import Callable

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
AT_FDCWD = -100
NOWHERE = b"/tmp/psp-forbidden-act"
BAD = 1
"""An address nobody has: where an act is let through, the kernel stumbles over it (EFAULT)."""

FORBIDDEN: dict[str, Callable[[], object]] = {}


def call(number: int, *arguments: int | bytes) -> Callable[[], object]:
    """Make an act of a system call of x86_64."""

    def act() -> int:
        words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
        result = int(LIBC.syscall(ctypes.c_long(number), *words))
        if result < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        if result > 2 and number in _GIVE_DESCRIPTORS:
            os.close(result)
        return 0

    return act


def fork() -> None:
    """Start a process, which ends at once."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def map_code() -> None:
    """Get memory for machine code."""
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def turn_into_code() -> None:
    """Make written memory executable."""
    with mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE) as page:
        place = ctypes.addressof(ctypes.c_char.from_buffer(page))
        if LIBC.mprotect(ctypes.c_void_p(place), 4096, 5):
            raise OSError(ctypes.get_errno(), "mprotect")


_GIVE_DESCRIPTORS = {2, 41, 85, 253, 257, 282, 284, 289, 290, 291, 294, 300, 319, 323, 434, 437}
_FILE = 0
"""Standard input: acts upon descriptors need any that is open."""
_PARENT = os.getppid()
_SELF = os.getpid()

FORBIDDEN |= {
    # Paths.
    "open a path": lambda: os.close(os.open("/etc/passwd", os.O_RDONLY)),
    "open by open": call(2, b"/etc/passwd", 0),
    "open by openat2": call(437, AT_FDCWD, b"/etc/passwd", BAD, 24),
    "create a file": lambda: os.close(os.open(NOWHERE, os.O_CREAT | os.O_WRONLY)),
    "create by creat": call(85, NOWHERE, 0o600),
    "list a folder": lambda: os.listdir("/"),
    "look at a path": lambda: os.stat("/etc/passwd"),
    "look by statx": call(332, AT_FDCWD, b"/etc/passwd", 0, 0x7FF, BAD),
    "ask for access": call(21, b"/etc/passwd", 4),
    "read a link": call(267, AT_FDCWD, b"/proc/self/exe", BAD, 64),
    "unlink": call(87, NOWHERE + b"-absent"),
    "rename": call(82, NOWHERE + b"-absent", NOWHERE),
    "link": call(86, NOWHERE + b"-absent", NOWHERE),
    "symlink": call(88, b"/etc/passwd", NOWHERE + b"/absent/name"),
    "mkdir": call(83, NOWHERE + b"/absent/name", 0o700),
    "rmdir": call(84, NOWHERE + b"-absent"),
    "mknod": call(133, NOWHERE + b"/absent/name", 0o010600, 0),
    "chmod": call(90, NOWHERE + b"-absent", 0o600),
    "chown": call(92, NOWHERE + b"-absent", 0, 0),
    "truncate": call(76, NOWHERE + b"-absent", 0),
    "change directory": lambda: os.chdir("/"),
    "chroot": call(161, NOWHERE + b"-absent"),
    "watch by inotify": call(294, 0),
    "watch by fanotify": call(300, 0, 0),
    "open by handle": call(304, AT_FDCWD, BAD, 0),
    # The file it was given, which belongs to a person.
    "change a file's mode": call(91, _FILE, 0o666),
    "change a file's times": call(280, _FILE, 0, BAD, 0),
    "change a file's attributes": call(190, _FILE, b"user.a", b"x", 1, 0),
    "cut a file": call(77, _FILE, 0),
    "allocate in a file": call(285, _FILE, 0, 0, 1),
    "flag a file": call(16, _FILE, 0x40086602, BAD),
    "lock a file": call(73, _FILE, 2 | 4),
    "lease a file": call(72, _FILE, 1024, 0),
    "have signals sent for a file": call(72, _FILE, 8, _SELF),
    "duplicate a descriptor": call(32, _FILE),
    "write": call(1, _FILE, b"x", 0),
    "send a file": call(40, _FILE, _FILE, 0, 0),
    # Processes.
    "fork": fork,
    "clone": call(56, 0x800, 0, 0, 0, 0),
    "clone3": call(435, BAD, 88),
    "exec": call(59, NOWHERE + b"-absent", 0, 0),
    "exec a descriptor": call(322, _FILE, b"", 0, 0, 0x1000),
    "make a file in memory": call(319, b"code", 0),
    "kill the parent": call(62, _PARENT, 0),
    "signal a thread of the parent": call(234, _PARENT, _PARENT, 0),
    "get hold of the parent": call(434, _PARENT, 0),
    "trace a process": call(101, 9999, _PARENT, 0, 0),
    "read the parent's memory": call(310, _PARENT, BAD, 1, BAD, 1, 0),
    "write the parent's memory": call(311, _PARENT, BAD, 1, BAD, 1, 0),
    "limit the parent": call(302, _PARENT, 7, 0, BAD),
    "raise its own limits": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (33, 33)),
    "change the parent's priority": call(141, 0, _PARENT, 5),
    "become another user": call(105, os.getuid()),
    "take capabilities": call(126, BAD, 0),
    # The network.
    "tcp": lambda: socket.socket(socket.AF_INET).close(),
    "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close(),
    "unix": lambda: socket.socket(socket.AF_UNIX).close(),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
    "connect": call(42, _FILE, BAD, 16),
    "bind": call(49, _FILE, BAD, 16),
    "listen": call(50, _FILE, 1),
    "accept": call(288, _FILE, 0, 0, 0),
    # The kernel's wider surface.
    "io_uring": call(425, 1, BAD),
    "bpf": call(321, 0, BAD, 48),
    "keyctl": call(250, 0, -3, 0),
    "add a key": call(248, b"user", b"a", b"b", 1, -2),
    "userfaultfd": call(323, 0),
    "perf": call(298, BAD, 0, -1, -1, 0),
    "mount": call(165, b"none", NOWHERE + b"-absent", b"tmpfs", 0, 0),
    "unmount": call(166, NOWHERE + b"-absent", 0),
    "new namespaces": call(272, 0),
    "enter a namespace": call(308, _FILE, 0),
    "load a module": call(313, _FILE, b"", 0),
    "reboot": call(169, 0, 0, 0, 0),
    "set the clock": call(227, 0, BAD),
    "read the kernel's log": call(103, 10, 0, 0),
    "shared memory": call(29, 0x505350, 4096, 0),
    "message queue": call(68, 0x505350, 0),
    "semaphores": call(64, 0x505350, 1, 0),
    "another personality": call(135, 0xFFFF_FFFF),
    "another filter": call(317, 1, 0, BAD),
    "timer descriptor": call(283, 1, 0),
    "event descriptor": call(290, 0, 0),
    "map code": map_code,
    "turn memory into code": turn_into_code,
}


def start_thread() -> None:
    """Start a thread, which decoders may, and wait for it."""
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


def attempt(name: str) -> str:
    """Do an act; return the name of the error, or "done"."""
    try:
        (start_thread if name == "start a thread" else FORBIDDEN[name])()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error.errno))
    except ValueError as error:  # resource's word for EPERM
        return "EPERM" if "not allowed" in str(error) else repr(error)
    return "done"


if __name__ == "__main__":
    for each in FORBIDDEN:
        print(f"{each}\t{attempt(each)}", flush=True)  # noqa: T201 - read by a test
