"""Parts that die are started again and lose nothing; the tenth death in five minutes is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pspd.committing import Options
from pspd.core.backoff import Backoff
from pspd.core.model import Directory, DirectoryId, FileKey, FileState, Limits, WatchRoot
from pspd.core.verdict import FLAT_QUALITY
from pspd.indexer import Indexer
from pspd.noticeboard import NoticeBoard
from pspd.quarantine import Quarantine
from pspd.reading import FileReader
from pspd.search.index import Rows
from pspd.search.linear import LinearIndex
from pspd.store import batch
from pspd.store.store import Store
from pspd.supervision import Supervisor
from pspd.watcher.notify import NoNotifier
from pspd.watcher.watcher import Watcher
from pspd.workers.pool import WorkerPool
from tests.e2e.scenes import save
from tests.watcher.bench import OPTIONS as WATCHER_OPTIONS

PICTURES = 12
at_once = partial(Backoff, 0.001, 0.001)


def no_end(part: str) -> None:
    """Bear that a part gives up."""


class Deaths:
    """Raises at chosen calls, counted from 1."""

    def __init__(self, *calls: int) -> None:
        self.calls = set(calls)
        self.count = 0

    def __call__(self) -> None:
        self.count += 1
        if self.count in self.calls:
            raise ZeroDivisionError(f"call {self.count}")


class MortalIndex(LinearIndex):
    """An index whose memory ends at chosen calls."""

    def __init__(self, deaths: Deaths) -> None:
        super().__init__(FLAT_QUALITY)
        self._deaths = deaths

    def put(self, rows: Rows) -> None:
        self._deaths()
        super().put(rows)


class MortalReader(FileReader):
    """A reader that dies of chosen names, each so often."""

    deaths: dict[str, int]

    def read(self, sequence: int, key: FileKey) -> batch.Operation | None:
        if self.deaths.get(key.name, 0):
            self.deaths[key.name] -= 1
            raise KeyError(key.name)
        return super().read(sequence, key)


class Parts:
    """A supervised watcher and indexer of one root, with everything real below them."""

    def __init__(
        self,
        folder: Path,
        stack: ExitStack,
        *,
        index: Deaths,
        announcing: Deaths,
        reading: dict[str, int],
    ) -> None:
        self.top = folder / "root"
        self.top.mkdir()
        for seed in range(PICTURES):
            save(seed, self.top / f"{seed}.png")
        self.board = NoticeBoard()
        self.given_up: list[str] = []
        self.announcing = announcing
        self.told: list[batch.PathChange] = []
        supervisor = Supervisor(self.board, self.given_up.append, backoff=at_once)
        self.store = Store(folder / "store")
        stack.callback(self.store.close)
        pool = WorkerPool(1, Limits())
        stack.callback(pool.close)
        reader = MortalReader(
            self.store,
            pool,
            Quarantine(self.store, "this one"),
            quiet_seconds=0.1,
            max_delay_seconds=30.0,
        )
        reader.deaths = reading
        self.index = MortalIndex(index)
        self.indexer = Indexer(
            self.store,
            self.index,
            reader,
            Options(2, 0.1, 1, 0.0),
            self,
            make_thread=supervisor,
        )
        self._add_root()
        self.watcher = Watcher(
            self.store,
            NoNotifier,
            self.indexer,
            replace(WATCHER_OPTIONS, poll_seconds=1.0),
            self.board,
            make_thread=supervisor,
        )
        for part in (self.indexer, self.watcher):
            part.start()
            stack.callback(part.close)
        stack.callback(supervisor.close)

    def _add_root(self) -> None:
        status = self.top.stat()
        number = self.store.new_directory_id()
        self.root = WatchRoot(self.store.new_root_id(), str(self.top), directory=number)
        top = Directory(number, self.root.root_id, DirectoryId(0), "", status.st_dev, status.st_ino)
        self.store.apply([batch.PutDirectory(top), batch.PutRoot(self.root)])

    def announce(self, changes: Sequence[batch.PathChange]) -> None:
        self.told += changes
        self.announcing()

    def look_at(self, path: str, seconds: float = 0.0) -> None:
        self.watcher.look_at(path, seconds)

    def sync(self) -> None:
        """Wait as `pspc sync` does."""
        self.watcher.scan_all().result(timeout=30)
        self.indexer.barrier().result(timeout=30)

    def states(self) -> dict[str, FileState]:
        with self.store.read() as reader:
            found = {key.name: reader.file(key) for key in reader.files_in(self.root.directory)}
        return {name: record.state for name, record in found.items() if record is not None}


Make = Callable[..., Parts]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with ExitStack() as stack:

        def made(
            index: Sequence[int] = (),
            announcing: Sequence[int] = (),
            reading: dict[str, int] | None = None,
        ) -> Parts:
            return Parts(
                tmp_path,
                stack,
                index=Deaths(*index),
                announcing=Deaths(*announcing),
                reading=reading or {},
            )

        yield made


def test_a_committer_that_dies_loses_nothing_and_keeps_nobody_waiting(make: Make) -> None:
    parts = make(announcing=[1, 3])
    parts.sync()

    assert set(parts.states().values()) == {FileState.INDEXED}
    assert len(parts.index) == PICTURES
    assert len({change.path for change in parts.told}) == PICTURES
    assert parts.board.counters()["committer_restarts"] == 2


def test_an_index_that_missed_a_batch_catches_up_with_the_store(make: Make) -> None:
    parts = make(index=[1, 2, 4])
    parts.sync()
    (parts.top / "0.png").unlink()
    save(77, parts.top / "new.png")
    parts.sync()

    assert len(parts.states()) == PICTURES
    with parts.store.read() as reader:
        assert len(parts.index) == len(reader.rows().numbers) == PICTURES + 1
    assert parts.board.counters()["committer_restarts"] >= 2


def test_a_reader_that_dies_reads_the_file_again(make: Make) -> None:
    parts = make(reading={"3.png": 1, "7.png": 1})
    parts.sync()

    assert set(parts.states().values()) == {FileState.INDEXED}
    assert parts.board.counters() == {"reader_restarts": 2}
    assert parts.board.notices() == []


def test_a_file_of_which_readers_die_is_recorded_as_failed(make: Make) -> None:
    parts = make(reading={"3.png": 1000})
    parts.sync()

    states = parts.states()
    assert states.pop("3.png") is FileState.FAILED
    assert set(states.values()) == {FileState.INDEXED}
    assert parts.given_up == []


def test_a_watcher_that_dies_scans_again_for_those_who_wait(make: Make) -> None:
    parts = make()
    parts.sync()
    parts.announcing.calls = {parts.announcing.count + 1}
    for seed in range(4):
        (parts.top / f"{seed}.png").unlink()
    parts.sync()

    assert len(parts.states()) == PICTURES - 4
    assert parts.board.counters() == {"watcher_restarts": 1}


def test_a_part_that_dies_ten_times_ends_the_daemon_loudly(make: Make) -> None:
    parts = make(announcing=range(1, 1000))
    for thread in threading.enumerate():
        if thread.name == "pspd-committer":
            thread.join(timeout=30)

    assert parts.given_up[0] == "committer"
    (notice,) = parts.board.notices()
    assert "died 10 times in 5 minutes (ZeroDivisionError)" in notice.cause


def test_what_is_down_is_told_and_withdrawn_when_it_is_up_again() -> None:
    board = NoticeBoard()
    up_again = threading.Event()
    down = threading.Event()

    def clock() -> float:
        down.set()  # it is asked at a death
        return 0.0

    supervisor = Supervisor(board, no_end, backoff=partial(Backoff, 0.2, 0.2), clock=clock)
    thread = supervisor("sorter", Deaths(1), recover=up_again.set)
    thread.start()
    assert down.wait(30)
    causes: list[str] = []
    while not up_again.is_set():
        causes += [notice.cause for notice in board.notices()]
    thread.join(timeout=30)

    assert set(causes) == {"the sorter died of an unexpected error (ZeroDivisionError)"}
    assert board.notices() == []
    assert board.counters() == {"sorter_restarts": 1}


def test_a_death_while_recovering_is_recovered_from_as_well() -> None:
    board = NoticeBoard()
    supervisor = Supervisor(board, no_end, backoff=at_once)
    recover = Deaths(1, 2)
    thread = supervisor("sorter", Deaths(1), recover=recover)
    thread.start()
    thread.join(timeout=30)

    assert not thread.is_alive()
    assert recover.count == 3
    assert board.counters() == {"sorter_restarts": 3}


def test_a_part_that_dies_while_the_daemon_stops_stays_dead() -> None:
    board = NoticeBoard()
    supervisor = Supervisor(board, no_end, backoff=at_once)
    supervisor.close()
    deaths = Deaths(1)
    thread = supervisor("sorter", deaths)
    thread.start()
    thread.join(timeout=30)

    assert deaths.count == 1
    assert board.counters() == {}


def test_a_part_that_waits_for_its_next_life_does_not_hold_up_the_end() -> None:
    board = NoticeBoard()
    supervisor = Supervisor(board, no_end, backoff=partial(Backoff, 3600.0, 3600.0))
    down = threading.Event()

    def die() -> None:
        down.set()
        raise ZeroDivisionError

    thread = supervisor("sorter", die)
    thread.start()
    assert down.wait(30)
    supervisor.close()
    thread.join(timeout=30)

    assert not thread.is_alive()
