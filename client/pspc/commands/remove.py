"""Stop watching folders and forget their files. The files themselves are not touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.commands import about_folder, connect
from pspc.errors import DaemonError, PathError
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    import argparse

    from pspc.console import Console

EXAMPLES = """\
  pspc remove ~/Pictures
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("directories", nargs="+", metavar="DIR", help="a folder that is watched")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Remove each folder; 2 when one could not be removed."""
    is_failed = False
    with connect(arguments) as connection:
        for directory in arguments.directories:
            try:
                root = connection.remove(directory)
            except (DaemonError, PathError) as error:
                console.note(about_folder(directory, error))
                is_failed = True
            else:
                console.line(f"no longer watching {printable(root.path)}")
    return 2 if is_failed else 0
