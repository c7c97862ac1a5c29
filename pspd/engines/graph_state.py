"""A graph in use, and which of its rows count: what a search sees of it, from beginning to end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pspd.core.pausing import Pause
from pspd.engines.graph_file import MappedGraph
from pspd.engines.usearch_graph import EXPANSION_SEARCH, vectors_of
from pspd.search.best_rows import BestRows
from pspd.search.exact_vectors import cosines
from pspd.search.vector_index import Looks, inverse_lengths

_ALL_BUT: Final = 1e-4
"""By how much usearch's distances may be off, of rows that are equally near or nearly so."""


@dataclass(frozen=True, slots=True, eq=False)
class GraphState:
    """What a reader looks at beside the tail."""

    graph: MappedGraph | None = None
    counts: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    """By number, whether the graph's row is the one that counts."""
    live: int = 0
    """Rows of the graph that do."""

    def of_graph(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those of some numbers of which the graph's row counts."""
        inside = numbers[(numbers >= 0) & (numbers < len(self.counts))]
        return inside[self.counts[inside]]

    def without(self, numbers: NDArray[np.int64]) -> GraphState:
        """Return a state in which the graph's rows of some numbers do not count."""
        found = self.of_graph(numbers)
        if not len(found):
            return self
        counts = self.counts.copy()
        counts[found] = False
        return replace(self, counts=counts, live=self.live - len(found))

    def offer(self, looks: Looks, count: int, best: BestRows, pause: Pause) -> None:
        """Offer what the graph finds near any query, compared with all of them.

        Args:
            looks: The queries.
            count: How many rows are wanted, at least one.
            best: What keeps them.
            pause: Called between two steps.
        """
        graph = self.graph
        if graph is None:
            return
        rows = len(graph.index)
        # What the graph keeps in mind anyway: more of them cost a look at each.
        asked = min(max(count, EXPANSION_SEARCH), rows)
        while True:
            pause()
            # In one thread: on busy cores two took 40 ms for 14 looks, of which one needs 4 to 8.
            answers = graph.index.search(looks.codes, asked, threads=1)
            found = [self._nearest(graph, count, *each) for each in _answers(answers, len(looks))]
            # Rows that do not count any more took places of those that do.
            if asked == rows or all(is_enough for _, is_enough in found):
                break
            asked = min(2 * asked, rows)
        near = np.unique(np.concatenate([keys for keys, _ in found]))
        if not len(near):
            return
        pause()
        vectors = vectors_of(graph.index, near)
        compared = cosines(vectors, inverse_lengths(vectors), looks)
        places, counts = graph.members.places(near)
        numbers = graph.members.numbers[places]
        is_there = self.counts[numbers]
        best.offer(numbers[is_there], np.repeat(compared, counts, axis=0)[is_there])

    def _nearest(
        self,
        graph: MappedGraph,
        count: int,
        keys: NDArray[np.int64],
        distances: NDArray[np.float32],
    ) -> tuple[NDArray[np.int64], bool]:
        """Return the nearest of what was found that have rows enough, and whether they have.

        What is all but as near as the last of them is among them.
        """
        places, counts = graph.members.places(keys)
        is_there = self.counts[graph.members.numbers[places]]
        whose = np.repeat(np.arange(len(keys)), counts)[is_there]
        if len(whose) > count:
            last = distances[whose[count - 1]] + _ALL_BUT
            return keys[distances <= last], True
        return keys, len(whose) >= min(count, self.live)


def state_of(graph: MappedGraph | None) -> GraphState:
    """Return a state in which every row of a graph counts."""
    if graph is None or not len(graph.numbers):
        return GraphState(graph)
    counts = np.zeros(int(graph.numbers[-1]) + 1, dtype=np.bool_)
    counts[graph.numbers] = True
    return GraphState(graph, counts, len(graph.numbers))


def _answers(found: Any, queries: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Yield keys and distances that usearch found for each query, the nearest first."""
    if queries == 1:
        yield found.keys.astype(np.int64), found.distances
        return
    for keys, distances, count in zip(found.keys, found.distances, found.counts, strict=True):
        yield keys[:count].astype(np.int64), distances[:count]
