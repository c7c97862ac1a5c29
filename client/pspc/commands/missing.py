r"""List the pictures of a folder that are not in the library yet: of a card, a phone, an old disk.

They are looked for by content, by pixels and as copies, whatever their names. Each is

  missing  nothing of it is in the library
  lesser   there is a copy, but of fewer pixels, of a part, of the first frame alone, in other
           colours, or one that is not proven
  unread   it could not be looked for, and so may be missing

Files below DIR itself do not count, even if it is watched, nor does what lies in a watched folder
that is not there at the moment. What no picture format begins like is counted and not listed,
unless its name says that it is one. Nothing is changed or copied.

In a pipe each is one line of state, path and what there is of it (or why it is unread), separated
by tabs. With -0 only the paths are printed.

Exit status: 0 all pictures are safe in the library, 1 some are not, 2 an error, 3 some are not
yet: the index is not complete, or a watched folder is not there at the moment.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from threading import Lock, local
from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs

from pspc import render
from pspc.commands import connect
from pspc.errors import PathError
from pspc.presence import Presence, presence
from pspc.walking import files_below
from pspd.rpc.wire import printable, quoted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future
    from typing import Self

    from pspc.connection import Connection
    from pspc.console import Console
    from pspc.presence import Efforts
    from pspd.rpc import wire

EXAMPLES = """\
  pspc missing /media/card
  pspc missing /media/card -0 | xargs -0 cp -nt ~/Pictures/new
  pspc missing --wait ~/old-disk && echo nothing would be lost
"""

THREADS = 4
"""Searches at the same time: while one is decoded, another is read from a slow card."""

ALL_SAFE, NOT_SAFE, NOT_YET = 0, 1, 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("directories", nargs="+", metavar="DIR", help="where to look")
    parser.add_argument(
        "--fast", action="store_true", help="look for copies by hashes alone, not for crops"
    )
    parser.add_argument("--hidden", action="store_true", help="also names that begin with a dot")
    parser.add_argument(
        "--wait", action="store_true", help="first wait until everything before now is indexed"
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON document")
    output.add_argument(
        "-0", "--null", action="store_true", help="print paths only, each ended by a NUL byte"
    )


class Summary(NamedTuple):
    """What became of all files."""

    listed: list[Presence]
    """Those that are not safe."""
    counts: Counter[str]
    """By state."""
    freshness: wire.Freshness | None
    """Of the last answer; None where nothing was asked."""

    @property
    def pictures(self) -> int:
        """Files that are pictures, or say so."""
        return self.counts.total() - self.counts["no_picture"]


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Look for each picture, and list those that are not safe."""
    folders = [_folder(name) for name in arguments.directories]
    if arguments.wait:
        from pspc.waiting import wait_for_sync  # noqa: PLC0415 - of no use without --wait

        wait_for_sync(lambda: connect(arguments), console, arguments.timeout)
    unlisted: list[str] = []

    def cannot_list(path: bytes, error: OSError) -> None:
        unlisted.append(f"{os.fsdecode(path)} cannot be listed: {error.strerror}")

    files = _each_once(
        path
        for folder in folders
        for path in files_below(folder, cannot_list, hidden=arguments.hidden)
    )
    with _Library(arguments, folders) as library:
        summary = _summary(library.look_for(files), arguments, console)
    _explain(summary, unlisted, arguments, console)
    if unlisted:
        return NOT_SAFE
    if summary.listed:
        freshness = summary.freshness
        return NOT_SAFE if freshness is None or render.is_complete(freshness) else NOT_YET
    return ALL_SAFE if summary.pictures else NOT_SAFE


class _Library:
    """Asks the daemon, several pictures at a time; a context manager."""

    def __init__(self, arguments: argparse.Namespace, folders: Sequence[bytes]) -> None:
        self._arguments = arguments
        self._efforts: Efforts = ("fast",) if arguments.fast else ("fast", "full")
        self._own = local()
        self._lock = Lock()
        # The first one starts the daemon, before several would.
        self._connections: list[Connection] = [connect(arguments)]
        away = [root.path for root in self._connections[0].roots() if root.state == "unavailable"]
        self._prefixes = tuple(os.path.join(folder, b"") for folder in (*folders, *away))
        self._executor = ThreadPoolExecutor(THREADS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        # Those under way end soon, and nobody waits for their answers.
        self._executor.shutdown(wait=True, cancel_futures=True)
        for connection in self._connections:
            connection.close()

    def look_for(self, files: Iterator[bytes]) -> Iterator[Presence]:
        """Yield what is known of each file, in their order."""
        waiting: deque[Future[Presence]] = deque()
        while True:
            for path in islice(files, 2 * THREADS - len(waiting)):
                waiting.append(self._executor.submit(self._one, path))
            if not waiting:
                return
            yield waiting.popleft().result()

    def _one(self, path: bytes) -> Presence:
        return presence(path, self._connection(), self._efforts, self._counts)

    def _connection(self) -> Connection:
        """Return the thread's own, made when it is first needed: what is wrong then is told."""
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = connect(self._arguments)
            with self._lock:
                self._connections.append(connection)
        return connection

    def _counts(self, path: bytes) -> bool:
        return not path.startswith(self._prefixes)


def _each_once(paths: Iterable[bytes]) -> Iterator[bytes]:
    """Leave out what came before: a folder may be given with one that it lies in."""
    seen: set[bytes] = set()
    for path in paths:
        if path not in seen:
            seen.add(path)
            yield path


def _folder(name: str) -> bytes:
    """Return the real path of a folder, as the daemon knows it.

    Raises:
        PathError: It is none.
    """
    path = os.path.realpath(os.fsencode(name)) if name else b""
    if not os.path.isdir(path):
        raise PathError(f"{quoted(name)} is no folder")
    return path


def _summary(found: Iterator[Presence], arguments: argparse.Namespace, console: Console) -> Summary:
    """Take all in, showing how far it is; print what is listed as it comes, unless as JSON."""
    listed: list[Presence] = []
    counts: Counter[str] = Counter()
    freshness = None
    try:
        for number, each in enumerate(found, 1):
            counts[each.state] += 1
            # The first that was incomplete counts: later ones know more than it did.
            if freshness is None or render.is_complete(freshness):
                freshness = each.freshness or freshness
            if console.shows_progress:
                text = f"{render.counted(number, 'file')} looked for, {len(listed):,} not safe"
                console.overwrite(text[: console.progress_columns])
            if each.state not in {"safe", "no_picture"}:
                listed.append(each)
                if not arguments.json:
                    _show(each, arguments, console)
    finally:
        if console.shows_progress:
            console.overwrite("")
    return Summary(listed, counts, freshness)


def _show(each: Presence, arguments: argparse.Namespace, console: Console) -> None:
    if console.shows_progress:
        console.overwrite("")
    if arguments.null:
        console.raw(each.path + b"\0")
        return
    beside = each.found.path if each.found is not None else each.message
    if console.is_terminal:
        told = f"  ({printable(beside)})" if beside else ""
        console.line(f"{each.state:<8} {printable(each.path)}{told}")
    else:
        console.line("\t".join((each.state, render.field(each.path), render.field(beside))))


def _explain(
    summary: Summary, unlisted: Sequence[str], arguments: argparse.Namespace, console: Console
) -> None:
    """Print the document, and say on standard error how many there were and what limits that."""
    if arguments.json:
        from pspc import documents, missing_document  # noqa: PLC0415 - of no use to other output

        document = missing_document.document(
            summary.listed, summary.counts, unlisted, summary.freshness
        )
        console.line(documents.text_of(document))
    for text in unlisted:
        console.note(text)
    if not summary.pictures:
        console.note("no pictures are there to look for")
        return
    safe = summary.counts["safe"]
    pictures = render.counted(summary.pictures, "picture")
    console.note(f"{safe:,} of {pictures} {'is' if safe == 1 else 'are'} safe in the library")
    if summary.freshness is not None:
        # That a search was cut short says nothing of all of them, and there is no budget to raise.
        for note in render.freshness_notes(structs.replace(summary.freshness, cut="")):
            console.note(note)
