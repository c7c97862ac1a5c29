from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pspd.verify.rectangles import best_rectangle


def _around(scores: np.ndarray) -> tuple[slice, slice] | None:
    return best_rectangle(scores.astype(np.float32), np.ones(scores.shape, np.bool_))


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.tuples(st.integers(20, 256), st.integers(20, 256)),
    st.tuples(st.floats(0, 0.6), st.floats(0, 0.6)),
    st.tuples(st.floats(0.3, 1), st.floats(0.3, 1)),
)
def test_what_speaks_for_is_found_to_the_pixel(
    shape: tuple[int, int], starts: tuple[float, float], sides: tuple[float, float]
) -> None:
    spans = []
    for length, start, side in zip(shape, starts, sides, strict=True):
        first = int(length * start)
        spans.append(slice(first, min(length, first + max(6, int(length * side)))))
    scores = np.full(shape, -1.0)
    scores[spans[0], spans[1]] = 1

    assert _around(scores) == tuple(spans)


def test_a_few_places_that_speak_against_do_not_split_it() -> None:
    scores = np.ones((100, 140))
    scores[40:50, 20:120] = -2

    assert _around(scores) == (slice(0, 100), slice(0, 140))


def test_nothing_is_found_where_all_speaks_against() -> None:
    assert _around(-np.ones((50, 60))) is None
    assert _around(np.zeros((50, 60))) is None


def test_places_that_say_nothing_belong_in() -> None:
    scores = np.zeros((60, 60))
    scores[25:35, 25:35] = 1

    assert _around(scores) == (slice(0, 60), slice(0, 60))


def test_what_is_outside_does_not_count() -> None:
    scores = np.ones((60, 80), np.float32)
    inside = np.zeros((60, 80), np.bool_)
    inside[:, 10:40] = True
    scores[:, :40] = -1
    scores[20:30, 12:30] = 1

    found = best_rectangle(scores, inside)
    assert found is not None
    rows, columns = found
    assert rows == slice(20, 30)
    assert columns.start == 12
