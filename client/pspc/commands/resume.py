"""Go on with folders that were paused: find what changed there meanwhile, and watch them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.commands import about_folder, connect
from pspc.errors import DaemonError, PathError
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    import argparse

    from pspc.console import Console

EXAMPLES = """\
  pspc resume ~/Pictures
  pspc resume ~/Pictures && pspc sync
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("directories", nargs="+", metavar="DIR", help="a folder that is watched")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Resume each folder; 2 when one could not be resumed."""
    is_failed = is_scanning = False
    with connect(arguments) as connection:
        for directory in arguments.directories:
            try:
                root = connection.resume(directory)
            except (DaemonError, PathError) as error:
                console.note(about_folder(directory, error))
                is_failed = True
            else:
                console.line(f"watching {printable(root.path)}")
                is_scanning |= root.state == "scanning"
    if is_scanning:
        console.note("what changed meanwhile is looked for; to wait for it: pspc sync")
    return 2 if is_failed else 0
