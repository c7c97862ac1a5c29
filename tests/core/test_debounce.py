"""Hints and the time in, looks that are due out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pspd.core.debounce import MAX_NAMES, Debounce, Look


def test_a_hint_is_due_once_its_directory_was_quiet() -> None:
    debounce: Debounce[str] = Debounce(quiet=1.0, longest=5.0)
    debounce.add("d", "a", now=0.0)

    assert debounce.take_due(0.9) == []
    assert debounce.take_due(1.0) == [Look("d", frozenset({"a"}))]
    assert len(debounce) == 0


def test_a_directory_that_never_gets_quiet_is_due_after_the_longest_time() -> None:
    debounce: Debounce[str] = Debounce(quiet=1.0, longest=3.0)
    for tenth in range(30):
        debounce.add("d", "a", now=tenth / 10)

    assert debounce.next_due() == 3.0
    assert debounce.take_due(3.0) == [Look("d", frozenset({"a"}))]


def test_a_directory_rests_for_as_long_as_it_was_told_and_others_do_not() -> None:
    debounce: Debounce[str] = Debounce(quiet=1.0, longest=3.0)
    debounce.rest("slow", until=5.0)
    for place in ("slow", "other"):
        debounce.add(place, "a", now=0.0)

    assert debounce.take_due(1.0) == [Look("other", frozenset({"a"}))]
    assert debounce.next_due() == 5.0
    assert debounce.take_due(5.0) == [Look("slow", frozenset({"a"}))]
    debounce.add("slow", "b", now=6.0)
    assert debounce.next_due() == 7.0


def test_many_names_become_a_look_at_the_whole_directory() -> None:
    debounce: Debounce[str] = Debounce(quiet=0.0, longest=1.0)
    for number in range(MAX_NAMES + 1):
        debounce.add("d", str(number), now=0.0)
    debounce.add("d", "one more", now=0.0)

    assert debounce.take_due(0.0) == [Look("d", None)]


def test_a_hint_about_all_of_a_directory_swallows_the_names() -> None:
    debounce: Debounce[str] = Debounce(quiet=0.0, longest=1.0)
    debounce.add("d", "a", now=0.0)
    debounce.add("d", None, now=0.0)
    debounce.add("d", "b", now=0.0)

    assert debounce.take_due(0.0) == [Look("d", None)]


@given(
    st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from(["a", "b", None]), st.floats(0, 2)))
)
def test_no_hint_is_lost_and_none_waits_longer_than_the_longest_time(
    hints: list[tuple[str, str | None, float]],
) -> None:
    debounce: Debounce[str] = Debounce(quiet=0.5, longest=1.0)
    now, wanted, taken = 0.0, set(), []
    for place, name, passed in hints:
        now += passed
        taken += debounce.take_due(now)
        debounce.add(place, name, now)
        wanted.add((place, name))
    taken += debounce.take_due(now + 1.0)

    assert len(debounce) == 0
    for place, name in wanted:
        assert any(
            look.place == place and (look.names is None or name in look.names) for look in taken
        )
