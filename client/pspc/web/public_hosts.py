"""Connections to the public internet alone, for addresses that come from a web page.

A name is looked up once: all that it leads to has to be public, and one of just these addresses is
connected to. So no name leads to this machine or its network, at the second look-up as little as at
the first; redirects come through here as well.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any

from pspc.errors import SourceError
from pspd.rpc.wire import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PORTS = frozenset({80, 443})
_FIRST_OPEN_PORT = 1024

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
_TRANSLATED = ipaddress.IPv6Network("::ffff:0:0:0/96")
_SITE_LOCAL = ipaddress.IPv6Network("fec0::/10")

# 6to4 is given up (RFC 7526) and leads wherever a relay takes it; Pythons differ over it, too.
_NEVER_PUBLIC = (_SITE_LOCAL, _MAPPED, _COMPATIBLE, _LOCAL_NAT64, _TRANSLATED, _SIX_TO_FOUR)

AddressInfo = tuple[Any, Any, int, str, tuple[Any, ...]]


def connect(
    address: tuple[str, int],
    timeout: float | None = None,
    source: tuple[str, int] | None = None,
    *,
    resolve: Callable[..., Sequence[AddressInfo]] = socket.getaddrinfo,
) -> socket.socket:
    """Connect as `socket.create_connection` does, but to public addresses alone.

    Raises:
        SourceError: The port is not one of the web's, or the name leads elsewhere.
        OSError: Nobody answers.
    """
    host, port = address
    if not is_port_of_the_web(port):
        raise SourceError(f"port {port} is none that pictures are fetched from")
    found = resolve(host, port, type=socket.SOCK_STREAM)
    for *_, where in found:
        if not is_public(str(where[0])):
            raise SourceError(
                f"{quoted(host)} is in a private network, from which nothing is fetched; "
                "pspc web --allow-private-urls allows it"
            )
    return _connected(found, timeout, source)


def _connected(
    found: Sequence[AddressInfo], timeout: float | None, source: tuple[str, int] | None
) -> socket.socket:
    """Connect to the first of some addresses that answers."""
    problem: OSError | None = None
    for family, kind, protocol, _, where in found:
        opened = socket.socket(family, kind, protocol)
        try:
            if isinstance(timeout, (int, float)):
                opened.settimeout(timeout)
            if source:
                opened.bind(source)
            opened.connect(where)
        except OSError as error:
            opened.close()
            problem = error
        else:
            if opened.getsockname()[0] == opened.getpeername()[0]:
                # An address that the whole internet may reach can be this machine's own.
                opened.close()
                raise SourceError("this leads to the machine itself, from which nothing is fetched")
            return opened
    raise problem or OSError("the name leads nowhere")


def is_port_of_the_web(port: int) -> bool:
    """Say whether web servers listen at a port, and not mail or printers."""
    return port in _PORTS or port >= _FIRST_OPEN_PORT


def is_public(address: str) -> bool:
    """Say whether an address is of the public internet, whatever it is wrapped in."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if parsed.is_multicast or not parsed.is_global or "%" in address:
        return False
    if not isinstance(parsed, ipaddress.IPv6Address):
        return True
    if any(parsed in network for network in _NEVER_PUBLIC):
        return False
    # Whoever carries such an address over to IPv4 goes where it says.
    if parsed in _NAT64:
        return is_public(str(ipaddress.IPv4Address(int(parsed) & 0xFFFF_FFFF)))
    return True
