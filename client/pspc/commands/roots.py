"""List the watched folders and how far each is.

In a pipe: state, indexed, pending, failed, problem and path, separated by tabs; --json has the
filters too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.commands import connect
from pspc.render import field, filters, table
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    import argparse

    from pspc.console import Console
    from pspd.rpc import wire

EXAMPLES = """\
  pspc roots
  pspc roots --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the roots."""
    with connect(arguments) as connection:
        roots = connection.roots()
    if arguments.json:
        from pspc import documents  # noqa: PLC0415 - of no use to other output

        console.line(documents.text_of(documents.roots(roots)))
    elif console.is_terminal:
        console.line(roots_table(roots) if roots else "no folder is watched yet: pspc add DIR")
    else:
        for root in roots:
            console.line(_line(root))
    return 0


def roots_table(roots: list[wire.RootStatus]) -> str:
    """Return the roots as a table for a terminal."""
    rows = [
        (
            root.state,
            f"{root.indexed:,}",
            f"{root.pending:,}",
            f"{root.failed:,}",
            _path_cell(root),
        )
        for root in roots
    ]
    return table(("state", "indexed", "pending", "failed", "path"), rows, right=(1, 2, 3))


def _path_cell(root: wire.RootStatus) -> str:
    notes = [note for note in (root.problem, filters(root)) if note]
    return printable(root.path) + (f"  ({printable('; '.join(notes))})" if notes else "")


def _line(root: wire.RootStatus) -> str:
    counts = (root.indexed, root.pending, root.failed)
    return "\t".join([root.state, *map(str, counts), field(root.problem), field(root.path)])
