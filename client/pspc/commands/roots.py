"""List the watched folders and how far each is.

In a pipe: state, indexed, pending, failed, problem and path, separated by tabs; --json has the
filters too.

A drive that is not mounted looks like a folder whose files were deleted, so what is known of them
stays. When they are really gone, `pspc roots confirm DIR` says so; DIR is a watched folder, or the
folder in one where the drive was mounted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.commands import about_folder, connect
from pspc.errors import DaemonError, PathError, UsageError
from pspc.render import field, filters, state_word, table
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    import argparse

    from pspc.connection import Connection
    from pspc.console import Console
    from pspd.rpc import wire

EXAMPLES = """\
  pspc roots
  pspc roots --json
  pspc roots confirm ~/Pictures/usb
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "confirm", nargs="*", metavar="confirm DIR", help="forget what is missing in a folder"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the roots, or confirm that files are gone."""
    directory = _directory(arguments.confirm)
    with connect(arguments) as connection:
        if directory is not None:
            return _confirm(connection, directory, console, as_json=arguments.json)
        roots = connection.roots()
    if arguments.json:
        from pspc import care_documents, documents  # noqa: PLC0415 - of no use to other output

        console.line(documents.text_of(care_documents.roots(roots)))
    elif console.is_terminal:
        console.line(roots_table(roots) if roots else "no folder is watched yet: pspc add DIR")
    else:
        for root in roots:
            console.line(_line(root))
    return 0


def _directory(words: list[str]) -> str | None:
    """Return the folder to confirm; None when there is nothing to confirm."""
    match words:
        case []:
            return None
        case ["confirm", directory]:
            return directory
        case _:
            raise UsageError("wanted is: pspc roots, or pspc roots confirm DIR")


def _confirm(connection: Connection, directory: str, console: Console, *, as_json: bool) -> int:
    try:
        root = connection.confirm(directory)
    except (DaemonError, PathError) as error:
        console.note(about_folder(directory, error))
        return 2
    if as_json:
        from pspc import care_documents, documents  # noqa: PLC0415 - of no use to other output

        console.line(documents.text_of(care_documents.root(root)))
        return 0
    console.line(f"forgetting what is missing in {printable(directory)}; done after: pspc sync")
    return 0


def roots_table(roots: list[wire.RootStatus]) -> str:
    """Return the roots as a table for a terminal."""
    rows = [
        (
            state_word(root),
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
    return "\t".join([state_word(root), *map(str, counts), field(root.problem), field(root.path)])
