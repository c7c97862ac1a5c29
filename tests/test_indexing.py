"""Reading, indexing and upkeep with a real store, real files and real workers."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from pspd.committing import Options
from pspd.core.model import FileKey, FileRecord, FileState, ImageNumber, Limits
from pspd.core.verdict import FLAT_QUALITY
from pspd.features.extract import FEATURES_VERSION, extract
from pspd.indexer import Indexer
from pspd.precedence import STILL_SECONDS, Precedence
from pspd.quarantine import Quarantine
from pspd.reading import FileReader
from pspd.search.linear import LinearIndex
from pspd.second_looks import Missing, NotReady
from pspd.store import batch
from pspd.store.shapes import Column
from pspd.upkeep import Upkeep
from pspd.workers.pool import WorkerPool
from tests.e2e.scenes import save
from tests.waiting import expect
from tests.watcher.test_scan import Tree

QUIET = 0.2


class Bench:
    """A tree with all that is needed to index it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.tree = Tree(folder)
        stack.callback(self.tree.store.close)
        self.now = 0.0
        self.precedence = Precedence(lambda: self.now)
        self.paused = threading.Event()
        pool = WorkerPool(1, Limits())
        pool.start()
        stack.callback(pool.close)
        self.reader = FileReader(
            self.tree.store,
            pool,
            Quarantine(self.tree.store, "this one"),
            quiet_seconds=QUIET,
            max_delay_seconds=30.0,
            pause=self.pause,
        )
        self.index = LinearIndex(FLAT_QUALITY)
        self.changes: list[batch.PathChange] = []
        self.missing: list[str] = []
        self.indexer = Indexer(
            self.tree.store,
            self.index,
            self.reader,
            Options(1, QUIET, 16, 0.01),
            self,
            pause=self.pause,
        )
        self.stack = stack

    def pause(self) -> None:
        self.paused.set()
        self.precedence.pause()

    def announce(self, changes: Sequence[batch.PathChange]) -> None:
        self.changes += changes

    def look_at(self, path: str, seconds: float = 0.0) -> None:  # noqa: ARG002
        self.missing.append(path)

    def start(self) -> None:
        self.indexer.start()
        self.stack.callback(self.indexer.close)

    def scan(self) -> None:
        self.tree.hand_on = lambda operations: self.indexer.hand_on(operations, is_news=True)  # type: ignore[method-assign]
        self.tree.scan()

    def settle(self) -> None:
        self.indexer.barrier().result(timeout=30)

    def record(self, name: str) -> FileRecord | None:
        with self.tree.store.read() as reader:
            return reader.file(FileKey(self.tree.root.directory, name))

    def read(self, name: str) -> batch.Operation | None:
        """Read a file now, whatever the queue says."""
        record = self.record(name)
        assert record is not None
        key = FileKey(self.tree.root.directory, name)
        while True:
            try:
                return self.reader.read(record.sequence, key)
            except NotReady:
                continue  # within the clock's grain: at most some milliseconds


def upkeep_of(
    bench: Bench, *, keep_removed_days: float = 1, limits: Limits | None = None
) -> Upkeep:
    return Upkeep(
        bench.tree.store,
        bench.indexer,
        bench.reader,
        limits=limits or Limits(),
        keep_removed_days=keep_removed_days,
    )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(tmp_path, stack)


def test_what_is_scanned_is_read_stored_indexed_and_told(bench: Bench) -> None:
    save(1, bench.tree.top / "a.png")
    (bench.tree.top / "b.txt").write_text("no picture")
    bench.start()
    bench.scan()
    bench.settle()
    record = bench.record("a.png")

    assert record is not None
    assert record.state is FileState.INDEXED
    assert len(bench.index) == 1
    assert sorted((change.kind, Path(change.path).name) for change in bench.changes) == [
        ("failed", "b.txt"),
        ("indexed", "a.png"),
    ]
    assert bench.reader.extracted == 1
    assert bench.indexer.rate > 0


def test_reading_waits_for_those_who_are_served(bench: Bench) -> None:
    save(1, bench.tree.top / "a.png")
    bench.tree.scan()  # found, but nobody reads
    with bench.precedence.first():
        bench.start()
        assert bench.paused.wait(30)
        assert bench.reader.extracted == 0
        assert len(bench.index) == 0
    bench.settle()
    assert len(bench.index) == 1


def test_reading_goes_on_while_somebody_is_always_served(bench: Bench) -> None:
    save(1, bench.tree.top / "a.png")
    bench.tree.scan()
    with bench.precedence.first():
        bench.start()
        assert bench.paused.wait(30)
        bench.now = STILL_SECONDS
        bench.settle()
        assert len(bench.index) == 1


def test_storing_waits_between_operations_for_those_who_are_served(bench: Bench) -> None:
    save(1, bench.tree.top / "a.png")
    with bench.precedence.first():
        thread = threading.Thread(target=bench.scan)
        thread.start()
        assert bench.paused.wait(30)
        # Whoever is served reads as ever, while the writer stands still in its transaction.
        assert bench.record("a.png") is None
    thread.join(30)
    assert bench.record("a.png") is not None


def test_the_queue_is_served_after_a_restart(bench: Bench) -> None:
    save(1, bench.tree.top / "a.png")
    bench.tree.scan()  # found, but nobody reads
    bench.start()
    bench.settle()

    assert len(bench.index) == 1


def pause(bench: Bench, *, is_paused: bool = True) -> None:
    bench.tree.root = replace(bench.tree.root, paused=is_paused)
    bench.indexer.apply([batch.PutRoot(bench.tree.root)])


def test_what_waits_below_a_paused_root_is_not_read_until_that_goes_on(bench: Bench) -> None:
    for seed in range(3):
        save(seed, bench.tree.top / f"{seed}.png")
    bench.scan()  # news, while nobody reads
    pause(bench)
    bench.start()
    bench.settle()
    expect(lambda: bench.indexer.is_idle)
    assert bench.reader.extracted == 0

    pause(bench, is_paused=False)
    bench.indexer.root_is_back()
    bench.settle()
    assert len(bench.index) == 3


def test_pausing_a_root_frees_those_who_wait_for_its_files(bench: Bench) -> None:
    save(1, bench.tree.top / "a.png")
    bench.scan()
    barrier = bench.indexer.barrier()
    pause(bench)
    assert not barrier.done()
    bench.indexer.root_is_paused()
    assert barrier.result(timeout=30) is None


def test_a_file_that_is_not_where_it_was_is_left_to_the_watcher(bench: Bench) -> None:
    path = save(1, bench.tree.top / "a.png")
    bench.tree.scan()
    record = bench.record("a.png")
    assert record is not None
    path.unlink()

    with pytest.raises(Missing):
        bench.reader.read(record.sequence, FileKey(bench.tree.root.directory, "a.png"))


def test_a_file_below_a_root_that_is_gone_is_not_forgotten(bench: Bench) -> None:
    save(1, bench.tree.top / "a.png")
    bench.tree.scan()
    record = bench.record("a.png")
    assert record is not None
    bench.tree.top.rename(bench.tree.top.parent / "away")

    with pytest.raises(NotReady):
        bench.reader.read(record.sequence, FileKey(bench.tree.root.directory, "a.png"))


def test_a_file_that_somebody_writes_is_deferred(bench: Bench) -> None:
    path = save(1, bench.tree.top / "a.png")
    bench.tree.scan()
    with open(path, "ab"):
        operation = bench.read("a.png")

    assert isinstance(operation, batch.FileDeferred)


def test_a_known_content_is_linked_without_decoding(bench: Bench) -> None:
    path = save(1, bench.tree.top / "a.png")
    bench.start()
    bench.scan()
    bench.settle()
    shutil.copy(path, bench.tree.top / "b.png")
    bench.scan()
    bench.settle()

    assert bench.reader.extracted == 1
    with bench.tree.store.read() as reader:
        assert len(reader.links(ImageNumber(0))) == 2


def test_a_fifo_is_named_for_what_it_is(bench: Bench) -> None:
    os.mkfifo(bench.tree.top / "fifo.png")
    bench.tree.scan()
    operation = bench.read("fifo.png")

    assert isinstance(operation, batch.FileFailed)
    assert operation.reason == "not_a_file"


def test_old_features_answer_until_every_picture_is_extracted_again(bench: Bench) -> None:
    paths = [save(seed, bench.tree.top / f"{seed}.png") for seed in (1, 2)]
    bench.start()
    bench.scan()
    bench.settle()
    store = bench.tree.store
    current = {}
    for path in paths:
        features = extract(path.read_bytes(), Limits())
        with store.read() as reader:
            number = reader.number_of(features.image_id)
        assert number is not None
        current[number] = features.phash256
        old = replace(features, version=FEATURES_VERSION - 1, phash256=bytes(32))
        bench.indexer.apply([batch.ImageRefreshed(number, old)])
    store.set_meta("features_version", FEATURES_VERSION - 1)
    upkeep = upkeep_of(bench)
    upkeep.take_stock()
    assert upkeep.stale == 2
    with store.read() as reader:
        assert reader.cells(ImageNumber(0))[Column.PHASH256] == bytes(32)

    while upkeep.step():
        pass

    assert upkeep.stale == 0
    with store.read() as reader:
        assert reader.meta("features_version") == FEATURES_VERSION
        for number, phash in current.items():
            assert reader.cells(number)[Column.PHASH256] == phash


def test_a_picture_that_cannot_be_extracted_again_keeps_its_old_features(bench: Bench) -> None:
    path = save(1, bench.tree.top / "a.png")
    bench.start()
    bench.scan()
    bench.settle()
    old = replace(
        extract(path.read_bytes(), Limits()), version=FEATURES_VERSION - 1, phash256=bytes(32)
    )
    bench.indexer.apply([batch.ImageRefreshed(ImageNumber(0), old)])
    bench.tree.store.set_meta("features_version", FEATURES_VERSION - 1)
    path.unlink()
    upkeep = Upkeep(
        bench.tree.store, bench.indexer, bench.reader, limits=Limits(), keep_removed_days=1
    )
    upkeep.take_stock()
    while upkeep.step():
        pass

    with bench.tree.store.read() as reader:
        assert reader.cells(ImageNumber(0))[Column.PHASH256] == bytes(32)


def test_pictures_without_files_are_forgotten_after_their_time(bench: Bench) -> None:
    path = save(1, bench.tree.top / "a.png")
    bench.start()
    bench.scan()
    bench.settle()
    path.unlink()
    bench.scan()
    keeping = Upkeep(
        bench.tree.store, bench.indexer, bench.reader, limits=Limits(), keep_removed_days=1
    )
    keeping.step()
    assert len(bench.index) == 1

    forgetting = Upkeep(
        bench.tree.store, bench.indexer, bench.reader, limits=Limits(), keep_removed_days=-1
    )
    forgetting.step()
    assert len(bench.index) == 0


def test_closing_keeps_what_was_not_read_for_the_next_time(bench: Bench) -> None:
    for seed in range(8):
        save(seed, bench.tree.top / f"{seed}.png")
    bench.tree.scan()
    bench.indexer.start()
    bench.indexer.close()
    with bench.tree.store.read() as reader:
        waiting = {key.name for _, key in reader.queued(0, 100)}
        done = set(bench.tree.real()) - waiting
        for name in done:
            record = reader.file(FileKey(bench.tree.root.directory, name))
            assert record is not None
            assert record.state is FileState.INDEXED

    assert len(waiting) + len(done) == 8


def test_what_failed_is_tried_again_when_this_installation_can_read_more(bench: Bench) -> None:
    (bench.tree.top / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (bench.tree.top / "text.txt").write_text("no picture")
    bench.start()
    bench.scan()
    bench.settle()
    upkeep_of(bench).take_stock()
    bench.settle()
    bench.changes.clear()
    upkeep_of(bench).take_stock()
    bench.settle()
    assert bench.changes == []

    upkeep_of(bench, limits=Limits(max_pixels=7)).take_stock()
    bench.settle()

    assert [Path(change.path).name for change in bench.changes] == ["broken.png"]


def test_times_and_numbers_beyond_64_bits_do_no_harm(bench: Bench) -> None:
    for name, seconds in [("late.png", 13_569_465_600), ("early.png", -13_569_465_600)]:
        path = save(1, bench.tree.top / name)
        os.utime(path, (seconds, seconds))
    bench.start()
    bench.scan()
    bench.settle()

    assert sorted(Path(change.path).name for change in bench.changes) == ["early.png", "late.png"]
    assert {change.kind for change in bench.changes} == {"indexed"}


def test_a_socket_is_named_for_what_it_is(bench: Bench) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(bench.tree.top / "s"))
        bench.tree.scan()
        operation = bench.read("s")

    assert isinstance(operation, batch.FileFailed)
    assert operation.reason == "not_a_file"


def test_a_committer_that_died_does_not_hold_up_the_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(12):
        save(seed, bench.tree.top / f"{seed}.png")
    died: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda arguments: died.append(arguments.thread))
    bench.tree.scan()

    def fail(_changes: Sequence[batch.PathChange]) -> None:
        raise ZeroDivisionError

    bench.announce = fail  # type: ignore[method-assign, assignment]
    bench.indexer.start()
    bench.indexer._committer._thread.join(timeout=30)
    bench.indexer.close()

    assert len(died) == 1
