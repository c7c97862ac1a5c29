"""Which file is read next, with a real store behind it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path

import lmdb
import pytest

from pspd import reading_queue
from pspd.core.model import FileKey, WatchRoot
from pspd.reading_queue import Entry, ReadingQueue
from pspd.store import batch
from pspd.store.store import Store
from tests.store.records import add_directory, add_root, stamp


class Line:
    """A queue and its store."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "store")
        self.root: WatchRoot = add_root(self.store)
        self.queue = ReadingQueue(self.store)

    def see(self, *names: str, folder: str = "") -> list[tuple[int, FileKey]]:
        number = self.root.directory
        if folder:
            number = add_directory(self.store, self.root, number, folder).directory_id
        keys = [FileKey(number, name) for name in names]
        return self.store.apply([batch.FileSeen(key, stamp()) for key in keys]).queued

    def see_with_size(self, name: str, size: int) -> None:
        key = FileKey(self.root.directory, name)
        self.store.apply([batch.FileSeen(key, stamp(size))])

    def take(self) -> str:
        return self.entry().key.name

    def entry(self) -> Entry:
        entry = self.queue.take()
        assert entry is not None
        return entry

    def finish(self, entry: Entry) -> None:
        self.store.apply([batch.FileGone(entry.key)])
        self.queue.done([entry.sequence])


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    line = Line(tmp_path)
    yield line
    line.queue.close()
    line.store.close()


def test_the_backlog_is_served_in_order_and_news_go_before_it(line: Line) -> None:
    line.see("a", "b")
    assert line.take() == "a"
    line.queue.put_news(line.see("new"))

    assert [line.take(), line.take()] == ["new", "b"]


def test_the_end_of_the_backlog_is_served_largest_first(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_queue, "PREFETCH", 2)
    for name, size in (("a", 1), ("b", 2), ("c", 3), ("d", 1), ("e", 9)):
        line.see_with_size(name, size)

    assert [line.take() for _ in "abcde"] == ["a", "b", "c", "d", "e"]
    line.see_with_size("small", 1)
    line.see_with_size("large", 2)
    line.queue.wake()
    # One page has both, and none follows that is full.
    monkeypatch.setattr(reading_queue, "PREFETCH", 3)
    assert [line.take(), line.take()] == ["large", "small"]


def test_a_single_new_file_does_not_wait_behind_many_in_another_folder(line: Line) -> None:
    line.queue.put_news(line.see("a1", "a2", "a3", folder="copied"))
    assert line.take() == "a1"
    line.queue.put_news(line.see("saved"))

    assert [line.take(), line.take(), line.take()] == ["saved", "a2", "a3"]


def test_what_was_served_as_news_is_news_until_it_is_done(line: Line) -> None:
    line.see("old")
    old = line.entry()
    line.queue.put_news(line.see("new"))
    new = line.entry()

    assert (line.queue.is_news(old.sequence), line.queue.is_news(new.sequence)) == (False, True)
    line.finish(new)
    assert not line.queue.is_news(new.sequence)


def test_nothing_is_served_twice_though_it_is_news_and_backlog(line: Line) -> None:
    queued = line.see("a", "b")
    line.queue.put_news(queued)
    line.queue.put_news(queued)
    taken = [line.take(), line.take()]
    line.queue.put_news(line.see("c"))

    assert taken == ["a", "b"]
    assert line.take() == "c"


def test_what_waits_for_its_time_is_served_after_what_does_not(line: Line) -> None:
    line.see("slow", "quick")
    entry = line.entry()
    line.queue.put_later(entry.sequence, entry.key, 0.05)

    assert [line.take(), line.take()] == ["quick", "slow"]


def test_a_barrier_waits_for_what_is_queued_and_not_for_what_comes_later(line: Line) -> None:
    line.see("a", "b")
    barrier = line.queue.barrier()
    line.see("c")
    first, second = line.entry(), line.entry()
    line.finish(second)
    assert not barrier.done()
    line.finish(first)

    assert barrier.result(timeout=5) is None


def test_a_barrier_with_nothing_queued_is_done_at_once(line: Line) -> None:
    assert line.queue.barrier().result(timeout=5) is None


def test_a_barrier_does_not_wait_for_a_root_that_is_not_there(line: Line) -> None:
    line.see("absent", "here")
    absent = line.entry()
    barrier = line.queue.barrier()
    line.queue.park(absent)
    line.finish(line.entry())

    assert barrier.result(timeout=5) is None


def test_closing_wakes_those_who_wait_and_cancels_barriers(line: Line) -> None:
    line.see("a")
    line.take()
    barrier = line.queue.barrier()
    served: list[Entry | None] = []
    thread = threading.Thread(target=lambda: served.append(line.queue.take()))
    thread.start()
    line.queue.close()
    thread.join(timeout=5)

    assert served == [None]
    with pytest.raises(CancelledError):
        barrier.result(timeout=5)


def test_more_than_one_page_of_backlog_is_served(line: Line) -> None:
    line.see(*(f"{number:04}" for number in range(600)))

    assert [line.take() for _ in range(600)] == [f"{number:04}" for number in range(600)]
    assert line.queue.count_taken() == 600
    assert not line.queue.is_idle


def test_what_was_put_aside_is_served_when_its_root_is_back_and_not_before(line: Line) -> None:
    line.see("absent", "here")
    line.queue.park(line.entry())
    assert line.take() == "here"
    line.queue.unpark()

    assert line.take() == "absent"


def test_thousands_put_aside_cost_a_barrier_next_to_nothing(line: Line) -> None:
    line.see(*(str(number) for number in range(3000)))
    barrier = line.queue.barrier()
    while not barrier.done():
        line.queue.park(line.entry())

    assert barrier.result(timeout=5) is None
    assert line.queue.barrier().result(timeout=5) is None


def pause(line: Line, *, is_paused: bool = True) -> None:
    line.root = replace(line.root, paused=is_paused)
    line.store.apply([batch.PutRoot(line.root)])


def test_what_waits_below_a_paused_root_stays_in_the_store_until_that_goes_on(line: Line) -> None:
    other = add_root(line.store, "/other")
    line.see(*(f"{number:04}" for number in range(600)))
    pause(line)
    line.store.apply([batch.FileSeen(FileKey(other.directory, "other"), stamp())])
    line.queue.wake()
    assert line.take() == "other"
    assert not line.queue.is_idle
    pause(line, is_paused=False)
    line.queue.unpark()

    assert [line.take() for _ in range(600)] == [f"{number:04}" for number in range(600)]


def test_barriers_pass_over_what_waits_below_a_paused_root(line: Line) -> None:
    line.see(*(str(number) for number in range(600)))
    at_hand = line.entry()
    barrier = line.queue.barrier()
    pause(line)
    assert not barrier.done()
    line.queue.recheck()

    assert barrier.result(timeout=5) is None
    line.queue.give_back(at_hand)
    assert line.queue.barrier().result(timeout=5) is None


def test_what_is_given_back_is_served_again_though_its_root_went_on_before(line: Line) -> None:
    line.queue.put_news(line.see("a", "b"))
    pause(line)
    a, b = line.entry(), line.entry()
    pause(line, is_paused=False)
    line.queue.unpark()
    line.queue.give_back(b)
    line.queue.give_back(a)

    assert {line.take(), line.take()} == {"a", "b"}


def test_one_that_was_put_aside_and_is_paused_does_not_keep_others_from_being_tried(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pspd.reading_queue.PROBE_SECONDS", 0.0)
    line.see("paused", "absent")
    for entry in [line.entry(), line.entry()]:
        line.queue.park(entry)
    pause(line)
    tried = line.entry()
    line.queue.give_back(tried)

    assert (tried.key.name, line.take()) == ("paused", "absent")


def test_one_of_those_put_aside_is_tried_and_frees_all_when_its_root_is_back(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pspd.reading_queue.PROBE_SECONDS", 0.0)
    line.see("a", "b", "c")
    for entry in [line.entry() for _ in range(3)]:
        line.queue.park(entry)
    first = line.entry()
    line.queue.park(first)  # still absent: the next one is tried
    second = line.entry()
    assert (first.key.name, second.key.name) == ("a", "b")
    line.finish(second)

    assert {line.take(), line.take()} == {"a", "c"}


def test_a_barrier_is_told_of_an_entry_that_goes_while_it_looks(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    [(sequence, key)] = line.see("a")
    line.entry()
    look = line.queue._first_sequence

    def look_while_it_goes(after: int) -> tuple[int | None, int]:
        found = look(after)
        monkeypatch.undo()
        line.finish(Entry(sequence, key))
        return found

    monkeypatch.setattr(line.queue, "_first_sequence", look_while_it_goes)

    assert line.queue.barrier().result(timeout=5) is None


def test_a_queue_that_was_lost_and_mended_is_served_again_and_barriers_wait_for_it(
    line: Line,
) -> None:
    for name in ("read", "at hand"):
        line.see(name)
    line.finish(line.entry())
    at_hand = line.entry()
    line.see("waiting")
    barrier = line.queue.barrier()
    # Behind the store's back: what vanishes tells nobody.
    environment = line.store._environment

    def lose_queue(transaction: lmdb.Transaction[bytes]) -> None:
        transaction.drop(environment.databases["pending"], delete=False)
        transaction.delete(b"next_sequence", db=environment.databases["meta"])

    environment.write(lose_queue)
    line.store.mend(())
    line.queue.start_over()
    line.queue.done([at_hand.sequence])  # its result is of no use: its file has another place
    assert not barrier.done()
    names = []
    for _ in range(2):
        entry = line.entry()
        assert entry.sequence > at_hand.sequence
        assert not barrier.done()
        names.append(entry.key.name)
        line.finish(entry)
    assert sorted(names) == ["at hand", "waiting"]
    assert barrier.done()


def test_numbers_of_directories_that_a_scan_has_at_hand_are_not_given_again_after_a_mend(
    line: Line,
) -> None:
    at_hand = {line.store.new_directory_id(), line.store.new_directory_id()}
    line.store.mend(())
    assert line.store.new_directory_id() not in at_hand
