"""What lies in a folder under a picture's name and is no plain file, or one of an odd kind."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from pspd.core.model import FailureReason as Reason
from tests.reliability.hostile.classes import READ, good

Placed = Iterator[tuple[Path, frozenset[str]]]
"""Files that get a disposition, and which are right; a symbolic link gets none."""

_NO_FILE = frozenset({Reason.NOT_A_FILE})
_NULL, _ZERO, _FULL, _TERMINAL = (1, 3), (1, 5), (1, 7), (5, 0)


def fifo(folder: Path) -> Placed:
    os.mkfifo(folder / "fifo.jpg")
    yield folder / "fifo.jpg", _NO_FILE


def socket(folder: Path) -> Placed:
    # Only macOS wants it to be bound.
    with suppress(PermissionError):
        os.mknod(folder / "socket.png", stat.S_IFSOCK | 0o600)
        yield folder / "socket.png", _NO_FILE


def devices(folder: Path) -> Placed:
    for number, device in enumerate((_NULL, _ZERO, _FULL, _TERMINAL)):
        path = folder / f"device-{number}.jpg"
        # Root's to make, and not even root's in some containers.
        with suppress(PermissionError):
            os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(*device))
            # The mount may have `nodev`.
            yield path, _NO_FILE | {Reason.UNREADABLE}


def directory_named_jpg(folder: Path) -> Placed:
    inside = folder / "directory.jpg"
    (inside / "empty.png").mkdir(parents=True)
    (inside / "inside.jpg").write_bytes(good("JPEG"))
    yield inside / "inside.jpg", READ


def symbolic_links(folder: Path) -> Placed:
    for name, to in (
        ("dangling.jpg", "nowhere.jpg"),
        ("itself.jpg", "itself.jpg"),
        ("there.jpg", "back.jpg"),
        ("back.jpg", "there.jpg"),
        ("passwd.jpg", "/etc/passwd"),
        ("memory.jpg", "/proc/self/mem"),
        ("upwards", ".."),
        ("everything", "/"),
        ("endless.png", "/dev/zero"),
    ):
        (folder / name).symlink_to(to)
    yield from ()


def sparse_tebibyte(folder: Path) -> Placed:
    for name, head in (("zeros.png", b""), ("picture.png", good("PNG"))):
        path = folder / name
        path.write_bytes(head)
        with suppress(OSError):  # the file system or a limit forbids it
            os.truncate(path, 1 << 40)
            yield path, frozenset({Reason.TOO_BIG})


def unreadable(folder: Path) -> Placed:
    path = folder / "unreadable.jpg"
    path.write_bytes(good("JPEG"))
    path.chmod(0)
    yield path, READ if os.geteuid() == 0 else frozenset({Reason.UNREADABLE})


def hard_links(folder: Path) -> Placed:
    first = folder / "first.png"
    first.write_bytes(good("PNG"))
    yield first, READ
    for number in range(50):
        path = folder / f"link-{number}.png"
        path.hardlink_to(first)
        yield path, READ


def odd_modes_and_times(folder: Path) -> Placed:
    for number, (mode, seconds) in enumerate(((0o6755, 0), (0o1444, 2**33), (0o777, -1_000_000))):
        path = folder / f"odd-{number}.jpg"
        path.write_bytes(good("JPEG", number))
        path.chmod(mode)
        with suppress(OSError, OverflowError):
            os.utime(path, (seconds, seconds))
        yield path, READ


PLACES: tuple[Callable[[Path], Placed], ...] = (
    fifo,
    socket,
    devices,
    directory_named_jpg,
    symbolic_links,
    sparse_tebibyte,
    unreadable,
    hard_links,
    odd_modes_and_times,
)
