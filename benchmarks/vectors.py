"""How long an index of learned descriptors takes to answer, and how much of the truth it finds.

    python -m benchmarks.vectors --sizes 10000 100000 1000000 [--folder DIR]

Vectors are made, see `benchmarks.synthetic_vectors`. The scan of all is the truth that the graph is
compared with; the limit for both is reading the vectors once from memory, in the same run. The
graph is made and searched by the code that the daemon uses, whatever the library's size.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.index_latency import line, timings
from benchmarks.synthetic_vectors import STRENGTHS, Recipe
from pspd.core.model import ModelKey
from pspd.engines import graph_file, usearch_graph
from pspd.engines.graph_vectors import GraphVectors
from pspd.search.exact_vectors import CHUNK_ROWS, ExactVectors
from pspd.search.vector_index import VectorIndex

MODEL = ModelKey("made@0000000000000000")
NEAREST = 10
"""Rows of an answer of which the recall is told."""
WANTED = 50
"""Rows that a search asks for."""
LOOKS = 14
"""Vectors of one search: turns and crops of a picture."""


def queries_of(recipe: Recipe, exact: ExactVectors, count: int) -> Iterator[NDArray[np.float32]]:
    """Yield single queries near rows that are there, of each strength in turn."""
    random = np.random.default_rng(7)
    rows = next(iter(exact.generation.parts()))
    for number in range(count):
        picture = rows.vectors[random.integers(0, len(rows), 1)]
        yield recipe.moved(picture, STRENGTHS[number % len(STRENGTHS)], number)


def searches_of(recipe: Recipe, exact: ExactVectors, count: int) -> Iterator[NDArray[np.float32]]:
    """Yield the vectors of whole searches."""
    random = np.random.default_rng(8)
    rows = next(iter(exact.generation.parts()))
    for number in range(count):
        picture = rows.vectors[random.integers(0, len(rows), 1)]
        yield recipe.moved(np.repeat(picture, LOOKS, axis=0), STRENGTHS[number % 3], number)


def answering(
    index: VectorIndex, questions: Sequence[NDArray[np.float32]], wanted: int
) -> Callable[[], object]:
    """Return what asks the next question each time."""
    places = iter(range(1 << 40))
    return lambda: index.nearest(questions[next(places) % len(questions)], wanted)


def recall(
    index: VectorIndex, exact: ExactVectors, questions: Sequence[NDArray[np.float32]]
) -> tuple[float, float]:
    """Return the shares of the nearest, and of the very nearest rows that an index finds."""
    shares, firsts = [], []
    for question in questions:
        right = exact.nearest(question, NEAREST).numbers
        found = index.nearest(question, NEAREST).numbers
        shares.append(len(np.intersect1d(right, found)) / max(1, len(right)))
        firsts.append(right[0] in found)
    return statistics.fmean(shares), statistics.fmean(firsts)


def resident_megabytes() -> float:
    """Return this process's memory: its own, and pages of files."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def measure_exact(exact: ExactVectors, asked: Sequence[Sequence[NDArray[np.float32]]]) -> None:
    """Print how long reading and scanning all rows takes."""
    now = exact.generation
    # The last chunk has room for more.
    columns = [
        chunk.vectors[: now.count - first].view(np.uint64)
        for first, chunk in zip(range(0, now.count, CHUNK_ROWS), now.chunks, strict=False)
    ]

    def read() -> None:
        for column in columns:
            column.max()

    taken = timings(read)
    limit = statistics.median(taken)
    print(f"  {'':<28}{'median ms':>10}{'p99 ms':>10}{'ratio':>10}")
    print(line("read the vectors once", taken, limit))
    for questions in asked:
        name = f"scan, {len(questions[0])} vectors"
        print(line(name, timings(answering(exact, questions, WANTED)), limit))


def measure_graph(
    exact: ExactVectors,
    recipe: Recipe,
    folder: Path,
    asked: Sequence[Sequence[NDArray[np.float32]]],
) -> None:
    """Print how long making and searching a graph takes, and what it finds."""
    index = GraphVectors(
        folder, model=MODEL, owner="benchmark", dimensions=recipe.dimensions, least_rows=1
    )
    for part in exact.generation.parts():
        index.put(part)
    before, start = resident_megabytes(), time.perf_counter()
    while index.settle():
        pass
    seconds = time.perf_counter() - start
    known = graph_file.read_manifest(folder)
    assert known is not None, "the graph was not made"
    print(f"  graph of {known.count:,} made in {seconds:.1f} s, {known.bytes / 1e6:.0f} MB on disk")
    for questions in asked:
        name = f"graph, {len(questions[0])} vectors"
        print(line(name, timings(answering(index, questions, WANTED)), 1.0))
    print(f"  memory {before:.0f} MB before, {resident_megabytes():.0f} MB after, with the scan's")
    share, first = recall(index, exact, asked[0])
    print(f"  recall@{NEAREST} {share:.4f}, of the nearest {first:.4f}")
    index.close()


def measure(recipe: Recipe, folder: Path, questions: int) -> None:
    """Measure a library of one size."""
    exact = ExactVectors(recipe.dimensions)
    start = time.perf_counter()
    for part in recipe.parts():
        exact.put(part)
    seconds = time.perf_counter() - start
    print(f"{len(exact):,} × {recipe.dimensions}, drawn and put in {seconds:.1f} s")
    asked = [
        list(queries_of(recipe, exact, questions)),
        list(searches_of(recipe, exact, questions)),
    ]
    measure_exact(exact, asked)
    if usearch_graph.is_installed():
        measure_graph(exact, recipe, folder, asked)
    else:
        print("  graph: not measured, pip install 'picsearchpic[learned]'")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--dimensions", type=int, default=512)
    parser.add_argument("--questions", type=int, default=150)
    parser.add_argument("--folder", type=Path, help="for graphs, kept; else a scratch folder")
    options = parser.parse_args()
    for count in options.sizes:
        recipe = Recipe(count, options.dimensions)
        with tempfile.TemporaryDirectory() as scratch:
            folder = (options.folder or Path(scratch)) / str(count)
            measure(recipe, folder, options.questions)


if __name__ == "__main__":
    main()
