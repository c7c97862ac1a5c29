"""Figures and misses → the text and the JSON document of `pspc selftest`; see docs/json.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from pspc import render
from pspc.documents import path_base64, path_text
from pspc.schema import PathDocument
from pspc.selftest.figures import Figures, figures_of
from pspc.selftest.trial import Outcome, Results

HEADER = ("edit", "tier", "queries", "found", "first", "others", "overlap", "p50", "p95")
"""Of the columns that `cells` fills."""


class FiguresDocument(msgspec.Struct, kw_only=True):
    """What became of the queries of one edit in one tier."""

    edit: str
    tier: str
    queries: int
    recall: float
    first: float
    foreign: float
    overlap: float | None
    p50_ms: float
    p95_ms: float


class ForeignDocument(PathDocument, kw_only=True):
    """A picture that was called a copy and is none of the known ones."""


class MissDocument(PathDocument, kw_only=True):
    """A query that went wrong; the path is that of the original."""

    edit: str
    tier: str
    found: bool
    first: bool
    foreign: list[ForeignDocument]
    error: str


class SelftestDocument(msgspec.Struct, kw_only=True):
    """`pspc selftest --json`."""

    pictures: int
    seed: int
    left_out: dict[str, int]
    figures: list[FiguresDocument]
    misses: list[MissDocument]


def selftest_document(results: Results, seed: int) -> SelftestDocument:
    """Make the document of a trial."""
    return SelftestDocument(
        pictures=results.pictures,
        seed=seed,
        left_out=dict(sorted(results.left_out.items())),
        figures=[_figures_document(each) for each in figures_of(results.outcomes)],
        misses=[_miss_document(miss.outcome) for miss in results.misses],
    )


def selftest_table(figures: Iterable[Figures]) -> str:
    """Lay figures out for a terminal; shares in percent, times in milliseconds."""
    return render.table(HEADER, [cells(each) for each in figures], right=tuple(range(2, 9)))


def cells(figures: Figures) -> Sequence[str]:
    """Write figures as people read them, in the order of the table's columns."""
    return (
        figures.edit,
        figures.tier,
        str(figures.queries),
        *(f"{100 * share:.1f} %" for share in (figures.recall, figures.first, figures.foreign)),
        "" if figures.overlap is None else f"{figures.overlap:.2f}",
        f"{figures.p50_ms:.0f} ms",
        f"{figures.p95_ms:.0f} ms",
    )


def _figures_document(figures: Figures) -> FiguresDocument:
    return FiguresDocument(
        edit=figures.edit,
        tier=figures.tier,
        queries=figures.queries,
        recall=figures.recall,
        first=figures.first,
        foreign=figures.foreign,
        overlap=figures.overlap,
        p50_ms=figures.p50_ms,
        p95_ms=figures.p95_ms,
    )


def _miss_document(outcome: Outcome) -> MissDocument:
    return MissDocument(
        path=path_text(outcome.path),
        path_base64=path_base64(outcome.path),
        edit=outcome.edit,
        tier=outcome.tier,
        found=outcome.is_found,
        first=outcome.is_first,
        foreign=[
            ForeignDocument(path=path_text(path), path_base64=path_base64(path))
            for path in outcome.foreign
        ],
        error=path_text(outcome.error),
    )
