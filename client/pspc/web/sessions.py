"""Keys that open a session once, and sessions: in memory, for as long as the gateway runs."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SECRET_BYTES = 32
KEY_SECONDS = 600.0
MOST_KEYS = 100
MOST_SESSIONS = 100


class Session(NamedTuple):
    """One browser that was let in."""

    token: str
    """What it has to bring to change something."""


class Sessions:
    """Who was let in.

    Secrets are kept as digests, by which they are found: that takes as long for a near miss as for
    any other.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._keys: dict[bytes, float] = {}
        self._sessions: dict[bytes, Session] = {}

    def new_key(self) -> str:
        """Make a key that opens one session, soon."""
        now = self._clock()
        self._keys = {key: end for key, end in self._keys.items() if end > now}
        while len(self._keys) >= MOST_KEYS:
            del self._keys[next(iter(self._keys))]
        key = _secret()
        self._keys[_digest(key)] = now + KEY_SECONDS
        return key

    def open(self, key: str) -> str | None:
        """Open a session with a key; returns the cookie, None when the key is not, or no longer."""
        end = self._keys.pop(_digest(key), None)
        return None if end is None or end <= self._clock() else self.begin()

    def begin(self) -> str:
        """Open a session; returns its cookie. The one that was not used for longest may end."""
        while len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        cookie = _secret()
        self._sessions[_digest(cookie)] = Session(_secret())
        return cookie

    def find(self, cookies: Iterable[str]) -> Session | None:
        """Return the session that one of some cookies names."""
        for cookie in cookies:
            digest = _digest(cookie)
            session = self._sessions.pop(digest, None)
            if session is not None:
                self._sessions[digest] = session  # the last one now
                return session
        return None


def _secret() -> str:
    return secrets.token_hex(SECRET_BYTES)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
