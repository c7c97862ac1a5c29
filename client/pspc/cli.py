"""argv → verb → exit status. Each verb is a module of `pspc.commands`, loaded when it is used."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from pspc.console import PROGRAM, Console
from pspc.errors import PspcError
from pspd import __version__
from pspd.rpc.wire import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pspc.commands import Verb

VERBS = {
    "add": "watch a folder",
    "remove": "stop watching a folder and forget its files",
    "roots": "list the watched folders and how far each is",
    "search": "find files with the same picture, and copies of it",
    "sync": "return when everything that happened before now is indexed",
    "status": "show what is indexed and what is pending",
    "failures": "list files that could not be indexed, with the reason",
    "start": "start the daemon",
    "stop": "stop the daemon; it goes on where it was when it starts again",
    "service": "let systemd run the daemon for you",
}
"""Every verb, with the line that `pspc --help` has for it."""

EXIT_ERROR = 2
EXIT_INTERRUPTED = 128 + signal.SIGINT
"""What a shell reports of a program that the signal ended; likewise the next one."""
EXIT_BROKEN_PIPE = 128 + signal.SIGPIPE

_EPILOG = """\
exit status:
  0  done; for a search: something was found
  1  nothing was found
  2  an error
  3  nothing was found yet: the index is not complete

examples:
  pspc add ~/Pictures --wait
  pspc search photo.jpg

Every verb has a --help with examples.
"""


def main(arguments: Sequence[str] | None = None, console: Console | None = None) -> int:
    """Run one command; returns its exit status.

    Args:
        arguments: Without the program's name; None for those of the process.
        console: Where to write; None for the process's streams.
    """
    console = console or Console.standard()
    words = sys.argv[1:] if arguments is None else arguments
    try:
        parsed = _parser(words).parse_args(words)
        status = _load(parsed.verb).run(parsed, console)
        console.output.flush()
    except PspcError as error:
        console.note(str(error))
        return EXIT_ERROR
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Python flushes standard output at exit, into the same closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - a person gets a line, not a traceback
        console.note(f"this should not happen, please report it: {type(error).__name__}: {error}")
        return EXIT_ERROR
    return status


def _load(name: str) -> Verb:
    verb: Verb = import_module(f"pspc.commands.{name}")
    return verb


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser; only verbs that occur among `words` are loaded and get their arguments."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Find a picture, and its copies, in the folders that the daemon pspd watches.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    _add_common_arguments(parser, default=None)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, title="verbs")
    for name, help_line in VERBS.items():
        verb_parser = verbs.add_parser(
            name, help=help_line, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name in words:
            verb = _load(name)
            verb_parser.description = verb.__doc__
            verb_parser.epilog = f"examples:\n{verb.EXAMPLES}"
            verb.add_arguments(verb_parser)
            _add_common_arguments(verb_parser, default=argparse.SUPPRESS)
    return parser


def _add_common_arguments(parser: argparse.ArgumentParser, *, default: str | None) -> None:
    """Add what may stand before the verb and after it; SUPPRESS keeps the former's value."""
    group = parser.add_argument_group("for every verb")
    group.add_argument(
        "--no-start",
        action="store_true",
        default=default or False,
        help="do not start the daemon when none runs",
    )
    group.add_argument(
        "--timeout",
        type=_seconds,
        metavar="S",
        default=default,
        help="seconds to wait for an answer (default: 30; sync: as long as it takes)",
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"seconds above 0 are wanted: {quoted(text)}")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
