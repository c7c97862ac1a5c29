"""A file that a command writes whole or not at all."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pspc.errors import OutputError
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self


class NewFile:
    """A file under a name of its own beside its place, and in its place once all is well.

    A context manager: where the block ends by an error or Ctrl-C, nothing is left, and what was in
    its place before still is. `open` makes it; as its exit may stand before that in an `ExitStack`,
    there need be no moment in which Ctrl-C leaves it behind.

    Args:
        path: Its place.

    Raises:
        OutputError: it cannot be made, written or moved, or what is there is no regular file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._part = f"{path}.{os.getpid()}.part"
        self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def open(self) -> None:
        """Make it, empty."""
        with self._translated():
            if os.path.lexists(self._path) and not stat.S_ISREG(os.lstat(self._path).st_mode):
                raise OutputError(f"cannot write {printable(self._path)}: it is no regular file")
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor = os.open(self._part, flags, 0o666)

    def __exit__(
        self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        try:
            if self._descriptor >= 0:
                with self._translated():
                    os.close(self._descriptor)
                    if kind is None:
                        os.replace(self._part, self._path)
        finally:
            with suppress(OSError):
                os.unlink(self._part)

    def write(self, data: bytes) -> None:
        """Write all of it, behind what was written before."""
        with self._translated():
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(f"cannot write {printable(self._path)}: {error.strerror}") from error
