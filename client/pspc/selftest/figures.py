"""Outcomes → figures: of each edit and tier, how much was found, and what it took."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import Final

from pspc.selftest.trial import UNEDITED, Outcome

MEAN: Final = "mean"
"""Stands in the place of an edit's name for all edits together."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of the queries of one edit in one tier; shares are 0 to 1."""

    edit: str
    """Its name, `UNEDITED`, or `MEAN`."""
    tier: str
    queries: int
    recall: float
    """Share of the queries that found their original, as a copy or surer."""
    first: float
    """Share of which the original came before all that are no known copies of it."""
    foreign: float
    """Share that called a picture a copy which is none of the original's known ones."""
    overlap: float | None
    """Median intersection over union of the part found and the part shown; None where no query has
    one."""
    p50_ms: float
    p95_ms: float


def figures_of(outcomes: Iterable[Outcome]) -> list[Figures]:
    """Return the figures of each tier: unedited, each edit in the order tried, and their mean.

    The mean of shares is that over edits, so that each counts the same; overlap and time are those
    of all queries. The unedited ones are in no mean.
    """
    tiers: dict[str, dict[str, list[Outcome]]] = {}
    for outcome in outcomes:
        tiers.setdefault(outcome.tier, {}).setdefault(outcome.edit, []).append(outcome)
    figures: list[Figures] = []
    for tier, edits in tiers.items():
        lines = [_figures(edit, tier, of_edit) for edit, of_edit in edits.items()]
        edited = [outcome for of in edits.values() for outcome in of if outcome.edit != UNEDITED]
        figures += lines
        if edited:
            shares = [line for line in lines if line.edit != UNEDITED]
            figures.append(
                replace(
                    _figures(MEAN, tier, edited),
                    recall=fmean(line.recall for line in shares),
                    first=fmean(line.first for line in shares),
                    foreign=fmean(line.foreign for line in shares),
                )
            )
    return figures


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that a share (above 0, up to 1) of the values does not exceed.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("of no values there is no percentile")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _figures(edit: str, tier: str, outcomes: Sequence[Outcome]) -> Figures:
    overlaps = [outcome.overlap for outcome in outcomes if outcome.overlap is not None]
    times = [outcome.milliseconds for outcome in outcomes]
    return Figures(
        edit=edit,
        tier=tier,
        queries=len(outcomes),
        recall=fmean(outcome.is_found for outcome in outcomes),
        first=fmean(outcome.is_first for outcome in outcomes),
        foreign=fmean(bool(outcome.foreign) for outcome in outcomes),
        overlap=median(overlaps) if overlaps else None,
        p50_ms=percentile(times, 0.5),
        p95_ms=percentile(times, 0.95),
    )
