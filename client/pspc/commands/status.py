"""Show what is indexed and what is pending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.commands import connect
from pspc.commands.roots import roots_table
from pspc.render import are_no_pictures, counted, foreign_hits, human_bytes, local_time
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    import argparse

    from pspc.console import Console
    from pspd.rpc import wire

MOST_NOTICES = 20
"""Notices that are shown to a person; `--json` has all."""

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
        from pspc import care_documents, documents  # noqa: PLC0415 - of no use to other output

        console.line(documents.text_of(care_documents.status(reply)))
    else:
        console.line(_text(reply, is_terminal=console.is_terminal))
    return 0


def _text(reply: wire.StatusReply, *, is_terminal: bool) -> str:
    since = local_time(reply.since) if is_terminal else reply.since
    pending = counted(reply.pending, "file")
    failed = counted(reply.failed - reply.not_pictures, "file")
    others = f", and {reply.not_pictures:,} that {are_no_pictures(reply.not_pictures)}"
    rows = [
        ("daemon", f"pspd {reply.version}, pid {reply.pid}, since {since}"),
        ("indexed", f"{counted(reply.indexed, 'file')}, {reply.pictures:,} different"),
        ("pending", pending + (f", {reply.rate:.1f} done per second" if reply.pending else "")),
        ("failed", failed + (others if reply.not_pictures else "")),
        ("decoded", f"{counted(reply.extracted, 'picture')} since the start"),
        ("store", human_bytes(reply.store_bytes)),
        ("notifier", reply.notifier),
        ("sandbox", reply.sandbox or "no worker is ready yet"),
    ]
    if reply.protection:
        rows.append(("protected", _protection(reply.protection)))
    if reply.uncompared:
        pictures = counted(reply.uncompared, "picture")
        rows.append(("copies", f"{pictures} to be compared with the others"))
    rows += _learned(reply)
    if reply.expected is not None:
        expected = f"expect {foreign_hits(reply.expected)} a query"
        rows.append(("threshold", f"{reply.threshold} bits: {expected}"))
    if reply.stale:
        rows.append(("stale", f"{counted(reply.stale, 'picture')} to be extracted again"))
    if reply.problem not in {"", *(notice.cause for notice in reply.notices)}:
        rows.append(("problem", reply.problem))
    lines = [f"{name:<10}{printable(text)}" for name, text in rows]
    # A person reads the cure on a line of its own; what looks for words in a pipe has one line.
    between = f"\n{'':<10}" if is_terminal else "; "
    lines += [_notice_line(notice, between) for notice in reply.notices[:MOST_NOTICES]]
    if len(reply.notices) > MOST_NOTICES:
        lines.append(
            f"{'notice':<10}and {len(reply.notices) - MOST_NOTICES:,} more: pspc status --json"
        )
    lines.append("")
    lines.append(roots_table(reply.roots) if reply.roots else "no folder is watched: pspc add DIR")
    return "\n".join(lines)


def _learned(reply: wire.StatusReply) -> list[tuple[str, str]]:
    if not reply.model:
        return [("learned", reply.undescribed_because)] if reply.undescribed_because else []
    done = f"{reply.model}, {reply.described:,} of {counted(reply.describable, 'picture')}"
    return [("learned", f"{done}; {reply.undescribed_because}".removesuffix("; "))]


def _protection(restrictions: list[wire.Restriction]) -> str:
    holding = sum(each.holds for each in restrictions)
    text = f"by {holding} of the systemd service's {len(restrictions)} restrictions"
    if any(each.promised for each in restrictions):
        return text
    return f"{text}; it was started without the service (pspc service install)"


def _notice_line(notice: wire.Notice, between: str) -> str:
    where = f"{printable(notice.path)}: " if notice.path else ""
    cure = f"{between}{printable(notice.cure)}" if notice.cure else ""
    return f"{'notice':<10}{where}{printable(notice.cause)}{cure}"
