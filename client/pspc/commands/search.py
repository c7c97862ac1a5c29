r"""Find files with the same picture, and copies of it, nearest first.

IMG is a path, "-" for standard input, or an http(s) URL.

In a pipe each hit is one line of verdict, distance, turn, width, height, bytes, format and path,
separated by tabs, after the query's name where there are several. In the path, backslash, tab and
newline are written as \\, \t and \n, other controls and bytes that are no UTF-8 as \xNN.

Exit status: 0 something was found, 1 nothing, 2 an error, 3 nothing yet: the index is not complete,
or a folder is not there at the moment.
"""

from __future__ import annotations

import argparse
import functools
import math
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from pspc import render, sources
from pspc.commands import connect
from pspc.errors import DaemonError, PspcError, SetupError, SourceError
from pspd.rpc.wire import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pspc.connection import Connection
    from pspc.console import Console
    from pspd.rpc import wire

EXAMPLES = """\
  pspc search photo.jpg
  pspc search --original scan.png other.bmp
  pspc search https://example.org/picture.webp
  pspc search --clipboard
  pspc search --crop 120,80,400,300 photo.jpg
  pspc search --alike --budget 5 photo.jpg
  pspc search photo.jpg -0 | xargs -0 ls -l
"""

CLIPBOARD = "clipboard"

_LABELS = {sources.STANDARD_INPUT: "standard input"}

_MOST_BITS = 256
_MOST_HITS = 2**31 - 1
_MOST_DIGITS = 10
_LONGEST_BUDGET = 60
_CORNER_AND_SIZE = 4


class Outcome(IntEnum):
    """The exit status of a search."""

    FOUND = 0
    NOTHING = 1
    ERROR = 2
    NOTHING_YET = 3


class Answer(NamedTuple):
    """What became of one query."""

    source: str
    reply: wire.SearchReply | None = None
    error: PspcError | None = None

    @property
    def label(self) -> str:
        """What messages call the query."""
        return _LABELS.get(self.source, self.source) or "''"

    @property
    def outcome(self) -> Outcome:
        """The exit status if it were the only query."""
        if self.reply is None:
            return Outcome.ERROR
        if self.reply.hits:
            return Outcome.FOUND
        is_final = render.is_complete(self.reply.freshness)
        return Outcome.NOTHING if is_final else Outcome.NOTHING_YET


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("images", nargs="*", metavar="IMG", help="what to search for")
    parser.add_argument("--clipboard", action="store_true", help="search for what is copied")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--original",
        dest="mode",
        action="store_const",
        const="original",
        help="only the same file or the same pixels",
    )
    mode.add_argument(
        "--similar",
        dest="mode",
        action="store_const",
        const="similar",
        help="only by the hash: copies, and the original among them",
    )
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument(
        "--distance",
        type=_bits,
        metavar="BITS",
        help="only by hashes, with at most so many of 256 bits different (without: 48 and proofs)",
    )
    limit.add_argument(
        "--expect",
        type=_hits,
        metavar="HITS",
        help="only by hashes, as far as brings so many foreign hits a query on average (0.1)",
    )
    effort = parser.add_mutually_exclusive_group()
    effort.add_argument(
        "--fast",
        dest="effort",
        action="store_const",
        const="fast",
        help="only by hashes: no crops, no collages, nothing learned",
    )
    effort.add_argument(
        "--alike", action="store_true", help="also what only resembles it, not proven a copy"
    )
    parser.add_argument(
        "--budget",
        type=_seconds,
        metavar="SECONDS",
        help="what proofs of crops and the like may take, up to 60 (default: 1)",
    )
    parser.add_argument(
        "--crop",
        type=_part,
        metavar="X,Y,W,H",
        help="search with this part of the picture: left, top, width and height in its pixels",
    )
    parser.add_argument("-n", "--count", type=_count, metavar="COUNT", help="at most so many hits")
    parser.add_argument(
        "--wait", action="store_true", help="first wait until everything before now is indexed"
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON document")
    output.add_argument(
        "-0", "--null", action="store_true", help="print paths only, each ended by a NUL byte"
    )
    parser.set_defaults(mode="both", effort="full")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Search for each image; the exit status is that of all together."""
    names = [*arguments.images, *([CLIPBOARD] if arguments.clipboard else [])]
    if not names:
        console.note("nothing to search for: give a picture, or see pspc search --help")
        return Outcome.ERROR
    with connect(arguments) as connection:
        if arguments.wait:
            from pspc.waiting import wait_for_sync  # noqa: PLC0415 - of no use without --wait

            wait_for_sync(lambda: connect(arguments), console, arguments.timeout)
        answers = []
        for answer in _answers(arguments, connection, console):
            answers.append(answer)
            if answer.error is not None:
                console.note(f"{answer.label}: {answer.error}")
            if answer.reply is not None and not arguments.json:
                _show(answer, answer.reply, arguments, console, has_several=len(names) > 1)
        if arguments.json:
            console.line(_json(answers))
        _explain(answers, connection, console)
    return combined([answer.outcome for answer in answers])


def combined(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the exit status of several queries together."""
    for outcome in (Outcome.ERROR, Outcome.FOUND, Outcome.NOTHING_YET):
        if outcome in outcomes:
            return outcome
    return Outcome.NOTHING


def _answers(
    arguments: argparse.Namespace, connection: Connection, console: Console
) -> Iterator[Answer]:
    seconds = arguments.timeout or connection.timeout
    for name in arguments.images:
        read = functools.partial(sources.read, name, seconds, console)
        yield _answer(name, read, arguments, connection)
    if arguments.clipboard:
        from pspc.clipboard import read_clipboard  # noqa: PLC0415 - brings subprocess

        yield _answer(CLIPBOARD, read_clipboard, arguments, connection)


def _answer(
    name: str, read: Callable[[], bytes], arguments: argparse.Namespace, connection: Connection
) -> Answer:
    try:
        reply = connection.search(
            read(),
            arguments.mode,
            arguments.distance,
            arguments.count,
            effort=arguments.effort,
            alike=arguments.alike,
            budget=arguments.budget,
            expect=arguments.expect,
            crop=arguments.crop,
        )
    except (SourceError, SetupError, DaemonError) as error:
        return Answer(name, error=error)
    return Answer(name, reply=reply)


def _show(
    answer: Answer,
    reply: wire.SearchReply,
    arguments: argparse.Namespace,
    console: Console,
    *,
    has_several: bool,
) -> None:
    """Print the hits of one query."""
    if arguments.null:
        console.raw(b"".join(hit.path + b"\0" for hit in reply.hits))
        return
    if not console.is_terminal:
        prefix = f"{render.field(answer.source)}\t" if has_several else ""
        for hit in reply.hits:
            console.line(prefix + render.search_line(hit))
        return
    if has_several:
        console.line(f"{printable(answer.label)}:")
    if reply.hits:
        console.line(render.search_table(reply.hits, console.columns))
    else:
        console.line("nothing found" if answer.outcome is Outcome.NOTHING else "nothing found yet")
    if reply.total > len(reply.hits):
        console.note(f"{len(reply.hits)} of {reply.total} hits are shown")


def _json(answers: Sequence[Answer]) -> str:
    from pspc import documents  # noqa: PLC0415 - of no use to other output

    results = [
        documents.result(answer.source, answer.reply)
        if answer.reply is not None
        else documents.failed_result(answer.source, answer.error or PspcError())
        for answer in answers
    ]
    if len(results) == 1:
        return documents.text_of(results[0])
    return documents.text_of(documents.results(results))


def _explain(answers: Sequence[Answer], connection: Connection, console: Console) -> None:
    """Say on standard error what limits the answers."""
    replies = [answer.reply for answer in answers if answer.reply is not None]
    for answer in answers:
        if answer.reply is not None and answer.reply.query.flat and answer.reply.hits == []:
            console.note(f"{answer.label}: too flat to compare: only equal pixels are looked for")
    if not replies:
        return
    freshness = replies[-1].freshness
    for note in render.freshness_notes(freshness):
        console.note(note)
    is_empty = freshness.indexed == 0 and render.is_complete(freshness)
    if is_empty and not connection.roots():
        console.note("no folder is watched yet: pspc add DIR")


def _bits(text: str) -> int:
    return number(text, 0, _MOST_BITS)


def _count(text: str) -> int:
    return number(text, 1, _MOST_HITS)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.0 < seconds <= _LONGEST_BUDGET:
        raise argparse.ArgumentTypeError(
            f"seconds up to {_LONGEST_BUDGET} are wanted: {quoted(text)}"
        )
    return seconds


def _hits(text: str) -> float:
    try:
        hits = float(text)
    except ValueError:
        hits = math.nan
    if not 0.0 <= hits <= _MOST_HITS:
        raise argparse.ArgumentTypeError(f"a number from 0 is wanted: {quoted(text)}")
    return hits


def _part(text: str) -> tuple[int, int, int, int]:
    numbers = text.split(",")
    if len(numbers) != _CORNER_AND_SIZE:
        raise argparse.ArgumentTypeError(f"left,top,width,height is wanted: {quoted(text)}")
    left, top = (number(each, 0, _MOST_HITS) for each in numbers[:2])
    width, height = (number(each, 1, _MOST_HITS) for each in numbers[2:])
    return left, top, width, height


def number(text: str, least: int, most: int) -> int:
    """Read the number that an option wants.

    Raises:
        argparse.ArgumentTypeError: it is none, or out of range.
    """
    # `int` refuses what has thousands of digits.
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    if not is_number or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(
            f"a number from {least} to {most} is wanted: {quoted(text)}"
        )
    return int(text)
