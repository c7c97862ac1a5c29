"""When results are stored, with a real queue and store."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pspd.committing import Committer, Options
from pspd.reading_queue import Entry
from pspd.room import Room
from pspd.store import batch
from pspd.supervision import unsupervised
from tests.store.records import features, image_id, stamp
from tests.test_reading_queue import Line
from tests.waiting import PATIENCE

HOUR = 3600.0


class Desk(Line):
    """A line whose results are stored an hour after the last batch, if nothing hurries."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.stored: list[str] = []
        self._changed = threading.Condition()
        self.committer = Committer(
            self.queue,
            self._store,
            Options(2, 0.0, batch_files=100, batch_seconds=HOUR),
            unsupervised,
            Room(self.store.folder, 0),
        )

    def _store(self, operations: Sequence[batch.Operation]) -> batch.Applied:
        applied = self.store.apply(operations)
        with self._changed:
            self.stored += [each.key.name for each in operations if hasattr(each, "key")]
            self._changed.notify_all()
        return applied

    def read(self, entry: Entry) -> None:
        """Hand over what a file turned out to be."""
        number = entry.sequence
        self.committer.take(
            batch.FileIndexed(entry.key, number, stamp(), False, image_id(number), features(number))
        )

    def wait_for(self, *names: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.stored == list(names), PATIENCE)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    desk.committer.start()
    yield desk
    desk.committer.close()
    desk.queue.close()
    desk.store.close()


def test_news_are_stored_soon_though_the_backlog_gathers(desk: Desk) -> None:
    desk.see("first", "slow", "old")
    desk.read(desk.entry())
    desk.wait_for("first")
    desk.entry()  # it is being read all the while, so that a batch waits for it
    desk.read(desk.entry())
    desk.queue.put_news(desk.see("new"))
    desk.read(desk.entry())

    desk.wait_for("first", "old", "new")
