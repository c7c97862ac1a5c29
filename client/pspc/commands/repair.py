"""Mend the store from the pictures: what is damaged is dropped, and its files are read again.

Pictures are only read. A store whose pages are damaged is put aside and built anew, from the
newest backup where there is one; the watched folders stay. When the daemon does not even start:
pspd --repair
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.commands import connect

if TYPE_CHECKING:
    import argparse

    from pspc.console import Console

EXAMPLES = """\
  pspc repair
  pspc repair --deep      read all pictures again, and mend what differs
  pspd --repair           when the daemon does not start
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--deep", action="store_true", help="also read the pictures again and compare them"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Repair, and say what was done."""
    from pspc.jobs import run_job, show_findings  # noqa: PLC0415 - brings the wire
    from pspd.rpc import wire  # noqa: PLC0415

    with connect(arguments) as connection:
        request = wire.StartJob("repair", deep=arguments.deep)
        finished = run_job(connection, request, console, arguments.timeout)
        if finished.reply.restart and not arguments.no_start:
            connection.status()  # the daemon stops; this starts the next one
    if arguments.json:
        from pspc import care_documents, documents  # noqa: PLC0415 - of no use to other output

        console.line(documents.text_of(care_documents.check(finished.findings, finished.reply)))
        return 0
    show_findings(finished, console)
    console.line(finished.reply.summary)
    return 0
