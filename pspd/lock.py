"""One daemon for one store: an advisory lock that the kernel drops with its holder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pspd.errors import AlreadyRunning, StoreError
from pspd.rpc.wire import quoted


@contextmanager
def only_daemon(folder: Path) -> Iterator[None]:
    """Hold a folder's lock; it comes before the store and the sockets in it.

    Raises:
        AlreadyRunning: Another daemon holds it; the message has its process number.
        StoreError: The folder cannot be written.
    """
    try:
        descriptor = os.open(folder / "pspd.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            f"nothing can be written in {quoted(str(folder))}: {error.strerror}"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise AlreadyRunning(
                f"another pspd (process {holder}) works in {quoted(str(folder))}; "
                "stop it with: pspc stop"
            ) from error
        # On a full disk the number is missing and the lock holds all the same.
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        yield
    finally:
        os.close(descriptor)
