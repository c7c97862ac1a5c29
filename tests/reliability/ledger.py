"""What a store holds when nobody has it open, and whether it agrees with itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pspd.core.model import Counts, FileState, WatchRoot
from pspd.store.reader import Reader
from pspd.store.store import Store

_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Ledger:
    """The files that a store knows, and what contradicts itself in it."""

    indexed: frozenset[str]
    """Paths with a picture behind them."""
    failed: frozenset[str]
    pending: frozenset[str]
    faults: tuple[str, ...]


def read_ledger(folder: Path) -> Ledger:
    """Read a store whose daemon is gone."""
    store = Store(folder)
    try:
        with store.read() as reader:
            return _Audit(reader).ledger()
    finally:
        store.close()


class _Audit:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._found: dict[FileState, set[str]] = {state: set() for state in FileState}
        self._linked: Counter[int] = Counter()
        self._sequences: set[int] = set()
        self._faults: list[str] = []

    def ledger(self) -> Ledger:
        for root in self._reader.roots():
            self._count_root(root)
        reader = self._reader
        queued = reader.queued(0, _ALL)
        if {sequence for sequence, _ in queued} != self._sequences:
            self._faults.append("the queue is not what the files say")
        if reader.meta("pictures") != len(self._linked):
            self._faults.append(f"{reader.meta('pictures')} pictures for {len(self._linked)}")
        rows = reader.rows()
        if len(set(rows.numbers.tolist())) != len(rows.numbers):
            self._faults.append("an image has two rows")
        if not set(self._linked) <= set(rows.numbers.tolist()):
            self._faults.append("an image has no row")
        return Ledger(
            frozenset(self._found[FileState.INDEXED]),
            frozenset(self._found[FileState.FAILED]),
            frozenset(reader.file_path(key) or "" for _, key in queued),
            tuple(self._faults),
        )

    def _count_root(self, root: WatchRoot) -> None:
        indexed = pending = failed = 0
        stack = [root.directory]
        while stack:
            directory = stack.pop()
            stack += [child.directory_id for child in self._reader.children(directory)]
            for key, record in self._reader.files_in(directory).items():
                path = self._reader.file_path(key)
                assert path is not None
                self._found[record.state].add(path)
                indexed += record.state is FileState.INDEXED
                failed += record.state is FileState.FAILED
                if record.sequence:
                    pending += 1
                    self._sequences.add(record.sequence)
                if record.image is not None:
                    self._linked[record.image] += 1
                    if key not in self._reader.links(record.image):
                        self._faults.append(f"no link to {path}")
                    if self._reader.image(record.image) is None:
                        self._faults.append(f"no image behind {path}")
        kept = self._reader.counts().get(root.root_id, Counts())
        if (kept.indexed, kept.pending, kept.failed) != (indexed, pending, failed):
            self._faults.append(f"counters {kept} for {(indexed, pending, failed)}")
