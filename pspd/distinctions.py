"""Pictures of which somebody said that they are no copies of one another; told apart by content.

    state/distinct.jsonl    {"psp_distinct": 1}
                            {"first": "ab…", "second": "cd…", "when": "2026-12-01T10:00:00Z"}
                            …

Everything else that the daemon knows it can find again in the pictures. This a person decided, so
that it does not lie in the store, which may be built anew, but in a file of its own: a few lines
that a person can read, written whole and in one step. Lines that cannot be read stay in it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import combinations
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from pspd.core.model import ImageId
from pspd.errors import RequestError, StoreError
from pspd.log import get_logger
from pspd.store.manifest import sync_folder

NAME: Final = "distinct.jsonl"

VERSION: Final = 1

MOST_PAIRS: Final = 100_000
"""Each change writes all of them, 170 bytes each."""

MOST_IMAGES: Final = 200
"""That are told apart by one request: 19,900 pairs."""

_ID_BYTES: Final = 32

_log = get_logger(__name__)


class Pair(NamedTuple):
    """Two contents, the smaller digest first."""

    first: ImageId
    second: ImageId


class _Head(msgspec.Struct):
    psp_distinct: int


class _Line(msgspec.Struct):
    first: str
    second: str
    when: str = ""


class Distinctions:
    """Knows what was said; for any thread.

    Args:
        folder: The daemon's state directory.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._lock = threading.Lock()
        # Under the lock; a change makes another one, so that who reads it needs none.
        self._pairs: dict[Pair, str] = {}
        self._unread: list[str] = []
        self._problem = ""
        self.version = 0
        """Another number after each change."""
        self._read()

    def pairs(self) -> list[tuple[Pair, str]]:
        """Return all pairs, and when each was said (ISO 8601, UTC); in the order of that."""
        return list(self._pairs.items())

    def require_known(self) -> None:
        """See that what was said before is known.

        Raises:
            StoreError: It is not; the sentence says why.
        """
        if self._problem:
            raise StoreError(self._problem)

    def mark(self, images: Sequence[ImageId], when: str) -> int:
        """Say that each of some contents is distinct from each other; returns the new pairs.

        Raises:
            RequestError: There are fewer than two, or too many.
            StoreError: It cannot be written; nothing has changed.
        """
        distinct = sorted(set(images))
        if len(distinct) < 2:  # noqa: PLR2004 - a pair
            raise RequestError("bad_request", "two pictures of different content are wanted")
        if len(distinct) > MOST_IMAGES:
            raise RequestError("bad_request", f"at most {MOST_IMAGES} pictures at once")
        with self._lock:
            new = {
                pair: when for each in combinations(distinct, 2)
                if (pair := Pair(*each)) not in self._pairs
            }  # fmt: skip
            if len(self._pairs) + len(new) > MOST_PAIRS:
                raise RequestError("bad_request", f"there are {MOST_PAIRS:,} pairs, the most kept")
            if new:
                self._write(self._pairs | new)
            return len(new)

    def forget(self, images: Sequence[ImageId]) -> int:
        """Take back what was said of some contents among them; of one alone, all of it.

        Returns:
            How many pairs are gone.

        Raises:
            RequestError: There is none.
            StoreError: It cannot be written; nothing has changed.
        """
        named = set(images)
        if not named:
            raise RequestError("bad_request", "nothing is named that could be taken back")
        least = min(2, len(named))
        with self._lock:
            left = {
                pair: when for pair, when in self._pairs.items() if len(named & set(pair)) < least
            }
            gone = len(self._pairs) - len(left)
            if gone:
                self._write(left)
            return gone

    def _read(self) -> None:
        try:
            text = self._path.read_text("utf-8", "surrogateescape")
        except FileNotFoundError:
            return
        except OSError as error:
            self._problem = f"{self._path} cannot be read: {error.strerror}"
            _log.error("what is said to be distinct is not known", problem=self._problem)
            return
        lines = text.splitlines()
        if lines and _version(lines[0]) > VERSION:
            self._problem = (
                f"{self._path} is of a newer version of PSP, and left untouched; upgrade PSP, or "
                "move the file away"
            )
            _log.error("what is said to be distinct is not known", problem=self._problem)
            return
        for line in lines[1:] if lines and _version(lines[0]) else lines:
            try:
                found = msgspec.json.decode(line, type=_Line)
                self._pairs[_pair(found)] = found.when
            except ValueError:  # msgspec's errors are such as well
                self._unread.append(line)
        if self._unread:
            _log.warning("lines of what is distinct cannot be read", lines=len(self._unread))

    def _write(self, pairs: dict[Pair, str]) -> None:
        """Put another file in the place of the old one; after a crash either is there, whole."""
        self.require_known()
        passing = self._path.with_name(f"{NAME}.new")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            with open(os.open(passing, flags, 0o600), "wb") as file:
                file.writelines(_lines(pairs, self._unread))
                file.flush()
                os.fsync(file.fileno())
            os.rename(passing, self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            with suppress(OSError):
                passing.unlink()
            raise StoreError(f"{self._path} cannot be written: {error.strerror}") from error
        self._pairs = pairs
        self.version += 1


def _version(head: str) -> int:
    try:
        return msgspec.json.decode(head, type=_Head).psp_distinct
    except ValueError:
        return 0


def _pair(line: _Line) -> Pair:
    first, second = sorted((bytes.fromhex(line.first), bytes.fromhex(line.second)))
    if len(first) != _ID_BYTES or len(second) != _ID_BYTES or first == second:
        raise ValueError("these are not two digests")
    return Pair(ImageId(first), ImageId(second))


def _lines(pairs: dict[Pair, str], unread: Iterable[str]) -> Iterator[bytes]:
    yield msgspec.json.encode(_Head(VERSION)) + b"\n"
    for (first, second), when in pairs.items():
        yield msgspec.json.encode(_Line(first.hex(), second.hex(), when)) + b"\n"
    for line in unread:
        yield line.encode("utf-8", "surrogateescape") + b"\n"
