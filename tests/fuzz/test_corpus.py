"""Every input that was ever found, and the smallest that reach all of a parser, once more."""

from __future__ import annotations

import pytest

from tests.fuzz.targets import CORPUS, TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_and_the_corpus_pass(name: str) -> None:
    target = TARGETS[name]
    inputs = [*target.seeds(), *(file.read_bytes() for file in sorted((CORPUS / name).iterdir()))]
    assert len(inputs) > 1
    for data in inputs:
        target.check(data)
