"""argv → the verb and its arguments; a mistake becomes one line that says what to do."""

from __future__ import annotations

import argparse
import os
import re
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from pspc.console import PROGRAM, USUAL_COLUMNS, columns_of, writing
from pspc.errors import UsageError
from pspd import __version__
from pspd.rpc.wire.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pspc.commands import Verb

VERBS = {
    "add": "watch a folder",
    "remove": "stop watching a folder and forget its files",
    "pause": "leave a watched folder alone for a while",
    "resume": "go on with a folder that was paused",
    "roots": "list the watched folders and how far each is",
    "search": "find files with the same picture, and copies of it",
    "why": "say what joins or parts two pictures",
    "duplicates": "list groups of copies, largest waste first",
    "apply": "carry out a plan of pspc duplicates --plan",
    "undo": "take back what pspc apply did last",
    "distinct": "say that pictures are no copies of one another",
    "web": "open a page in the browser for all of this",
    "missing": "list pictures of a card or disk that are not in the library",
    "sync": "return when everything that happened before now is indexed",
    "status": "show what is indexed and what is pending",
    "failures": "list files that could not be indexed, with the reason",
    "quarantine": "list contents that crashed the decoder, or try them again",
    "selftest": "try how well copies are found, on pictures of your own",
    "model": "list the models of learned descriptors; add, use or remove one",
    "check": "check the store, and with --deep the pictures against it",
    "repair": "mend the store from the pictures",
    "backup": "write a verified copy of the store",
    "start": "start the daemon",
    "stop": "stop the daemon; it goes on where it was when it starts again",
    "service": "let systemd run the daemon for you",
}
"""Every verb, with the line that `pspc --help` has for it."""

_LOCAL_VERBS = (
    "add",
    "apply",
    "remove",
    "pause",
    "resume",
    "distinct",
    "duplicates",
    "model",
    "selftest",
    "sync",
    "start",
    "stop",
    "service",
    "undo",
    "web",
)
"""Verbs that a daemon on another machine does not serve."""

MOST_SECONDS = 1_000_000.0
"""Eleven days; poll(2) takes milliseconds as an int of 32 bits."""

_EPILOG = """\
exit status:
  0  done; for a search: something was found
  1  nothing was found; for a check: something is wrong
  2  an error
  3  nothing was found yet: the index is not complete, or a folder is not there, or paused

examples:
  pspc add ~/Pictures --wait
  pspc search photo.jpg
  pspc --connect tcp://nas:7420 --key nas.key search photo.jpg

Every verb has a --help with examples.
"""

_NUMBERED = (
    *("-n", "--count", "--distance", "--expect", "--budget"),
    *("--pictures", "--seed", "--timeout"),
)
"""Options whose value is a number: a negative one is a value, if a wrong one, and no option."""


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal.

    argparse makes one for each argument that is declared, help or not, and would ask `shutil` for
    the width, which takes 2 ms to import.
    """

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=(columns_of(sys.stdout) or USUAL_COLUMNS) - 2)


class Parser(argparse.ArgumentParser):
    """Raises what argparse prints with the usage, and help that cannot be written."""

    def error(self, message: str) -> NoReturn:
        """Raise the mistake as one sentence.

        Raises:
            UsageError: always.
        """
        unknown = re.fullmatch(r"argument VERB: invalid choice: '(.*?)' \(.*\)", message, re.DOTALL)
        if unknown:
            message = f"there is no verb {quoted(unknown[1])}{_suggestion(unknown[1], VERBS)}"
        elif message.endswith("required: VERB"):
            message = "a verb is wanted, such as add or search"
        raise UsageError(f"{message}; see {self.prog} --help")

    def _print_message(self, message: str, file: Any = None) -> None:
        # Help and the version come through here; argparse would not tell when it cannot write them.
        with writing():
            print(message, end="", file=file, flush=True)

    def reject(self, words: Sequence[str]) -> NoReturn:
        """Raise what is wrong with words that no argument takes.

        Raises:
            UsageError: always.
        """
        word = next((word for word in words if word.startswith("-")), words[0])
        if not word.startswith("-"):
            self.error(f"{quoted(word)} is one word too many, unless it belongs before the options")
        if not word.startswith("--") and (os.path.lexists(word) or "." in word):
            self.error(f"for the file {quoted(word)} write ./{word}")
        options = re.findall(r"--[a-z][a-z-]+", self.format_help())
        name = word.partition("=")[0]
        self.error(f"there is no option {quoted(name)}{_suggestion(name, options)}")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parse the command line.

    Raises:
        UsageError: it cannot be understood.
        SystemExit: help or the version was asked for, and printed.
    """
    parser, verb_parsers = _parsers(words)
    try:
        parsed, unknown = parser.parse_known_args(_with_numbers_attached(words))
    except UsageError as error:
        raise UsageError(f"{error}{_dash_hint(words)}") from error
    if unknown:
        verb_parsers[parsed.verb].reject(unknown)
    _refuse_remote(parsed.verb, parsed)
    return parsed


def load(name: str) -> Verb:
    """Import a verb's module."""
    verb: Verb = import_module(f"pspc.commands.{name}")
    return verb


def _parsers(words: Sequence[str]) -> tuple[Parser, dict[str, Parser]]:
    """Build the parsers; only verbs that occur among `words` are loaded and get their arguments.

    When the first word is a verb, nothing can be about another one, and there is none.
    """
    parser = Parser(
        prog=PROGRAM,
        description="Find a picture, and its copies, in the folders that the daemon pspd watches.",
        epilog=_EPILOG,
        formatter_class=Formatter,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    _add_common_arguments(parser, default=None)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, title="verbs")
    verb_parsers = {}
    for name in words[:1] if words and words[0] in VERBS else VERBS:
        verb_parser = verbs.add_parser(name, help=VERBS[name], formatter_class=Formatter)
        verb_parsers[name] = verb_parser
        if name in words:
            verb = load(name)
            verb_parser.description = verb.__doc__
            verb_parser.epilog = f"examples:\n{verb.EXAMPLES}"
            verb.add_arguments(verb_parser)
            _add_common_arguments(verb_parser, default=argparse.SUPPRESS)
    return parser, verb_parsers


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
        "--connect",
        metavar="ADDRESS",
        default=default,
        help="ask the daemon of another machine, at tcp://HOST:PORT (or $PSP_CONNECT)",
    )
    group.add_argument(
        "--key",
        metavar="FILE",
        default=default,
        help="the key for it, which `pspd keys add` makes there (or $PSP_KEY)",
    )
    group.add_argument(
        "--timeout",
        type=_seconds,
        metavar="S",
        default=default,
        help="seconds to wait for an answer (default: 30; "
        "sync, check, repair and backup: as long as it takes)",
    )


def _refuse_remote(verb: str, parsed: argparse.Namespace) -> None:
    """Refuse, before anything is done, what a daemon on another machine refuses."""
    is_remote = parsed.connect or os.environ.get("PSP_CONNECT")
    if is_remote and verb in _LOCAL_VERBS:
        raise UsageError(f"{verb} can only be used on the daemon's own machine, without --connect")


def _with_numbers_attached(words: Sequence[str]) -> list[str]:
    """Join `--distance -1` to one word: argparse takes the number for an option."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] in _NUMBERED and re.fullmatch(r"-[0-9.]+", word):
            joined[-1] += f"={word}" if joined[-1].startswith("--") else word
        else:
            joined.append(word)
    return joined


def _dash_hint(words: Iterable[str]) -> str:
    """Say how to name files that begin with a dash, if that may be what went wrong."""
    files = [word for word in words if word.startswith("-") and os.path.lexists(word)]
    return f"; for the file {quoted(files[0])} write ./{files[0]}" if files else ""


def _suggestion(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - of use to mistakes only

    found = get_close_matches(word, list(known), 1)
    return f", did you mean {found[0]}?" if found else ""


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= MOST_SECONDS:
        raise argparse.ArgumentTypeError(
            f"seconds above 0 are wanted, at most {MOST_SECONDS:,.0f}: {quoted(text)}"
        )
    return seconds
