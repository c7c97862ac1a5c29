"""Return when everything that happened in the watched folders before now is indexed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.commands import connect
from pspc.errors import DaemonError
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
    """Wait; 2 when it takes longer than --timeout."""
    with connect(arguments) as connection:
        try:
            freshness = connection.sync(arguments.timeout)
        except DaemonError as error:
            if error.code != "deadline":
                raise
            console.note(
                f"not everything is indexed after {arguments.timeout:g} s; see pspc status"
            )
            return 2
    for note in freshness_notes(freshness):
        console.note(note)
    return 0
