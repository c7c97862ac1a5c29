"""Places are taken in turn, and nobody waits for one that cannot come."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from pspd.workers.fair_places import FairPlaces


def in_thread(action: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    return thread


def in_line(places: FairPlaces, action: Callable[[], object]) -> threading.Thread:
    """Run an action that has to wait, and return when it does."""
    before = places.waiting
    thread = in_thread(action)
    while places.waiting == before:
        threading.Event().wait(0.001)
    return thread


def test_so_many_places_are_had_without_waiting() -> None:
    places = FairPlaces(2)
    assert (places.take(), places.free) == (True, 1)
    assert places.take(waits=False)
    assert not places.take(waits=False)
    assert places.free == 0
    places.give()
    assert places.take(waits=False)


def test_who_asked_first_is_served_first_and_nobody_overtakes() -> None:
    places = FairPlaces(1)
    places.take()
    served: list[int] = []

    def serve(number: int) -> None:
        assert places.take()
        served.append(number)

    threads = [in_line(places, partial(serve, number)) for number in range(5)]
    for number, thread in enumerate(threads):
        places.give()
        # The place is the first one's already, though that thread may not run yet.
        assert not places.take(waits=False)
        thread.join(30)
        assert served == list(range(number + 1))
    assert places.waiting == 0


def test_closing_sends_away_who_waits_and_who_comes() -> None:
    places = FairPlaces(1)
    places.take()
    had: list[bool] = []
    threads = [in_line(places, lambda: had.append(places.take())) for _ in range(2)]
    places.close()
    for thread in threads:
        thread.join(30)
    assert had == [False, False]
    places.give()
    assert not places.take()
