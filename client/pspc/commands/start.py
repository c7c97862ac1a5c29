"""Start the daemon. Every other verb does so by itself when it has to."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from pspc.commands import connect
from pspc.errors import SetupError

if TYPE_CHECKING:
    import argparse

    from pspc.console import Console

EXAMPLES = """\
  pspc start
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: there are none."""
    parser.set_defaults(verb="start")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Start the daemon, or say that it runs."""
    from pspc.autostart import START_SECONDS, ensure_running  # noqa: PLC0415 - brings ZeroMQ

    if arguments.no_start:
        raise SetupError("start and --no-start contradict each other")
    begun = time.monotonic()
    is_new = ensure_running(os.environ, seconds=arguments.timeout or START_SECONDS)
    with connect(arguments) as connection:
        connection.timeout = max(0.0, connection.timeout - (time.monotonic() - begun))
        pid = connection.hello().pid
    console.line(f"pspd is started, pid {pid}" if is_new else f"pspd already runs, pid {pid}")
    return 0
