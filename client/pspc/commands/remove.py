"""Stop watching folders and forget their files. The files themselves are not touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.folders import add_directories, each_folder
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    import argparse

    from pspc.connection import Connection
    from pspc.console import Console
    from pspd.rpc import wire

EXAMPLES = """\
  pspc remove ~/Pictures
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_directories(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Remove each folder; 2 when one could not be removed."""

    def tell(root: wire.RootStatus) -> None:
        console.line(f"no longer watching {printable(root.path)}")

    return each_folder(arguments, console, _remove, tell)


def _remove(connection: Connection, directory: str) -> wire.RootStatus:
    return connection.remove(directory)
