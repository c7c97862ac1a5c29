"""Stop the daemon, and return when it is gone. It goes on where it was when it starts again."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from pspc.commands import connect
from pspc.errors import Unreachable
from pspc.processes import is_alive

if TYPE_CHECKING:
    import argparse

    from pspc.console import Console

EXAMPLES = """\
  pspc stop
"""

_POLL_SECONDS = 0.02


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: there are none."""
    parser.set_defaults(verb="stop", no_start=True)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Stop the daemon and wait until its socket and its process are gone."""
    from pspc.transport import is_running  # noqa: PLC0415 - brings ZeroMQ

    if not is_running(os.environ):
        console.line("pspd is not running")
        return 0
    arguments.no_start = True
    with connect(arguments) as connection:
        deadline = time.monotonic() + connection.timeout
        pid = connection.stop()
    while is_running(os.environ) or is_alive(pid):
        if time.monotonic() >= deadline:
            raise Unreachable(f"pspd was told to stop and has not yet, its pid is {pid}")
        time.sleep(_POLL_SECONDS)
    console.line("pspd is stopped")
    return 0
