"""Lists the groups of copies page by page, each file with its path and what it is to the best."""

from __future__ import annotations

import struct
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pspd.copy_groups import CopyGroup, CopyGroups, compute_groups
from pspd.copy_search import known
from pspd.core.model import ImageNumber, ImageRecord, Turn, Verdict
from pspd.errors import RequestError
from pspd.store import copies

if TYPE_CHECKING:
    from pspd.copy_search import CopySearch
    from pspd.distinctions import Distinctions
    from pspd.store.reader import Reader
    from pspd.store.store import Store

KEPT_SECONDS = 600.0
"""How long groups stay in memory that nobody asks for."""

MOST_LOOKED_AT = 20_000
"""Files that are looked at for one page, of which few may lie where somebody wants them."""

SLICE_GROUPS = 100
"""Groups that are read within one read transaction."""

MOST_BITS = 256

_CURSOR = struct.Struct(">QQQ")
"""Waste and best image of a group, and how many of its files were listed."""

_RANK = {each: rank for rank, each in enumerate(Verdict)}


class GroupFile(NamedTuple):
    """One file of a group."""

    path: str
    image: ImageRecord
    verdict: Verdict | None
    """How sure it is that it is a copy of the best file; None for that one."""
    distance: int
    turn: Turn
    """What turns the best picture into this one."""


@dataclass(frozen=True, slots=True)
class FileGroup:
    """A group, or some of its files."""

    files: tuple[GroupFile, ...]
    """The best one first, then the surest and nearest."""
    waste: int
    total: int
    """Files of the whole group."""
    first: int
    """How many of them are on pages before."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some groups, and what there is in all."""

    groups: list[FileGroup]
    following: bytes | None
    """Where the next page begins; None at the end."""
    total: int
    """Groups."""
    waste: int
    """Of all groups, in bytes."""


class Grouping:
    """Answers from any thread; one at a time computes.

    Args:
        store: The truth.
        search: Finds all copies of an image of which not all are kept.
        distinctions: What somebody has told apart.
    """

    def __init__(self, store: Store, search: CopySearch, distinctions: Distinctions) -> None:
        self._store = store
        self._search = search
        self._distinctions = distinctions
        self._lock = threading.Lock()
        self._groups: CopyGroups | None = None
        self._version = 0
        """Of what was told apart when they were computed."""
        self._used = 0.0

    def page(self, after: bytes | None, limit: int, folders: Sequence[str] = ()) -> Page:
        """Return some groups.

        Args:
            after: Where the page before ended; None for the first.
            limit: Most files, from 1. A group that does not fit begins on the next page; one that
                fits on none goes on there.
            folders: Only groups with a file below one of these; none for all.

        Raises:
            RequestError: `after` is nothing that a page ended with.
            StoreError: The store cannot be read.
        """
        start = (0, 0, 0) if after is None else _position(after)
        found = self._current(may_be_old=after is not None)
        groups = found.groups
        first = 0
        if after is not None:
            first = bisect_left(groups, (-start[0], start[1]), key=_order)
        page = _PageMaker(self._store, self._search, limit, [_prefix(each) for each in folders])
        following = page.fill(groups, first, start)
        return Page(page.groups, following, len(groups), found.waste)

    def forget_unused(self) -> None:
        """Forget the groups when nobody has asked for them for long."""
        with self._lock:
            if time.monotonic() - self._used > KEPT_SECONDS:
                self._groups = None

    def _current(self, *, may_be_old: bool) -> CopyGroups:
        """Return the groups of now; those of the pages before for a page that follows them."""
        with self._lock:
            self._used = time.monotonic()
            groups, version = self._groups, self._distinctions.version
            if groups is None or not (
                may_be_old
                or (groups.moment == self._store.last_transaction() and version == self._version)
            ):
                apart = [pair for pair, _ in self._distinctions.pairs()]
                groups = self._groups = compute_groups(self._store, self._search, apart)
                self._version = version
            return groups


class _PageMaker:
    """Takes groups until a page is full."""

    def __init__(
        self, store: Store, search: CopySearch, limit: int, prefixes: Sequence[str]
    ) -> None:
        self._store = store
        self._search = search
        self._room = limit
        self._limit = limit
        self._prefixes = prefixes
        self.groups: list[FileGroup] = []

    def fill(
        self, groups: Sequence[CopyGroup], first: int, start: tuple[int, int, int]
    ) -> bytes | None:
        """Take what fits; returns where the next page begins."""
        looked_at = 0
        for group, files in self._resolved(groups, first):
            is_continued = (group.waste, group.best) == start[:2]
            offset = start[2] if is_continued else 0
            if looked_at >= MOST_LOOKED_AT:
                return _CURSOR.pack(group.waste, group.best, offset)
            looked_at += len(files)
            if len(files) < 2 or not self._is_wanted(files):  # noqa: PLR2004 - a pair
                continue
            left = len(files) - offset
            if left <= 0:
                continue  # files of it went away since the page before
            if left > self._room and (self.groups or not self._room):
                return _CURSOR.pack(group.waste, group.best, offset)
            taken = tuple(files[offset : offset + self._room])
            self.groups.append(FileGroup(taken, group.waste, len(files), offset))
            self._room -= len(taken)
            if len(taken) < left:
                return _CURSOR.pack(group.waste, group.best, offset + len(taken))
        return None

    def _resolved(
        self, groups: Sequence[CopyGroup], first: int
    ) -> Iterator[tuple[CopyGroup, list[GroupFile]]]:
        """Yield groups with their files; a reader of several knows the folders they share."""
        for begin in range(first, len(groups), SLICE_GROUPS):
            with self._store.read() as reader:
                for group in groups[begin : begin + SLICE_GROUPS]:
                    yield group, self._files(reader, group)

    def _is_wanted(self, files: Sequence[GroupFile]) -> bool:
        return not self._prefixes or any(
            file.path.startswith(prefix) for file in files for prefix in self._prefixes
        )

    def _files(self, reader: Reader, group: CopyGroup) -> list[GroupFile]:
        """Return the files of a group as they are now; nothing when the best has none."""
        record = reader.image(group.best)
        own = [] if record is None else _paths(reader, group.best)
        if record is None or not own:
            return []
        files = [GroupFile(own[0], record, None, 0, Turn.NONE)]
        files += [GroupFile(path, record, Verdict.SAME_FILE, 0, Turn.NONE) for path in own[1:]]
        others: list[GroupFile] = []
        for other in group.others:
            others += self._copies(reader, group.best, other)
        others.sort(key=lambda file: (_RANK[file.verdict or Verdict.ALIKE], file[3], file.path))
        return files + others

    def _copies(self, reader: Reader, best: ImageNumber, other: ImageNumber) -> list[GroupFile]:
        record = reader.image(other)
        if record is None:
            return []
        pixels = reader.pixels(best)
        is_same = pixels is not None and pixels == reader.pixels(other)
        distance, turn = self._distance(reader, best, other)
        if is_same:
            verdict, turn = Verdict.SAME_PIXELS, Turn.NONE
        elif distance <= self._search.copy_distance:
            verdict = Verdict.COPY
        else:
            return []  # extracted again since the groups were computed
        return [GroupFile(path, record, verdict, distance, turn) for path in _paths(reader, other)]

    def _distance(self, reader: Reader, best: ImageNumber, other: ImageNumber) -> tuple[int, Turn]:
        pair = copies.pair(reader, best, other)
        if pair is not None:
            return pair.distance, pair.turn
        hashes = known(reader, [best, other])
        if len(hashes) < 2:  # noqa: PLR2004 - both
            return MOST_BITS, Turn.NONE
        found = self._search.between(*hashes)
        return found.distance, found.turn


def _paths(reader: Reader, number: ImageNumber) -> list[str]:
    paths = (reader.file_path(key) for key in reader.links(number))
    return sorted(path for path in paths if path is not None)


def _position(cursor: bytes) -> tuple[int, int, int]:
    try:
        waste, best, offset = _CURSOR.unpack(cursor)
    except struct.error as error:
        raise RequestError("bad_request", "no page of groups ended like this") from error
    return waste, best, offset


def _order(group: CopyGroup) -> tuple[int, int]:
    return -group.waste, group.best


def _prefix(folder: str) -> str:
    return folder.rstrip("/") + "/"
