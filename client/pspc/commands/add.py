"""Watch folders: index the pictures below them, and keep the index fresh from then on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pspc.commands import connect
from pspc.errors import DaemonError, PspcError
from pspc.progress import Estimate, Progress, progress_bar, progress_line
from pspc.render import counted
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from pspc.connection import Connection
    from pspc.console import Console
    from pspd.rpc import wire

EXAMPLES = """\
  pspc add ~/Pictures
  pspc add ~/Pictures /media/photos --wait
  pspc add ~/Pictures --exclude 'thumbnails/*' --exclude '*.gif'
"""

_POLL_SECONDS = 0.2
_LINE_SECONDS = 3.0
"""Between two lines of progress where they cannot be written over."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("directories", nargs="+", metavar="DIR", help="a folder to watch")
    parser.add_argument(
        "--include",
        action="append",
        default=[],
        metavar="GLOB",
        help="watch only files whose path below DIR matches; may be repeated",
    )
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="GLOB",
        help="leave out files whose path below DIR matches; wins over --include",
    )
    parser.add_argument("--hidden", action="store_true", help="also names that begin with a dot")
    parser.add_argument(
        "--wait", action="store_true", help="show the progress and return when all is indexed"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Add each folder, then wait if asked to; 2 when one could not be added."""
    added: list[bytes] = []
    is_failed = False
    with connect(arguments) as connection:
        for directory in arguments.directories:
            try:
                root = connection.add(
                    directory, arguments.include, arguments.exclude, hidden=arguments.hidden
                )
            except DaemonError as error:
                console.note(f"{directory}: {error}")
                is_failed = True
                continue
            added.append(root.path)
            console.line(f"watching {printable(root.path)}")
        if arguments.wait and added:
            _wait(connection, added, console)
    return 2 if is_failed else 0


def _wait(connection: Connection, paths: Sequence[bytes], console: Console) -> None:
    console.output.flush()
    try:
        roots = _follow(_states(connection, paths), console)
    except KeyboardInterrupt:
        if console.shows_progress:
            console.overwrite("")
        console.note("indexing goes on in the daemon; to see how far it is: pspc status")
        raise
    indexed, failed = sum(root.indexed for root in roots), sum(root.failed for root in roots)
    console.line(f"{counted(indexed, 'file')} indexed, {failed} failed")
    if failed:
        console.note("which files failed, and why: pspc failures")


def _states(connection: Connection, paths: Sequence[bytes]) -> Iterator[list[wire.RootStatus]]:
    """Yield the roots of `paths` again and again, until all that is in them is done."""
    while True:
        roots = [root for root in connection.roots() if root.path in paths]
        for root in roots:
            if root.state == "unavailable":
                raise PspcError(f"{printable(root.path)} is unavailable: {root.problem}")
        if len(roots) < len(set(paths)):
            raise PspcError("a folder is no longer watched: somebody removed it")
        yield roots
        if not any(root.pending or root.state != "watching" for root in roots):
            return
        time.sleep(_POLL_SECONDS)


def _follow(
    states: Iterator[list[wire.RootStatus]],
    console: Console,
    clock: Callable[[], float] = time.monotonic,
) -> list[wire.RootStatus]:
    """Show each state; returns the last one."""
    estimate = Estimate()
    roots: list[wire.RootStatus] = []
    next_line = clock() + _LINE_SECONDS
    for roots in states:
        progress = _progress(roots)
        now = clock()
        estimate.add(now, progress.done)
        if console.shows_progress:
            console.overwrite(progress_bar(progress, estimate))
        elif now >= next_line:
            console.note(progress_line(progress, estimate))
            next_line = now + _LINE_SECONDS
    if console.shows_progress:
        console.overwrite("")
    return roots


def _progress(roots: Sequence[wire.RootStatus]) -> Progress:
    return Progress(
        done=sum(root.indexed + root.failed for root in roots),
        pending=sum(root.pending for root in roots),
        is_scanning=any(root.state == "scanning" for root in roots),
    )
