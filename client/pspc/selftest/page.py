"""Figures and misses → one HTML page that shows them; it loads nothing and runs nothing.

Pictures are in it as `data:` addresses, names are escaped, and its policy lets a browser load
nothing else.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from pspc.errors import SourceError
from pspc.selftest.document import HEADER, cells
from pspc.selftest.edits import Unreadable, encode, read_source
from pspc.selftest.figures import MEAN, Figures, figures_of
from pspc.selftest.trial import Miss, Outcome, Results
from pspc.sources import read_path
from pspd.rpc.wire import printable

MOST_MISSES: Final = 300
"""Misses that a page shows: with three pictures each it has some 10 MB."""

_SIDE: Final = 200
"""Pixels of a shown picture's longer side."""
_MOST_FOREIGN: Final = 3

_HEAD: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width"><title>pspc selftest</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em; color: #222; background: #fff }
table { border-collapse: collapse } td, th { padding: .15em .8em; text-align: right }
td:first-child, th:first-child, td:nth-child(2), th:nth-child(2) { text-align: left }
tr:nth-child(even) { background: #f2f2f2 } .mean { font-weight: bold }
section { border-top: 1px solid #ccc; margin-top: 1em; padding-top: .5em }
figure { display: inline-block; margin: .5em 1em .5em 0; vertical-align: top; max-width: 220px }
figcaption { overflow-wrap: anywhere; font-size: 12px } img { border: 1px solid #ccc }
</style></head><body>
"""


def page_of(results: Results, seed: int) -> Iterator[str]:
    """Yield the page piece by piece; the pictures of originals are read again for it."""
    yield _HEAD
    yield f"<h1>pspc selftest</h1><p>{results.pictures} pictures, seed {seed}.</p>\n"
    yield _table(figures_of(results.outcomes))
    shown = f"{len(results.misses):,}"
    if len(results.misses) >= MOST_MISSES:
        shown += ", the first ones,"
    yield f"<h2>Misses</h2><p>{shown} are shown.</p>\n"
    for miss in results.misses:
        yield _section(miss)
    yield "</body></html>\n"


def _table(figures: Iterable[Figures]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in HEADER)
    rows = "".join(
        f"<tr{' class=mean' if each.edit == MEAN else ''}>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells(each))
        + "</tr>\n"
        for each in figures
    )
    return f"<table><tr>{head}</tr>\n{rows}</table>\n"


def _section(miss: Miss) -> str:
    outcome = miss.outcome
    figures = [
        _figure(miss.query, "query"),
        _file_figure(outcome.path, "original"),
        *(_file_figure(path, "other") for path in outcome.foreign[:_MOST_FOREIGN]),
    ]
    title = f"{outcome.edit}, {outcome.tier}: {', '.join(_faults(outcome))}"
    return f"<section><h3>{escape(title)}</h3>{''.join(figures)}</section>\n"


def _faults(outcome: Outcome) -> Iterator[str]:
    if outcome.error:
        yield f"refused: {printable(outcome.error)}"
    elif not outcome.is_found:
        yield "not found"
    if outcome.is_found and not outcome.is_first:
        yield "not first"
    if outcome.foreign:
        yield f"{len(outcome.foreign)} others called copies"


def _file_figure(path: bytes, what: str) -> str:
    caption = f"{what}: {printable(path)}"
    try:
        return _figure(read_path(path), caption)
    except SourceError as error:
        return _caption_only(f"{caption}: {error}")


def _figure(data: bytes, caption: str) -> str:
    try:
        small = read_source(data, _SIDE).image
    except Unreadable as error:
        return _caption_only(f"{caption}: {error}")
    address = base64.b64encode(encode(small, "JPEG", quality=80)).decode("ascii")
    return (
        f'<figure><img alt="" src="data:image/jpeg;base64,{address}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _caption_only(caption: str) -> str:
    return f"<figure><figcaption>{escape(caption)}</figcaption></figure>"
