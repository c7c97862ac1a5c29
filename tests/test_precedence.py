"""Work in the background waits for those who are served, and not for ever."""

from __future__ import annotations

import threading

import pytest

from pspd.core.pausing import unhindered
from pspd.precedence import ON_SECONDS, STILL_SECONDS, Precedence


def test_a_failure_to_serve_ends_it_too() -> None:
    precedence = Precedence(lambda: 0.0)
    with pytest.raises(ValueError, match="no"), precedence.first():
        raise ValueError("no")
    precedence.pause()


def test_a_step_waits_until_nobody_is_served() -> None:
    precedence = Precedence(lambda: 0.0)
    gone: list[str] = []

    def work() -> None:
        precedence.pause()
        gone.append("background")

    thread = threading.Thread(target=work)
    with precedence.first():
        thread.start()
        with precedence.first():
            pass
        gone.append("served")
    thread.join(30.0)
    assert gone == ["served", "background"]


class Clock:
    """A clock that tells what it was told to tell, and fails when asked once more."""

    def __init__(self, *seconds: float) -> None:
        self.left = list(seconds)

    def __call__(self) -> float:
        return self.left.pop(0)


CYCLE_SECONDS = STILL_SECONDS + ON_SECONDS


@pytest.mark.parametrize("cycles", [0, 1, 57])
def test_while_somebody_is_always_served_the_background_has_its_share(cycles: int) -> None:
    now = 5.0 + cycles * CYCLE_SECONDS + STILL_SECONDS + 0.5 * ON_SECONDS
    clock = Clock(5.0, now, now)
    precedence = Precedence(clock)
    with precedence.first():
        precedence.pause()
    assert not clock.left


def test_the_background_stands_still_no_longer_than_it_should() -> None:
    later = STILL_SECONDS + 0.5 * ON_SECONDS
    clock = Clock(0.0, 0.5 * STILL_SECONDS, later, later)
    precedence = Precedence(clock)
    with precedence.first():
        precedence.pause()
    assert not clock.left


def test_one_search_after_another_leaves_the_background_its_share() -> None:
    """Who misses the moment in which nobody is served does not begin to wait anew."""
    second = 0.9 * STILL_SECONDS
    later = STILL_SECONDS + 0.5 * ON_SECONDS
    clock = Clock(0.0, 0.5 * STILL_SECONDS, second, later, later)
    precedence = Precedence(clock)
    with precedence.first():
        pass
    with precedence.first():
        precedence.pause()
    assert not clock.left


def test_who_is_served_after_nobody_was_for_long_goes_first_at_once() -> None:
    begun = 10 * CYCLE_SECONDS + STILL_SECONDS
    later = begun + STILL_SECONDS + 0.5 * ON_SECONDS
    clock = Clock(0.0, 0.1, begun, begun + 0.01, later, later)
    precedence = Precedence(clock)
    with precedence.first():
        pass
    with precedence.first():
        precedence.pause()
    assert not clock.left


def test_nobody_waits_where_nobody_is_served() -> None:
    precedence = Precedence(lambda: pytest.fail("nobody has to know the time"))
    precedence.pause()
    unhindered()
