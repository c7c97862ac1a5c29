"""Linux's inotify behind the hint protocol."""

from __future__ import annotations

import os
import queue
import sys
import threading
from pathlib import Path

import pytest

from pspd.core.model import DirectoryId
from pspd.watcher.inotify_notifier import InotifyNotifier
from pspd.watcher.notify import AnyHint, DirectoryHint, Hint
from tests.contracts.notifier_contract import PATIENCE, NotifierContract

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")

FIRST, SECOND = DirectoryId(1), DirectoryId(2)


class TestInotify(NotifierContract):
    @pytest.fixture
    def notifier(self) -> InotifyNotifier:
        return InotifyNotifier()


def entered(notifier: InotifyNotifier, folder: Path, number: DirectoryId) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        notifier.enter(descriptor, number)
    finally:
        os.close(descriptor)


def test_what_reading_causes_is_not_told(tmp_path: Path) -> None:
    received: queue.Queue[AnyHint] = queue.Queue()
    (tmp_path / "read").write_text("x")
    notifier = InotifyNotifier()
    notifier.start(received.put)
    try:
        entered(notifier, tmp_path, FIRST)
        for _ in range(100):
            (tmp_path / "read").read_text()
        (tmp_path / "written").write_text("x")
        hint = received.get(timeout=PATIENCE)
        assert hint == DirectoryHint(FIRST, frozenset({"written"}))
    finally:
        notifier.close()


def test_a_directory_with_two_numbers_is_hinted_at_under_both(tmp_path: Path) -> None:
    received: queue.Queue[AnyHint] = queue.Queue()
    notifier = InotifyNotifier()
    notifier.start(received.put)
    try:
        entered(notifier, tmp_path, FIRST)
        entered(notifier, tmp_path, SECOND)
        assert notifier.count == 1
        (tmp_path / "x").mkdir()
        hints = [received.get(timeout=PATIENCE) for _ in range(2)]
        assert {each.directory for each in hints if isinstance(each, DirectoryHint)} == {1, 2}
        notifier.leave([FIRST])
        (tmp_path / "y").mkdir()
        assert received.get(timeout=PATIENCE) == DirectoryHint(SECOND, frozenset({"y"}))
        notifier.leave([SECOND])
        assert notifier.count == 0
    finally:
        notifier.close()


def test_a_burst_beyond_the_kernels_queue_is_told_as_an_overflow(tmp_path: Path) -> None:
    received: queue.Queue[AnyHint] = queue.Queue()
    gate = threading.Event()
    notifier = InotifyNotifier(before_read=gate.wait)
    notifier.start(received.put)
    try:
        entered(notifier, tmp_path, FIRST)
        limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
        (tmp_path / "a").touch()
        for _ in range(limit // 4 + 1):
            (tmp_path / "a").rename(tmp_path / "b")
            (tmp_path / "b").rename(tmp_path / "a")
        gate.set()
        while received.get(timeout=PATIENCE) != Hint(None):
            pass
        assert notifier.is_alive()
    finally:
        gate.set()
        notifier.close()


def test_removals_are_counted_and_the_end_of_the_directory_itself_is_told(tmp_path: Path) -> None:
    received: queue.Queue[AnyHint] = queue.Queue()
    gate = threading.Event()
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in "abc":
        (folder / name).touch()
    notifier = InotifyNotifier(before_read=gate.wait)
    notifier.start(received.put)
    try:
        entered(notifier, folder, FIRST)
        for name in "abc":
            (folder / name).unlink()
        folder.rmdir()
        gate.set()
        hint = received.get(timeout=PATIENCE)
        assert hint == DirectoryHint(FIRST, frozenset("abc"), 4, is_self=True)
    finally:
        gate.set()
        notifier.close()


def test_the_death_of_its_reading_thread_is_noticed(tmp_path: Path) -> None:
    def die() -> None:
        raise OSError("the queue is broken")

    notifier = InotifyNotifier(before_read=die)
    notifier.start(lambda _: None)
    entered(notifier, tmp_path, FIRST)
    assert notifier.is_alive()
    (tmp_path / "x").touch()
    thread = next(each for each in threading.enumerate() if each.name == "inotify")
    thread.join(PATIENCE)

    assert not notifier.is_alive()
    notifier.close()


def test_who_catches_up_has_been_told_all_that_happened_before(tmp_path: Path) -> None:
    received: queue.Queue[AnyHint] = queue.Queue()
    gate = threading.Event()
    notifier = InotifyNotifier(gate.wait)
    notifier.start(received.put)
    try:
        entered(notifier, tmp_path, FIRST)
        (tmp_path / "new").touch()
        threading.Timer(0.1, gate.set).start()
        notifier.catch_up(PATIENCE)
        hint = received.get_nowait()
        assert isinstance(hint, DirectoryHint)
        assert hint.names == frozenset({"new"})
        notifier.catch_up(PATIENCE)
    finally:
        gate.set()
        notifier.close()
    notifier.catch_up(PATIENCE)
