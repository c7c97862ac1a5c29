"""Places are taken in turn, and nobody waits for one that cannot come."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from pspd.workers.turns import Turns


def in_thread(action: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    return thread


def in_line(turns: Turns, action: Callable[[], object]) -> threading.Thread:
    """Run an action that has to wait, and return when it does."""
    before = turns.waiting
    thread = in_thread(action)
    while turns.waiting == before:
        threading.Event().wait(0.001)
    return thread


def test_so_many_places_are_had_without_waiting() -> None:
    turns = Turns(2)
    assert (turns.take(), turns.free) == (True, 1)
    assert turns.take(waits=False)
    assert not turns.take(waits=False)
    assert turns.free == 0
    turns.give()
    assert turns.take(waits=False)


def test_who_asked_first_is_served_first_and_nobody_overtakes() -> None:
    turns = Turns(1)
    turns.take()
    served: list[int] = []

    def serve(number: int) -> None:
        assert turns.take()
        served.append(number)

    threads = [in_line(turns, partial(serve, number)) for number in range(5)]
    for number, thread in enumerate(threads):
        turns.give()
        # The place is the first one's already, though that thread may not run yet.
        assert not turns.take(waits=False)
        thread.join(30)
        assert served == list(range(number + 1))
    assert turns.waiting == 0


def test_closing_sends_away_who_waits_and_who_comes() -> None:
    turns = Turns(1)
    turns.take()
    had: list[bool] = []
    threads = [in_line(turns, lambda: had.append(turns.take())) for _ in range(2)]
    turns.close()
    for thread in threads:
        thread.join(30)
    assert had == [False, False]
    turns.give()
    assert not turns.take()
