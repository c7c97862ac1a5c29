"""List contents that cost the decoder its life, or let them out to be tried again.

Each is known by its bytes, so copies and other names cost nothing more. After two deaths it is left
alone until the decoder is another one. In a pipe: reason, deaths, when, path, message and decoder,
separated by tabs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.commands import connect
from pspc.render import counted, field, local_time, table
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from pspc.console import Console
    from pspd.rpc import wire

EXAMPLES = """\
  pspc quarantine
  pspc quarantine --json
  pspc quarantine --retry
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "path", nargs="?", metavar="PATH", help="only the one listed with this path"
    )
    parser.add_argument("--retry", action="store_true", help="let them out and try them again")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print what is in quarantine, or what was let out."""
    with connect(arguments) as connection:
        entries = connection.quarantine(arguments.path, retry=arguments.retry)
    if arguments.json:
        from pspc import care_documents, documents  # noqa: PLC0415 - of no use to other output

        console.line(documents.text_of(care_documents.quarantine(entries)))
    elif arguments.retry:
        console.line(f"{counted(len(entries), 'content')} let out, to be tried again")
    else:
        _show(entries, console)
    return 0


def _show(entries: Sequence[wire.QuarantineEntry], console: Console) -> None:
    if not console.is_terminal:
        for entry in entries:
            words = (entry.path, entry.message, entry.decoder)
            console.line(
                "\t".join(
                    [entry.reason, str(entry.deaths), entry.when, *(field(word) for word in words)]
                )
            )
        return
    rows = [(entry.reason, _sentence(entry)) for entry in entries]
    console.line(table(("reason", "path"), rows) if rows else "nothing is in quarantine")


def _sentence(entry: wire.QuarantineEntry) -> str:
    where = printable(entry.path) or "a query"
    deaths = f"{counted(entry.deaths, 'worker')} lost, {local_time(entry.when)}"
    return f"{where}  ({printable(entry.message)}; {deaths}; {printable(entry.decoder)})"
