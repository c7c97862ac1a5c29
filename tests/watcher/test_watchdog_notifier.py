"""The watchdog library behind the hint protocol, as events and as polling."""

from __future__ import annotations

import logging
import queue
import shutil
import threading
import time
from pathlib import Path

import pytest
from watchdog.observers.polling import PollingEmitter

from pspd.watcher.notify import AnyHint, Hint, Notifier, WatchError
from pspd.watcher.watchdog_notifier import STUCK_SECONDS, WatchdogNotifier
from tests.contracts.notifier_contract import Hints, NotifierContract


class TestEvents(NotifierContract):
    """Known gaps, healed by the rolling rescan.

    A renamed root is not told. Five ordinary operations end the library's reading thread (7.1.0):
    the watcher sees that it died, starts another and scans. Directories that are renamed while they
    are written go blind, under load a tenth of them.
    """

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_the_end_of_a_directory_is_survived(
        self, root: Path, hints: Hints, tmp_path: Path, notifier: Notifier
    ) -> None:
        (root / "old").rename(tmp_path / "outside")
        (root / "old").mkdir()
        (root / "old").rmdir()
        shutil.rmtree(tmp_path / "outside")
        (root / "after").write_text("x")
        try:
            assert self.leads_to(hints, root / "after")
        except queue.Empty:
            assert not notifier.is_alive(), "it is blind and does not say so"

    @pytest.fixture
    def notifier(self) -> WatchdogNotifier:
        return WatchdogNotifier()


class TestPolling(NotifierContract):
    @pytest.fixture
    def notifier(self) -> WatchdogNotifier:
        return WatchdogNotifier(polling=True, poll_seconds=0.05)


def test_a_missing_root_cannot_be_watched_and_says_why(tmp_path: Path) -> None:
    notifier = WatchdogNotifier()
    notifier.start(lambda _: None)
    try:
        with pytest.raises(WatchError, match="cannot be watched"):
            notifier.watch(str(tmp_path / "missing"))
    finally:
        notifier.close()


def test_an_emitter_that_hangs_in_a_drive_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, hangs = threading.Event(), threading.Event()

    def hang(_emitter: PollingEmitter, _timeout: float) -> None:
        hangs.set()
        answers.wait()

    monkeypatch.setattr(PollingEmitter, "queue_events", hang)
    notifier = WatchdogNotifier(polling=True, poll_seconds=0.05)
    notifier.start(lambda _: None)
    notifier.watch(str(tmp_path))
    assert hangs.wait(30)
    begun = time.monotonic()
    notifier.close(begun + 0.1)
    assert time.monotonic() - begun < STUCK_SECONDS
    answers.set()


def test_an_overflow_that_the_library_only_logs_becomes_a_hint_about_everything() -> None:
    received: queue.Queue[AnyHint] = queue.Queue()
    notifier = WatchdogNotifier()
    notifier.start(received.put)
    try:
        logging.getLogger("watchdog.observers.inotify").warning(
            "Inotify queue overflowed; reconciling recursive watches below %r", b"/x"
        )
        assert received.get(timeout=5) == Hint(None)
    finally:
        notifier.close()


def test_a_dead_reading_thread_is_noticed(tmp_path: Path) -> None:
    notifier = WatchdogNotifier()
    notifier.start(lambda _: None)
    notifier.watch(str(tmp_path))
    assert notifier.is_alive()
    notifier.close()

    assert not notifier.is_alive()
