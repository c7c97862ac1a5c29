"""Watch folders: index the pictures below them, and keep the index fresh from then on.

Adding a folder again replaces its filters (--include, --exclude, --hidden); adding it again without
any removes them. Symbolic links are not followed, and a folder inside a watched one, or around it,
is refused.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pspc.commands import about_folder, connect
from pspc.errors import DaemonError, PathError, PspcError
from pspc.render import are_no_pictures, counted, filters
from pspc.waiting import Display, Pauses, Stall
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from pspc.connection import Connection
    from pspc.console import Console
    from pspd.rpc import wire

EXAMPLES = """\
  pspc add ~/Pictures
  pspc add ~/Pictures /media/photos --wait
  pspc add ~/Pictures --exclude 'thumbnails/*' --exclude '*.gif'
"""


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
    added: list[wire.RootStatus] = []
    is_failed = False
    with connect(arguments) as connection:
        before = {root.path: root for root in connection.roots()}
        for directory in arguments.directories:
            try:
                root = connection.add(
                    directory, arguments.include, arguments.exclude, hidden=arguments.hidden
                )
            except (DaemonError, PathError) as error:
                console.note(about_folder(directory, error))
                is_failed = True
                continue
            added.append(root)
            console.line(f"watching {printable(root.path)}")
            _tell_of_new_filters(before.get(root.path), root, console)
            if root.paused and not arguments.wait:
                console.note(f"{printable(root.path)}: {printable(root.problem)}")
        if arguments.wait and added:
            _wait(connection, {root.path for root in added}, console)
        elif any(_is_under_way(root) for root in added):
            console.note("indexing goes on in the background; to see how far it is: pspc status")
    return 2 if is_failed else 0


def _is_under_way(root: wire.RootStatus) -> bool:
    return not root.paused and (root.pending > 0 or root.state == "scanning")


def _tell_of_new_filters(
    before: wire.RootStatus | None, now: wire.RootStatus, console: Console
) -> None:
    if before is None or filters(before) == filters(now):
        return
    words = filters(now)
    became = f"now {words}" if words else "there are none now"
    console.note(f"the filters of {printable(now.path)} have changed: {became}")


def _wait(connection: Connection, paths: AbstractSet[bytes], console: Console) -> None:
    console.flush()
    try:
        with Display(console, has_lines=True) as display:
            status = _follow(connection, paths, display)
    except KeyboardInterrupt:
        console.note("indexing goes on in the daemon; to see how far it is: pspc status")
        raise
    roots = [root for root in status.roots if root.path in paths]
    indexed = sum(root.indexed for root in roots)
    console.line(f"{counted(indexed, 'file')} indexed, {_failed(status, roots)}")
    if any(root.failed for root in roots):
        console.note("which files failed, and why: pspc failures")


def _follow(
    connection: Connection, paths: AbstractSet[bytes], display: Display
) -> wire.StatusReply:
    """Show the roots of `paths` until all that is in them is done; returns the state then."""
    stall = Stall()
    pauses = Pauses(time.monotonic())
    while True:
        status = connection.status()
        roots = [root for root in status.roots if root.path in paths]
        for root in roots:
            if root.paused:
                raise PspcError(f"{printable(root.path)}: {printable(root.problem)}")
            if root.state == "unavailable":
                raise PspcError(f"{printable(root.path)} is unavailable: {root.problem}")
        if len(roots) < len(paths):
            raise PspcError("a folder is no longer watched: somebody removed it")
        now = time.monotonic()
        display.show(roots, now)
        if not any(root.pending or root.state != "watching" for root in roots):
            return status
        stall.check(now, status.indexed + status.failed, status.problem)
        time.sleep(pauses.next(now))


def _failed(status: wire.StatusReply, roots: Sequence[wire.RootStatus]) -> str:
    """Say how many files failed, and how many of them are no pictures."""
    failed = sum(root.failed for root in roots)
    others = status.not_pictures
    if not failed or not others:
        return f"{failed:,} failed"
    if len(roots) < len(status.roots):
        # The daemon counts those that are no pictures for all roots together.
        return f"{failed:,} failed or {are_no_pictures(failed)}"
    return f"{failed - others:,} failed, {others:,} {are_no_pictures(others)}"
