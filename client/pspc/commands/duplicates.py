r"""List groups of copies, largest waste first; in each, every file is a copy of the first one.

The first file is the one with the most pixels, then the lossless one, then the larger one. The
others are the same file, the same pixels, or a copy: resized, recompressed, turned or mirrored.
Nothing is changed or removed. With DIR, only groups that have a file below one of these folders.

A raw file and the picture developed from it (the same name in the same folder), and shots of a
burst (by their dates in EXIF, of one size in pixels, or by their names) are no copies, and left
out; --all-shots lists them too. Files with the same bytes are always listed.

--plan writes what could go into a file that pspc apply carries out: in each group one is kept, by
the rules of --keep in their order (pixels, metadata, lossless, bytes, oldest, newest, path:GLOB;
without, those of the configuration), and the others go to the trash, as far as --verdict goes
(without: the same pixels). With DIR only what lies there goes, whatever is kept elsewhere. Other
shots stay, and what pspc distinct has told apart. What has a raw file, a developed picture or the
movie of a Live Photo beside it goes only if the kept file has the same beside it: a pair for a
pair. A raw file goes only for the same bytes.

In a pipe each file is one line of group, verdict, distance, turn, width, height, bytes, format and
path, separated by tabs; the path is written as by pspc search. With -0 the paths of a group are
each ended by a NUL byte, and so is the group.

Exit status: 0 there are copies, 1 there are none, 2 an error, 3 none yet: not every picture is
indexed and compared, or a folder is not there at the moment.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from pspc import render
from pspc.commands import connect
from pspc.commands.search import Outcome
from pspc.errors import OutputError, UsageError
from pspd.rpc import wire
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from pspc.connection import Connection
    from pspc.console import Console
    from pspc.deciding.choosing import Choice, Verdict

EXAMPLES = """\
  pspc duplicates
  pspc duplicates ~/Pictures/phone --wait
  pspc duplicates --json | jq '.groups[].files[1:][].path'
  pspc duplicates --plan plan.jsonl --keep "path:/photos/**, pixels, metadata, oldest"
  pspc duplicates --plan plan.jsonl --verdict copy --across-roots
"""

SAFE_VERDICT: Verdict = "same_pixels"
"""How far a plan goes unless somebody says otherwise: nothing is lost but files."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "directories", nargs="*", metavar="DIR", help="only groups with a file here"
    )
    parser.add_argument(
        "--wait",
        action="store_true",
        help="first wait until everything before now is indexed and compared",
    )
    parser.add_argument(
        "--verdict",
        choices=("same_file", "same_pixels", "copy"),
        help="only files that are this to the best one (same_file: to any), or surer",
    )
    parser.add_argument(
        "--across-roots",
        action="store_true",
        help="only groups with files in more than one watched folder",
    )
    parser.add_argument(
        "--all-shots",
        action="store_true",
        help="list other shots, and raw files beside what was developed from them, as well",
    )
    parser.add_argument(
        "--keep", metavar="RULES", help="with --plan: which to keep, see above for the rules"
    )
    parser.add_argument(
        "--link",
        action="store_true",
        help="with --plan: files with the same bytes become hard links, and stay where they are",
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--plan", metavar="FILE", help="write a plan for pspc apply into this file")
    output.add_argument("--json", action="store_true", help="print all as one JSON document")
    output.add_argument(
        "-0", "--null", action="store_true", help="print paths only, ended by NUL bytes"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the groups, or write a plan."""
    if arguments.plan is None and (arguments.keep is not None or arguments.link):
        raise UsageError("--keep and --link say what a plan does: give --plan FILE as well")
    if arguments.plan is not None and arguments.all_shots:
        raise UsageError(
            "--all-shots only lists: other shots go by no plan; give --plan without it"
        )
    if arguments.wait:
        from pspc.waiting import wait_for_comparing, wait_for_sync  # noqa: PLC0415 - see search

        left = arguments.timeout
        began = time.monotonic()
        wait_for_sync(lambda: connect(arguments), console, left)
        if left is not None:
            left = max(0.0, left - (time.monotonic() - began))
        wait_for_comparing(lambda: connect(arguments), console, left)
    with connect(arguments) as connection:
        if arguments.plan is not None:
            return _write_plan(arguments, connection, console)
        choice = _choice(arguments, connection)
        pages = choice.pages(connection.duplicates(arguments.directories))
        if arguments.json:
            from pspc import documents  # noqa: PLC0415 - of no use to other output

            replies = list(pages)
            count = sum(len(reply.groups) for reply in replies)
            console.line(documents.text_of(documents.duplicates(replies, choice.left_out)))
            last = replies[-1]
        else:
            count, last = _show(pages, arguments, console)
        _explain(last, choice.left_out, connection, console)
    if count:
        return Outcome.FOUND
    is_final = render.is_complete(last.freshness) and not last.uncompared
    return Outcome.NOTHING if is_final else Outcome.NOTHING_YET


def _choice(arguments: argparse.Namespace, connection: Connection) -> Choice:
    """Make what takes of the groups what is asked for."""
    from pspc.deciding import choosing, library  # noqa: PLC0415 - of no use to a plan
    from pspc.deciding.parting import Parting  # noqa: PLC0415
    from pspc.deciding.shots import Shots  # noqa: PLC0415

    return choosing.Choice(
        arguments.verdict or "copy",
        library.watched_folders(connection) if arguments.across_roots else None,
        None if arguments.all_shots else Parting(Shots(), library.hits_of(connection)).parts,
    )


def _write_plan(arguments: argparse.Namespace, connection: Connection, console: Console) -> Outcome:
    """Write what could go into a file; it is there whole, or not at all."""
    from datetime import UTC, datetime  # noqa: PLC0415 - of no use to other output

    from pspc.deciding import (  # noqa: PLC0415
        choosing,
        keeping,
        library,
        parting,
        plans,
        proposing,
        shots,
    )
    from pspc.new_file import NewFile  # noqa: PLC0415

    if os.path.lexists(arguments.plan):
        # It may be a picture, or a plan that somebody has edited.
        raise OutputError(f"{printable(arguments.plan)} is there already; give another name")
    keep = arguments.keep or library.usual_rules(connection)
    by = keeping.rules(keep)
    hits = library.hits_of(connection)
    looks = shots.Shots()
    found = choosing.whole_groups(connection.duplicates(arguments.directories))
    parts = parting.Parting(looks, hits).parts
    groups = (part for files in found for part in parts(files))
    if arguments.across_roots:
        roots = library.watched_folders(connection)
        groups = (files for files in groups if choosing.is_across(files, roots))
    outside = map(library.outside_trash, groups)
    folders = (os.path.realpath(os.fsencode(each)) for each in arguments.directories)
    wishes = proposing.Wishes(
        by,
        arguments.verdict or SAFE_VERDICT,
        arguments.link,
        tuple(os.path.join(each, b"") for each in folders),
        library.told_apart(connection),
    )
    lines: list[plans.Line] = []
    for proposed in proposing.proposals(outside, wishes, library.relations_of(hits), looks):
        lines += proposed
    made = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with NewFile(arguments.plan) as file:
        file.open()
        for text in plans.text_of(lines, keep, made):
            file.write(text.encode())
    going = [line for line in lines if line.do != "keep"]
    size = render.human_bytes(sum(line.size for line in going))
    console.note(
        f"{len(going):,} of {render.counted(len(lines), 'file')} could go, "
        f"{size}; read {printable(arguments.plan)}, then: pspc apply {printable(arguments.plan)}"
    )
    return Outcome.FOUND if going else Outcome.NOTHING


def _show(
    pages: Iterable[wire.DuplicatesReply], arguments: argparse.Namespace, console: Console
) -> tuple[int, wire.DuplicatesReply]:
    """Print the pages as they come; returns the number of groups, and the last page."""
    count = 0
    for reply in pages:
        last = reply
        for group in reply.groups:
            count += not group.first or not count
            if arguments.null:
                _print_paths(group, console)
            elif console.is_terminal:
                _print_table(group, console)
            else:
                for file in group.files:
                    console.line(_line(count, file))
    if not count and console.is_terminal and not arguments.null:
        console.line("no copies")
    return count, last


def _print_paths(group: wire.Group, console: Console) -> None:
    is_whole = group.first + len(group.files) >= group.total
    console.raw(b"".join(file.path + b"\0" for file in group.files) + b"\0" * is_whole)


def _print_table(group: wire.Group, console: Console) -> None:
    if not group.first:
        console.line(
            f"{render.counted(group.total, 'file')}, {render.human_bytes(group.waste)} to spare:"
        )
    rows = [
        (
            file.verdict.replace("_", " "),
            str(file.distance),
            printable(file.turn).replace("_", " ") if file.turn != "none" else "",
            f"{file.width}x{file.height}",
            render.human_bytes(file.size),
            printable(file.format),
            printable(file.path),
        )
        for file in group.files
    ]
    header = ("verdict", "bits", "turn", "pixels", "size", "format", "path")
    console.line(render.table(header, rows, right=(1, 3, 4)))
    console.line("")


def _line(number: int, file: wire.GroupFile) -> str:
    cells = (number, file.verdict, file.distance, file.turn, file.width, file.height, file.size)
    return "\t".join([*map(str, cells), file.format, render.field(file.path)])


def _explain(
    last: wire.DuplicatesReply, left_out: int, connection: Connection, console: Console
) -> None:
    """Say on standard error what limits the answer."""
    if left_out:
        files = render.counted(left_out, "file")
        console.note(f"{files} left out as other shots or halves of one; --all-shots lists them")
    if last.uncompared:
        are = "is" if last.uncompared == 1 else "are"
        pictures = render.counted(last.uncompared, "picture")
        console.note(f"{pictures} {are} not compared with the others yet; see pspc status")
    for note in render.freshness_notes(last.freshness):
        console.note(note)
    if last.freshness.indexed == 0 and not connection.roots():
        console.note("no folder is watched yet: pspc add DIR")
