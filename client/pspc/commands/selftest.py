"""Try how well copies are found, on pictures of your own.

Some of the watched pictures are drawn at random and edited as people edit them: resized, saved
again, cropped, turned, framed, captioned, covered. The daemon is asked for each of them. Printed
is, for each edit: how many found their original as a copy, of how many it came first, how many
called a picture a copy that is none as far as known, how well the part was placed, and the time.

The line "unedited" is of the pictures as they are; the others that are found there may be copies,
or look like it: --html shows them. Nothing is changed, and no file is left but that of --html.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from pspc.commands import connect
from pspc.commands.search import number
from pspc.errors import UsageError
from pspc.new_file import NewFile
from pspd.rpc.wire import quoted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from pspc.connection import Connection
    from pspc.console import Console
    from pspc.selftest.edits import Edit
    from pspc.selftest.trial import Results

EXAMPLES = """\
  pspc selftest
  pspc selftest --pictures 200 --html report.html
  pspc selftest --edits crop-50,crop-10,screenshot --seed 7
  pspc selftest --json | jq '.figures[] | select(.edit == "mean")'
"""

EXIT_NOTHING_TRIED = 1

_MOST_PICTURES = 100_000
_MOST_SEED = 2**31 - 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--pictures",
        type=_count,
        default=25,
        metavar="N",
        help="how many pictures are edited (default: 25, which takes a minute)",
    )
    parser.add_argument(
        "--edits", type=_names, default=[], metavar="NAMES", help="only these, comma between them"
    )
    parser.add_argument(
        "--seed", type=_seed, default=0, metavar="S", help="draw others by another number"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--html", metavar="FILE", help="also write a page that shows the misses")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Try the edits and print the figures."""
    # numpy and Pillow come with it: 150 ms that no other verb pays.
    from pspc.selftest import document, page  # noqa: PLC0415
    from pspc.selftest.figures import figures_of  # noqa: PLC0415

    edits = _edits(arguments.edits)
    with ExitStack() as stack:
        html = None if arguments.html is None else stack.enter_context(NewFile(arguments.html))
        if html is not None:
            # Made first: that it cannot be written is better known before minutes of work.
            html.open()
        connection = stack.enter_context(connect(arguments))
        status = connection.status()
        results = _tried(arguments, edits, connection, console)
        if html is not None:
            for piece in page.page_of(results, arguments.seed):
                html.write(piece.encode("utf-8", "backslashreplace"))
    if arguments.json:
        from pspc import documents  # noqa: PLC0415 - of no use to other output

        report = document.selftest_document(results, arguments.seed)
        console.line(documents.text_of(report))
    elif results.pictures:
        console.line(document.selftest_table(figures_of(results.outcomes)))
    if status.described < status.describable:
        console.note(
            f"{status.described:,} of {status.describable:,} pictures had a learned descriptor; "
            "the tier full finds more when all have"
        )
    _explain(results, arguments.pictures, console)
    return 0 if results.pictures else EXIT_NOTHING_TRIED


def _tried(
    arguments: argparse.Namespace, edits: Sequence[Edit], connection: Connection, console: Console
) -> Results:
    from random import Random  # noqa: PLC0415 - as for the others

    from pspc.selftest.page import MOST_MISSES  # noqa: PLC0415
    from pspc.selftest.sampling import draw  # noqa: PLC0415
    from pspc.selftest.tiers import searches_of  # noqa: PLC0415
    from pspc.selftest.trial import Trial  # noqa: PLC0415

    def show(done: int) -> None:
        if console.shows_progress:
            console.overwrite(f"{done:,} of {total:,} queries"[: console.progress_columns])

    folders = [root.path for root in connection.roots()]
    random = Random(arguments.seed)  # noqa: S311 - drawn to be drawn again
    samples = draw(folders, arguments.pictures, random)
    searches = searches_of(connection)
    trial = Trial(searches, edits, arguments.seed, most_misses=MOST_MISSES, progress=show)
    total = arguments.pictures * trial.queries_of_picture
    try:
        return trial.run(samples, arguments.pictures)
    finally:
        if console.shows_progress:
            console.overwrite("")


def _edits(names: Sequence[str]) -> Sequence[Edit]:
    from pspc.selftest.edits import EDITS, chosen  # noqa: PLC0415

    try:
        return chosen(names)
    except KeyError as error:
        known = ", ".join(edit.name for edit in EDITS)
        raise UsageError(f"there is no edit {quoted(error.args[0])}; there are {known}") from error


def _explain(results: Results, wanted: int, console: Console) -> None:
    """Say on standard error what limits the figures."""
    reasons = ", ".join(
        f"{count} {reason.replace('_', ' ')}" for reason, count in sorted(results.left_out.items())
    )
    if results.pictures < wanted:
        console.note(f"{results.pictures} pictures were tried, for there are no more")
    if reasons:
        console.note(f"left out: {reasons}")
    if not results.pictures:
        console.note("no picture to try: pspc status says what is indexed")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _count(text: str) -> int:
    return number(text, 1, _MOST_PICTURES)


def _seed(text: str) -> int:
    return number(text, 0, _MOST_SEED)
