from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pspd.core.proof import Recolouring
from pspd.verify.recolouring import recolouring

Colours = npt.NDArray[np.uint8]


def _colours(seed: int = 1) -> Colours:
    return np.random.default_rng(seed).integers(30, 220, (4000, 3)).astype(np.uint8)


def _levels(values: npt.NDArray[np.float64]) -> Colours:
    levels: Colours = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return levels


@settings(max_examples=50, derandomize=True, deadline=None)
@given(st.integers(0, 2**16), st.floats(0, 6))
def test_noise_is_no_change_of_colour(seed: int, deviation: float) -> None:
    colours = _colours(seed)
    noise = np.random.default_rng(seed).normal(0, deviation, colours.shape)

    assert recolouring(_levels(colours + noise), colours) is Recolouring.NONE


@pytest.mark.parametrize(
    ("change", "expected", "back"),
    [
        (lambda c: 255 - c, Recolouring.INVERTED, Recolouring.INVERTED),
        (lambda c: np.repeat(c.mean(axis=1, keepdims=True), 3, axis=1), Recolouring.GRAY,
         Recolouring.COLOURED),
        (lambda c: np.roll(c, 1, axis=1), Recolouring.OTHER_HUE, Recolouring.OTHER_HUE),
        (lambda c: c + 30.0, Recolouring.BRIGHTER, Recolouring.DARKER),
        (lambda c: c.mean() + (c - c.mean()) * 0.5, Recolouring.PALER, Recolouring.STRONGER),
    ],
)  # fmt: skip
def test_each_change_is_named_and_named_otherwise_from_the_other_side(
    change: object, expected: Recolouring, back: Recolouring
) -> None:
    assert callable(change)
    colours = _colours()
    changed = _levels(change(colours.astype(float)))

    assert recolouring(changed, colours) is expected
    assert recolouring(colours, changed) is back


def test_a_few_places_say_nothing() -> None:
    colours = _colours()[:10]
    assert recolouring(255 - colours, colours) is Recolouring.NONE
    assert recolouring(colours[:0], colours[:0]) is Recolouring.NONE
