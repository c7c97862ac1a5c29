"""The matrices of goal G17: which requests are let in, and as what the others are refused."""

from __future__ import annotations

from typing import NamedTuple

PORT = 8383
"""Stands for the gateway's port."""


class HostRow(NamedTuple):
    """A request's Host, and what becomes of it."""

    hosts: tuple[str, ...]
    """All Host headers."""
    is_ours: bool = False
    target: str = "/api/v1/status"
    by_h11: bool = False
    """Whether uvicorn itself refuses it, which it does with 400."""
    version: str = "1.1"


def _host(*hosts: str, ours: bool = False, by_h11: bool = False) -> HostRow:
    return HostRow(hosts, ours, by_h11=by_h11)


HOSTS: tuple[HostRow, ...] = (
    # ours
    _host("127.0.0.1:8383", ours=True),
    _host("localhost:8383", ours=True),
    _host("[::1]:8383", ours=True),
    _host("LOCALHOST:8383", ours=True),
    _host("LocalHost:8383", ours=True),
    # no port, or another
    _host("127.0.0.1"),
    _host("localhost"),
    _host("[::1]"),
    _host("127.0.0.1:80"),
    _host("127.0.0.1:8384"),
    _host("localhost:838"),
    _host("localhost:83830"),
    _host("localhost:08383"),
    _host("localhost:+8383"),
    _host("localhost:8383:8383"),
    _host("localhost:"),
    _host(":8383"),
    _host("8383"),
    _host("localhost:8383.evil.com"),
    # other names, as rebinding has them
    _host("evil.com"),
    _host("evil.com:8383"),
    _host("localhost.evil.com:8383"),
    _host("127.0.0.1.evil.com:8383"),
    _host("evil.com.localhost:8383"),
    _host("foo.localhost:8383"),
    _host("localhost.:8383"),
    _host("localhost.localdomain:8383"),
    _host("127.0.0.1.:8383"),
    _host("127.0.0.1.nip.io:8383"),
    _host("xn--lcalhost-i1a:8383"),
    _host("loca1host:8383"),
    _host("ip6-localhost:8383"),
    _host("evil.com#localhost:8383"),
    _host("evil.com@127.0.0.1:8383"),
    _host("localhost:8383@evil.com"),
    _host("user@localhost:8383"),
    _host("user:pass@127.0.0.1:8383"),
    _host("localhost:8383/"),
    _host("http://localhost:8383"),
    _host("localhost:8383, evil.com"),
    _host("evil.com,localhost:8383"),
    # other addresses, and other ways to write ours
    _host("0.0.0.0:8383"),
    _host("127.1:8383"),
    _host("127.0.1:8383"),
    _host("127.0.0.2:8383"),
    _host("0177.0.0.1:8383"),
    _host("0x7f.0.0.1:8383"),
    _host("0x7f000001:8383"),
    _host("2130706433:8383"),
    _host("127.000.000.001:8383"),
    _host("[::ffff:127.0.0.1]:8383"),
    _host("[0:0:0:0:0:0:0:1]:8383"),
    _host("[::1%25lo]:8383"),
    _host("[::]:8383"),
    _host("::1:8383"),
    _host("192.168.1.5:8383"),
    _host("169.254.169.254:8383"),
    # none, two, empty, and a second one in the target
    HostRow((), by_h11=True),
    HostRow((), version="1.0"),
    _host(""),
    _host("127.0.0.1:8383", "127.0.0.1:8383", by_h11=True),
    _host("127.0.0.1:8383", "evil.com", by_h11=True),
    HostRow(("evil.com",), target="http://127.0.0.1:8383/api/v1/status"),
)

ABSOLUTE: tuple[HostRow, ...] = (
    HostRow(("127.0.0.1:8383",), target="http://evil.com/api/v1/status"),
    HostRow(("127.0.0.1:8383",), target="http://127.0.0.1:8383/api/v1/status"),
    HostRow(("127.0.0.1:8383",), target="//evil.com/api/v1/status"),
    HostRow(("127.0.0.1:8383",), target="*"),
    HostRow(("127.0.0.1:8383",), target="evil.com:443"),
)
"""What is no path: refused with 400, though the Host is ours."""


class AskRow(NamedTuple):
    """A request's origin and tokens, and the status that it gets.

    `cookie` and `token` are words: `session` for that of a session, `other` for that of another
    one, `permanent`, `wrong`, `empty`, or nothing.
    """

    status: int
    method: str = "POST"
    origin: tuple[str, ...] = ()
    site: str = ""
    cookie: str = ""
    token: tuple[str, ...] = ()
    kind: str = "application/json"
    path: str = "/api/v1/roots/remove"
    navigates: bool = False


OURS = "http://127.0.0.1:8383"
SERVED = 503
"""What is let in reaches the daemon, which is not there in these tests."""

_BY_PAGE = {"cookie": "session", "token": ("session",)}
_READ = {"method": "GET", "path": "/api/v1/status", "kind": ""}

ASKS: tuple[AskRow, ...] = (
    # The page itself, and scripts
    AskRow(SERVED, origin=(OURS,), site="same-origin", **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(SERVED, origin=("http://localhost:8383",), **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(SERVED, origin=("http://[::1]:8383",), **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(SERVED, **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(SERVED, token=("permanent",)),
    AskRow(SERVED, token=("permanent",), cookie="wrong"),
    AskRow(SERVED, token=("permanent",), site="none"),
    AskRow(SERVED, cookie="session", **_READ),  # type: ignore[arg-type]
    AskRow(SERVED, token=("permanent",), **_READ),  # type: ignore[arg-type]
    AskRow(SERVED, cookie="session", token=("wrong",), **_READ),  # type: ignore[arg-type]
    AskRow(SERVED, cookie="session", site="same-origin", **_READ),  # type: ignore[arg-type]
    # Something is missing, or another's
    AskRow(401),
    AskRow(401, cookie="session"),
    AskRow(401, token=("session",)),
    AskRow(401, cookie="session", token=("wrong",)),
    AskRow(401, cookie="session", token=("empty",)),
    AskRow(401, cookie="session", token=("other",)),
    AskRow(401, cookie="wrong", token=("session",)),
    AskRow(401, cookie="session", token=("session", "session")),
    AskRow(401, token=("permanent", "wrong")),
    AskRow(401, cookie="permanent"),
    AskRow(401, cookie="session", token=("session",), path="/api/v1/keys"),
    AskRow(401, **_READ),  # type: ignore[arg-type]
    AskRow(401, cookie="wrong", **_READ),  # type: ignore[arg-type]
    AskRow(401, token=("session",), **_READ),  # type: ignore[arg-type]
    # Another origin, however much it knows
    AskRow(403, origin=("null",), **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(403, origin=("",), **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(403, origin=("http://evil.com",), **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(403, origin=("http://127.0.0.1:9999",), **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(403, origin=("http://127.0.0.1",), **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(403, origin=("https://127.0.0.1:8383",), **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(403, origin=("http://evil.com:8383",), **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(403, origin=("http://127.0.0.1:8383.evil.com",), **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(403, origin=("http://127.0.0.1:8383/",), **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(403, origin=(OURS, OURS), **_BY_PAGE),  # type: ignore[arg-type]
    # An extension of the browser that was given the permanent token, and others
    AskRow(SERVED, origin=("moz-extension://a",), token=("permanent",)),
    AskRow(SERVED, origin=("chrome-extension://a",), site="cross-site", token=("permanent",)),
    AskRow(403, origin=("moz-extension://a",), token=("wrong",)),
    AskRow(403, origin=("moz-extension://a",), **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(403, origin=("https://moz-extension://a",), token=("permanent",)),
    AskRow(403, origin=("moz-extension://a", OURS), token=("permanent",)),
    AskRow(403, origin=("http://evil.com",), token=("permanent",), **_READ),  # type: ignore[arg-type]
    AskRow(403, site="cross-site", **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(403, site="same-site", **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(403, site="cross-site", cookie="session", **_READ),  # type: ignore[arg-type]
    AskRow(403, site="cross-site", cookie="session", navigates=True, **_READ),  # type: ignore[arg-type]
    AskRow(403, method="GET", path="/", kind="", site="cross-site", cookie="session"),
    AskRow(
        200, method="GET", path="/", kind="", site="cross-site", cookie="session", navigates=True
    ),
    AskRow(403, origin=(OURS,), site="cross-site", token=("permanent",)),
    # A body as forms have it
    AskRow(415, kind="text/plain", **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(415, kind="application/x-www-form-urlencoded", **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(415, kind="multipart/form-data; boundary=x", **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(415, kind="", **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(415, kind="text/plain; application/json", **_BY_PAGE),  # type: ignore[arg-type]
    # Another method
    AskRow(405, method="OPTIONS", origin=("http://evil.com",)),
    AskRow(405, method="PUT", **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(405, method="DELETE", **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(405, method="PATCH", **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(405, method="TRACE", **_BY_PAGE),  # type: ignore[arg-type]
    AskRow(405, method="get", cookie="session", path="/api/v1/status"),
)
