"""Leave watched folders alone for a while: nothing below them is looked at or read by itself.

What is known of them stays in the index and answers, and each answer says that it may be out of
date. A folder stays paused until `pspc resume DIR`, whatever is restarted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.commands import about_folder, connect
from pspc.errors import DaemonError, PathError
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    import argparse

    from pspc.console import Console

EXAMPLES = """\
  pspc pause ~/Pictures
  pspc resume ~/Pictures
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("directories", nargs="+", metavar="DIR", help="a folder that is watched")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Pause each folder; 2 when one could not be paused."""
    is_failed = False
    with connect(arguments) as connection:
        for directory in arguments.directories:
            try:
                root = connection.pause(directory)
            except (DaemonError, PathError) as error:
                console.note(about_folder(directory, error))
                is_failed = True
            else:
                console.line(f"paused {printable(root.path)}")
                console.note(printable(root.problem))
    return 2 if is_failed else 0
