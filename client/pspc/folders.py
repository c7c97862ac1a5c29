"""Does something to each of some watched folders; one that fails keeps no other from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.commands import about_folder, connect
from pspc.errors import DaemonError, PathError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from pspc.connection import Connection
    from pspc.console import Console
    from pspd.rpc import wire


def add_directories(parser: argparse.ArgumentParser) -> None:
    """Declare the folders."""
    parser.add_argument("directories", nargs="+", metavar="DIR", help="a folder that is watched")


def each_folder(
    arguments: argparse.Namespace,
    console: Console,
    do: Callable[[Connection, str], wire.RootStatus],
    tell: Callable[[wire.RootStatus], None],
) -> int:
    """Do it to each folder and tell of it; returns 2 when it could not be done to one, else 0."""
    is_failed = False
    with connect(arguments) as connection:
        for directory in arguments.directories:
            try:
                root = do(connection, directory)
            except (DaemonError, PathError) as error:
                console.note(about_folder(directory, error))
                is_failed = True
            else:
                tell(root)
    return 2 if is_failed else 0
