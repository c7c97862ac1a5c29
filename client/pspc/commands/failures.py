"""List the files that could not be indexed, each with its reason.

Files that no picture format begins like, and whose names do not claim otherwise, are counted and
not listed, unless --all is given. In a pipe: reason, path and message, separated by tabs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.commands import connect
from pspc.render import are_no_pictures, counted, field, table
from pspc.sources import claims_to_be_a_picture
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from pspc.console import Console
    from pspd.rpc import wire

EXAMPLES = """\
  pspc failures
  pspc failures --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--all", action="store_true", help="also files that are no pictures")
    parser.add_argument("--json", action="store_true", help="print all as one JSON document")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the failures."""
    with connect(arguments) as connection:
        if arguments.json:
            from pspc import care_documents, documents  # noqa: PLC0415 - of no use to other output

            console.line(documents.text_of(care_documents.failures(connection.failures())))
            return 0
        others = _Others()
        entries = connection.failures()
        listed = entries if arguments.all else others.left_out(entries)
        _show(listed, console)
    if others.count:
        others_are = f"{counted(others.count, 'other file')} {are_no_pictures(others.count)}"
        console.note(f"{others_are}; see --all")
    return 0


class _Others:
    """Counts the failures that are not listed."""

    def __init__(self) -> None:
        self.count = 0

    def left_out(self, entries: Iterable[wire.FailureEntry]) -> Iterator[wire.FailureEntry]:
        for entry in entries:
            if entry.reason == "not_a_picture" and not claims_to_be_a_picture(entry.path):
                self.count += 1
            else:
                yield entry


def _show(entries: Iterable[wire.FailureEntry], console: Console) -> None:
    if not console.is_terminal:
        for entry in entries:
            console.line("\t".join([entry.reason, field(entry.path), field(entry.message)]))
        return
    rows = [
        (entry.reason, f"{printable(entry.path)}  ({printable(entry.message)})")
        for entry in entries
    ]
    console.line(table(("reason", "path"), rows) if rows else "no failures")
