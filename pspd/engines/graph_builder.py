"""Makes a graph of vectors in a process of its own: it takes minutes and a gigabyte.

    python -m pspd.engines.graph_builder FOLDER WORK      started by `pspd.engines.graph_building`

    WORK/task.json      what to make, see `Task`
    WORK/numbers-N.npy  rows to add, in files that belong together
    WORK/vectors-N.npy
    WORK/kept.npy       numbers of the old graph's rows that still count

The daemon keeps its memory and its lock of the interpreter, and outlives what goes wrong in here.
The process has the lowest priority, and ends with the daemon.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from pspd.engines.equal_rows import Crowds
from pspd.engines.graph_file import MappedGraph, Wanted, open_graph, publish
from pspd.engines.usearch_graph import empty_index

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_ROWS: Final = 8192
"""Rows that are added at once."""

GONE_SHARE: Final = 4
"""An old graph is taken over, with rows that do not count any more, unless one in so many does not.
To remove them would cost the links that lead over them, and each search passes them by at no cost
that could be measured while they are few."""

THREADS: Final = max(1, (os.cpu_count() or 1) // 2)
"""Half of the cores: usearch's threads spin while one of them waits for a core that others use. On
two busy cores two threads took 0.49 ms of processor time a row, one 0.24."""

ORPHANED: Final = 3
"""The exit status when the daemon is gone."""


class Task(msgspec.Struct, frozen=True):
    """What a builder is to make."""

    model: str
    owner: str
    dimensions: int
    files: int
    """Pairs of files with rows to add."""


def main(arguments: Sequence[str]) -> int:
    """Be the builder."""
    folder, work = (Path(each) for each in arguments)
    threading.Thread(target=_end_with_daemon, daemon=True).start()
    os.umask(0o077)
    with suppress(OSError):
        os.nice(19)
    with suppress(OSError, AttributeError):
        # Runs when no other process wants to; where the service forbids it, niceness is left.
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    task = msgspec.json.decode((work / "task.json").read_bytes(), type=Task)
    # usearch takes names in UTF-8 alone.
    os.chdir(folder)
    build(Path(), work, task)
    return 0


def build(folder: Path, work: Path, task: Task) -> None:
    """Make a graph of what still counts of the old one, and of the rows that came.

    Raises:
        OSError: It cannot be written.
        RuntimeError: usearch cannot, for want of memory.
    """
    wanted = Wanted(task.model, task.owner, task.dimensions)
    kept: NDArray[np.int64] = np.load(work / "kept.npy")
    old = open_graph(folder, wanted) if len(kept) else None
    making = _Making(task.dimensions)
    if old is not None and _is_worth_it(old, kept, work, task):
        making.take_over(old)
    elif old is not None:
        for numbers in _blocks(kept):
            making.add(numbers, old.vectors(numbers))
    for file in range(task.files):
        numbers = np.load(work / f"numbers-{file}.npy", mmap_mode="r")
        vectors = np.load(work / f"vectors-{file}.npy", mmap_mode="r")
        for first in range(0, len(numbers), BLOCK_ROWS):
            part = slice(first, first + BLOCK_ROWS)
            making.add(np.array(numbers[part]), np.array(vectors[part]))
    publish(folder, making.index, making.crowds.followers(), wanted)


class _Making:
    """A graph that grows."""

    def __init__(self, dimensions: int) -> None:
        self.index = empty_index(dimensions)
        self.crowds = Crowds()

    def take_over(self, old: MappedGraph) -> None:
        """Begin with a copy of another graph."""
        self.index.load(old.view)
        leads = old.numbers == old.leaders
        for numbers in _blocks(old.numbers[leads]):
            self.crowds.take(numbers, old.vectors(numbers))
        self.crowds.follow(np.stack([old.numbers[~leads], old.leaders[~leads]], axis=1))

    def add(self, numbers: NDArray[np.int64], vectors: NDArray[np.int8]) -> None:
        """Add rows that are not there."""
        leads = self.crowds.take(numbers, vectors)
        if leads.any():
            self.index.add(numbers[leads].astype(np.uint64), vectors[leads], threads=THREADS)


def _is_worth_it(old: MappedGraph, kept: NDArray[np.int64], work: Path, task: Task) -> bool:
    """Say whether a graph is better taken over than made anew."""
    if len(kept) * GONE_SHARE <= len(old.numbers) * (GONE_SHARE - 1):
        return False
    # What is there with another vector would have to be removed, and others may follow it.
    return not any(
        np.isin(np.load(work / f"numbers-{file}.npy"), old.numbers).any()
        for file in range(task.files)
    )


def _blocks(numbers: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for first in range(0, len(numbers), BLOCK_ROWS):
        yield numbers[first : first + BLOCK_ROWS]


def _end_with_daemon() -> None:
    """End this process when nobody is there any more who wants the graph."""
    while os.read(0, 1):
        pass
    os._exit(ORPHANED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
