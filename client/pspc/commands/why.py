"""Say what joins or parts two pictures: every distance, its threshold, and what would change it.

A and B are paths, "-" for standard input, or http(s) URLs; neither needs to be indexed. The first
is taken for the query, as `pspc search --alike` would.

Exit status: 0 when a search with A would call B a copy or the same, 1 when it would not, 2 an
error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc import sources
from pspc.commands import connect
from pspc.errors import SourceError
from pspc.render import place_line
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    import argparse

    from pspc.console import Console
    from pspd.rpc import wire

EXAMPLES = """\
  pspc why mine.jpg found.png
  pspc why --show both.png mine.jpg found.png
  pspc why --json mine.jpg found.png
"""

EXIT_PARTED = 1

_COPIES = frozenset({"same_file", "same_pixels", "copy"})
_TITLES = {
    "same_file": "the same file",
    "same_pixels": "the same pixels",
    "copy": "a copy",
    "alike": "alike, and no copy",
    "": "nothing in common, as far as can be told",
}
_SIGNS = {"joins": "+", "parts": "-", "nothing": " "}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("first", metavar="A", help="the picture that is searched with")
    parser.add_argument("second", metavar="B", help="the picture that is, or is not, found")
    parser.add_argument(
        "--show", metavar="FILE", help="draw both, with what joins them, into this PNG file"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Compare, and print what each tier says."""
    with connect(arguments) as connection:
        seconds = arguments.timeout or connection.timeout
        first, second = (
            _read(name, seconds, console) for name in (arguments.first, arguments.second)
        )
        reply = connection.why(first, second, show=arguments.show is not None)
    if arguments.show is not None:
        from pspc.new_file import NewFile  # noqa: PLC0415 - of no use without --show

        with NewFile(arguments.show) as file:
            file.open()
            file.write(reply.picture)
    if arguments.json:
        from pspc import documents  # noqa: PLC0415 - of no use to other output

        console.line(documents.text_of(documents.why(reply)))
    else:
        console.line(_text(reply))
    return 0 if reply.verdict in _COPIES else EXIT_PARTED


def _read(name: str, seconds: float, console: Console) -> bytes:
    try:
        return sources.read(name, seconds, console)
    except SourceError as error:
        raise SourceError(f"{printable(name) or repr(name)}: {error}") from error


def _text(reply: wire.WhyReply) -> str:
    lines = [printable(_TITLES.get(reply.verdict, reply.verdict))]
    for reason in reply.reasons:
        limit = "" if reason.threshold is None else f" (limit {reason.threshold:g})"
        setting = f"; set by {reason.setting}" if reason.setting else ""
        sign = _SIGNS.get(reason.says, " ")
        lines.append(
            f"{sign} {printable(reason.tier):<10}{printable(reason.text + limit + setting)}"
        )
    if reply.proof is not None and (place := place_line(reply.proof)):
        lines.append(f"  {'place':<10}{place}")
    return "\n".join(lines)
