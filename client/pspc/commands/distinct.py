"""Say that pictures are no copies of one another: they stand in no group of duplicates together.

What is said is said of their contents, so that it holds wherever the files are moved or renamed to,
and when they come back; a file that is edited is another picture. Searches still find one by the
other. In a pipe --list prints when, first and second, separated by tabs: a path, or the digest of
what no indexed file has.

--forget takes it back for all pairs among what is named; for one picture alone, all that was said
of it. What is no longer there can be named by its digest, or the beginning of it.

Exit status: 0 something is listed or changed, 1 nothing is, 2 an error.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from pspc.commands import connect
from pspc.errors import UsageError
from pspc.render import counted, field, local_time, table
from pspd.rpc.wire import printable, quoted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from pspc.connection import Connection
    from pspc.console import Console
    from pspd.rpc import wire

EXAMPLES = """\
  pspc distinct sunset-1.jpg sunset-2.jpg
  pspc distinct --list
  pspc distinct --forget sunset-1.jpg
"""

_DIGEST = re.compile(r"[0-9a-f]{8,64}")
"""Enough of one to mean it: two in sixty-five thousand have their first eight digits in common."""

_SHOWN_DIGITS = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pictures", nargs="*", metavar="FILE", help="two or more pictures")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="list what was said")
    what.add_argument("--forget", action="store_true", help="take back what was said of these")
    parser.add_argument("--json", action="store_true", help="with --list: print one JSON document")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """List, mark or forget."""
    if arguments.json and not arguments.list:
        raise UsageError("--json belongs to --list")
    if arguments.list and arguments.pictures:
        raise UsageError("--list lists all of it; name no files")
    if not arguments.list and len(arguments.pictures) < 2 - arguments.forget:
        wanted = "a picture is wanted" if arguments.forget else "two pictures or more are wanted"
        raise UsageError(f"{wanted}, or --list")
    with connect(arguments) as connection:
        if arguments.list:
            return _list(connection, console, as_json=arguments.json)
        if arguments.forget:
            known = connection.distinct()
            images = [_named(each, known) for each in arguments.pictures]
            changed = connection.forget_distinct(images)
            console.line(f"{counted(changed, 'pair')} forgotten")
        else:
            changed = connection.mark_distinct(_contents(arguments.pictures))
            console.line(f"{counted(changed, 'pair')} told apart")
    return 0 if changed else 1


def _contents(paths: Sequence[str]) -> list[str]:
    """Return the digests of files; two with the same bytes are no two pictures."""
    from pspc.deciding.files import digest_of  # noqa: PLC0415 - hashlib, ctypes

    found: dict[str, str] = {}
    for path in paths:
        image = digest_of(os.fsencode(path))
        if image in found:
            raise UsageError(
                f"{quoted(path)} is {quoted(found[image])}, byte for byte: they cannot be told "
                "apart by their content"
            )
        found[image] = path
    return list(found)


def _named(word: str, known: Sequence[wire.DistinctPair]) -> str:
    """Return the digest that somebody names by a file, or by the beginning of it."""
    from pspc.deciding.files import digest_of  # noqa: PLC0415 - as above

    if os.path.lexists(word) or not _DIGEST.fullmatch(word):
        return digest_of(os.fsencode(word))
    images = {image for pair in known for image in (pair.first, pair.second)}
    begin = [image for image in images if image.startswith(word)]
    if len(begin) != 1:
        are = "none is" if not begin else f"{len(begin)} are"
        raise UsageError(f"{are} listed with a digest that begins with {word}")
    return begin[0]


def _list(connection: Connection, console: Console, *, as_json: bool) -> int:
    pairs = connection.distinct()
    if as_json:
        from pspc import distinct_document, documents  # noqa: PLC0415 - of no use to other output

        console.line(documents.text_of(distinct_document.distinct(pairs)))
    elif console.is_terminal:
        rows = [
            (local_time(pair.when), _shown(pair.first, pair.first_paths),
             _shown(pair.second, pair.second_paths))
            for pair in pairs
        ]  # fmt: skip
        console.line(table(("when", "first", "second"), rows) if rows else "nothing is told apart")
    else:
        for pair in pairs:
            first = field(pair.first_paths[0]) if pair.first_paths else pair.first
            second = field(pair.second_paths[0]) if pair.second_paths else pair.second
            console.line(f"{pair.when}\t{first}\t{second}")
    return 0 if pairs else 1


def _shown(image: str, paths: Sequence[bytes]) -> str:
    if not paths:
        return f"not here: {image[:_SHOWN_DIGITS]}"
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return printable(paths[0]) + more
