"""Start the daemon. Every other verb does so by itself when it has to."""

from __future__ import annotations

import os
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
    from pspc.autostart import ensure_running  # noqa: PLC0415 - brings ZeroMQ

    if arguments.no_start:
        raise SetupError("start and --no-start contradict each other")
    is_new = ensure_running(os.environ)
    with connect(arguments) as connection:
        pid = connection.hello().pid
    console.line(f"pspd is started, pid {pid}" if is_new else f"pspd already runs, pid {pid}")
    return 0
