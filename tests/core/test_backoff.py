"""Delays double, are bounded and are forgotten; the tenth failure in five minutes is the last."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pspd.core.backoff import Backoff

gaps = st.lists(st.floats(min_value=0, max_value=400, allow_nan=False), min_size=1, max_size=80)


def test_delays_double_up_to_the_longest() -> None:
    backoff = Backoff(0.1, 1.0, most=None)
    assert [backoff.failed(0.0) for _ in range(6)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_the_tenth_failure_in_five_minutes_is_the_last() -> None:
    backoff = Backoff()
    assert all(backoff.failed(30.0 * number) is not None for number in range(9))
    assert backoff.failed(299.9) is None


def test_failures_are_forgotten_after_five_minutes() -> None:
    backoff = Backoff()
    delays = [backoff.failed(300.0 * number) for number in range(100)]
    assert delays == [0.1] * 100


def test_success_forgets_them_at_once() -> None:
    backoff = Backoff()
    for _ in range(8):
        backoff.failed(0.0)
    backoff.succeeded()
    assert backoff.failed(0.0) == 0.1


@given(gaps)
def test_a_delay_is_never_beyond_its_bounds_whatever_comes(gaps: list[float]) -> None:
    backoff = Backoff(most=None)
    now = 0.0
    for gap in gaps:
        now += gap
        delay = backoff.failed(now)
        assert delay is not None
        assert 0.1 <= delay <= 30.0


@given(gaps)
def test_it_gives_up_exactly_when_ten_fall_into_one_window(gaps: list[float]) -> None:
    backoff = Backoff()
    times: list[float] = []
    now = 0.0
    for gap in gaps:
        now += gap
        times.append(now)
        recent = [each for each in times if now - each < 300.0]
        assert (backoff.failed(now) is None) == (len(recent) >= 10)
