"""Work in the background waits for those who are served, and not for ever."""

from __future__ import annotations

import threading

import pytest

from pspd.precedence import TURN_SECONDS, Precedence, unhindered


def test_nobody_waits_for_nobody() -> None:
    assert Precedence().give_way(0.0)


def test_whoever_is_served_goes_first_and_holds_nobody_up_for_ever() -> None:
    precedence = Precedence()
    with precedence.first(), precedence.first():
        assert not precedence.give_way(0.0)
    assert precedence.give_way(0.0)


def test_the_last_who_was_served_lets_the_others_go_on() -> None:
    precedence = Precedence()
    gone: list[bool] = []
    thread = threading.Thread(target=lambda: gone.append(precedence.give_way(30.0)))
    with precedence.first():
        thread.start()
    thread.join(30.0)
    assert gone == [True]


def test_a_failure_to_serve_ends_it_too() -> None:
    precedence = Precedence()
    with pytest.raises(ValueError, match="no"), precedence.first():
        raise ValueError("no")
    assert precedence.give_way(0.0)


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


@pytest.mark.parametrize("turn", [1, 3, 101])
def test_while_somebody_is_always_served_every_other_turn_is_the_background_s(turn: int) -> None:
    clock = iter([5.0, 5.0 + (turn + 0.5) * TURN_SECONDS])
    precedence = Precedence(lambda: next(clock))
    with precedence.first():
        precedence.pause()
    assert next(clock, None) is None


def test_a_turn_of_those_who_are_served_ends_by_itself() -> None:
    clock = iter([0.0, 0.5 * TURN_SECONDS, 1.5 * TURN_SECONDS])
    precedence = Precedence(lambda: next(clock))
    with precedence.first():
        precedence.pause()
    assert next(clock, None) is None


def test_each_who_is_served_after_nobody_was_has_a_whole_turn() -> None:
    clock = iter([0.0, 1.5 * TURN_SECONDS, 1.5 * TURN_SECONDS, 2.6 * TURN_SECONDS])
    precedence = Precedence(lambda: next(clock))
    for _ in range(2):
        with precedence.first():
            precedence.pause()
    assert next(clock, None) is None


def test_nobody_waits_where_nobody_is_served() -> None:
    precedence = Precedence(lambda: pytest.fail("nobody has to know the time"))
    precedence.pause()
    unhindered()
