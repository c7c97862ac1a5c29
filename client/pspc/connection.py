"""The daemon's verbs as typed methods: the Python API, and what the commands are made of."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Literal, TypeVar

from pspc.errors import DaemonError, NotRunning, PathError, SourceError, TooSlow, Unreachable
from pspc.transport import Transport, is_repeatable, is_running
from pspd.rpc import wire
from pspd.rpc.wire import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Self

    from pspc.remote import Remote

DEFAULT_TIMEOUT = 30.0
"""Seconds a request may take: a search of ten million pictures takes a small part of one."""

_LONGEST_SYNC = 3600.0
"""Seconds one sync request may wait in the daemon; a longer wait is several requests."""

_POLL_SECONDS = 0.02

_BUSY_MS = 100
"""When a daemon that is busy is asked again, if it does not say."""

_Reply = TypeVar("_Reply", bound=wire.Message)


class Connection:
    """A connection to the user's daemon; for one thread, a context manager.

    Paths in replies are bytes, for names need not be text; `os.fsdecode` makes them strings.
    """

    def __init__(
        self,
        home: str | os.PathLike[str] | None = None,
        *,
        start: bool = False,
        timeout: float = DEFAULT_TIMEOUT,
        address: str | None = None,
        key: str | os.PathLike[str] | None = None,
    ) -> None:
        """Prepare a connection; nothing is sent yet.

        Args:
            home: What `PSP_HOME` says otherwise: the folder under which everything lies.
            start: Start the daemon when none runs.
            timeout: Seconds a request may take; the first, with the daemon's start.
            address: What `PSP_CONNECT` says otherwise: `tcp://HOST:PORT` of a daemon on another
                machine; `home` and `start` do not matter then.
            key: What `PSP_KEY` says otherwise: the file that `pspd keys add` made there.

        Raises:
            PspcError: the daemon could not be started; or address or key cannot be used.
        """
        environ = dict(os.environ)
        if home is not None:
            environ["PSP_HOME"] = os.path.abspath(home)
            environ.pop("PSP_CONNECT", None)
        if address is not None:
            environ["PSP_CONNECT"] = address
        if key is not None:
            environ["PSP_KEY"] = os.fspath(key)
        self._environ = environ
        self._remote = _remote_of(environ)
        self._may_start = start and self._remote is None
        self.timeout = timeout
        begun = time.monotonic()
        if self._may_start and not is_running(environ, timeout):
            self._start_daemon(begun + timeout)
        self._start_seconds = time.monotonic() - begun
        self._transport = self._new_transport()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the sockets; never waits."""
        self._transport.close()

    def hello(self) -> wire.Welcome:
        """Ask who listens."""
        return self._ask(wire.Hello(f"pspc {_version()}"), wire.Welcome)

    def status(self) -> wire.StatusReply:
        """Return the daemon's state."""
        return self._ask(wire.StatusRequest(), wire.StatusReply)

    def roots(self) -> list[wire.RootStatus]:
        """Return the watch roots and how far each is."""
        return self._ask(wire.RootsRequest(), wire.RootsReply).roots

    def add(
        self,
        path: str | bytes | os.PathLike[str],
        include: Iterable[str] = (),
        exclude: Iterable[str] = (),
        *,
        hidden: bool = False,
    ) -> wire.RootStatus:
        """Watch a directory tree.

        Args:
            path: The directory; a relative one is taken from here.
            include: Globs on the path below it; none means every file.
            exclude: Globs on the path below it; they win.
            hidden: Whether names that begin with a dot are looked at.

        Raises:
            PathError: the path is empty, or relative to a folder that is gone.
            DaemonError: `root`, when it is no directory or overlaps another root.
        """
        request = wire.AddRoot(_absolute(path), list(include), list(exclude), hidden)
        return self._ask(request, wire.RootReply).root

    def remove(self, path: str | bytes | os.PathLike[str]) -> wire.RootStatus:
        """Stop watching a directory tree and forget its files.

        Raises:
            PathError: as for `add`.
            DaemonError: `root`, when it is not watched.
        """
        return self._ask(wire.RemoveRoot(_absolute(path)), wire.RootReply).root

    def confirm(self, path: str | bytes | os.PathLike[str]) -> wire.RootStatus:
        """Have the daemon believe that what is missing in a directory is gone.

        Args:
            path: A watched directory, or one in it; its files are forgotten by the next sync.

        Raises:
            PathError: as for `add`.
            DaemonError: `root`, when it is in no watched directory.
        """
        return self._ask(wire.ConfirmRoot(_absolute(path)), wire.RootReply).root

    def search(
        self,
        source: bytes | str | os.PathLike[str],
        mode: Literal["both", "original", "similar"] = "both",
        distance: int | None = None,
        count: int | None = None,
    ) -> wire.SearchReply:
        """Search for an image.

        Args:
            source: The bytes of an image, or the path of one.
            mode: `original`: the same file or the same pixels; `similar`: copies.
            distance: Most bits that the 256-bit hashes may differ in, 0 to 256; None for the
                calibrated threshold.
            count: Most hits, from 1; None for all.

        Raises:
            SourceError: the path cannot be read; the sentence names it.
            DaemonError: `bad_query`, when the bytes are no image.
        """
        if not isinstance(source, bytes):
            source = _contents(os.fspath(source))
        return self._ask(wire.SearchRequest(mode, distance, count), wire.SearchReply, image=source)

    def sync(self, timeout: float | None = None) -> wire.Freshness:
        """Return once everything that happened in the roots before now is indexed.

        Args:
            timeout: Seconds to wait at most; None for as long as it takes.

        Raises:
            DaemonError: `deadline`, when it takes longer.
        """
        while True:
            try:
                seconds = _LONGEST_SYNC if timeout is None else timeout
                return self._ask(wire.SyncRequest(), wire.SyncReply, timeout=seconds).freshness
            except DaemonError as error:
                if timeout is not None or error.code != "deadline":
                    raise

    def failures(self) -> Iterator[wire.FailureEntry]:
        """Yield the files that could not be indexed, page by page as they are looked at."""
        page = self._ask(wire.FailuresRequest(), wire.FailuresReply)
        yield from page.failures
        while page.next is not None:
            page = self._ask(wire.FailuresRequest(after=page.next), wire.FailuresReply)
            yield from page.failures

    def quarantine(
        self, path: str | bytes | os.PathLike[str] | None = None, *, retry: bool = False
    ) -> list[wire.QuarantineEntry]:
        """Return the contents that cost workers their lives.

        Args:
            path: Only the one that was met here; None for all.
            retry: Whether to let them out: their files are read again.
        """
        where = None if path is None else _absolute(path)
        return self._ask(wire.QuarantineRequest(retry, where), wire.QuarantineReply).entries

    def start_job(self, request: wire.StartJob) -> wire.JobReply:
        """Begin a check, a repair or a backup; the reply comes at once.

        Raises:
            DaemonError: `bad_request`, when there is no such part.
        """
        return self._ask(request, wire.JobReply)

    def job(self, number: int, after: int = 0) -> wire.JobReply:
        """Return how far a job is, and the findings that follow the first `after`.

        Raises:
            DaemonError: `bad_request`, when the daemon has no such job: it was started anew.
        """
        return self._ask(wire.JobRequest(number, after), wire.JobReply)

    def stop(self) -> int:
        """Ask the daemon to exit; returns its process id. It finishes its batch first."""
        return self._ask(wire.StopRequest(), wire.Stopping).pid

    def events(self) -> Iterator[wire.Event]:
        """Yield what the daemon reports from now on; ends by an error when the daemon ends."""
        return self._transport.events()

    def _ask(
        self,
        request: wire.Request,
        kind: type[_Reply],
        *,
        image: bytes | None = None,
        timeout: float | None = None,
    ) -> _Reply:
        seconds = self.timeout if timeout is None else timeout
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


def _absolute(path: str | bytes | os.PathLike[str]) -> bytes:
    given = os.fsencode(path)
    if not given:
        raise PathError("an empty name is no folder")
    try:
        return os.path.abspath(given)
    except FileNotFoundError as error:
        raise PathError(
            f"{quoted(given)} leads nowhere: the current folder was deleted; go to another one"
        ) from error


def _contents(path: str | bytes) -> bytes:
    from pspc.sources import read_path  # noqa: PLC0415 - of no use to other verbs

    try:
        return read_path(path)
    except SourceError as error:
        raise SourceError(f"{printable(path)}: {error}") from error


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


def _version() -> str:
    from pspd import __version__  # noqa: PLC0415 - wanted in one request of many

    return __version__
