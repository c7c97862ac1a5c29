"""Sockets at loopback, and the word that a gateway of this user's listens at them.

Whoever finds a port taken looks for the word: a file in the user's own folder, locked for as long
as that gateway lives. Only then is it sent the permanent token: of whatever else may listen there
nobody knows whose it is.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import ipaddress
import os
import socket
from typing import TYPE_CHECKING

from pspc.errors import SetupError
from pspc.web.token_file import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LOOPBACK = "127.0.0.1"
_LOOPBACK_6 = "::1"

_BACKLOG = 128
_TRIES = 20


class PortTakenError(Exception):
    """Somebody listens there."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Listen at an address; at loopback by both versions of IP, where there are both.

    Args:
        host: An address, or a name that leads to one.
        port: 0 for any that is free.

    Raises:
        PortTakenError: Somebody else listens there.
        SetupError: It is no address of this machine.
    """
    if host != LOOPBACK:
        return [_listening(family, address) for family, address in _resolved(host, port)]
    for _ in range(_TRIES):
        first = _listening(socket.AF_INET, (LOOPBACK, port))
        try:
            second = _listening_too(first.getsockname()[1])
        except PortTakenError:
            first.close()
            if port:
                raise
            continue  # another free one may be so in both
        return [first] if second is None else [first, second]
    raise SetupError("no port is free")


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _listening_too(port: int) -> socket.socket | None:
    """Listen at the loopback of IPv6; None where there is none."""
    try:
        return _listening(socket.AF_INET6, (_LOOPBACK_6, port))
    except SetupError:
        return None


def _resolved(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    try:
        found = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise SetupError(f"--host {host}: {error.strerror}") from error
    family, _, _, _, address = found[0]
    return [(family, (str(address[0]), port))]


def _listening(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    try:
        opened = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise SetupError(f"cannot listen at {address[0]}: {error.strerror}") from error
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        opened.listen(_BACKLOG)
    except OSError as error:
        opened.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError from error
        raise SetupError(f"cannot listen at {address[0]}: {error.strerror}") from error
    return opened


@contextlib.contextmanager
def announced(environ: Mapping[str, str], host: str, port: int) -> Iterator[Callable[[], None]]:
    """Leave word that this process listens at an address.

    Yields:
        What takes the word back, to be called before it listens no longer: whoever takes its place
        must not be sent the token.

    Raises:
        SetupError: The word cannot be left.
    """
    path = _path(environ, host, port)
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        word = os.open(path, flags, 0o600)
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}") from error
    try:
        # The port is ours, so that nobody has the lock but who looks whether somebody has it.
        fcntl.flock(word, fcntl.LOCK_EX)
        os.ftruncate(word, 0)
        os.write(word, b"%d\n" % os.getpid())
        yield lambda: fcntl.flock(word, fcntl.LOCK_UN)
    finally:
        # The file stays: between its removal and the lock's end another one could begin.
        os.close(word)


def is_announced(environ: Mapping[str, str], host: str, port: int) -> bool:
    """Say whether a gateway of this user's listens at an address now."""
    try:
        word = os.open(_path(environ, host, port), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(word, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(word)
    return False


def _path(environ: Mapping[str, str], host: str, port: int) -> str:
    name = "".join(char if char.isalnum() or char in ".-" else "_" for char in host)
    return os.path.join(state_folder(environ), f"web-{name}-{port}.lock")
