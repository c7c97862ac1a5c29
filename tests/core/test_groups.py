"""Groups are stars: every member is a copy of the best, and nobody is in two."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from pspd.core.groups import inverse, standing, star_cover
from pspd.core.model import Turn

MOST = 12

pairs = st.sets(
    st.tuples(st.integers(0, MOST), st.integers(0, MOST)).filter(lambda pair: pair[0] != pair[1]),
    max_size=40,
)


def neighbours(found: set[tuple[int, int]]) -> dict[int, list[int]]:
    made: dict[int, set[int]] = {}
    for a, b in found:
        made.setdefault(a, set()).add(b)
        made.setdefault(b, set()).add(a)
    return {node: sorted(others) for node, others in made.items()}


def cover(ranked: list[int], copies: Mapping[int, list[int]]) -> list[tuple[int, list[int]]]:
    return list(star_cover(ranked, lambda node: copies.get(node, [])))


@given(pairs, st.permutations(range(MOST + 1)))
def test_every_member_is_a_copy_of_the_best_and_none_is_better(
    found: set[tuple[int, int]], ranked: list[int]
) -> None:
    copies = neighbours(found)
    for best, members in cover(ranked, copies):
        assert set(members) <= set(copies.get(best, ()))
        assert all(ranked.index(best) < ranked.index(member) for member in members)


@given(pairs, st.permutations(range(MOST + 1)))
def test_everybody_is_in_exactly_one_group(found: set[tuple[int, int]], ranked: list[int]) -> None:
    groups = cover(ranked, neighbours(found))
    listed = [node for best, members in groups for node in (best, *members)]
    assert sorted(listed) == list(range(MOST + 1))


@given(pairs, st.permutations(range(MOST + 1)))
def test_nobody_is_alone_who_is_a_copy_of_a_better_best_member(
    found: set[tuple[int, int]], ranked: list[int]
) -> None:
    copies = neighbours(found)
    groups = cover(ranked, copies)
    for place, (best, _) in enumerate(groups):
        assert not {earlier for earlier, _ in groups[:place]} & set(copies.get(best, ()))


@given(pairs, st.permutations(range(MOST + 1)), st.permutations(range(MOST + 1)))
def test_names_and_the_order_of_pairs_do_not_matter(
    found: set[tuple[int, int]], ranked: list[int], names: list[int]
) -> None:
    copies = neighbours(found)
    renamed = {
        names[node]: [names[other] for other in reversed(others)] for node, others in copies.items()
    }
    plain = {best: set(members) for best, members in cover(ranked, copies)}
    other = {best: set(members) for best, members in cover([names[n] for n in ranked], renamed)}
    assert other == {
        names[best]: {names[member] for member in members} for best, members in plain.items()
    }


def test_the_ends_of_a_chain_are_no_group() -> None:
    chain = neighbours({(0, 1), (1, 2)})
    assert cover([0, 1, 2], chain) == [(0, [1]), (2, [])]
    assert cover([1, 0, 2], chain) == [(1, [0, 2])]


def test_copies_that_nobody_ranked_are_left_out() -> None:
    assert cover([0, 1], {0: [1, 7], 1: [0]}) == [(0, [1])]


def test_pixels_come_before_losslessness_and_that_before_bytes() -> None:
    best_first = [
        standing(200, 100, "JPEG", 10),
        standing(100, 100, "PNG", 10),
        standing(100, 100, "JPEG", 30),
        standing(100, 100, "JPEG", 20),
    ]
    assert sorted(best_first) == best_first
    assert len(set(best_first)) == len(best_first)


def test_only_quarter_turns_have_another_inverse() -> None:
    assert {turn: inverse(turn) for turn in Turn if inverse(turn) is not turn} == {
        Turn.ROTATE_90: Turn.ROTATE_270,
        Turn.ROTATE_270: Turn.ROTATE_90,
    }
    assert all(inverse(inverse(turn)) is turn for turn in Turn)


@given(pairs, pairs, st.permutations(range(MOST + 1)))
def test_who_is_apart_is_in_no_group_together(
    found: set[tuple[int, int]], apart: set[tuple[int, int]], ranked: list[int]
) -> None:
    copies = neighbours(found)

    def are_apart(one: int, other: int) -> bool:
        return (one, other) in apart or (other, one) in apart

    groups = list(
        star_cover(
            ranked,
            lambda node: [each for each in copies.get(node, []) if not are_apart(node, each)],
            are_apart,
        )
    )
    for best, members in groups:
        together = [best, *members]
        assert not any(are_apart(one, other) for one in together for other in together)
    assert sorted(node for best, members in groups for node in (best, *members)) == sorted(ranked)
