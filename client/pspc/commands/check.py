"""Check that the store is what was written, and with --deep what the pictures are.

Exit status 0: nothing is wrong; 1: something is, one line each. `pspc repair` mends it. Pictures
are only read.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pspc.commands import connect
from pspc.errors import UsageError

if TYPE_CHECKING:
    from pspc.console import Console

EXAMPLES = """\
  pspc check
  pspc check --deep
  pspc check --deep --subset 1/7      a seventh of the pictures, always the same one
  pspc check --json
"""

EXIT_DAMAGED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--deep", action="store_true", help="also read the pictures again and compare them"
    )
    parser.add_argument(
        "--subset",
        type=_subset,
        metavar="N/M",
        help="with --deep: only the N-th of M parts of the pictures",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Check, and print what is wrong."""
    from pspc.jobs import run_job, show_findings  # noqa: PLC0415 - brings the wire
    from pspd.rpc import wire  # noqa: PLC0415

    if arguments.subset and not arguments.deep:
        raise UsageError("--subset is for a deep check: pspc check --deep --subset N/M")
    part, parts = arguments.subset or (1, 1)
    request = wire.StartJob("check", deep=arguments.deep, part=part, parts=parts)
    with connect(arguments) as connection:
        finished = run_job(connection, request, console, arguments.timeout)
    if arguments.json:
        from pspc import care_documents, documents  # noqa: PLC0415 - of no use to other output

        console.line(documents.text_of(care_documents.check(finished.findings, finished.reply)))
    else:
        show_findings(finished, console)
        if not finished.reply.found:
            console.line("nothing is wrong")
        else:
            console.note(f"{finished.reply.summary}; mend the store with: pspc repair")
    return EXIT_DAMAGED if finished.reply.found else 0


def _subset(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"a part such as 1/7 is wanted, not {text!r}")
    return int(part), int(parts)
