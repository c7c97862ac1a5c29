"""The storekeeper's regular duties: readers, backups, the disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pspd.committing import Options as IndexerOptions
from pspd.core.model import FileKey, Limits
from pspd.core.verdict import FLAT_QUALITY
from pspd.errors import RequestError, StoreError
from pspd.indexer import Indexer
from pspd.noticeboard import NoticeBoard
from pspd.quarantine import Quarantine
from pspd.reading import FileReader
from pspd.room import Room
from pspd.search.linear import LinearIndex
from pspd.store import backups, batch, file_system, first_look, manifest
from pspd.store.checking import Checker, Progress
from pspd.store.opened_store import OpenedStore
from pspd.store.opening import Options as StoreOptions
from pspd.store.opening import open_store
from pspd.store.store import Store
from pspd.store_rounds import Options
from pspd.storekeeper import Storekeeper
from pspd.workers.pool import WorkerPool
from tests.store.damage import change_page, make_compact, zeros
from tests.store.raw import Raw
from tests.store.records import add_everything, add_root, features, image_id, stamp
from tests.waiting import expect

READER = """
import lmdb, sys
environment = lmdb.open(sys.argv[1], max_dbs=20, lib_version=0, map_size=1 << 26, readonly=True)
with environment.begin() as transaction:
    print("reading", flush=True)
    sys.stdin.read()
"""


class Nobody:
    """An audience that does not listen."""

    def announce(self, changes: object) -> None:
        """Hear nothing."""

    def look_at(self, path: str, seconds: float = 0.0) -> None:
        """Look at nothing."""


@dataclass
class Bench:
    """A storekeeper and what it keeps."""

    state: Path
    opened: OpenedStore
    board: NoticeBoard
    keeper: Storekeeper
    indexer: Indexer
    rescans: list[None]
    given_up: list[str]

    @property
    def store(self) -> Store:
        return self.opened.store

    @property
    def data_bytes(self) -> int:
        return (self.state / "store" / "data.mdb").stat().st_size


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with keeping(tmp_path) as made:
        yield made


@contextmanager
def keeping(state: Path) -> Iterator[Bench]:
    """Open the store in a state directory and have it kept."""
    with ExitStack() as stack:
        opened = open_store(state, StoreOptions(1 << 26))
        stack.callback(opened.close)
        pool = WorkerPool(1, Limits())
        reader = FileReader(
            opened.store,
            pool,
            Quarantine(opened.store, "this one"),
            quiet_seconds=0.1,
            max_delay_seconds=1.0,
        )
        index = LinearIndex(FLAT_QUALITY)
        index.put(opened.rows())
        indexer = Indexer(opened.store, index, reader, IndexerOptions(1, 0.1, 16, 0.01), Nobody())
        board = NoticeBoard()
        rescans: list[None] = []
        given_up: list[str] = []
        keeper = Storekeeper(
            opened=opened,
            indexer=indexer,
            reader=reader,
            rescan=lambda: rescans.append(None),
            board=board,
            stop=lambda: None,
            give_up=given_up.append,
            options=Options(state, backup_days=7.0, backups_kept=1),
        )
        yield Bench(state, opened, board, keeper, indexer, rescans, given_up)


def churn(store: Store, times: int) -> None:
    """Change the same few files again and again."""
    with store.read() as reader:
        roots = reader.roots()
    root = roots[0] if roots else add_root(store)
    for number in range(times):
        for name in range(4):
            key = FileKey(root.directory, f"{name}")
            [(sequence, _)] = store.apply([batch.FileSeen(key, stamp(number + 1))]).queued
            indexed = batch.FileIndexed(
                key, sequence, stamp(number + 1), False, image_id(name), features(name)
            )
            store.apply([indexed])


def reading(bench: Bench) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", READER, bench.state / "store"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"reading\n"
    return process


def test_a_killed_reader_does_not_make_the_file_grow(bench: Bench) -> None:
    churn(bench.store, 10)
    before = bench.data_bytes
    process = reading(bench)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    bench.keeper.rounds.look_at_readers()
    assert bench.board.counters() == {"dead_readers_freed": 1}
    churn(bench.store, 60)
    assert bench.data_bytes <= 2 * before


def test_a_reader_that_does_not_end_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pspd.store_rounds.LONG_READER_TRANSACTIONS", 50)
    churn(bench.store, 1)
    process = reading(bench)
    try:
        churn(bench.store, 10)
        bench.keeper.rounds.look_at_readers()
        [notice] = bench.board.notices()
        assert "reads the store" in notice.cause
    finally:
        process.communicate(b"")
    bench.keeper.rounds.look_at_readers()
    assert bench.board.notices() == []


def test_a_backup_is_made_when_the_newest_is_too_old(bench: Bench) -> None:
    bench.keeper.rounds.back_up_when_due()
    churn(bench.store, 1)
    bench.indexer.start()
    bench.indexer.barrier().result(timeout=30)
    bench.keeper.start()
    try:
        bench.keeper.rounds.back_up_when_due()
        finish(bench.keeper, 1)
        [made] = backups.find(bench.state)
        bench.keeper.rounds.back_up_when_due()
        shutil.move(made, made.with_name("store-20010101-000000"))
        os.utime(backups.find(bench.state)[0] / "data.mdb", (1e9, 1e9))
        bench.keeper.rounds.back_up_when_due()
        finish(bench.keeper, 2)
    finally:
        bench.keeper.close()
        bench.indexer.close()
    assert len(backups.find(bench.state)) == 1
    with pytest.raises(RequestError):
        bench.keeper.job(3)


def finish(keeper: Storekeeper, number: int) -> None:
    job = keeper.job(number)
    assert job.finished.wait(30)
    assert job.error is None


def test_a_backup_does_not_hold_up_readers_or_writers(bench: Bench) -> None:
    churn(bench.store, 10)
    bench.keeper.start()
    try:
        job = bench.keeper.begin("backup")
        while not job.is_finished:
            churn(bench.store, 1)
            with bench.store.read() as reader:
                assert reader.meta("pictures") == 4
        assert job.error is None
    finally:
        bench.keeper.close()
    store = Store(Path(job.summary), map_bytes=1 << 26)
    with store.read() as reader:
        # A file that was just seen to have changed has no image for a moment.
        assert reader.meta("pictures") in {3, 4}
    store.close()


def test_a_backup_that_cannot_be_written_leaves_nothing(bench: Bench, tmp_path: Path) -> None:
    churn(bench.store, 1)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="no backup can be written"):
        backups.make(bench.store, tmp_path / "file" / "below", 1e9)


def test_the_floor_of_free_space_is_smaller_on_small_disks(tmp_path: Path) -> None:
    status = os.statvfs(tmp_path)
    size, free = status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize
    assert file_system.missing_room(tmp_path, 0) == 0
    missing = file_system.missing_room(tmp_path, 1 << 60)
    assert missing == max(0, size // 20 - free) or abs(missing - (size // 20 - free)) < 1 << 30


def test_a_failure_is_tried_again_later_and_later_but_at_once_when_room_is_made(
    tmp_path: Path,
) -> None:
    stopping = threading.Event()
    room = Room(tmp_path, 0, retry_seconds=(0.0, 0.001))
    assert not room.wait(1, stopping)
    assert not room.wait(7, stopping)
    stopping.set()
    assert Room(tmp_path, 0, retry_seconds=(60.0,)).wait(1, stopping)


def test_a_store_that_another_process_made_larger_goes_on(bench: Bench) -> None:
    """The map of this one is smaller than the file by then."""
    grow = (
        "import lmdb,sys\n"
        "e = lmdb.open(sys.argv[1], max_dbs=20, lib_version=0, map_size=1 << 28)\n"
        "d = e.open_db(b'meta')\n"
        "for n in range(30):\n"
        "    with e.begin(write=True, db=d) as t: t.put(b'junk%d' % n, bytes(4 << 20))\n"
        "with e.begin(write=True, db=d) as t: [t.delete(b'junk%d' % n) for n in range(30)]\n"
    )
    churn(bench.store, 1)
    command = [sys.executable, "-c", grow, str(bench.state / "store")]
    subprocess.run(command, check=True)
    with bench.store.read() as reader:
        assert reader.meta("pictures") == 4
    churn(bench.store, 2)


def lead_astray(raw: Raw) -> None:
    raw.put("inodes", raw.first("inodes"), (999).to_bytes(8, "little"))


def lose_a_file(raw: Raw) -> None:
    raw.delete("files", raw.first("files"))


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (lead_astray, "leads to no directory"),
        (lose_a_file, "leads to no file with this image"),
    ],
)
def test_after_an_unclean_end_what_leads_where_is_checked_and_mended(
    tmp_path: Path, harm: Callable[[Raw], None], expected: str
) -> None:
    """These may be wrong without a sum being off."""
    not_closed_in_order(tmp_path)
    raw = Raw(tmp_path / "store")
    harm(raw)
    raw.close()
    with keeping(tmp_path) as bench:
        assert bench.opened.notices == []
        bench.keeper.start()
        finish(bench.keeper, 1)
        bench.keeper.close()
        [notice] = bench.board.notices()
        assert expected in notice.cause
        assert len(bench.rescans) == 1
        assert list(Checker(bench.store, Progress()).run()) == []


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory whose store was closed in order and counts as large."""
    opened = open_store(tmp_path, StoreOptions(1 << 26))
    add_everything(opened.store)
    opened.close()
    make_compact(tmp_path)
    monkeypatch.setattr(first_look, "SMALL_BYTES", 0)
    return tmp_path


def test_a_damaged_value_in_the_rest_of_a_large_store_is_mended_while_it_is_used(
    large: Path,
) -> None:
    change_page(large, b"PNG", lambda page: page.replace(b"PNG", b"GIF"))
    with keeping(large) as bench:
        assert bench.opened.notices == []
        bench.keeper.start()
        expect(lambda: bool(bench.rescans))
        expect(lambda: bool(bench.board.notices()))
        bench.keeper.close()
        assert "damage was met" in bench.board.notices()[0].cause
        assert list(Checker(bench.store, Progress()).run()) == []


def test_a_damaged_page_in_the_rest_of_a_large_store_has_it_built_anew(large: Path) -> None:
    change_page(large, b"broken.png", zeros)
    with keeping(large) as bench:
        bench.keeper.start()
        expect(lambda: bench.given_up == ["store"])
        bench.keeper.close()
    known = manifest.read(large)
    assert known is not None
    assert known.is_condemned


def not_closed_in_order(state: Path) -> None:
    """Make a store as a kill leaves it."""
    opened = open_store(state, StoreOptions(1 << 26))
    add_everything(opened.store)
    opened.store.close()


def test_a_check_of_the_daemons_own_that_a_stop_cut_short_is_made_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    not_closed_in_order(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("pspd.store.checking.GENTLE_SECONDS", 0.0)
        patched.setattr("pspd.store.checking._ASKED_EACH", 1)
        patched.setattr("pspd.store.checking.REST_SECONDS", 0.2)
        with keeping(tmp_path) as bench:
            bench.keeper.start()
            expect(lambda: bench.keeper.job(1).progress.done > 0)
            bench.keeper.close()
    with keeping(tmp_path) as bench:
        bench.keeper.start()
        finish(bench.keeper, 1)
        bench.keeper.close()
    with keeping(tmp_path) as bench:
        assert bench.opened.unchecked == "nothing"


def test_a_check_of_the_daemons_own_that_failed_is_made_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    not_closed_in_order(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", "/nowhere/python")
        with keeping(tmp_path) as bench:
            bench.keeper.start()
            assert bench.keeper.job(1).finished.wait(30)
            assert isinstance(bench.keeper.job(1).error, StoreError)
            bench.keeper.close()
    with keeping(tmp_path) as bench:
        assert bench.opened.unchecked == "all"
        bench.keeper.start()
        finish(bench.keeper, 1)
        bench.keeper.close()
    with keeping(tmp_path) as bench:
        assert bench.opened.unchecked == "nothing"


def test_a_store_that_was_closed_in_order_is_not_checked_again(tmp_path: Path) -> None:
    with keeping(tmp_path) as bench:
        churn(bench.store, 1)
    with keeping(tmp_path) as bench:
        bench.keeper.start()
        bench.keeper.close()
        with pytest.raises(RequestError):
            bench.keeper.job(1)


def test_a_check_of_the_daemons_own_that_takes_long_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pspd.store_rounds.TELL_SECONDS", 0.0)
    opened = open_store(tmp_path, StoreOptions(1 << 26))
    add_everything(opened.store)
    opened.store.close()
    with keeping(tmp_path) as bench:
        with bench.indexer.at_rest():  # where the check ends, so that it does not
            bench.keeper.start()
            expect(lambda: any("% of it is done" in each.cause for each in bench.board.notices()))
        expect(lambda: bench.board.notices() == [])
        bench.keeper.close()


def test_the_daemons_own_check_gives_way_to_a_persons_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pspd.store.checking.GENTLE_SECONDS", 0.0)
    monkeypatch.setattr("pspd.store.checking._ASKED_EACH", 1)
    monkeypatch.setattr("pspd.store.checking.REST_SECONDS", 0.2)
    opened = open_store(tmp_path, StoreOptions(1 << 26))
    add_everything(opened.store)
    opened.store.close()
    with keeping(tmp_path) as bench:
        bench.keeper.start()
        expect(lambda: bench.keeper.job(1).progress.done > 0)
        bench.keeper.begin("backup")
        finish(bench.keeper, 2)
        assert backups.find(tmp_path)
        assert bench.keeper.job(1).is_broken_off
        again = bench.keeper.job(3)
        assert not again.is_finished
        monkeypatch.setattr("pspd.store.checking.REST_SECONDS", 0.0)
        finish(bench.keeper, 3)
        assert again.summary == "nothing is wrong"
        bench.keeper.close()
