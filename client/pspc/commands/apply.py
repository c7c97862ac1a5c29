r"""Carry out a plan that pspc duplicates --plan wrote, and a person has read.

Before each step the file and the one that is kept for it are read again, and must be what the plan
says. Files go to the trash, from where they can be taken back with pspc undo, or by any file
manager; nothing is deleted. What cannot be done is told, and the rest goes on.

In a pipe each step is one line of what was done (trash, link, or failed), path, and why it failed,
separated by tabs.

Exit status: 0 all was done, 1 some was not, 2 an error.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pspc import render
from pspc.errors import SourceError
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from pspc.console import Console
    from pspc.deciding.plans import Line

EXAMPLES = """\
  pspc duplicates --plan plan.jsonl
  pspc apply --dry-run plan.jsonl
  pspc apply plan.jsonl
"""

DONE, NOT_ALL = 0, 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("plan", metavar="FILE", help="what pspc duplicates --plan wrote")
    parser.add_argument(
        "--dry-run", action="store_true", help="only look whether everything could be done"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Carry out the steps, one after the other."""
    from pspc.deciding import acting, journal, plans  # noqa: PLC0415 - of no use to other verbs

    lines = plans.parse(_text(arguments.plan))
    acting.refuse_aliases(lines)
    kept: dict[int, list[Line]] = {}
    for line in lines:
        if line.do == "keep":
            kept.setdefault(line.group, []).append(line)
    steps = [line for line in lines if line.do != "keep"]
    done: list[Line] = []

    def look(line: Line) -> None:
        acting.check(line, kept.get(line.group, ()), os.environ)

    try:
        if arguments.dry_run:
            _take_each(steps, look, done, console)
        else:
            with journal.new_journal(os.environ) as acts:

                def carry_out(line: Line) -> None:
                    acting.carry_out(line, kept.get(line.group, ()), acts, os.environ)

                _take_each(steps, carry_out, done, console)
    finally:
        # After Ctrl-C as well: who stopped it wants to know how far it came.
        _sum_up(done, len(steps), console, is_dry=arguments.dry_run)
    return DONE if len(done) == len(steps) else NOT_ALL


def _take_each(
    steps: Sequence[Line], do: Callable[[Line], None], done: list[Line], console: Console
) -> None:
    """Take the steps one by one, showing how far it is; what was done is added to `done`."""
    from pspc.deciding.files import ActError  # noqa: PLC0415 - see run

    for number, line in enumerate(steps, 1):
        if console.shows_progress:
            console.overwrite(f"{number:,} of {render.counted(len(steps), 'step')}")
        try:
            do(line)
        except ActError as error:
            _tell(line, str(error), console)
        else:
            done.append(line)
            _tell(line, "", console)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SourceError(f"{printable(path)} cannot be read: {reason}") from error


def _tell(line: Line, failure: str, console: Console) -> None:
    if console.shows_progress:
        console.overwrite("")
    if not console.is_terminal:
        cells = ("failed" if failure else line.do, render.field(line.path), render.field(failure))
        console.line("\t".join(cells))
    if failure:
        console.note(failure)


def _sum_up(done: Sequence[Line], steps: int, console: Console, *, is_dry: bool) -> None:
    if console.shows_progress:
        console.overwrite("")
    size = render.human_bytes(sum(line.size for line in done))
    files = render.counted(len(done), "file")
    if is_dry:
        console.note(
            f"{len(done):,} of {render.counted(steps, 'file')} could go, {size}; nothing was done"
        )
        return
    left = f"; {steps - len(done):,} not done" if steps > len(done) else ""
    again = "; to take it back: pspc undo" if done else ""
    console.note(f"{files} done, {size}{left}{again}")
