"""Files that failed for now are read again, and nobody waits for those that nobody can reach."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pspd.core.model import FailureReason, FileKey, Limits
from pspd.quarantine import Quarantine
from pspd.reading import FileReader
from pspd.second_looks import GONE_ATTEMPTS, OVERLOAD_SECONDS, Missing, NotReady
from pspd.store import batch
from pspd.workers.pool import WorkerPool
from tests.e2e.scenes import save
from tests.watcher.test_scan import Tree
from tests.workers.test_workers import MISBEHAVING, QUICK

INCOMPLETE = 600.0


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    tree = Tree(tmp_path)
    yield tree
    tree.store.close()


def reader_of(tree: Tree, pool: WorkerPool) -> FileReader:
    return FileReader(
        tree.store,
        pool,
        Quarantine(tree.store, "this one"),
        quiet_seconds=0.0,
        max_delay_seconds=0.0,
        incomplete_seconds=INCOMPLETE,
    )


def read(tree: Tree, reader: FileReader, name: str) -> batch.FileFailed:
    """Read a file that fails, waiting out the clock's grain."""
    key = FileKey(tree.root.directory, name)
    tree.scan()
    with tree.store.read() as store:
        record = store.file(key)
    assert record is not None
    while True:
        try:
            failed = reader.read(record.sequence, key)
        except NotReady:
            continue
        assert isinstance(failed, batch.FileFailed)
        tree.store.apply([failed])
        return failed


def test_a_picture_that_ends_early_has_failed_and_is_looked_at_again(tree: Tree) -> None:
    whole = save(1, tree.top / "a.png").read_bytes()
    (tree.top / "a.png").write_bytes(whole[:-200])
    with closing(WorkerPool(1, Limits())) as pool:
        pool.start()
        reader = reader_of(tree, pool)
        failed = read(tree, reader, "a.png")
        assert failed.reason is FailureReason.TRUNCATED
        seconds = reader.looks.seconds_to_recheck(failed)
        assert seconds is not None
        assert 5.0 < seconds <= 10.0
        # A scan before that queues it again as well, as the next look will.
        (operation,) = tree.scan()
        assert isinstance(operation, batch.FileSuspect)


def test_a_picture_that_ended_early_long_ago_has_failed_for_good(tree: Tree) -> None:
    whole = save(1, tree.top / "a.png").read_bytes()
    (tree.top / "a.png").write_bytes(whole[:-200])
    with closing(WorkerPool(1, Limits())) as pool:
        pool.start()
        reader = FileReader(
            tree.store,
            pool,
            Quarantine(tree.store, "this one"),
            quiet_seconds=0.0,
            max_delay_seconds=0.0,
            incomplete_seconds=0.01,
        )
        failed = read(tree, reader, "a.png")
        assert failed.reason is FailureReason.TRUNCATED
        assert reader.looks.seconds_to_recheck(failed) is None
        assert not failed.racy
        assert tree.scan() == []


def test_a_file_that_took_too_long_is_read_once_more_and_then_no_more(tree: Tree) -> None:
    (tree.top / "slow").write_bytes(b"hang")
    with closing(WorkerPool(1, QUICK, command=MISBEHAVING)) as pool:
        pool.start()
        reader = reader_of(tree, pool)
        first = read(tree, reader, "slow")
        assert first.reason is FailureReason.TIMEOUT
        assert reader.looks.seconds_to_recheck(first) == OVERLOAD_SECONDS
        second = read(tree, reader, "slow")
        assert reader.looks.seconds_to_recheck(second) is None
        assert tree.scan() == []


def test_a_file_that_nobody_can_reach_holds_nobody_up_for_ever(tree: Tree) -> None:
    path = save(1, tree.top / "a.png")
    tree.scan()
    key = FileKey(tree.root.directory, "a.png")
    with tree.store.read() as store:
        record = store.file(key)
    assert record is not None
    path.unlink()
    reader = reader_of(tree, WorkerPool(1, Limits()))
    for _ in range(GONE_ATTEMPTS):
        with pytest.raises(Missing):
            reader.read(record.sequence, key)
    with pytest.raises(NotReady) as caught:
        reader.read(record.sequence, key)
    assert caught.value.is_absent


@pytest.mark.parametrize("seconds", [-(2**40), 2**33])
def test_times_of_other_centuries_are_no_reason_to_wait(tree: Tree, seconds: int) -> None:
    whole = save(1, tree.top / "a.png").read_bytes()
    (tree.top / "a.png").write_bytes(whole[:-200])
    os.utime(tree.top / "a.png", (0, seconds))
    with closing(WorkerPool(1, Limits())) as pool:
        pool.start()
        assert read(tree, reader_of(tree, pool), "a.png").reason is FailureReason.TRUNCATED
