"""The watchdog library behind the hint protocol, as events and as polling."""

from __future__ import annotations

import logging
import queue
from pathlib import Path

import pytest

from pspd.watcher.notify import Hint, WatchError
from pspd.watcher.watchdog_notifier import WatchdogNotifier
from tests.contracts.notifier_contract import NotifierContract


class TestEvents(NotifierContract):
    """Known gap, healed by the rolling rescan: a renamed root is not told."""

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


def test_an_overflow_that_the_library_only_logs_becomes_a_hint_about_everything() -> None:
    received: queue.Queue[Hint] = queue.Queue()
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
