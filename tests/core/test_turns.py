"""Items by their source in, one of each in turn out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pspd.core.turns import Turns


def taken(turns: Turns[str, str]) -> list[str]:
    """Take everything."""
    items = []
    while (item := turns.take()) is not None:
        items.append(item)
    return items


def test_one_of_each_source_in_turn_and_the_last_source_first() -> None:
    turns: Turns[str, str] = Turns(most=10)
    for item in ("a1", "a2", "a3", "b1", "b2", "c1"):
        turns.put(item[0], item)

    assert taken(turns) == ["c1", "b1", "a1", "b2", "a2", "a3"]


def test_a_new_source_comes_before_those_that_had_a_turn() -> None:
    turns: Turns[str, str] = Turns(most=10)
    for item in ("a1", "a2", "a3"):
        turns.put("a", item)
    assert turns.take() == "a1"
    turns.put("b", "b1")

    assert taken(turns) == ["b1", "a2", "a3"]


def test_of_too_many_the_oldest_of_the_source_whose_turn_is_farthest_are_dropped() -> None:
    turns: Turns[str, str] = Turns(most=3)
    for item in ("a1", "a2", "a3", "b1", "c1"):
        turns.put(item[0], item)

    assert len(turns) == 3
    assert taken(turns) == ["c1", "b1", "a3"]


@given(st.lists(st.one_of(st.none(), st.tuples(st.sampled_from("abcd"), st.integers()))))
def test_each_item_is_taken_once_and_in_the_order_of_its_source(
    steps: list[tuple[str, int] | None],
) -> None:
    turns: Turns[str, tuple[str, int]] = Turns(most=1000)
    out: list[tuple[str, int]] = []
    for step in steps:
        if step is not None:
            turns.put(step[0], step)
        elif (item := turns.take()) is not None:
            out.append(item)
    while (item := turns.take()) is not None:
        out.append(item)

    assert len(turns) == 0
    for source in "abcd":
        put = [step for step in steps if step is not None and step[0] == source]
        assert [item for item in out if item[0] == source] == put
