"""Take back what pspc apply did last, also when it was cut short by a crash.

Files come back from the trash to where they were, and links become files of their own again, with
their times and permissions. Where another file lies there by now it is left, and told. The next
undo takes back what was applied before that; what could not be is tried again once nothing else is
left.

Exit status: 0 all was taken back, 1 some was not, or there is nothing, 2 an error.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pspc import render
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    import argparse

    from pspc.console import Console

EXAMPLES = """\
  pspc undo --dry-run
  pspc undo
"""

TAKEN_BACK, NOT_ALL = 0, 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--dry-run", action="store_true", help="only say what would be taken back")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Take back the acts of the newest journal, the last one first."""
    from pspc.deciding import journal, undoing  # noqa: PLC0415 - of no use to other verbs
    from pspc.deciding.files import ActError  # noqa: PLC0415

    with journal.last_journal(os.environ) as acts:
        if acts is None:
            console.note("there is nothing to take back")
            return NOT_ALL
        entries = journal.waiting_entries(acts.path)
        done = 0
        for entry in reversed(entries):
            try:
                if not arguments.dry_run:
                    undoing.take_back(entry, acts)
            except ActError as error:
                console.note(str(error))
                continue
            done += 1
            path = entry.act.path
            console.line(printable(path) if console.is_terminal else render.field(path))
    would = "would be" if arguments.dry_run else "are" if done != 1 else "is"
    console.note(f"{done:,} of {render.counted(len(entries), 'file')} {would} as before")
    return TAKEN_BACK if done == len(entries) else NOT_ALL
