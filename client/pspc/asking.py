"""Asks the daemon and sees to it that one answers: starts it, asks again, replaces it.

busy, has done nothing     asked again when it says
on its way out             waited for, and the next one started and asked
not there                  started, if that is wanted; a daemon on another machine never is
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Protocol, TypeVar

from pspc.errors import DaemonError, NotRunning, TooSlow, Unreachable
from pspc.transport import Transport, is_repeatable, is_running
from pspd.rpc import wire
from pspd.rpc.wire import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pspc.remote import Remote

_POLL_SECONDS = 0.02

_BUSY_MS = 100
"""When a daemon that is busy is asked again, if it does not say."""

ReplyT = TypeVar("ReplyT", bound=wire.Message)


class Asking(Protocol):
    """What a group of verbs needs of the connection that it is mixed into."""

    def _ask(
        self,
        request: wire.Request,
        kind: type[ReplyT],
        *,
        image: bytes | None = None,
        timeout: float | None = None,
    ) -> ReplyT: ...


class Asker:
    """Asks one daemon, or the one that follows it; for one thread."""

    def __init__(self, environ: Mapping[str, str], *, start: bool, timeout: float) -> None:
        """Prepare to ask; nothing is sent yet.

        Args:
            environ: Says which daemon.
            start: Start the daemon when none runs.
            timeout: Seconds that its start may take.

        Raises:
            PspcError: the daemon could not be started; or address or key cannot be used.
        """
        self._environ = environ
        self._remote = _remote_of(environ)
        self._may_start = start and self._remote is None
        begun = time.monotonic()
        if self._may_start and not is_running(environ, timeout):
            self._start_daemon(begun + timeout)
        self._start_seconds = time.monotonic() - begun
        self._transport = self._new_transport()

    def close(self) -> None:
        """Close the sockets; never waits."""
        self._transport.close()

    def events(self) -> Iterator[wire.Event]:
        """Yield what the daemon reports from now on; ends by an error when the daemon ends."""
        return self._transport.events()

    def ask(
        self, request: wire.Request, kind: type[ReplyT], image: bytes | None, seconds: float
    ) -> ReplyT:
        """Return the reply to a request.

        Args:
            request: The message.
            kind: Of the reply.
            image: The bytes that go with it.
            seconds: How long it may take; of the first, the daemon's start is a part.

        Raises:
            DaemonError: the daemon refused.
            TooSlow: it took longer; the sentence says what to do.
            Unreachable: nobody can be asked.
        """
        deadline = time.monotonic() + seconds - self._start_seconds
        self._start_seconds = 0.0
        try:
            reply = self._first_reply(request, image, deadline)
            if reply is None:
                self._replace_daemon(deadline)
                reply = self._request(request, image, deadline)
        except TooSlow as error:
            raise TooSlow(_advice(self._environ, seconds, self._remote)) from error
        if isinstance(reply, wire.ErrorReply):
            raise DaemonError(reply.code, reply.message, reply.reason)
        if not isinstance(reply, kind):
            raise Unreachable(
                f"the daemon answered {type(request).__name__} with a reply to another"
            )
        return reply

    def _first_reply(
        self, request: wire.Request, image: bytes | None, deadline: float
    ) -> wire.Reply | None:
        """Ask once; None when the daemon is on its way out and another may be started and asked."""
        if not self._may_start:
            return self._request(request, image, deadline)
        try:
            reply = self._request(request, image, deadline)
        except TooSlow:
            raise
        except Unreachable as error:
            # Nobody listened, so that nothing was done yet; or doing it again does no harm.
            if isinstance(error, NotRunning) or is_repeatable(request):
                return None
            raise
        is_stopping = isinstance(reply, wire.ErrorReply) and reply.code == "stopping"
        return None if is_stopping else reply

    def _request(self, request: wire.Request, image: bytes | None, deadline: float) -> wire.Reply:
        """Ask, and ask again a daemon that is busy and has done nothing yet."""
        while True:
            left = max(0.0, deadline - time.monotonic())
            reply = self._transport.request(request, image, timeout=left)
            if not isinstance(reply, wire.ErrorReply) or reply.code != "busy":
                return reply
            pause = (reply.retry_ms or _BUSY_MS) / 1000
            if time.monotonic() + pause >= deadline:
                return reply
            time.sleep(pause)

    def _start_daemon(self, deadline: float) -> None:
        from pspc.autostart import START_SECONDS, ensure_running  # noqa: PLC0415 - subprocess

        left = max(0.0, deadline - time.monotonic())
        ensure_running(self._environ, seconds=min(START_SECONDS, left))

    def _replace_daemon(self, deadline: float) -> None:
        """Wait until a daemon that is on its way out is gone, and start the next one."""
        while (left := deadline - time.monotonic()) > 0 and is_running(self._environ, left):
            time.sleep(_POLL_SECONDS)
        self._start_daemon(deadline)
        self._transport.close()
        self._transport = self._new_transport()

    def _new_transport(self) -> Transport:
        def is_alive() -> bool:
            from pspc.processes import daemon_pid  # noqa: PLC0415 - hardly ever wanted

            return self._remote is None and daemon_pid(self._environ) is not None

        return Transport(*wire.socket_paths(self._environ), self._remote, is_alive=is_alive)


def _remote_of(environ: Mapping[str, str]) -> Remote | None:
    if not environ.get("PSP_CONNECT"):
        return None
    from pspc.remote import remote_of  # noqa: PLC0415 - of no use on the daemon's own machine

    return remote_of(environ)


def _advice(environ: Mapping[str, str], seconds: float, remote: Remote | None) -> str:
    """Say what to do about a daemon that did not answer within `seconds`."""
    from pspc.processes import daemon_pid, log_path  # noqa: PLC0415 - hardly ever wanted

    parts = [f"the daemon did not answer within {seconds:g} s"]
    if remote is not None:
        return parts[0]
    log = log_path(environ)
    if os.path.exists(log):
        parts.append(f"its log is {quoted(log)}")
    pid = daemon_pid(environ)
    if pid is not None:
        parts.append(f"if it hangs, end it with: kill {pid}")
    return "; ".join(parts)
