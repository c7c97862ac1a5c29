"""A daemon on another machine: its address, and the keys for it."""

from __future__ import annotations

import os
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pspc.errors import NotRunning, Unreachable, UsageError
from pspd.rpc import wire
from pspd.rpc.wire import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    import zmq

_ADDRESS = re.compile(r"tcp://([\w.-]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})", re.ASCII)
_LARGEST_FILE = 4096


@dataclass(frozen=True, slots=True)
class Remote:
    """Where to connect, and with which keys."""

    address: str
    host: str
    port: int
    server: bytes
    """The daemon's public key; nobody else can read what is sent."""
    public: bytes
    secret: bytes

    @classmethod
    def named(cls, address: str, key: str | os.PathLike[str] | None) -> Self:
        """Return the daemon at `tcp://HOST:PORT`, with the keys of the file `key`.

        Raises:
            UsageError: one of them is none, or the file can be read by others.
        """
        match = _ADDRESS.fullmatch(address)
        if not match:
            raise UsageError(f"an address like tcp://HOST:PORT is wanted: {quoted(address)}")
        if not key:
            raise UsageError(
                "a daemon on another machine wants a key: --key FILE; "
                "there, `pspd keys add NAME FILE` makes one"
            )
        return cls(address, match[1].strip("[]"), int(match[2]), *_keys(os.fspath(key)))

    def check_listening(self, seconds: float) -> None:
        """See to it that somebody listens.

        Raises:
            NotRunning: nobody does.
            Unreachable: it cannot be told within so many seconds, or there is no way there.
        """
        try:
            socket.create_connection((self.host, self.port), timeout=seconds).close()
        except ConnectionRefusedError as error:
            raise NotRunning(
                f"nobody listens at {self.address}; is [remote] listen configured there?"
            ) from error
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error) or "no answer"
            raise Unreachable(f"cannot connect to {self.address}: {printable(reason)}") from error

    def prepare(self, connecting: zmq.Socket[bytes]) -> None:
        """Give a socket the keys before it connects."""
        connecting.curve_serverkey = self.server
        connecting.curve_publickey = self.public
        connecting.curve_secretkey = self.secret
        if ":" in self.host:
            connecting.ipv6 = True

    def check_size(self, image: bytes | None) -> None:
        """Refuse an image that the daemon would close the connection for.

        Raises:
            Unreachable: it is too large.
        """
        if image is not None and len(image) > wire.MAX_REMOTE_QUERY_BYTES:
            raise Unreachable(
                f"the image has {len(image)} bytes, and a daemon on another machine takes "
                f"{wire.MAX_REMOTE_QUERY_BYTES}"
            )


def remote_of(environ: Mapping[str, str]) -> Remote | None:
    """Return the daemon that $PSP_CONNECT and $PSP_KEY name; None for the user's own."""
    address = environ.get("PSP_CONNECT")
    return Remote.named(address, environ.get("PSP_KEY")) if address else None


def _keys(path: str) -> list[bytes]:
    try:
        with open(path, "rb") as file:
            is_open_to_others = os.fstat(file.fileno()).st_mode & 0o077
            text = file.read(_LARGEST_FILE).decode("ascii", "replace")
    except OSError as error:
        raise UsageError(f"cannot read the key {quoted(path)}: {error.strerror}") from error
    if is_open_to_others:
        raise UsageError(f"{quoted(path)} can be read by others; chmod 600 {quoted(path)}")
    try:
        return wire.parse_keys(text, ("server", "public", "secret"))
    except ValueError as error:
        raise UsageError(f"{quoted(path)} cannot be used: {error}") from error
