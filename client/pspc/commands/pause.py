"""Leave watched folders alone for a while: nothing below them is looked at or read by itself.

What is known of them stays in the index and answers, and each answer says that it may be out of
date. A folder stays paused until `pspc resume DIR`, whatever is restarted.
"""

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
  pspc pause ~/Pictures
  pspc resume ~/Pictures
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_directories(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Pause each folder; 2 when one could not be paused."""

    def tell(root: wire.RootStatus) -> None:
        console.line(f"paused {printable(root.path)}")
        console.note(printable(root.problem))

    return each_folder(arguments, console, _pause, tell)


def _pause(connection: Connection, directory: str) -> wire.RootStatus:
    return connection.pause(directory)
