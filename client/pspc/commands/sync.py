"""Return when everything that happened in the watched folders before now is indexed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.commands import connect
from pspc.render import freshness_notes

if TYPE_CHECKING:
    import argparse

    from pspc.console import Console

EXAMPLES = """\
  pspc sync
  pspc sync --learned
  cp photo.jpg ~/Pictures && pspc sync --timeout 60 && pspc search photo.jpg
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--learned",
        action="store_true",
        help="also wait until every picture has its learned descriptor",
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Wait; an error when it takes longer than --timeout."""
    from pspc.waiting import wait_for_describing, wait_for_sync  # noqa: PLC0415 - not for --help

    freshness = wait_for_sync(lambda: connect(arguments), console, arguments.timeout)
    for note in freshness_notes(freshness):
        console.note(note)
    if arguments.learned:
        wait_for_describing(lambda: connect(arguments), console, arguments.timeout)
    return 0
