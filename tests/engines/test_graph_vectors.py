"""The graph on disk keeps the contract, and whatever becomes of its file costs time alone."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from pspd.core.model import ModelKey
from pspd.engines import graph_builder, graph_vectors, usearch_graph
from pspd.engines.graph_building import GraphBuilding
from pspd.engines.graph_file import NAME, Manifest, read_manifest
from pspd.engines.graph_vectors import GraphVectors
from pspd.search.exact_vectors import ExactVectors
from pspd.search.quantising import quantised
from pspd.search.vector_index import VectorRows
from tests.contracts.vector_index_contract import DIMENSIONS, VectorIndexContract

pytestmark = pytest.mark.skipif(not usearch_graph.is_installed(), reason="needs the extra learned")

MODEL = ModelKey("sscd@0123456789abcdef")
COUNT = 3_000
WIDE = 32
FILES = 3
"""Of a graph."""


class MadeHere(GraphBuilding):
    """Makes the graph in this process: a child takes half a second to start."""

    def _begin(self, folder: Path) -> None:
        task = msgspec.json.decode((self._work / "task.json").read_bytes(), type=graph_builder.Task)
        graph_builder.build(folder, self._work, task)

    def wait(self, _seconds: float, /) -> bool | None:
        self.close()
        return True

    def close(self) -> None:
        for path in self._work.iterdir():
            path.unlink()
        self._work.rmdir()


class Settling(GraphVectors):
    """Has everything in the graph at once."""

    def put(self, rows: VectorRows) -> None:
        super().put(rows)
        while self.settle():
            pass


_folders = itertools.count()


class TestGraphVectors(VectorIndexContract):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def folder(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        cls.place = tmp_path_factory.mktemp("graphs")

    place: Path

    def make(self, dimensions: int = DIMENSIONS) -> GraphVectors:
        return made(self.place / str(next(_folders)), dimensions=dimensions)


class TestGraphVectorsInTheGraph(TestGraphVectors):
    def make(self, dimensions: int = DIMENSIONS) -> GraphVectors:
        folder = self.place / str(next(_folders))
        return made(folder, Settling, dimensions=dimensions, least_rows=1, loose_rows=1)


class TestGraphVectorsInBoth(TestGraphVectors):
    def make(self, dimensions: int = DIMENSIONS) -> GraphVectors:
        folder = self.place / str(next(_folders))
        return made(folder, Settling, dimensions=dimensions, least_rows=6, loose_rows=9)


def made(folder: Path, kind: type[GraphVectors] = GraphVectors, **options: Any) -> GraphVectors:
    given: dict[str, Any] = {
        "model": MODEL,
        "owner": "7",
        "dimensions": WIDE,
        "make_graph": MadeHere,
        **options,
    }
    return kind(folder, **given)


def random_rows(count: int = COUNT, *, seed: int = 1, first: int = 0) -> VectorRows:
    random = np.random.default_rng(seed)
    centres = random.standard_normal((count // 20 + 1, WIDE))
    vectors = centres[random.integers(0, len(centres), count)]
    vectors = vectors + 0.5 * random.standard_normal(vectors.shape)
    return VectorRows(np.arange(first, first + count), quantised(vectors.astype(np.float32)))


def queries_near(rows: VectorRows, count: int = 40) -> NDArray[np.float32]:
    random = np.random.default_rng(9)
    chosen = rows.vectors[random.integers(0, len(rows), count)].astype(np.float32)
    moved: NDArray[np.float32] = chosen + 15 * random.standard_normal(chosen.shape).astype("f4")
    return moved


def settled(index: GraphVectors) -> GraphVectors:
    while index.settle():
        pass
    return index


def recall(index: GraphVectors, exact: ExactVectors, queries: NDArray[np.float32]) -> float:
    found = wanted = 0
    for query in queries:
        right = exact.nearest(query[None], 10)
        there = index.nearest(query[None], 10)
        cosines = dict(zip(right.numbers.tolist(), right.cosines.tolist(), strict=True))
        for number, _, cosine in there:
            assert cosines.get(number, cosine) == cosine
        found += len(cosines.keys() & set(there.numbers.tolist()))
        wanted += len(cosines)
    return found / wanted


@pytest.fixture
def rows() -> VectorRows:
    return random_rows()


@pytest.fixture
def folder(tmp_path: Path, rows: VectorRows) -> Path:
    """A folder with a graph of all rows."""
    index = made(tmp_path / "graph", least_rows=1)
    index.put(rows)
    settled(index)
    assert in_graph(index) == COUNT
    return tmp_path / "graph"


def in_graph(index: GraphVectors) -> int:
    return index._state.live


def test_most_of_the_nearest_are_found(folder: Path, rows: VectorRows) -> None:
    index, exact = made(folder), ExactVectors(WIDE)
    exact.put(rows)
    assert in_graph(index) == len(index) == COUNT
    assert recall(index, exact, queries_near(rows)) > 0.98
    assert not len(index.differing(rows))
    assert index.numbers().tolist() == rows.numbers.tolist()


def test_many_queries_find_what_each_finds(folder: Path, rows: VectorRows) -> None:
    index, exact = made(folder), ExactVectors(WIDE)
    exact.put(rows)
    queries = queries_near(rows, 14)
    assert list(index.nearest(queries, 20)) == list(exact.nearest(queries, 20))


def test_crowds_of_equal_rows_are_found_and_are_in_nobodys_way(
    tmp_path: Path, rows: VectorRows
) -> None:
    """As of blank pictures: a graph of them all loses the way in, or out."""
    vectors = rows.vectors.copy()
    vectors[:800] = vectors[0]
    vectors[800:1_200] = vectors[1_200:1_600]
    mixed = VectorRows(rows.numbers, vectors[np.random.default_rng(1).permutation(COUNT)])
    index, exact = made(tmp_path / "graph", least_rows=1, loose_rows=50), ExactVectors(WIDE)
    for first in range(0, COUNT, 1_000):
        for each in (index, exact):
            each.put(mixed[first : first + 1_000])
        settled(index)
    assert index._state.graph is not None
    assert len(index._state.graph.index) == COUNT - 799 - 400
    assert in_graph(index) == COUNT
    assert recall(index, exact, queries_near(mixed)) > 0.98
    for each in (index, exact):
        each.drop(mixed.numbers[::3])
    assert recall(index, exact, queries_near(mixed)) > 0.98
    for kept in (index, settled(made(tmp_path / "graph", loose_rows=1))):
        assert not len(kept.differing(mixed[1::3]))


def test_rows_that_came_later_or_went_are_answered_from_at_once(
    folder: Path, rows: VectorRows
) -> None:
    index, exact = made(folder), ExactVectors(WIDE)
    exact.put(rows)
    new = random_rows(500, seed=2, first=COUNT)
    changed = random_rows(100, seed=3, first=50)
    for each in (index, exact):
        each.put(new)
        each.put(changed)
        each.drop(np.arange(100, 1_200))
    assert len(index) == len(exact)
    assert recall(index, exact, queries_near(rows)) > 0.98
    assert recall(index, exact, queries_near(changed)) > 0.98
    settled_again = settled(made(folder, loose_rows=1))
    assert len(settled_again) == COUNT, "what the file does not say comes from the store"


@pytest.mark.parametrize("gone", [100, 2_000], ids=["taken over", "made anew"])
def test_another_graph_has_what_is_there_by_then(folder: Path, rows: VectorRows, gone: int) -> None:
    index, exact = made(folder, loose_rows=50), ExactVectors(WIDE)
    exact.put(rows)
    new = random_rows(300, seed=2, first=COUNT)
    for each in (index, exact):
        each.put(new)
        each.put(random_rows(20, seed=4, first=gone + 10))
        each.drop(np.arange(gone))
    settled(index)
    assert in_graph(index) == len(index) == len(exact)
    assert recall(index, exact, queries_near(rows)) > 0.98
    again = made(folder)
    assert set(exact.numbers().tolist()) <= set(again.numbers().tolist())
    assert not len(again.differing(rows[gone + 30 :]))
    assert len(list(folder.iterdir())) == FILES, "former graphs are removed"


def test_what_changes_while_a_graph_is_made_counts(tmp_path: Path, rows: VectorRows) -> None:
    index, exact = made(tmp_path / "graph", least_rows=1), ExactVectors(WIDE)
    for each in (index, exact):
        each.put(rows)
    assert index.settle()
    new = random_rows(200, seed=5, first=COUNT - 100)
    for each in (index, exact):
        each.put(new)
        each.drop(np.arange(70))
    settled(index)
    assert in_graph(index) == COUNT - 170
    assert len(index) == len(exact)
    assert not len(index.differing(new))
    assert recall(index, exact, queries_near(rows)) > 0.98
    assert recall(index, exact, queries_near(new)) > 0.98


def test_a_graph_is_made_by_a_child_while_others_ask(tmp_path: Path, rows: VectorRows) -> None:
    """A folder whose name is no UTF-8, and rows that are changed all the while."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/gr\xffaph"))
    index = made(folder, least_rows=1, loose_rows=200, make_graph=GraphBuilding)
    index.put(rows)
    finished = threading.Event()

    def read() -> int:
        answers = 0
        while not finished.is_set():
            found = index.nearest(queries_near(rows[:1], 1), 5)
            assert found.numbers[0] == 0
            answers += 1
        return answers

    def write() -> None:
        for number in range(1, 400):
            index.put(random_rows(1, seed=number, first=number % 7 + 1))
            index.drop([number % 5 + 10])

    with ThreadPoolExecutor(3) as threads:
        readers = [threads.submit(read) for _ in range(2)]
        writer = threads.submit(write)
        try:
            settled(index)
            writer.result()
            settled(index)
        finally:
            finished.set()
        assert all(reader.result() for reader in readers)
    assert in_graph(index) > COUNT - 20
    assert len(index) == COUNT - 5
    index.close()


def test_a_library_that_is_small_has_no_file(tmp_path: Path, rows: VectorRows) -> None:
    index = made(tmp_path / "graph")
    index.put(rows)
    assert not index.settle()
    assert not (tmp_path / "graph").exists()


# --- what may become of the file


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) * 2 // 3] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def make_empty(path: Path) -> None:
    os.truncate(path, 0)


def replace_by_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


@pytest.mark.parametrize("which", ["file", "equals"])
@pytest.mark.parametrize("harm", [flip, cut, make_empty, Path.unlink, replace_by_link])
def test_a_file_that_is_not_what_was_written_is_made_anew(
    folder: Path, rows: VectorRows, harm: Callable[[Path], None], which: str
) -> None:
    known = read_manifest(folder)
    assert known is not None
    harm(folder / getattr(known, which))
    see_made_anew(folder, rows)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"library": "usearch 1.0"},
        {"model": "sscd@0123456789abcdee"},
        {"owner": "8"},
        {"dimensions": WIDE + 1},
        {"file": "../graph-x.usearch"},
        {"file": "data.mdb"},
        {"equals": "/etc/passwd"},
        {"equals_digest": ""},
        {"count": COUNT - 1},
        {"digest": "00" * 32},
        {"bytes": 7},
    ],
)
def test_a_graph_of_something_else_is_made_anew(
    folder: Path, rows: VectorRows, changes: dict[str, object]
) -> None:
    known = read_manifest(folder)
    assert known is not None
    changed = msgspec.structs.replace(known, **changes)
    (folder / NAME).write_bytes(msgspec.json.encode(changed))
    see_made_anew(folder, rows)


@pytest.mark.parametrize("document", [b"", b"{}", b"\xff", b"[1]", b'{"format": "x"}'])
def test_a_manifest_that_makes_no_sense_is_made_anew(
    folder: Path, rows: VectorRows, document: bytes
) -> None:
    (folder / NAME).write_bytes(document)
    see_made_anew(folder, rows)


def see_made_anew(folder: Path, rows: VectorRows) -> None:
    index = made(folder, least_rows=1)
    assert len(index) == 0
    index.put(rows)
    settled(index)
    assert in_graph(index) == COUNT
    assert len(made(folder)) == COUNT
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith("graph")) == [
        *sorted(path.name for path in folder.glob("graph-*")),
        NAME,
    ]


def test_a_manifest_is_as_documented(folder: Path) -> None:
    document = msgspec.json.decode((folder / NAME).read_bytes())
    known = msgspec.convert(document, Manifest)
    path = folder / known.file
    assert (known.format, known.model, known.owner) == (1, MODEL, "7")
    assert (known.count, known.dimensions, known.bytes) == (COUNT, WIDE, path.stat().st_size)
    assert known.library == usearch_graph.library()


def test_what_a_builder_left_behind_is_removed(folder: Path) -> None:
    (folder / "work-1").mkdir()
    (folder / "work-1" / "numbers-0.npy").touch()
    (folder / "graph-old.usearch").touch()
    (folder / "graph.json.new").touch()
    made(folder)
    assert len(list(folder.iterdir())) == FILES


class Killed(GraphBuilding):
    """Its child does not come far."""

    def _begin(self, folder: Path) -> None:
        super()._begin(folder)
        os.kill(self._child.pid, signal.SIGKILL)


class Unwritable(GraphBuilding):
    """The disk is full."""

    def _write(self, *_: object) -> NDArray[np.int64]:
        raise OSError("No space left on device")


@pytest.mark.parametrize("maker", [Killed, Unwritable])
def test_a_graph_that_cannot_be_made_is_tried_again_later(
    tmp_path: Path, rows: VectorRows, maker: type[GraphBuilding]
) -> None:
    index = made(tmp_path / "graph", least_rows=1, loose_rows=50, make_graph=maker)
    index.put(rows)
    settled(index)
    assert in_graph(index) == 0
    assert not index.settle(), "not before there is more to do"
    assert len(index.nearest(queries_near(rows, 1), 5)) == 5
    index._make_graph = MadeHere
    index.put(random_rows(COUNT, seed=2, first=COUNT))
    settled(index)
    assert in_graph(index) == 2 * COUNT
    assert len(list((tmp_path / "graph").iterdir())) == FILES


def test_a_child_ends_with_its_index(tmp_path: Path, rows: VectorRows) -> None:
    index = made(tmp_path / "graph", least_rows=1, make_graph=GraphBuilding)
    index.put(rows)
    assert index.settle()
    building = index._building
    assert building is not None
    index.close()
    assert building._child.poll() is not None
    assert list((tmp_path / "graph").iterdir()) == []


def test_pieces_are_short_while_a_child_works(
    tmp_path: Path, rows: VectorRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_vectors, "PIECE_SECONDS", 0.0)
    index = made(tmp_path / "graph", least_rows=1, make_graph=GraphBuilding)
    index.put(rows)
    assert index.settle()
    assert index.settle(), "it is not done yet"
    monkeypatch.undo()
    settled(index)
    assert in_graph(index) == COUNT
