"""Paths ↔ keys by which the page names a file again: a path is never taken from a request."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from http import HTTPStatus

from pspc.web.refusals import refused

_MARK_BYTES = 16


class FileKeys:
    """Marks paths that were given out, by a secret of this gateway's."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def key(self, path: bytes) -> str:
        """Return the key of a path."""
        return encoded(self._mark(path) + path)

    def path(self, key: str) -> bytes:
        """Return the path of a key.

        Raises:
            RefusedError: It was not given out by this gateway.
        """
        data = decoded(key)
        mark, path = data[:_MARK_BYTES], data[_MARK_BYTES:]
        if not path or not hmac.compare_digest(mark, self._mark(path)):
            raise refused(
                HTTPStatus.BAD_REQUEST,
                "key",
                "this file is not known by that key any more; load the page again",
            )
        return path

    def _mark(self, path: bytes) -> bytes:
        return hmac.new(self._secret, path, hashlib.sha256).digest()[:_MARK_BYTES]


def encoded(data: bytes) -> str:
    """Return bytes as text that an address can carry."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decoded(text: str) -> bytes:
    """Inverse of `encoded`; empty where it is none."""
    try:
        padded = text + "=" * (-len(text) % 4)
        return base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return b""
