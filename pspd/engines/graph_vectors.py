"""A vector index for large libraries: a graph on disk for most rows, a scan for what is new.

    put ──> tail (`ExactVectors`) ──settle──> child process ──> graph on disk, mapped
                     │                                               │
    nearest ─────────┴───────────── best of both ────────────────────┘

The graph is a hierarchical navigable small world (Malkov, Yashunin: Efficient and robust
approximate nearest neighbor search using HNSW graphs, 2018), by usearch. It never changes once it
is mapped: what is put goes into the tail, what is dropped or replaced stays in the graph and does
not count. When the tail is long, a child makes a graph of both, and its file takes the place of the
old one. Searches go on meanwhile, and so do changes. A library below `LEAST_ROWS` has no graph.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pspd.core.model import ModelKey
from pspd.core.pausing import Pause, unhindered
from pspd.engines import graph_file
from pspd.engines.graph_builder import GONE_SHARE
from pspd.engines.graph_building import GraphBuilding
from pspd.engines.graph_file import MappedGraph, Wanted
from pspd.engines.graph_state import state_of
from pspd.log import get_logger
from pspd.search.best_rows import BestRows
from pspd.search.exact_vectors import ExactVectors
from pspd.search.vector_index import Looks, NearVectors, VectorRows

LEAST_ROWS: Final = 100_000
"""Rows from which on there is a graph."""

LOOSE_ROWS: Final = 16_384
"""Rows outside the graph, at most, or one in `LOOSE_SHARE` of its own: for them a graph is written
as a whole, 0.8 GB at a million rows."""

LOOSE_SHARE: Final = 32

PIECE_SECONDS: Final = 0.4
"""How long `settle` waits for a builder."""

_log = get_logger(__name__)

GraphMaker = Callable[[Path, Wanted, NDArray[np.int64], Iterable[VectorRows]], GraphBuilding]
"""As `GraphBuilding` is made."""


class GraphVectors:
    """A `VectorIndex` that keeps most of its rows in a file.

    Args:
        folder: For the file; of this index alone. Made when there is something to keep.
        model: Whose descriptors these are.
        owner: Whose image numbers these are, such as the store's number: a file of another owner
            or model is made anew.
        dimensions: Components of each vector.
        least_rows: Rows from which on there is a graph.
        loose_rows: Rows outside the graph, at least, for which another one is made.
        pause: Called while a file is verified.
        make_graph: Begins to make one.
    """

    def __init__(  # noqa: PLR0913 - all by name
        self,
        folder: Path,
        *,
        model: ModelKey,
        owner: str,
        dimensions: int,
        least_rows: int = LEAST_ROWS,
        loose_rows: int = LOOSE_ROWS,
        pause: Pause = unhindered,
        make_graph: GraphMaker = GraphBuilding,
    ) -> None:
        self._folder = folder
        self._make_graph = make_graph
        self._wanted = Wanted(model, owner, dimensions)
        self._least_rows = least_rows
        self._loose_rows = loose_rows
        self._pause = pause
        self._tail = ExactVectors(dimensions)
        self._writing = threading.Lock()
        self._settling = threading.Lock()
        self._building: GraphBuilding | None = None
        self._changed_meanwhile: list[NDArray[np.int64]] = []
        """Numbers that were put or dropped since the building began."""
        self._patience = 0
        """Rows that have to be loose before another graph is tried, after one failed."""
        graph_file.clean_up(folder)
        self._state = state_of(graph_file.open_graph(folder, self._wanted, pause))

    @property
    def dimensions(self) -> int:
        """Components of each vector."""
        return self._wanted.dimensions

    def __len__(self) -> int:
        return len(self._tail) + self._state.live

    def put(self, rows: VectorRows) -> None:
        """Add rows, and replace those whose number is there already; see `VectorIndex`."""
        with self._writing:
            # Into the tail first: who looks in between finds a row twice, never not.
            self._tail.put(rows)
            self._state = self._state.without(np.unique(rows.numbers))
            self._note(rows.numbers)

    def drop(self, numbers: Sequence[int] | NDArray[np.int64]) -> None:
        """Remove rows; numbers that are not there are passed over; see `VectorIndex`."""
        wanted = np.unique(np.asarray(numbers, dtype=np.int64))
        with self._writing:
            self._tail.drop(wanted)
            self._state = self._state.without(wanted)
            self._note(wanted)

    def nearest(
        self, queries: NDArray[np.float32], count: int, pause: Pause = unhindered
    ) -> NearVectors:
        """Find the rows whose cosine with any of the queries is largest; see `VectorIndex`."""
        looks = Looks.of(queries, self.dimensions, count)
        while True:
            state = self._state
            best = BestRows(count)
            self._tail.scan(looks, best, pause)
            # Rows that went from the tail into a new graph meanwhile are in neither otherwise.
            if self._state.graph is state.graph:
                break
        if count:
            state.offer(looks, count, best, pause)
        return best.near()

    def differing(self, rows: VectorRows) -> NDArray[np.int64]:
        """Return the numbers of those rows that are not there as they are; see `VectorIndex`."""
        rows = rows.last_of_equals()
        with self._writing:
            state = self._state
            is_other = np.isin(rows.numbers, self._tail.differing(rows))
        of_graph = np.isin(rows.numbers, state.of_graph(rows.numbers))
        if state.graph is not None and of_graph.any():
            there = state.graph.vectors(rows.numbers[of_graph])
            is_other[of_graph] = (there != rows.vectors[of_graph]).any(axis=1)
        return rows.numbers[is_other]

    def numbers(self) -> NDArray[np.int64]:
        """Return the numbers, ascending, of the rows that are there."""
        with self._writing:
            return np.union1d(self._tail.numbers(), np.flatnonzero(self._state.counts))

    def settle(self) -> bool:
        """Have a child make a graph, and take it over when it is done; see `VectorIndex`.

        Whoever calls this waits for what is written and verified meanwhile, which for the first
        graph of a large library takes some seconds.
        """
        with self._settling:
            if self._building is None:
                if not self._is_due():
                    return False
                return self._begin()
            is_made = self._building.wait(PIECE_SECONDS)
            if is_made is None:
                return True
            building, self._building = self._building, None
            graph = None
            if is_made:
                graph = graph_file.open_graph(self._folder, self._wanted, self._pause)
            self._take_over(graph, building.added)
            graph_file.clean_up(self._folder)
            return self._is_due()

    def close(self) -> None:
        """End a child that makes a graph; what it was to take up is read from the store again."""
        with self._settling:
            if self._building is not None:
                self._building.close()
                self._building = None

    # --- a new graph

    def _is_due(self) -> bool:
        state = self._state
        loose = len(self._tail)
        if state.graph is None:
            return loose >= max(self._least_rows, self._patience)
        rows = len(state.graph.numbers)
        gone = rows - state.live
        if loose + gone < self._patience or not len(self):
            return False
        return loose >= max(self._loose_rows, rows // LOOSE_SHARE) or gone * GONE_SHARE >= rows

    def _begin(self) -> bool:
        """Have a graph made of what is there now; returns whether it is being made."""
        with self._writing:
            self._changed_meanwhile.clear()
            state = self._state
            tail = self._tail.generation
            kept = np.flatnonzero(state.counts).astype(np.int64, copy=False)
        try:
            self._building = self._make_graph(self._folder, self._wanted, kept, tail.parts())
        except OSError as error:
            self._fail(str(error))
            return False
        return True

    def _take_over(self, graph: MappedGraph | None, added: NDArray[np.int64]) -> None:
        if graph is None:
            self._fail("no graph was made")
            return
        self._patience = 0
        made = state_of(graph)
        with self._writing:
            counts = made.counts
            # What was in the graph before and does not count now was changed, or dropped.
            before = self._state.counts
            was_there = np.zeros(len(counts), dtype=np.bool_)
            was_there[: len(before)] = before[: len(counts)]
            was_there[added[added < len(counts)]] = True
            changed = np.concatenate([np.empty(0, dtype=np.int64), *self._changed_meanwhile])
            was_there[changed[changed < len(counts)]] = False
            counts &= was_there
            self._state = replace(made, live=int(np.count_nonzero(counts)))
            self._tail.drop(np.setdiff1d(added, changed))
            self._changed_meanwhile.clear()
        _log.info("a graph of vectors was made", rows=len(graph.numbers))

    def _fail(self, reason: str) -> None:
        self._patience = 2 * max(len(self._tail), self._loose_rows)
        _log.error("new vectors are compared one by one", reason=reason, rows=len(self._tail))

    def _note(self, numbers: NDArray[np.int64]) -> None:
        self._changed_meanwhile.append(numbers)
        if self._building is None and not self._settling.locked():
            self._changed_meanwhile.clear()
