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
  cp photo.jpg ~/Pictures && pspc sync --timeout 60 && pspc search photo.jpg
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: the common --timeout is all there is."""
    parser.set_defaults(verb="sync")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Wait; an error when it takes longer than --timeout."""
    from pspc.waiting import wait_for_sync  # noqa: PLC0415 - of no use to --help

    freshness = wait_for_sync(lambda: connect(arguments), console, arguments.timeout)
    for note in freshness_notes(freshness):
        console.note(note)
    return 0
