"""One request, one reply, within a deadline: the ZeroMQ side of the client.

The daemon's death is noticed, not waited for: a DEALER would silently connect again and the lost
request would never be answered. So the connection is monitored, and a request that may be repeated
is sent once more, with the same id, from a fresh socket.
"""

from __future__ import annotations

import os
import socket
import time
import weakref
from typing import TYPE_CHECKING

import zmq

from pspc.errors import NotRunning, TooSlow, Unreachable
from pspc.monitored_socket import MonitoredSocket
from pspd.rpc import wire
from pspd.rpc.wire import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pspc.remote import Remote

_GRACE_SECONDS = 0.1
"""Waited beyond the deadline, for the daemon's own word on what took so long."""

_RESTART_SECONDS = 1.0
"""How long a daemon that went away may take to come back, for a request to be repeated."""

FRONT_SECONDS = 10.0
"""How long a daemon that lives may take to listen again: the process that holds its sockets may
have died, and is started again at once, or a little later if it dies again and again."""

_MOST_ATTEMPTS = 6
"""How often a request is sent, within 1.2 s: a process that is killed may still accept the second
one, and one that has no room for a large image now may have it in a moment."""

_CONNECT_SECONDS = 0.5
_LEAST_SECONDS = 0.01
_PROBE_INTERVAL = 0.02

_REFUSED = (
    "the daemon does not let us in: it does not know this key, or is not the one that made it; "
    "there, `pspd keys list` says who is let in"
)

_REPEATABLE = (
    wire.Hello
    | wire.StatusRequest
    | wire.RootsRequest
    | wire.SearchRequest
    | wire.SyncRequest
    | wire.FailuresRequest
    | wire.PictureRequest
    | wire.PreviewRequest
    | wire.DetailRequest
    | wire.PreviewDetailRequest
    | wire.DistancesRequest
    | wire.ModelsRequest
    | wire.JobRequest
    | wire.PauseRoot
)
"""Requests that say the same once or twice. A root removed twice is an error, and a second `stop`
would reach the next daemon."""


def check_listening(path: str, seconds: float = _CONNECT_SECONDS) -> None:
    """See to it that the user's daemon listens at `path`, within so many seconds.

    A plain connect tells at once what libzmq hides: it would try again and again.

    Raises:
        NotRunning: nobody listens there.
        Unreachable: the path cannot be a socket's, or it belongs to somebody else.
    """
    problem = wire.socket_path_problem(path)
    if problem:
        raise Unreachable(problem)
    try:
        owner = os.lstat(path).st_uid
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(max(_LEAST_SECONDS, min(seconds, _CONNECT_SECONDS)))
            probe.connect(path)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NotRunning(
            f"pspd does not run, nobody listens at {quoted(path)}; start it with: pspc start"
        ) from error
    except (TimeoutError, BlockingIOError):
        pass  # Its backlog is full: it lives, and is slow.
    except OSError as error:
        raise Unreachable(f"cannot connect to {quoted(path)}: {error.strerror}") from error
    if owner != os.getuid():
        raise Unreachable(
            f"{quoted(path)} belongs to another user (uid {owner}); no image is sent there"
        )


def is_repeatable(request: wire.Request) -> bool:
    """Tell whether a request does no harm when it is served twice."""
    return isinstance(request, _REPEATABLE)


def is_running(environ: Mapping[str, str], seconds: float = _CONNECT_SECONDS) -> bool:
    """Tell whether the user's daemon listens; takes so many seconds at most.

    Raises:
        Unreachable: as for `check_listening`.
    """
    try:
        check_listening(wire.socket_paths(environ)[0], seconds)
    except NotRunning:
        return False
    return True


class Transport:
    """A connection to the daemon's two sockets; for one thread."""

    def __init__(
        self,
        path: str,
        events_path: str,
        remote: Remote | None = None,
        *,
        is_alive: Callable[[], bool] = lambda: False,
    ) -> None:
        """Prepare a connection; the sockets are opened when they are needed.

        Args:
            path: Of the request socket.
            events_path: Of the events socket.
            remote: A daemon on another machine, instead of these.
            is_alive: Tells whether the daemon is known to live, though nobody may listen.
        """
        self._is_alive = is_alive
        self._remote = remote
        self._path = path
        self._events_path = events_path
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._dealer: MonitoredSocket | None = None
        self._open: list[MonitoredSocket] = []
        # One that nobody closes is closed before the garbage collector comes to the context, which
        # would wait for ever for sockets that it no longer knows.
        self._end = weakref.finalize(self, _close, self._context, self._open)
        self._end.atexit = False
        # Differs between processes and connections, for whoever reads the daemon's log.
        self._id = int.from_bytes(os.urandom(4)) << 16

    def request(
        self, request: wire.Request, image: bytes | None = None, *, timeout: float
    ) -> wire.Reply:
        """Send a request and return its reply, an error reply too, within `timeout` seconds.

        Raises:
            NotRunning: nobody listens.
            TooSlow: no reply came in time.
            Unreachable: the daemon went away, or does not let us in.
        """
        if self._remote is not None:
            self._remote.check_size(image)
        self._id += 1
        deadline = time.monotonic() + timeout
        for attempt in range(_MOST_ATTEMPTS if is_repeatable(request) else 1):
            if attempt:
                time.sleep(min(_PROBE_INTERVAL * 2**attempt, max(0.0, deadline - time.monotonic())))
                self._await_listener(deadline, _RESTART_SECONDS)
            reply = self._try(request, image, deadline)
            if reply is not None:
                return reply
        raise Unreachable("the daemon went away before it answered")

    def events(self) -> Iterator[wire.Event]:
        """Yield events as the daemon publishes them; those sent before are lost.

        Raises:
            NotRunning: nobody listens.
            Unreachable: the daemon went away, is on another machine, or this was closed.
        """
        if self._remote is not None:
            raise Unreachable("a daemon on another machine publishes no events")
        check_listening(self._events_path)
        address = wire.socket_address(self._events_path)
        subscriber = MonitoredSocket(self._context, zmq.SUB, address)
        self._open.append(subscriber)
        try:
            subscriber.socket.subscribe(b"")
            while (frames := subscriber.receive(None)) is not None:
                yield wire.decode_event(frames[-1])
                if subscriber not in self._open:
                    raise Unreachable("the connection was closed")
        finally:
            self._close_one(subscriber)
        raise Unreachable("the daemon went away")

    def close(self) -> None:
        """Close the sockets; what is not sent yet is dropped."""
        self._dealer = None
        self._end()

    def _try(
        self, request: wire.Request, image: bytes | None, deadline: float
    ) -> wire.Reply | None:
        """Send once; None when the daemon went away."""
        if self._dealer is not None and self._dealer.has_ended():
            self._drop()
        if self._dealer is None:
            self._await_listener(deadline, 0.0)
            self._dealer = self._connect()
            self._open.append(self._dealer)
        milliseconds = max(0, round((deadline - time.monotonic()) * 1000))
        frames = [wire.encode_request(request, id=self._id, deadline_ms=milliseconds)]
        if not self._dealer.send(frames if image is None else [*frames, image]):
            self._drop()
            return None
        while True:
            try:
                received = self._dealer.receive(deadline + _GRACE_SECONDS)
            except TimeoutError:
                self._drop()
                raise TooSlow("the daemon did not answer in time") from None
            if received is None:
                is_refused = self._dealer.is_refused()
                self._drop()
                if is_refused:
                    raise Unreachable(_REFUSED)
                return None
            seen, reply = _decode(received[-1])
            # Replies to earlier requests, which gave up waiting, may still arrive; a daemon that
            # could not read the request does not know its id.
            if seen == self._id or (seen == 0 and isinstance(reply, wire.ErrorReply)):
                return reply

    def _check_listening(self, deadline: float) -> None:
        seconds = max(_LEAST_SECONDS, deadline - time.monotonic())
        if self._remote is None:
            check_listening(self._path, seconds)
        else:
            self._remote.check_listening(seconds)

    def _connect(self) -> MonitoredSocket:
        if self._remote is None:
            address = wire.socket_address(self._path)
            return MonitoredSocket(self._context, zmq.DEALER, address)
        return MonitoredSocket(
            self._context, zmq.DEALER, self._remote.address, self._remote.prepare
        )

    def _await_listener(self, deadline: float, seconds: float) -> None:
        """Wait so many seconds for somebody to listen; for longer while the daemon lives."""
        begun = time.monotonic()
        while True:
            try:
                self._check_listening(deadline)
            except NotRunning:
                now = time.monotonic()
                patience = FRONT_SECONDS if self._is_alive() else seconds
                if now >= min(deadline, begun + patience):
                    raise
                time.sleep(_PROBE_INTERVAL)
            else:
                return

    def _drop(self) -> None:
        if self._dealer is not None:
            self._close_one(self._dealer)
            self._dealer = None

    def _close_one(self, opened: MonitoredSocket) -> None:
        if opened in self._open:  # else it was closed with all others
            self._open.remove(opened)
            opened.close()


def _close(context: zmq.Context[zmq.Socket[bytes]], sockets: list[MonitoredSocket]) -> None:
    while sockets:
        sockets.pop().close()
    context.term()


def _decode(frame: bytes) -> tuple[int, wire.Reply]:
    try:
        return wire.decode_reply(frame)
    except wire.WireError as error:
        raise Unreachable(
            f"the daemon's reply cannot be read ({error}); is it a newer version than pspc?"
        ) from error
