"""Judges who asks: by the cookie of a session, its token, and the permanent token.

    GET, HEAD       the cookie of a session                       or the permanent token
    anything else   the cookie of a session, and its token        or the permanent token

The cookie alone is not enough to change anything: a browser sends it with whatever it is made to
send, and the token has to be read from the page, which no other origin can.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from pspc.web.gate import is_reading

if TYPE_CHECKING:
    from pspc.web.gate import Head

KEYS_PATH = "/api/v1/keys"
"""Where keys are made, which are as good as a session: who has one cannot make others."""

COOKIE = "psp"
TOKEN_HEADER = b"x-psp-token"

_MOST_COOKIES = 8
"""Of our name that are looked at: pages at other ports of this host can set some as well."""


def is_admitted(head: Head, session_token: str | None, permanent: str) -> bool:
    """Say whether a request may be served.

    Args:
        head: The request's head.
        session_token: The token of the session that its cookie names; None where it names none.
        permanent: The permanent token.
    """
    if has_token(head, permanent):
        return True
    if session_token is None or head.path == KEYS_PATH:
        return False
    return is_reading(head) or has_token(head, session_token)


def has_token(head: Head, token: str) -> bool:
    """Say whether a request brings a token, once."""
    given = head.values(TOKEN_HEADER)
    return len(given) == 1 and hmac.compare_digest(given[0], token.encode("ascii"))


def cookies(head: Head) -> list[str]:
    """Return the values of the cookies that may be a session's."""
    found = []
    for line in head.values(b"cookie"):
        for pair in line.decode("latin-1").split(";"):
            name, separator, value = pair.strip().partition("=")
            if separator and name == COOKIE:
                found.append(value)
    return found[:_MOST_COOKIES]
