"""The headers of every answer: what a browser may do with it, and what it must not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.web.gate import LOGIN_PATH

if TYPE_CHECKING:
    from starlette.types import Message, Send

_POLICY = (
    "default-src 'none'; img-src 'self' blob:; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action {form}; "
    "frame-ancestors 'none'"
)
_PLAIN = _POLICY.format(form="'none'").encode("ascii")
_OF_LOGIN = _POLICY.format(form="'self'").encode("ascii")

_FIXED = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_NOT_KEPT = (b"cache-control", b"no-store")

KEPT = "private, max-age=86400, immutable"
"""How long a browser keeps what an image's digest names: it never changes."""


def protective(path: str) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer to a request for a path."""
    policy = _OF_LOGIN if path == LOGIN_PATH else _PLAIN
    return [(b"content-security-policy", policy), *_FIXED]


def protected(send: Send, path: str) -> Send:
    """Have every answer carry the headers."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", []), *protective(path)]
            if all(name != _NOT_KEPT[0] for name, _ in headers):
                headers.append(_NOT_KEPT)
            message = {**message, "headers": headers}
        await send(message)

    return send_with_headers
