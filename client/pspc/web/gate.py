"""Judges a request by its head alone: whom it is for, where it comes from, what it brings.

Pure: bytes in, a refusal or nothing out. It stands against what a foreign web page can have a
browser do with a server on loopback: reach it under a name of its own (DNS rebinding: the Host is
foreign), send it forms and pictures without asking (the Origin is, or Sec-Fetch-Site says so, and
forms have types of their own), or have more read than there is room for.
"""

from __future__ import annotations

import ipaddress
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from pspc.web.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

MIB = 1 << 20

PICTURE_BYTES = 64 * MIB
DOCUMENT_BYTES = 1 * MIB
ACTS_BYTES = 64 * MIB
"""A plan names every file with its digest, in some 300 bytes, and is taken back as one."""
FORM_BYTES = 4096
HEAD_BYTES = 16 << 10

LOGIN_PATH = "/login"
ACTS_PATH = "/api/v1/acts"

_HTTP_PORT = 80
_READING = ("GET", "HEAD")
_METHODS = (*_READING, "POST")
_FORM = "application/x-www-form-urlencoded"
_DOCUMENT = "application/json"
_BYTES = "application/octet-stream"
_MOST_DIGITS = 15
_EXTENSIONS = (b"chrome-extension://", b"moz-extension://", b"safari-web-extension://")
"""Origins that browsers give to extensions, and to no page."""


class Head(NamedTuple):
    """What of a request is known before its body is read."""

    method: str
    target: bytes
    """As it was sent, without the query."""
    path: str
    headers: Sequence[tuple[bytes, bytes]]
    """Names in lower case."""
    query: bytes = b""

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of all headers of a name."""
        return [value for each, value in self.headers if each == name]


class Policy(NamedTuple):
    """Where the gateway is to be found."""

    names: frozenset[str]
    """Hosts in lower case, without ports."""
    port: int
    any_address: bool = False
    """Whether any address in digits is ours: it listens at all of them. A name of DNS is none."""
    has_login: bool = False
    """Whether there is a password, and a form that asks for it."""


def loopback_policy(port: int) -> Policy:
    """Return the policy of a gateway that listens at loopback alone."""
    return Policy(frozenset({"127.0.0.1", "localhost", "[::1]"}), port)


def refusal(head: Head, policy: Policy, *, has_permanent: bool = False) -> Refusal | None:
    """Return why a request is refused; None when it is not.

    Args:
        head: The request's.
        policy: Where the gateway is to be found.
        has_permanent: Whether the request brings the permanent token, which no web page knows: an
            extension of the browser that does may ask, under an origin of its own.
    """
    is_extension = has_permanent and _is_of_extension(head)
    return (
        _of_size(head)
        or _of_host(head, policy)
        or _of_target(head)
        or _of_method(head)
        or (None if is_extension else _of_site(head) or _of_origin(head, policy))
        or _of_content(head, policy)
        or _of_length(head)
    )


def is_reading(head: Head) -> bool:
    """Say whether a request changes nothing."""
    return head.method in _READING


def content_type(head: Head) -> str:
    """Return the type of a body, without its parameters; empty where it is not said, or twice."""
    values = head.values(b"content-type")
    if len(values) != 1:
        return ""
    return values[0].decode("latin-1").partition(";")[0].strip().lower()


def most_bytes(path: str, kind: str) -> int:
    """Return how long a body may be, by where it goes and its type."""
    if path == LOGIN_PATH:
        return FORM_BYTES
    if is_document(kind):
        return ACTS_BYTES if path == ACTS_PATH else DOCUMENT_BYTES
    return PICTURE_BYTES


def is_document(kind: str) -> bool:
    """Say whether a type is that of JSON."""
    return kind == _DOCUMENT


def is_picture(kind: str) -> bool:
    """Say whether a type is one under which pictures are sent."""
    return kind.startswith("image/") or kind == _BYTES


def too_large(most: int) -> Refusal:
    """Return the refusal of a body that is too long."""
    limit = f"{most // MIB} MiB" if most >= MIB else f"{most:,} bytes"
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too_large",
        f"this is larger than the limit of {limit}",
    )


def _of_size(head: Head) -> Refusal | None:
    # uvicorn bounds a head that comes bit by bit; one that comes at once is longer by then.
    size = len(head.target) + len(head.query)
    size += sum(len(name) + len(value) + len(": \r\n") for name, value in head.headers)
    if size <= HEAD_BYTES:
        return None
    return Refusal(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "head",
        f"the request's head is larger than {HEAD_BYTES >> 10} KiB",
    )


def _of_host(head: Head, policy: Policy) -> Refusal | None:
    hosts = head.values(b"host")
    if len(hosts) == 1 and _is_ours(hosts[0].lower(), policy):
        return None
    return Refusal(
        HTTPStatus.MISDIRECTED_REQUEST,
        "host",
        "this address is not one under which the gateway is known; open the one that pspc web "
        "prints",
    )


def _of_target(head: Head) -> Refusal | None:
    # The absolute form, which proxies are sent, has a second host in it; `*` and the form of
    # CONNECT are no paths at all.
    if head.target.startswith(b"/") and not head.target.startswith(b"//"):
        return None
    return Refusal(HTTPStatus.BAD_REQUEST, "target", "the request's target is no path")


def _of_method(head: Head) -> Refusal | None:
    if head.method in _METHODS:
        return None
    return Refusal(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "method",
        "only GET, HEAD and POST are understood",
        allow=", ".join(_METHODS),
    )


def _of_site(head: Head) -> Refusal | None:
    sites = head.values(b"sec-fetch-site")
    if all(site in {b"same-origin", b"none"} for site in sites) or _is_arrival(head):
        return None
    return Refusal(HTTPStatus.FORBIDDEN, "site", "another web site asks, which may not")


def _is_arrival(head: Head) -> bool:
    """Say whether a person follows a link to the page, from a mail or a chat."""
    return (
        head.method == "GET"
        and head.path == "/"
        and head.values(b"sec-fetch-mode") == [b"navigate"]
        and head.values(b"sec-fetch-dest") == [b"document"]
        and head.values(b"sec-fetch-site") in ([b"cross-site"], [b"same-site"])
    )


def _is_of_extension(head: Head) -> bool:
    origins = head.values(b"origin")
    return len(origins) == 1 and origins[0].startswith(_EXTENSIONS)


def _of_origin(head: Head, policy: Policy) -> Refusal | None:
    origins = head.values(b"origin")
    if not origins:
        return None
    scheme, separator, host = origins[0].partition(b"//")
    if len(origins) == 1 and (scheme, separator) == (b"http:", b"//") and _is_ours(host, policy):
        return None
    return Refusal(HTTPStatus.FORBIDDEN, "origin", "a page of another origin asks, which may not")


def _of_content(head: Head, policy: Policy) -> Refusal | None:
    if is_reading(head):
        return None
    kind = content_type(head)
    if head.path == LOGIN_PATH and policy.has_login:
        is_fine = kind == _FORM
    else:
        is_fine = is_document(kind) or is_picture(kind)
    if is_fine:
        return None
    return Refusal(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "content_type",
        f"the body has to be {_DOCUMENT}, or a picture as image/* or {_BYTES}",
    )


def _of_length(head: Head) -> Refusal | None:
    lengths = head.values(b"content-length")
    if not lengths:
        return None
    most = most_bytes(head.path, content_type(head))
    text = lengths[0]
    # `int` refuses what has thousands of digits.
    if len(lengths) == 1 and text.isdigit() and len(text) <= _MOST_DIGITS and int(text) <= most:
        return None
    return too_large(most)


def _is_ours(host: bytes, policy: Policy) -> bool:
    """Say whether a host, with its port, is one under which the gateway is known."""
    try:
        text = host.decode("ascii")
    except UnicodeDecodeError:
        return False
    name = text
    if text.endswith(f":{policy.port}"):
        name = text.removesuffix(f":{policy.port}")
    elif policy.port != _HTTP_PORT:
        return False
    return name in policy.names or (policy.any_address and _is_address(name))


def _is_address(name: str) -> bool:
    """Say whether a host is an address as it is usually written: `[::1]`, and not `127.1`."""
    is_sixth = name.startswith("[") and name.endswith("]")
    try:
        address = ipaddress.ip_address(name[1:-1] if is_sixth else name)
    except ValueError:
        return False
    version = 6 if is_sixth else 4
    return address.version == version and str(address) == name.strip("[]")
