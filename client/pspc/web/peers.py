"""Whose process is at the other end of a connection from this machine, as Linux tells.

A cookie of 127.0.0.1 is sent to every port of it, also to the server of another user of this
machine; and a key stands for a moment in the command line of the browser that is started with it,
which all can read. Neither is of use to another user if a session is one of this user's processes.
The permanent token is: who has read it from this user's file was meant to.
"""

from __future__ import annotations

import functools
import ipaddress
import os
import sys

STATE = "psp.peer"
"""Where in a scope's state the peer is."""

_ROOT = 0
_ESTABLISHED = "01"
"""Of others the owner is not told: a socket that was closed is nobody's."""
_NOBODY = -1

_TABLES = {4: "/proc/net/tcp", 6: "/proc/net/tcp6"}
_REMOTE, _STATE, _OWNER = 2, 3, 7
"""Columns after the first, by proc_net_tcp.txt of Linux; the first is the local address."""

End = tuple[str, int | None]


class Peer:
    """The other end of a connection.

    Args:
        there: Its address and port; None where it has none.
        here: Ours.
    """

    def __init__(self, there: End | None, here: End | None) -> None:
        self._there = there
        self._here = here

    @functools.cached_property
    def is_stranger(self) -> bool:
        """Whether it is known to be another user's; root may do everything anyway."""
        if self._there is None or self._here is None or self._here[1] is None:
            return False
        owner = _owner(self._there, self._here)
        return owner is not None and owner not in {_ROOT, os.getuid()}


def owner_in(table: str, there: str, here: str) -> int | None:
    """Find the owner of a socket in a table of the kernel's.

    Args:
        table: The table's text.
        there: The socket's own address and port, as `written`.
        here: The address and port that it is connected to.

    Returns:
        The user's number, -1 for a socket that is closed by now; None where there is no such one.
    """
    for line in table.splitlines():
        columns = line.split()
        if len(columns) > _OWNER and (columns[1], columns[_REMOTE]) == (there, here):
            return int(columns[_OWNER]) if columns[_STATE] == _ESTABLISHED else _NOBODY
    return None


def written(end: End, version: int) -> str:
    """Return an address and port as the table of a version of IP has them."""
    address = ipaddress.ip_address(end[0].partition("%")[0])
    packed = address.packed
    if version == 6 and address.version == 4:  # noqa: PLR2004 - of IP
        packed = ipaddress.ip_address(f"::ffff:{address}").packed
    words = (packed[begin : begin + 4] for begin in range(0, len(packed), 4))
    port = end[1] or 0
    return f"{''.join(f'{int.from_bytes(word, sys.byteorder):08X}' for word in words)}:{port:04X}"


def _owner(there: End, here: End) -> int | None:
    versions = (6,) if ":" in there[0] else (4, 6)
    for version in versions:
        try:
            with open(_TABLES[version], encoding="ascii") as file:
                table = file.read()
        except OSError:
            continue  # no Linux, or no IPv6
        owner = owner_in(table, written(there, version), written(here, version))
        if owner is not None:
            return owner
    return None
