"""Figures → the table: goal, figure, reached."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from tests.reliability.goals import GOALS, Figure

_FIGURE_WIDTH = 78


def word_of(figure: Figure) -> str:
    """Say in one word whether the goal is reached."""
    if figure.reached:
        return "yes"
    if not figure.text:
        return "not measured"
    return "not run" if figure.text == "not run" else "no"


def in_order(figures: Iterable[Figure]) -> list[Figure]:
    """Sort by the goals' numbers."""
    return sorted(figures, key=lambda figure: (int(figure.goal[1:]), figure.test, figure.text))


def lines_of(figures: Iterable[Figure]) -> Iterator[str]:
    """Lay out the table for a terminal; goals nobody measured are named at the end."""
    told = in_order(figures)
    yield f"{'goal':<5}{'reached':<9}figure"
    for figure in told:
        text = f"{figure.text} ({figure.why})" if figure.why else figure.text
        first, *rest = textwrap.wrap(text, _FIGURE_WIDTH) or [""]
        yield f"{figure.goal:<5}{word_of(figure):<9}{first}"
        for line in rest:
            yield f"{'':<14}{line}"
    missing = [goal for goal in GOALS if goal not in {figure.goal for figure in told}]
    if missing:
        yield f"not measured in this run: {', '.join(missing)}"
