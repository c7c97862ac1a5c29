"""Work in the background waits for those who are served, and not for ever."""

from __future__ import annotations

import threading

import pytest

from pspd.precedence import Precedence


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
