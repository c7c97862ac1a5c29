"""Rounded descriptors keep their directions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from pspd.search.quantising import LARGEST, directions, quantised, squared_lengths

VECTORS = arrays.arrays(
    np.float32,
    st.tuples(st.integers(0, 5), st.integers(1, 40)),
    elements=st.floats(-(2.0**127), 2.0**127, width=32),
).filter(lambda vectors: bool(np.abs(vectors).max(axis=1, initial=0).all()))


@given(VECTORS)
def test_no_component_is_off_by_more_than_half_a_step(vectors: NDArray[np.float32]) -> None:
    codes = quantised(vectors)

    assert codes.dtype == np.int8
    assert codes.shape == vectors.shape
    wide = vectors.astype(np.float64)
    largest = np.abs(wide).max(axis=1, keepdims=True)
    assert (np.abs(codes.astype(np.float64)).max(axis=1, initial=0) == LARGEST).all()
    assert (np.abs(wide / largest * LARGEST - codes) <= 0.5001).all()


@given(VECTORS, st.sampled_from([0.5, 2.0, 1024.0]))
def test_only_the_direction_counts(vectors: NDArray[np.float32], length: float) -> None:
    halved = vectors * np.float32(2.0**-20)
    if (
        np.abs(halved).max(axis=1, initial=0).all()
        and (halved * np.float32(2.0**20) == vectors).all()
    ):
        assert (quantised(halved * np.float32(length)) == quantised(vectors)).all()
    assert (quantised(-vectors) == -quantised(vectors)).all()


@given(VECTORS)
def test_directions_are_of_length_one_and_round_to_the_same(vectors: NDArray[np.float32]) -> None:
    codes = quantised(vectors)
    back = directions(codes)

    assert np.allclose(np.linalg.norm(back, axis=1), 1.0, atol=1e-6)
    assert (quantised(back) == codes).all()
    lengths = (codes.astype(np.int64) ** 2).sum(axis=1)
    assert (squared_lengths(codes) == lengths).all()


def test_cosines_stay_as_near_as_is_documented() -> None:
    random = np.random.default_rng(5)
    vectors = random.standard_normal((20_000, 512)).astype(np.float32)
    others = vectors + random.standard_normal(vectors.shape).astype(np.float32) * np.linspace(
        0, 3, len(vectors), dtype=np.float32
    ).reshape(-1, 1)

    def cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
        products = (one.astype(np.float64) * other).sum(axis=1)
        lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
        cosines: NDArray[np.float64] = products / lengths
        return cosines

    exact = cosines(vectors, others)
    rounded = [directions(quantised(each)) for each in (vectors, others)]
    off = np.abs(cosines(*rounded) - exact)
    assert off.max() < 0.003
    assert np.quantile(off, 0.99) < 0.0012
    assert off[exact > 0.9].max() < 0.001


@pytest.mark.parametrize(
    "vectors",
    [
        np.zeros((1, 4), dtype=np.float32),
        np.array([[1, 2], [0, 0]], dtype=np.float32),
        np.array([[1, np.nan]], dtype=np.float32),
        np.array([[1, -np.inf]], dtype=np.float32),
        np.ones((2, 0), dtype=np.float32),
        np.ones(4, dtype=np.float32),
        np.ones((1, 4)),
    ],
)
def test_what_has_no_direction_is_refused(vectors: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="vector"):
        quantised(vectors)
