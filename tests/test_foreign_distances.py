"""What chance brings is counted on the library's own pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pspd.core.verdict import COPY_DISTANCE
from pspd.foreign_distances import GROWTH, LEAST_IMAGES, ForeignDistances
from tests.store.records import features
from tests.test_grouping import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(tmp_path, stack)


def fill(bench: Bench, first: int, beyond: int) -> None:
    for content in range(first, beyond):
        bench.add(f"{content}.png", features(content))


def test_hashes_of_chance_are_as_far_as_chance_has_it(bench: Bench) -> None:
    fill(bench, 0, LEAST_IMAGES + 20)
    distances = ForeignDistances(bench.store)
    distances.refresh()
    expectation = distances.expectation
    assert expectation is not None
    # The nearest of eight turns of 256 random bits is 117 away on average.
    assert 20 < expectation.foreign_hits(117, 100) < 80
    assert expectation.foreign_hits(COPY_DISTANCE, 10**6) < 1.0
    again = ForeignDistances(bench.store)
    again.refresh()
    assert again.expectation == expectation


def test_of_a_small_library_nothing_is_said(bench: Bench) -> None:
    fill(bench, 0, LEAST_IMAGES - 1)
    distances = ForeignDistances(bench.store)
    distances.refresh()
    assert distances.expectation is None


def test_a_library_that_grew_is_drawn_from_again(bench: Bench) -> None:
    fill(bench, 0, LEAST_IMAGES)
    distances = ForeignDistances(bench.store)
    distances.refresh()
    first = distances.expectation
    fill(bench, LEAST_IMAGES, LEAST_IMAGES + 5)
    distances.refresh()
    assert distances.expectation is first
    fill(bench, LEAST_IMAGES + 5, round(GROWTH * LEAST_IMAGES) + 1)
    distances.refresh()
    assert distances.expectation != first
