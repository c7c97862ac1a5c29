"""The front: the only process that strangers can send bytes to, and the one that may die of them.

    clients     ══ipc or tcp══▶ ROUTER ─▶ count, measure, admit ─▶ DEALER ══link══▶ the daemon
                ◀══════════════ ROUTER ◀── reply, by its ticket ── DEALER ◀═══════
    subscribers ◀══ipc═════════ XPUB   ◀──────────── event ──────

libzmq ends its process when an ipc listener has no descriptor left, and puts no bound on the memory
of an unfinished multipart message. So the listening sockets are not the daemon's: this process has
limits (`front_process`), holds nothing that matters, and its death costs its clients a reconnect.
For the same reason nothing is caught here that is not expected: it is started again in no time.

ROUTER takes from its connections in turn, so that one that floods it waits behind itself.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import zmq

from pspd.errors import AddressError
from pspd.log import get_logger
from pspd.rpc import link, wire
from pspd.rpc.admission import MAX_REQUESTS_PER_CLIENT, Admission, Admitted
from pspd.rpc.endpoints import Endpoint

if TYPE_CHECKING:
    from pspd.rpc.doorkeeper import Doorkeeper

_log = get_logger(__name__)

LARGEST_FRAME: Final = wire.MAX_QUERY_BYTES + wire.MAX_ENVELOPE_BYTES
"""Frames above this cost their sender the connection; below it, one that is too large gets a reply
that says so."""

MOST_DESCRIPTORS: Final = 0.8
"""Share of the descriptors in use at which the front ends and lets its connections go: the last one
would end it all the same, without a word."""

RETRY_MS: Final = 100
"""When a client that was told `busy` should ask again, in milliseconds."""

_LINGER_MS: Final = 500
"""How long the last replies may take to leave, after `quit`."""

_NO_DAEMON_MS: Final = 10
"""How often a front looks whether its daemon has connected."""

_HANDSHAKE_MS: Final = 1000
"""A peer that connects and says nothing is dropped after this."""

_RECEIVE_HIGH_WATER_MARK: Final = 2
"""Messages of one peer that libzmq reads ahead: an image each, at worst."""

_REPLIES_HIGH_WATER_MARK: Final = 2 * MAX_REQUESTS_PER_CLIENT
"""Replies kept for one peer. A peer that does not read loses those above it with an error (that is
ROUTER_MANDATORY), instead of filling the memory. libzmq tells the sender what was read only every
half mark: at a mark equal to the requests in flight, honest clients were seen to lose replies."""

_EVENTS_HIGH_WATER_MARK: Final = 1000
"""Events kept for a slow subscriber; more are dropped."""

_MONITOR_EVENT: Final = struct.Struct("=Hi")
"""Event and value, of zmq_socket_monitor(3); `zmq.utils.monitor` would import asyncio and ssl."""

_ENVELOPE_AND_IMAGE: Final = 2
_SUBSCRIBED: Final = b"\1"


class Front:
    """Relays between clients and the daemon; for one thread."""

    def __init__(self, settings: link.Settings, *, most_files: int) -> None:
        """Prepare it; `most_files` is the number of descriptors that the process may open."""
        self._settings = settings
        self._highest_descriptor = int(MOST_DESCRIPTORS * most_files)
        self._admission = Admission()
        self._subscriptions = 0
        self._doorkeeper: Doorkeeper | None = None
        self._resources = ExitStack()

    def open(self) -> list[Endpoint]:
        """Bind the link and what clients look for; returns what lies in the file system.

        Raises:
            AddressError: an address cannot be used; nothing is left behind.
        """
        with ExitStack() as stack:
            self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
            stack.callback(self._context.term)
            endpoints = self._bind_link(stack)
            endpoints += self._bind_events(stack) + self._bind_requests(stack)
            self._resources = stack.pop_all()
        return endpoints

    def serve(self, lifetime: int, tell: Callable[[bytes], None]) -> bool:
        """Relay until the daemon says `quit`, which returns True, or is gone, which returns False.

        Args:
            lifetime: A descriptor that can be read from when the daemon is gone.
            tell: Told an empty line now and then, while all is well.

        Raises:
            AddressError: too many descriptors are in use.
        """
        actions: dict[object, Callable[[], None]] = {
            self._router: self._take_request,
            self._events: self._take_subscription,
            self._monitor: self._look_at_descriptors,
        }
        if self._doorkeeper is not None:
            actions[self._doorkeeper.socket] = self._doorkeeper.answer
        everything, all_but_clients = zmq.Poller(), zmq.Poller()
        for source in (lifetime, self._link, *actions):
            everything.register(source, zmq.POLLIN)
            if source not in {self._router, self._events}:
                all_but_clients.register(source, zmq.POLLIN)
        told = time.monotonic()
        while True:
            # A daemon that is not there yet, or any more, takes nothing: clients wait outside.
            if self._link.poll(0, zmq.POLLOUT):
                ready = dict(everything.poll(int(1000 * link.ALIVE_SECONDS)))
            else:
                ready = dict(all_but_clients.poll(_NO_DAEMON_MS))
            if lifetime in ready:
                return False
            if time.monotonic() - told >= link.ALIVE_SECONDS:
                told = time.monotonic()
                tell(b"\n")
            if self._link in ready and not self._take_reply():
                return True
            for source in ready.keys() & actions.keys():
                actions[source]()

    def close(self, *, is_last_word: bool) -> None:
        """Close the sockets and remove their files, after the last replies have left.

        Without a last word nothing is removed: the daemon is dead, and another may have bound.
        """
        if is_last_word:
            self._resources.close()
        else:
            self._resources.pop_all()
            self._context.destroy(linger=0)

    # --- construction -----------------------------------------------------------------------

    def _bind_link(self, stack: ExitStack) -> list[Endpoint]:
        self._link = stack.enter_context(self._context.socket(zmq.DEALER))
        # What is on its way is bounded by what is admitted, and none of it may get lost.
        self._link.set_hwm(0)
        self._link.setsockopt(zmq.LINGER, 0)
        endpoint = Endpoint.bind(self._link, self._settings.link)
        stack.callback(endpoint.unlink)
        return [endpoint]

    def _bind_events(self, stack: ExitStack) -> list[Endpoint]:
        self._events = stack.enter_context(self._context.socket(zmq.XPUB))
        self._events.setsockopt(zmq.SNDHWM, _EVENTS_HIGH_WATER_MARK)
        self._events.setsockopt(zmq.MAXMSGSIZE, wire.MAX_ENVELOPE_BYTES)
        self._events.setsockopt(zmq.HANDSHAKE_IVL, _HANDSHAKE_MS)
        self._events.setsockopt(zmq.LINGER, _LINGER_MS)
        if not self._settings.events:
            return []
        endpoint = Endpoint.bind(self._events, self._settings.events)
        stack.callback(endpoint.unlink)
        return [endpoint]

    def _bind_requests(self, stack: ExitStack) -> list[Endpoint]:
        self._router = stack.enter_context(self._context.socket(zmq.ROUTER))
        self._router.setsockopt(zmq.RCVHWM, _RECEIVE_HIGH_WATER_MARK)
        self._router.setsockopt(zmq.SNDHWM, _REPLIES_HIGH_WATER_MARK)
        self._router.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self._router.setsockopt(zmq.HANDSHAKE_IVL, _HANDSHAKE_MS)
        self._router.setsockopt(zmq.LINGER, _LINGER_MS)
        self._monitor = self._router.get_monitor_socket(zmq.EVENT_ACCEPTED)
        stack.callback(self._monitor.close, 0)
        stack.callback(self._router.disable_monitor)
        if not self._settings.keys:
            self._router.setsockopt(zmq.MAXMSGSIZE, LARGEST_FRAME)
            endpoint = Endpoint.bind(self._router, self._settings.requests)
            stack.callback(endpoint.unlink)
            return [endpoint]
        self._router.setsockopt(zmq.MAXMSGSIZE, wire.MAX_REMOTE_QUERY_BYTES)
        from pspd.rpc.doorkeeper import Doorkeeper  # noqa: PLC0415 - of no use to a local front

        # First the one who looks at the keys, then the door.
        self._doorkeeper = Doorkeeper(self._context, self._settings.keys)
        stack.callback(self._doorkeeper.close)
        self._doorkeeper.guard(self._router)
        try:
            self._router.bind(self._settings.requests)
        except zmq.ZMQError as error:
            raise AddressError(
                f"cannot listen at {self._settings.requests}: {error.strerror}; "
                "see [remote] in the configuration"
            ) from error
        return []

    # --- the loop ---------------------------------------------------------------------------

    def _take_request(self) -> None:
        peer, frames, count = self._receive()
        size = len(frames[1]) if count == _ENVELOPE_AND_IMAGE else 0
        try:
            head = wire.decode_head(bytes(frames[0].buffer[: wire.MAX_ENVELOPE_BYTES + 1]))
        except wire.WireError as error:
            self._refuse(peer, wire.ErrorReply(error.code, str(error)), 0)
            return
        try:
            origin = self._origin(frames[0], peer)
        except OSError as error:
            text = f"your key cannot be looked at: {error.strerror}"
            self._refuse(peer, wire.ErrorReply("busy", text, retry_ms=RETRY_MS), head.id)
            return
        refusal = self._refusal(origin, size, count)
        if refusal:
            self._refuse(peer, refusal, head.id)
        else:
            ticket = self._admission.add(Admitted(peer, origin, size))
            self._tell_daemon([ticket, origin, *frames])

    def _tell_daemon(self, frames: Sequence[bytes | zmq.Frame]) -> None:
        # Waiting for a daemon that has just died would outlast it: its end is seen by polling.
        try:
            self._link.send_multipart(frames, zmq.NOBLOCK, copy=False)
        except zmq.Again:
            _log.debug("a message is dropped: the daemon is gone")

    def _receive(self) -> tuple[bytes, list[zmq.Frame], int]:
        """Return the peer, its first two frames and how many it sent; the others are dropped."""
        peer = self._router.recv()
        frames: list[zmq.Frame] = []
        count = 0
        while self._router.getsockopt(zmq.RCVMORE):
            frame = self._router.recv(copy=False)
            count += 1
            if count <= _ENVELOPE_AND_IMAGE:
                frames.append(frame)
        return peer, frames or [zmq.Frame(b"")], count

    def _origin(self, frame: zmq.Frame, peer: bytes) -> bytes:
        """Say whose a frame is: the name of a key, or a process number; empty: of a removed key."""
        try:
            if self._doorkeeper is not None:
                return self._doorkeeper.name_of(str(frame.get("User-Id"))).encode()
            return str(frame.get("Peer-Address")).rpartition(":")[2].encode() or peer
        except zmq.ZMQError:
            # A system that does not tell (macOS); a key is always told of, or nobody is let in.
            return peer if self._doorkeeper is None else b""

    def _refusal(self, origin: bytes, size: int, count: int) -> wire.ErrorReply | None:
        if not origin:
            return wire.ErrorReply("forbidden", "this key was removed: nobody gets in with it")
        if count > _ENVELOPE_AND_IMAGE:
            message = f"a request has one or two frames, this one has {count}"
            return wire.ErrorReply("malformed", message)
        if size > wire.MAX_QUERY_BYTES:
            message = f"a query image may have {wire.MAX_QUERY_BYTES} bytes"
            return wire.ErrorReply("too_large", message)
        busy = self._admission.refusal(origin, size)
        return wire.ErrorReply("busy", busy, retry_ms=RETRY_MS) if busy else None

    def _take_reply(self) -> bool:
        """Pass on what the daemon says; False when it says `quit`."""
        frames = self._link.recv_multipart(copy=False)
        ticket = frames[0].bytes
        if ticket != link.CONTROL:
            request = self._admission.remove(ticket)
            if request is not None:
                self._send(request.peer, frames[1])
            return True
        if frames[1].bytes == link.QUIT:
            return False
        self._events.send_multipart(frames[1:], copy=False)
        return True

    def _refuse(self, peer: bytes, reply: wire.ErrorReply, id: int) -> None:
        self._send(peer, wire.encode_reply(reply, id=id))

    def _send(self, peer: bytes, reply: bytes | zmq.Frame) -> None:
        try:
            self._router.send_multipart([peer, reply], zmq.NOBLOCK, copy=False)
        except zmq.ZMQError as error:
            # EHOSTUNREACH: the client is gone. EAGAIN: it does not read its replies.
            _log.debug("a reply is dropped", error=error)

    def _take_subscription(self) -> None:
        """Tell the daemon whether anybody listens: nobody mostly does, and events are many."""
        message = self._events.recv()
        had_any = self._subscriptions > 0
        step = 1 if message.startswith(_SUBSCRIBED) else -1
        self._subscriptions = max(0, self._subscriptions + step)
        if had_any != (self._subscriptions > 0):
            self._tell_daemon([link.CONTROL, link.LISTENERS, b"0" if had_any else b"1"])

    def _look_at_descriptors(self) -> None:
        # A new descriptor has the lowest free number.
        _, descriptor = _MONITOR_EVENT.unpack(self._monitor.recv_multipart()[0])
        if descriptor >= self._highest_descriptor:
            raise AddressError(
                f"{descriptor} descriptors are in use, of {self._highest_descriptor} at most"
            )
