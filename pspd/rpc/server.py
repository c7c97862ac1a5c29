"""ROUTER loop: frames → request → handler → reply.

    clients ══ipc══▶ ROUTER ─▶ decode, admit ─▶ queue of a kind ─▶ worker threads ─▶ handler
            ◀══ipc══ ROUTER ◀──────── inproc ◀──────────────────── encoded reply ◀──────┘
                        └─ error reply: malformed, busy, deadline, stopping …
    subscribers ◀══ipc══ PUB ◀─ inproc ◀─ publish()

One thread owns every socket that is bound to a path; it never decodes an image and never waits for
a handler, so it always answers. Each kind of request has its own threads: `status` does not stand
in line behind searches, nor a change of roots.

What libzmq does not offer, and is therefore not here: a bound on the memory of an unfinished
multipart message. Only the user's own processes can connect (see `endpoints.py`).
"""

from __future__ import annotations

import functools
import threading
import time
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Protocol

import zmq

from pspd.log import get_logger
from pspd.rpc import wire
from pspd.rpc.admission import MAX_REQUESTS_PER_PEER, Admission, InFlight
from pspd.rpc.endpoints import Endpoint
from pspd.rpc.outlet import Outlet
from pspd.rpc.workers import Workers, perform

_log = get_logger(__name__)

MAX_DEADLINE_SECONDS = 3600.0
"""What a request may ask to wait at most; a client that waits longer asks again."""

CLOSE_SECONDS = 2.0
"""How long `close` waits for handlers that run."""

LARGEST_FRAME = 2 * wire.MAX_QUERY_BYTES
"""Frames above this cost their sender the connection; below it, one that is too large gets a reply
that says so."""

_LINGER_MS = 500
"""How long the last replies may take to leave, after `close`."""

_HANDSHAKE_MS = 1000
"""A peer that connects and says nothing is dropped after this."""

_RECEIVE_HIGH_WATER_MARK = 16
"""Messages of one peer that libzmq reads ahead: an image each, at worst."""

_EVENTS_HIGH_WATER_MARK = 1000
"""Events kept for a slow subscriber, and on their way to the PUB socket; more are dropped."""

_REPLIES_HIGH_WATER_MARK = 4 * MAX_REQUESTS_PER_PEER
"""Replies kept for one peer. A peer that does not read loses those above it with an error (that is
ROUTER_MANDATORY), instead of filling the memory. libzmq tells the sender what was read only every
half mark: at a mark equal to the requests in flight, honest clients were seen to lose replies."""

_ENVELOPE_AND_IMAGE = 2


class Handler(Protocol):
    """What the server needs of the daemon."""

    def handle(
        self, request: wire.Request, image: bytes | None, deadline: float
    ) -> wire.Reply | Future[wire.Reply]:
        """Serve one request; called from several threads at once.

        Args:
            request: What is asked for.
            image: The query image of a search, None for every other request.
            deadline: `time.monotonic()` after which nobody waits for the reply.

        Returns:
            The reply, or a future of it where the request has to wait for something: a future
            keeps no thread.

        Raises:
            PspError: becomes an error reply; any other exception becomes `internal`.
        """


class RpcServer:
    """Answers requests at one ipc address and publishes events at another."""

    def __init__(
        self, address: str, events_address: str, handler: Handler, *, threads: int = 4
    ) -> None:
        """Prepare a server.

        Args:
            address: Of the requests, `ipc://` and an absolute path.
            events_address: Of the events, likewise.
            handler: Serves the requests.
            threads: Searches served at one time.
        """
        self._address = address
        self._events_address = events_address
        self._handler = handler
        self._threads = threads
        self._admission = Admission()
        self._endpoints: list[Endpoint] = []
        self._resources = ExitStack()
        self._is_stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Bind both sockets and begin to answer.

        Raises:
            AddressError: an address cannot be used; nothing is left behind.
        """
        with ExitStack() as stack:
            self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
            stack.callback(self._context.term)
            self._open_pipes(stack)
            self._open_sockets(stack)
            self._resources = stack.pop_all()
        self._searchers = Workers("rpc-search", self._threads)
        self._changers = Workers("rpc-roots", 1)
        self._quick = Workers("rpc-quick", 2)
        self._thread = threading.Thread(target=self._serve, name="rpc-io", daemon=True)
        self._thread.start()

    def publish(self, event: wire.Event) -> None:
        """Send an event to whoever subscribed; from any thread, never blocks, may drop."""
        self._event_outlet.send(wire.encode_event(event))

    def is_reachable(self) -> bool:
        """Say whether the sockets still lie where clients look for them."""
        return all(endpoint.is_in_place() for endpoint in self._endpoints)

    def close(self) -> None:
        """Refuse new requests, let running handlers end for two seconds, answer the rest."""
        if self._thread is None or self._is_stopping.is_set():
            return
        self._is_stopping.set()
        deadline = time.monotonic() + CLOSE_SECONDS
        pools = (self._searchers, self._changers, self._quick)
        for pool in pools:
            pool.close()
        if not all(pool.join(deadline) for pool in pools):
            _log.warning("a request is left behind; its handler runs on", seconds=CLOSE_SECONDS)
        self._reply_outlet.send([b""])
        self._thread.join()
        self._resources.close()

    # --- construction -----------------------------------------------------------------------

    def _open_pipes(self, stack: ExitStack) -> None:
        self._replies = stack.enter_context(self._context.socket(zmq.PULL))
        self._replies.setsockopt(zmq.RCVHWM, 0)
        self._replies.bind("inproc://replies")
        self._events = stack.enter_context(self._context.socket(zmq.PULL))
        self._events.bind("inproc://events")
        # Replies are bounded by the requests in flight, and none may get lost.
        self._reply_outlet = Outlet(self._context, "replies", 0)
        stack.callback(self._reply_outlet.close)
        self._event_outlet = Outlet(self._context, "events", _EVENTS_HIGH_WATER_MARK)
        stack.callback(self._event_outlet.close)

    def _open_sockets(self, stack: ExitStack) -> None:
        self._router = stack.enter_context(self._context.socket(zmq.ROUTER))
        self._router.setsockopt(zmq.MAXMSGSIZE, LARGEST_FRAME)
        self._router.setsockopt(zmq.RCVHWM, _RECEIVE_HIGH_WATER_MARK)
        self._router.setsockopt(zmq.SNDHWM, _REPLIES_HIGH_WATER_MARK)
        self._router.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self._publisher = stack.enter_context(self._context.socket(zmq.PUB))
        self._publisher.setsockopt(zmq.SNDHWM, _EVENTS_HIGH_WATER_MARK)
        self._publisher.setsockopt(zmq.MAXMSGSIZE, wire.MAX_ENVELOPE_BYTES)
        for socket, address in (
            (self._router, self._address),
            (self._publisher, self._events_address),
        ):
            socket.setsockopt(zmq.LINGER, _LINGER_MS)
            socket.setsockopt(zmq.HANDSHAKE_IVL, _HANDSHAKE_MS)
            endpoint = Endpoint.bind(socket, address)
            stack.callback(endpoint.unlink)
            self._endpoints.append(endpoint)

    # --- the I/O thread -----------------------------------------------------------------------

    def _serve(self) -> None:
        poller = zmq.Poller()
        for socket in (self._router, self._replies, self._events):
            poller.register(socket, zmq.POLLIN)
        is_open = True
        while is_open:
            ready = dict(poller.poll(self._poll_milliseconds()))
            if self._router in ready:
                # No frames are known to make this raise; the loop must outlive those that do.
                perform(self._take_request)
            if self._events in ready:
                self._publisher.send_multipart(self._events.recv_multipart())
            if self._replies in ready:
                is_open = self._take_reply()
            for request in self._admission.remove_expired(time.monotonic()):
                self._refuse(request.peer, request.id, "deadline", "no result within the deadline")
        for request in self._admission.remove_all():
            self._refuse(request.peer, request.id, "stopping", "the daemon is stopping")

    def _poll_milliseconds(self) -> int | None:
        expiry = self._admission.next_expiry()
        if expiry is None:
            return None
        # Rounded up: waking a fraction early would spin.
        return max(0, int((expiry - time.monotonic()) * 1000) + 1)

    def _take_request(self) -> None:
        peer, frames, count = self._receive()
        try:
            envelope, request = wire.decode_request(
                bytes(frames[0].buffer[: wire.MAX_ENVELOPE_BYTES + 1])
            )
        except wire.WireError as error:
            self._refuse(peer, error.id, error.code, str(error))
            return
        image = frames[1] if count == _ENVELOPE_AND_IMAGE else None
        refusal = self._refusal(peer, request, image, count)
        if refusal:
            self._refuse(peer, envelope.id, *refusal)
            return
        seconds = min(max(envelope.deadline_ms, 0) / 1000, MAX_DEADLINE_SECONDS)
        in_flight = InFlight(peer, envelope.id, time.monotonic() + seconds, image)
        ticket = self._admission.add(in_flight)
        self._pool_of(request).submit(functools.partial(self._work, ticket, in_flight, request))

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

    def _refusal(
        self, peer: bytes, request: wire.Request, image: zmq.Frame | None, count: int
    ) -> tuple[wire.ErrorCode, str] | None:
        if self._is_stopping.is_set():
            return "stopping", "the daemon is stopping"
        if count > _ENVELOPE_AND_IMAGE:
            return "malformed", f"a request has one or two frames, this one has {count}"
        if (image is not None) != isinstance(request, wire.SearchRequest):
            return "malformed", "a search has a second frame, the image; other requests have none"
        size = len(image) if image is not None else 0
        if size > wire.MAX_QUERY_BYTES:
            return "too_large", f"a query image may have {wire.MAX_QUERY_BYTES} bytes"
        busy = self._admission.refusal(peer, size)
        return ("busy", busy) if busy else None

    def _take_reply(self) -> bool:
        """Send on what a worker finished; False when there is nothing more to come."""
        ticket, *reply = self._replies.recv_multipart()
        if not reply:
            return False
        request = self._admission.remove(int.from_bytes(ticket))
        if request is not None:
            self._send(request.peer, reply[0])
        return True

    def _refuse(self, peer: bytes, id: int, code: wire.ErrorCode, message: str) -> None:
        self._send(peer, wire.encode_reply(wire.ErrorReply(code, message), id=id))

    def _send(self, peer: bytes, reply: bytes) -> None:
        try:
            self._router.send_multipart([peer, reply], zmq.NOBLOCK)
        except zmq.ZMQError as error:
            # EHOSTUNREACH: the client is gone. EAGAIN: it does not read its replies.
            _log.debug("a reply is dropped", error=error)

    # --- worker threads -----------------------------------------------------------------------

    def _pool_of(self, request: wire.Request) -> Workers:
        match request:
            case wire.SearchRequest():
                return self._searchers
            case wire.AddRoot() | wire.RemoveRoot() | wire.ConfirmRoot():
                return self._changers
            case _:
                return self._quick

    def _work(self, ticket: int, in_flight: InFlight, request: wire.Request) -> None:
        frame = in_flight.image
        is_search = isinstance(request, wire.SearchRequest)
        if in_flight.expires <= time.monotonic() or (is_search and frame is None):
            return  # The deadline passed in the queue; the client has been told.
        image = bytes(frame.buffer) if frame is not None else None
        del frame
        result = perform(functools.partial(self._handler.handle, request, image, in_flight.expires))
        if isinstance(result, Future):
            result.add_done_callback(functools.partial(self._finish_later, ticket, in_flight.id))
        else:
            self._finish(ticket, in_flight.id, result)

    def _finish_later(self, ticket: int, id: int, future: Future[wire.Reply]) -> None:
        self._finish(ticket, id, perform(future.result))

    def _finish(self, ticket: int, id: int, reply: wire.Reply) -> None:
        encoded = perform(functools.partial(wire.encode_reply, reply, id=id))
        if isinstance(encoded, wire.ErrorReply):
            encoded = wire.encode_reply(encoded, id=id)
        self._reply_outlet.send([ticket.to_bytes(8), encoded])
