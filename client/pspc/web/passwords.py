"""The password of a gateway that listens beyond loopback, and how often it may be tried."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from typing import TYPE_CHECKING

from pspc.errors import SetupError
from pspc.web.token_file import read_private
from pspd.rpc.wire import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_CHARACTERS = 8

_MOST_BYTES = 4096
_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 60.0
_MOST_ADDRESSES = 1000
_FORGOTTEN_SECONDS = 900.0
_NETWORK_BITS = 64
"""Of an IPv6 address, which one household has: the rest its owner chooses."""


def password_of(path: str) -> str:
    """Return the password that is the first line of a file.

    Raises:
        SetupError: There is none, it is too short, or others can read it.
    """
    try:
        text = read_private(path, _MOST_BYTES)
    except OSError as error:
        raise SetupError(f"{quoted(path)} cannot be read: {error.strerror}") from error
    if text is None:
        raise SetupError(f"there is no file {quoted(path)} with a password")
    password = text.partition("\n")[0].rstrip("\r")
    if len(password) < LEAST_CHARACTERS:
        raise SetupError(
            f"the first line of {quoted(path)} is the password; it has to have "
            f"{LEAST_CHARACTERS} characters at least"
        )
    return password


def is_equal(given: str, password: str) -> bool:
    """Compare in a time that says nothing of how alike they are."""
    return hmac.compare_digest(_digest(given), _digest(password))


class Attempts:
    """Makes who guesses wrongly wait, each time twice as long.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: dict[str, tuple[int, float]] = {}

    def seconds_to_wait(self, address: str) -> float:
        """Return how long an address has to wait until its next try; 0 when it may."""
        count, last = self._failures.get(_household(address), (0, 0.0))
        if not count:
            return 0.0
        pause = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0 ** (count - 1))
        return max(0.0, last + pause - self._clock())

    def note_failure(self, address: str) -> None:
        """Note a wrong guess."""
        now = self._clock()
        household = _household(address)
        count, last = self._failures.pop(household, (0, now))
        count = 0 if now - last > _FORGOTTEN_SECONDS else count
        self._failures[household] = (min(count + 1, 64), now)
        while len(self._failures) > _MOST_ADDRESSES:
            del self._failures[next(iter(self._failures))]

    def note_success(self, address: str) -> None:
        """Note a right one."""
        self._failures.pop(_household(address), None)


def _household(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004 - of IP
        return str(parsed)
    return str(ipaddress.ip_network((int(parsed), _NETWORK_BITS), strict=False))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
