"""Go on with folders that were paused: find what changed there meanwhile, and watch them again."""

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
  pspc resume ~/Pictures
  pspc resume ~/Pictures && pspc sync
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_directories(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Resume each folder; 2 when one could not be resumed."""
    resumed: list[wire.RootStatus] = []

    def tell(root: wire.RootStatus) -> None:
        console.line(f"watching {printable(root.path)}")
        resumed.append(root)

    status = each_folder(arguments, console, _resume, tell)
    if any(root.state == "scanning" for root in resumed):
        console.note("what changed meanwhile is looked for; to wait for it: pspc sync")
    return status


def _resume(connection: Connection, directory: str) -> wire.RootStatus:
    return connection.resume(directory)
