"""Has the daemon do something that takes long, shows how far it is, and brings what it found."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pspc.errors import DaemonError, PspcError
from pspc.render import counted
from pspd.rpc import wire
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    from pspc.connection import Connection
    from pspc.console import Console

POLL_SECONDS = 0.1

_LINE_SECONDS = 3.0
"""Between two lines of progress where they cannot be written over."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that is through."""

    findings: list[wire.Finding]
    reply: wire.JobReply
    """The last one."""


def run_job(
    connection: Connection, request: wire.StartJob, console: Console, timeout: float | None
) -> Finished:
    """Begin a job and wait for its end; showing its progress on standard error.

    Args:
        connection: To the daemon.
        request: What to begin.
        console: Where the progress is shown.
        timeout: Seconds to wait at most; None for as long as it takes.

    Raises:
        DaemonError: the job failed.
        PspcError: the daemon cannot be asked, or it takes longer than `timeout`.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    reply = connection.start_job(request)
    findings = list(reply.findings)
    next_line = time.monotonic() + _LINE_SECONDS
    try:
        while not reply.finished:
            if deadline is not None and time.monotonic() + POLL_SECONDS >= deadline:
                raise PspcError(
                    f"the {request.verb} is not done after {timeout:g} s; "
                    "the daemon goes on with it"
                )
            time.sleep(POLL_SECONDS)
            reply = connection.job(reply.job, after=len(findings))
            findings += reply.findings
            if console.shows_progress:
                console.overwrite(_progress(reply)[: console.progress_columns])
            elif time.monotonic() >= next_line:
                console.note(_progress(reply))
                next_line = time.monotonic() + _LINE_SECONDS
        while reply.findings:
            reply = connection.job(reply.job, after=len(findings))
            findings += reply.findings
    finally:
        if console.shows_progress:
            console.overwrite("")
    if reply.error:
        raise DaemonError("store", reply.error)
    return Finished(findings, reply)


def show_findings(finished: Finished, console: Console) -> None:
    """Print one line for each finding; in a pipe, level and text with a tab between."""
    separator = "  " if console.is_terminal else "\t"
    for finding in finished.findings:
        console.line(f"{printable(finding.level)}{separator}{printable(finding.text)}")
    if finished.reply.found > len(finished.findings):
        left = finished.reply.found - len(finished.findings)
        console.note(f"and {counted(left, 'finding')} more, which were only counted")


def _progress(reply: wire.JobReply) -> str:
    total = f" of {reply.total:,}" if reply.total >= reply.done else ""
    parts = [printable(reply.step) or "waiting"]
    if reply.done:
        parts.append(f"{reply.done:,}{total}")
    if reply.found:
        parts.append(counted(reply.found, "finding"))
    return "  ".join(parts)
