"""Pictures that look alike are no copies of each other: all families that the benchmarks make."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.lookalikes import FAMILIES, family
from pspd.core.model import Verdict
from pspd.core.verdict import proof_verdict
from pspd.proof_search import parts_of
from pspd.verify.local_features import VIEW_SIDE, LocalFeatures, describe
from pspd.verify.proving import prove

PAIRS = ((0, 2), (2, 0), (4, 6))
"""Of twelve; others are equal but for the last day, or the same card in another colour."""


def _described(picture: object) -> LocalFeatures:
    """Describe a picture as a query is, with what in it may be a whole one."""
    pixels = np.asarray(picture)
    height, width = pixels.shape[:2]
    assert max(height, width) <= 2 * VIEW_SIDE
    return replace(describe(pixels, (width, height)), parts=parts_of(pixels))


@pytest.mark.parametrize("name", FAMILIES)
def test_no_lookalike_is_a_copy_of_another(name: str) -> None:
    pictures = family(name)
    numbers = {number for pair in PAIRS for number in pair}
    described = {number: _described(pictures[number]) for number in numbers}
    for query, indexed in PAIRS:
        proof = prove(described[query], described[indexed])
        assert proof is None or proof_verdict(proof) is not Verdict.COPY, (query, indexed)
