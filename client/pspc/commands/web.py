"""Open a page in the browser: search, compare, tidy up copies, and see to the library.

It is served by this process, for this machine alone, until Ctrl-C. The address that is printed is
good once, for ten minutes; called again, it prints a fresh one. --background has it stay when the
terminal is closed, until the daemon stops.

With --host others in the network reach it as well, and need the password of --password-file. They
see all indexed pictures, and can move them to the trash. The way there is not encrypted: what
passes between machines is better sent through `ssh -L 8383:127.0.0.1:8383 HOST`.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from pspc.commands import connect
from pspc.commands.search import number
from pspc.errors import SetupError, UsageError

if TYPE_CHECKING:
    from pspc.console import Console
    from pspc.web.opening import Options

EXAMPLES = """\
  pspc web
  pspc web --background
  pspc web --port 9000 --no-browser
  pspc web --host 192.168.1.5 --password-file ~/psp-password
"""

DEFAULT_PORT = 8383

_MOST_PORT = 65_535
_NEEDED = ("anyio", "h11", "starlette", "uvicorn")
_EXTRA = "pip install 'picsearchpic[web]'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        metavar="N",
        help=f"where it listens (default: {DEFAULT_PORT}; 0 for any that is free)",
    )
    parser.add_argument(
        "--host", metavar="ADDRESS", help="an address of this machine that others reach"
    )
    parser.add_argument(
        "--password-file", metavar="FILE", help="with --host: its first line is the password"
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="only print the address, open no browser"
    )
    parser.add_argument(
        "--background", action="store_true", help="return at once, and serve until pspd stops"
    )
    parser.add_argument(
        "--allow-private-urls",
        action="store_true",
        help="also fetch pictures from addresses in private networks",
    )
    parser.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Serve the page, or say where it is served already."""
    _require_sense(arguments)
    try:
        # Half a second of Starlette, uvicorn and asyncio that no other verb pays.
        from pspc.web.opening import open_page  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _NEEDED:
            raise
        raise SetupError(f"the page needs an extra: {_EXTRA}") from error
    if not arguments.no_start:
        with connect(arguments) as connection:
            connection.hello()
    return open_page(_options(arguments), os.environ, console)


def _require_sense(arguments: argparse.Namespace) -> None:
    from pspc.web.listening import is_loopback  # noqa: PLC0415

    is_open = arguments.host is not None and not is_loopback(arguments.host)
    if is_open and arguments.password_file is None:
        raise UsageError("--host lets others in: give --password-file FILE as well")
    if arguments.password_file is not None and not is_open:
        raise UsageError("--password-file belongs to --host with an address that others reach")


def _options(arguments: argparse.Namespace) -> Options:
    from pspc.web.opening import Options  # noqa: PLC0415

    return Options(
        port=arguments.port,
        host=arguments.host,
        password_file=arguments.password_file,
        opens_browser=not arguments.no_browser,
        is_background=arguments.background,
        is_detached=arguments.detached,
        allows_private_urls=arguments.allow_private_urls,
    )


def _port(text: str) -> int:
    return number(text, 0, _MOST_PORT)
