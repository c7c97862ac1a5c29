"""What cannot be watched: when it is polled, and what a person reads of it."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from pspd.core.model import Directory, DirectoryId, RootId, WatchRoot
from pspd.noticeboard import NoticeBoard
from pspd.rpc import wire
from pspd.watcher.coverage import POLLED_AT_ONCE, Coverage
from pspd.watcher.directories import Place
from pspd.watcher.mounts import MountTable
from pspd.watcher.notify import TreeNotifier

ROOT = WatchRoot(RootId(1), "/pictures")


class Refusing(TreeNotifier):
    """Refuses every watch with an error, while there is one."""

    name = "refusing"
    echo_seconds: float | None = None
    error: int | None = errno.ENOSPC

    def enter(self, descriptor: int, directory: DirectoryId) -> None:  # noqa: ARG002
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))

    def start(self, sink: object) -> None: ...
    def watch(self, path: str) -> None: ...
    def unwatch(self, path: str) -> None: ...
    def close(self, deadline: float = 0.0) -> None: ...
    def is_alive(self) -> bool:
        return True


class Bench:
    def __init__(self, folder: Path) -> None:
        self.board = NoticeBoard()
        self.notifier = Refusing()
        self.descriptor = os.open(folder, os.O_RDONLY)
        self.coverage = Coverage(
            self.board, MountTable("/nowhere"), lambda: self.notifier, shortest=5.0, longest=300.0
        )

    def enter(self, number: int) -> None:
        self.coverage.enter(self.descriptor, os.fstat(self.descriptor).st_dev, ROOT, place(number))


def place(number: int, name: str = "") -> Place:
    name = name or f"folder {number}"
    return Place((name,), Directory(DirectoryId(number), RootId(1), DirectoryId(99), name, 1, 1))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_limit_that_concerns_100_000_folders_is_one_notice(bench: Bench) -> None:
    for number in range(100_000):
        bench.enter(number)
    bench.coverage.publish()
    (notice,) = bench.board.notices()
    assert notice.area == "watching"
    assert notice.path == ""
    assert "100,000 folders" in notice.cause
    assert "folder 4" in notice.cause
    assert "folder 5" not in notice.cause
    assert "max_" in notice.cause
    assert notice.cure.startswith("sudo sysctl ")
    assert len(notice.cause) < 600


def test_a_cured_folder_is_no_longer_told_nor_polled(bench: Bench) -> None:
    for number in range(3):
        bench.enter(number)
    bench.notifier.error = None
    for number in range(3):
        bench.enter(number)
    bench.coverage.publish()
    assert bench.board.notices() == []
    assert bench.coverage.count == 0
    assert bench.coverage.take_due(time.monotonic() + 10_000) == []


def test_what_rests_is_looked_at_less_and_less_often(bench: Bench) -> None:
    bench.enter(1)
    pauses: list[int] = []
    last = time.monotonic()
    while len(pauses) < 9:
        now = bench.coverage.next_due()
        assert now is not None
        # Plans that were made before are passed over when their time comes.
        if bench.coverage.take_due(now):
            pauses.append(round(now - last))
            last = now
            bench.coverage.polled(DirectoryId(1), now, is_changed=False)
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    bench.coverage.polled(DirectoryId(1), last, is_changed=True)
    assert bench.coverage.take_due(last + 5.0) == [1]


def test_a_look_that_came_to_nothing_is_made_again(bench: Bench) -> None:
    bench.enter(1)
    later = time.monotonic() + 6.0
    assert bench.coverage.take_due(later) == [1]
    # Nobody reports: the store could not be written, or the root was away.
    assert bench.coverage.take_due(later + 6.0) == [1]


def test_polling_takes_a_tenth_of_the_time_at_most(bench: Bench) -> None:
    for number in range(2 * POLLED_AT_ONCE):
        bench.enter(number)
    later = time.monotonic() + 6.0
    assert len(bench.coverage.take_due(later)) == POLLED_AT_ONCE
    bench.coverage.took(2.0)
    assert bench.coverage.take_due(later + 1.0) == []
    assert len(bench.coverage.take_due(later + 18.0)) == POLLED_AT_ONCE


def test_a_name_that_is_no_text_reaches_the_client(bench: Bench) -> None:
    name = os.fsdecode(b"\xff\n\x1b[31m\xe2\x80\xae")
    error = OSError(errno.EACCES, "denied")
    bench.coverage.closed(ROOT, place(1, name), error)
    bench.coverage.absent(DirectoryId(2), f"/pictures/{name}")
    bench.coverage.publish()
    notices = bench.board.notices()
    assert len(notices) == 2
    for notice in notices:
        sent = wire.Notice(notice.area, notice.cause, notice.cure, os.fsencode(notice.path))
        assert sent.path.endswith(name.encode("utf-8", "surrogateescape"))
        assert (notice.cause + notice.cure).isprintable()
        (notice.cause + notice.cure).encode("utf-8")


def test_other_causes_have_their_own_words_and_cures(bench: Bench) -> None:
    for number, error in enumerate([errno.EACCES, errno.EMFILE, errno.EIO]):
        bench.coverage.closed(ROOT, place(number), OSError(error, os.strerror(error)))
    bench.coverage.publish()
    cures = [notice.cure for notice in bench.board.notices()]
    assert any("chmod u+rx '/pictures/folder 0'" in cure for cure in cures), cures
    assert any("ulimit -n" in cure for cure in cures)
    assert all(cures)
