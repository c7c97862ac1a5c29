"""Binds a ZeroMQ socket to a path that only the user can reach, and removes it again.

libzmq deletes whatever lies at the path it binds, a regular file too, and makes the socket with the
process's umask. So the path is looked at first, and the umask is set for the moment of binding.
That nobody else listens there is the daemon's business: it holds the store's lock before it binds.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import zmq

from pspd.errors import AddressError
from pspd.rpc import wire
from pspd.rpc.wire import quoted

if TYPE_CHECKING:
    from typing import Self

_SCHEME = "ipc://"


class Endpoint(msgspec.Struct, frozen=True):
    """A bound socket's file, by which it is known again."""

    path: str
    device: int
    inode: int

    @classmethod
    def bind(cls, socket: zmq.Socket[bytes], address: str) -> Self:
        """Bind `socket` to an ipc address, so that the user alone can connect.

        Raises:
            AddressError: the address is none of ours, its path is too long, or something lies
                there that is not a socket of this user.
        """
        path = _checked_path(address)
        if hasattr(zmq, "IPC_FILTER_UID") and os.uname().sysname == "Linux":
            socket.setsockopt(zmq.IPC_FILTER_UID, os.getuid())
        previous = os.umask(0o077)
        try:
            socket.bind(address)
        except zmq.ZMQError as error:
            raise AddressError(f"cannot listen at {quoted(path)}: {error.strerror}") from error
        finally:
            os.umask(previous)
        seen = os.lstat(path)
        return cls(path, seen.st_dev, seen.st_ino)

    def is_in_place(self) -> bool:
        """Say whether the socket's file is there, and nobody has replaced it."""
        try:
            seen = os.lstat(self.path)
        except OSError:
            return False
        return (seen.st_dev, seen.st_ino) == (self.device, self.inode)

    def unlink(self) -> None:
        """Remove the socket's file, unless another daemon has replaced it; libzmq leaves it."""
        if self.is_in_place():
            with suppress(OSError):
                os.unlink(self.path)


def _checked_path(address: str) -> str:
    if not address.startswith(_SCHEME):
        raise AddressError(
            f"an address begins with {_SCHEME}, this one does not: {quoted(address)}"
        )
    path = address.removeprefix(_SCHEME)
    problem = wire.socket_path_problem(path)
    if problem:
        raise AddressError(problem)
    try:
        seen = os.lstat(path)
    except FileNotFoundError:
        return path
    except OSError as error:
        raise AddressError(f"cannot listen at {quoted(path)}: {error.strerror}") from error
    if not stat.S_ISSOCK(seen.st_mode):
        raise AddressError(
            f"{quoted(path)} exists and is not a socket; it is left alone, move it away"
        )
    if seen.st_uid != os.getuid():
        raise AddressError(f"{quoted(path)} is a socket of another user (uid {seen.st_uid})")
    return path
