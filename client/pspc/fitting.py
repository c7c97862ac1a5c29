"""Paths made to fit a terminal's width. Only people see them: pipes and JSON have whole paths."""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST_COLUMNS = 20
"""A path is not cut shorter than this: on a very narrow terminal rows wrap instead."""

_ELLIPSIS = "…"


def fitted_paths(paths: Sequence[str], columns: int, home: str | None = None) -> list[str]:
    """Return printable paths so that each fits, changed as little as that takes.

    All as they are when they fit; else those below the home as `~/…`, all of them, so that rows
    can be compared; and of those that still do not fit, the end, which has the name.

    Args:
        paths: Absolute paths.
        columns: How many columns each may have; `FEWEST_COLUMNS` is the least.
        home: The user's home; None for that of the environment.
    """
    columns = max(columns, FEWEST_COLUMNS)
    if all(width(path) <= columns for path in paths):
        return list(paths)
    home = os.path.expanduser("~") if home is None else home
    prefix = home.rstrip("/") + "/"
    if len(prefix) > 1:
        paths = [f"~/{path[len(prefix) :]}" if path.startswith(prefix) else path for path in paths]
    return [_end(path, columns) for path in paths]


def width(text: str) -> int:
    """Return how many columns a terminal needs for printable text: two for a Chinese character."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _end(path: str, columns: int) -> str:
    if width(path) <= columns:
        return path
    left = columns - width(_ELLIPSIS)
    begin = len(path)
    while begin and width(path[begin - 1 :]) <= left:
        begin -= 1
    return _ELLIPSIS + path[begin:]
