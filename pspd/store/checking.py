"""Checks an open store while it is used: pages, values, what leads where, and sums.

Read transactions are of half a second, so that the file does not grow for them; what needs a longer
look is done while nobody writes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from pspd.core.model import Counts, DirectoryId, FileState, ImageNumber, RootId
from pspd.core.pausing import Pause, unhindered
from pspd.errors import StoreDamaged, StoreError
from pspd.store import checksum, codec, keys, preflight, references, shapes
from pspd.store.environment import DATABASES
from pspd.store.walk import SLICE_SECONDS

if TYPE_CHECKING:
    from pspd.store.reader import Reader
    from pspd.store.store import Store

GENTLE_SECONDS = 0.02
"""How long a gentle check reads at once; it then rests for `REST_SECONDS`: whoever searches
meanwhile waits for Python's lock a quarter of the time at most."""

REST_SECONDS = 0.06

_ASKED_EACH = 64

Level = Literal["page", "value", "reference", "sum", "index", "content"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    level: Level
    text: str
    """One line, without line breaks."""
    image: ImageNumber | None = None
    """The image whose features cannot be trusted, for a finding of `content`."""


@dataclass(slots=True)
class Progress:
    """How far a check is."""

    step: str = ""
    done: int = 0
    total: int = 0


class Checker:
    """Checks everything but the pictures themselves.

    Args:
        store: An open store.
        progress: Kept up to date.
        is_stopping: Asked now and then whether to break off.
        is_gentle: Whether to take four times as long, and to keep no writer waiting: what entries
            add up to is then taken from LMDB's own numbers.
        pause: Called every few values, within a read transaction.
    """

    def __init__(
        self,
        store: Store,
        progress: Progress,
        is_stopping: Callable[[], bool] = lambda: False,
        *,
        is_gentle: bool = False,
        pause: Pause = unhindered,
    ) -> None:
        self._is_gentle = is_gentle
        self._store = store
        self._progress = progress
        self._is_stopping = is_stopping
        self._pause = pause

    def run(self, *, pages: bool = True) -> Iterator[Finding]:
        """Yield what is wrong; damaged pages end it, for reading on could end the process.

        Args:
            pages: Whether to look at the pages; else they must be known to be whole.

        Raises:
            StoreError: Nobody could look at the pages, so that nothing is known of them.
        """
        self._progress.step = "pages"
        broken = [Finding("page", text) for text in self._page_problems()] if pages else []
        yield from broken
        if broken:
            return
        with self._store.read() as reader:
            self._progress.total = sum(reader.entries(name) for name in DATABASES)
        for name in DATABASES:
            self._progress.step = name
            yield from self._check_database(name)
        self._progress.step = "sums"
        yield from self._check_balance()
        if not self._is_gentle:
            yield from self._check_sums()

    def _page_problems(self) -> list[str]:
        with self._store.writes_paused():
            report = preflight.examine_pages(self._store.folder, self._is_stopping)
        if report.verdict not in {"sound", "damaged"}:
            raise StoreError(
                f"the store's pages were not looked at ({report.findings[0]}), and nothing was "
                "changed for it: ask again"
            )
        return report.findings if report.verdict == "damaged" else []

    def _check_database(self, name: str) -> Iterator[Finding]:
        rule = references.RULES.get(name)
        for reader, key, value in self._entries(name):
            try:
                shapes.check(name, key, value)
            except StoreDamaged as error:
                yield Finding("value", f"{name} {_short(key)}: {error}")
                continue
            if rule is None:
                continue
            try:
                for problem in rule(reader, key, checksum.unseal(key, value)):
                    yield Finding("reference", f"{name} {_short(key)} {problem}")
            except StoreDamaged:
                continue  # what it leads to is damaged, and is a finding of its own

    def _entries(self, name: str) -> Iterator[tuple[Reader, bytes, bytes]]:
        """Yield the entries of a database with the reader they come from, in short slices."""
        after: bytes | None = None
        is_through = False
        while not is_through and not self._is_stopping():
            until = time.monotonic() + (GENTLE_SECONDS if self._is_gentle else SLICE_SECONDS)
            with self._store.read() as reader:
                for key, value in reader.raw_items(name, after):
                    yield reader, key, value
                    after = key
                    self._progress.done += 1
                    if not self._progress.done % _ASKED_EACH:
                        self._pause()
                        if time.monotonic() > until:
                            break
                else:
                    is_through = True
            if self._is_gentle and not is_through:
                time.sleep(REST_SECONDS)

    def _check_balance(self) -> Iterator[Finding]:
        with self._store.read() as reader, suppress(StoreDamaged):  # a finding already
            for text in reader.imbalances():
                yield Finding("sum", text)

    def _check_sums(self) -> Iterator[Finding]:
        with self._store.writes_paused(), self._store.read() as reader:
            try:
                yield from _column_problems(reader)
                yield from _counter_problems(reader)
                yield from _number_problems(reader)
            except StoreDamaged:
                return  # a finding already


def _column_problems(reader: Reader) -> Iterator[Finding]:
    try:
        rows = reader.numbers()
    except StoreDamaged as error:
        yield Finding("sum", f"columns: {error}")
        return
    # A byte each: a set of ten million numbers takes 900 MB.
    images = bytearray(reader.meta("next_image"))
    for key, _ in reader.raw_items("images"):
        number = keys.number_from_key(key)
        if number < len(images):  # else it was never given, which is a finding already
            images[number] = True
    for row in rows.tolist():
        if row >= len(images) or not images[row]:
            yield Finding("sum", f"columns: row {row} is of no image")


def _counter_problems(reader: Reader) -> Iterator[Finding]:
    roots: dict[DirectoryId, RootId] = {}
    found: dict[RootId, Counter[str]] = {}
    for key, body in reader.items("files"):
        directory = DirectoryId(keys.number_from_key(key))
        if directory not in roots:
            record = reader.directory(directory)
            roots[directory] = RootId(0) if record is None else record.root_id
        counts = found.setdefault(roots[directory], Counter())
        file, _ = codec.decode_file(body)
        counts["indexed"] += file.state is FileState.INDEXED
        counts["pending"] += file.sequence != 0
        counts["failed"] += file.state is FileState.FAILED
        counts["not_pictures"] += file.not_picture
    found.pop(RootId(0), None)
    stored = reader.counts()
    for root_id in {*stored, *found}:
        counts = found.get(root_id, Counter())
        right = Counts(
            counts["indexed"], counts["pending"], counts["failed"], counts["not_pictures"]
        )
        if stored.get(root_id, Counts()) != right:
            yield Finding("sum", f"counters of root {root_id} are wrong")


def _number_problems(reader: Reader) -> Iterator[Finding]:
    linked = sum(1 for _ in groupby(reader.raw_items("links"), _image_of_link))
    if reader.meta("pictures") != linked:
        yield Finding("sum", f"meta: pictures is not {linked}")


def _image_of_link(entry: tuple[bytes, bytes]) -> int:
    return keys.number_from_key(entry[0])


def _short(key: bytes) -> str:
    return key[:24].hex()
