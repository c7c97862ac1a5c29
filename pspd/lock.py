"""One daemon for one store: an advisory lock that the kernel drops with its holder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pspd.errors import AlreadyRunning


@contextmanager
def only_daemon(state: Path) -> Iterator[None]:
    """Hold the store's lock; it comes before the store and before the sockets.

    Raises:
        AlreadyRunning: Another daemon holds it; the message has its process number.
    """
    descriptor = os.open(state / "pspd.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise AlreadyRunning(
                f"another pspd (process {holder}) uses the store in {state}; "
                "stop it with: pspc stop"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        yield
    finally:
        os.close(descriptor)
