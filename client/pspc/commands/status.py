"""Show what is indexed and what is pending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.commands import connect
from pspc.commands.roots import roots_table
from pspc.render import counted, human_bytes
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    import argparse

    from pspc.console import Console
    from pspd.rpc import wire

EXAMPLES = """\
  pspc status
  pspc status --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the state."""
    with connect(arguments) as connection:
        reply = connection.status()
    if arguments.json:
        from pspc import documents  # noqa: PLC0415 - of no use to other output

        console.line(documents.text_of(documents.status(reply)))
    else:
        console.line(_text(reply))
    return 0


def _text(reply: wire.StatusReply) -> str:
    others = f", {reply.not_pictures:,} of them no pictures" if reply.not_pictures else ""
    rows = [
        ("daemon", f"pspd {reply.version}, pid {reply.pid}, since {reply.since}"),
        ("indexed", f"{counted(reply.indexed, 'file')}, {reply.pictures:,} different"),
        ("pending", f"{counted(reply.pending, 'file')}, {reply.rate:.1f} done per second"),
        ("failed", f"{counted(reply.failed, 'file')}{others}"),
        ("extracted", f"{counted(reply.extracted, 'picture')} since the start"),
        ("store", human_bytes(reply.store_bytes)),
        ("hints from", reply.notifier),
    ]
    if reply.stale:
        rows.append(("stale", f"{counted(reply.stale, 'picture')} to be extracted again"))
    lines = [f"{name:<11}{printable(text)}" for name, text in rows]
    lines.append("")
    lines.append(roots_table(reply.roots) if reply.roots else "no folder is watched: pspc add DIR")
    return "\n".join(lines)
