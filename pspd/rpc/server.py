"""Requests from the fronts → handler → replies.

    fronts ══link══▶ DEALER ─▶ decode, permit ─▶ fair queue of a kind ─▶ worker threads ─▶ handler
           ◀══link══ DEALER ◀──────── inproc ◀──────────────────── encoded reply ◀───────────┘
                        ├─ error reply: malformed, forbidden, deadline, stopping …
                        └─ events ◀─ inproc ◀─ publish()

Clients never reach this process: they connect to a front, which may die of them (`front`). One
thread owns the links; it never decodes an image and never waits for a handler, so it always
answers. Each kind of request has its own threads: `status` does not stand in line behind searches,
nor a change of roots.
"""

from __future__ import annotations

import functools
import math
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack

import zmq

from pspd.host import seconds_left
from pspd.log import get_logger
from pspd.rpc import link, wire
from pspd.rpc.in_flight import InFlight, Unanswered
from pspd.rpc.interfaces import Front, Handler
from pspd.rpc.outlet import Outlet
from pspd.rpc.workers import Workers, perform

_log = get_logger(__name__)

MAX_DEADLINE_SECONDS = 3600.0
"""What a request may ask to wait at most; a client that waits longer asks again."""

CLOSE_SECONDS = 2.0
"""How long `close` waits for handlers that run."""

_LEAST_SECONDS = 0.1
"""How long `close` waits at least for the thread of the sockets, which has nothing left to do."""

LAST_WORDS_SECONDS = 0.7
"""What `close` leaves to the fronts: their clients may take half a second to read the last word."""

LINK_LINGER_MS = 200
"""How long the last replies may take to a front, after `close`."""

_RECONNECT_MS = 10
"""How soon a front that was started again is found."""

_EVENTS_HIGH_WATER_MARK = 1000
"""Events on their way to the links; more are dropped."""

_SHOWN_AT_ONCE = 2
"""Pictures: workers decode them, which searches need as well."""

_DETAILS_AT_ONCE = 1
"""Each decodes a whole picture: who zooms about leaves the other worker to searches."""

_TICKET_AND_ORIGIN = 2
_ENVELOPE_AND_IMAGE = 2
_WITH_IMAGE = (
    wire.SearchRequest,
    wire.WhyRequest,
    wire.PreviewRequest,
    wire.PreviewDetailRequest,
)
"""Requests with a second frame."""


class RpcServer:
    """Answers the requests that its fronts pass on, and gives them events to publish."""

    def __init__(self, fronts: Sequence[Front], handler: Handler, *, threads: int = 4) -> None:
        """Prepare a server.

        Args:
            fronts: Where requests come from; those with keys bring what is asked over tcp.
            handler: Serves the requests.
            threads: Searches served at one time.
        """
        self._fronts = fronts
        self._handler = handler
        self._threads = threads
        self._unanswered = Unanswered()
        self._remote_links: set[zmq.Socket[bytes]] = set()
        self._audience: set[zmq.Socket[bytes]] = set()
        self._resources = ExitStack()
        self._is_stopping = threading.Event()
        self._fronts_deadline = math.inf
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Have the fronts bind, and begin to answer.

        Raises:
            AddressError: an address cannot be used; nothing is left behind.
        """
        with ExitStack() as stack:
            self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
            stack.callback(self._context.term)
            self._open_pipes(stack)
            self._links = [self._open_front(front, stack) for front in self._fronts]
            self._resources = stack.pop_all()
        self._searchers = Workers("rpc-search", self._threads)
        self._changers = Workers("rpc-roots", 1)
        self._quick = Workers("rpc-quick", 2)
        # A page full of thumbnails is asked for at once, and keeps no search waiting.
        self._showers = Workers("rpc-show", _SHOWN_AT_ONCE)
        self._detailers = Workers("rpc-detail", _DETAILS_AT_ONCE)
        self._pools = (
            self._searchers,
            self._changers,
            self._quick,
            self._showers,
            self._detailers,
        )
        self._thread = threading.Thread(target=self._serve, name="rpc-io", daemon=True)
        self._thread.start()

    @property
    def is_heard(self) -> bool:
        """Whether anybody has subscribed; each file that is indexed is an event."""
        return bool(self._audience)

    def publish(self, event: wire.Event) -> None:
        """Send an event to whoever subscribed; from any thread, never blocks, may drop."""
        if self.is_heard:
            self._event_outlet.send(wire.encode_event(event))

    def is_reachable(self) -> bool:
        """Say whether the sockets still lie where clients look for them."""
        return all(front.is_reachable() for front in self._fronts)

    def retire(self) -> None:
        """Refuse new requests; those that wait are dropped, those that are served go on."""
        if self._thread is None or self._is_stopping.is_set():
            return
        self._is_stopping.set()
        for front in self._fronts:
            front.retire()
        for pool in self._pools:
            pool.close()

    def close(self, deadline: float = math.inf) -> None:
        """Refuse new requests, let running handlers end for two seconds, answer the rest.

        Args:
            deadline: Of `time.monotonic()`, if that is sooner.
        """
        self.retire()
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._fronts_deadline = deadline - LINK_LINGER_MS / 1000
        until = min(self._fronts_deadline - LAST_WORDS_SECONDS, time.monotonic() + CLOSE_SECONDS)
        if not all(pool.join(until) for pool in self._pools):
            _log.warning("a request is left behind; its handler runs on")
        self._reply_outlet.send([b""])
        thread.join(max(_LEAST_SECONDS, seconds_left(self._fronts_deadline)))
        if thread.is_alive():
            # Its sockets are not to be touched by another thread: they end with the process.
            _log.warning("the thread of the sockets is left behind")
            return
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

    def _open_front(self, front: Front, stack: ExitStack) -> zmq.Socket[bytes]:
        """Have a front bind; returns the link to it."""
        stack.callback(lambda: front.close(self._fronts_deadline))
        front.open()
        socket = stack.enter_context(self._context.socket(zmq.DEALER))
        # What is on its way is bounded by what the front admits, and none of it may get lost, but
        # for replies to a front that is gone.
        socket.set_hwm(0)
        socket.setsockopt(zmq.IMMEDIATE, 1)
        socket.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
        socket.setsockopt(zmq.LINGER, LINK_LINGER_MS)
        socket.connect(front.settings.link)
        if front.settings.keys:
            self._remote_links.add(socket)
        return socket

    # --- the I/O thread -----------------------------------------------------------------------

    def _serve(self) -> None:
        poller = zmq.Poller()
        for socket in (*self._links, self._replies, self._events):
            poller.register(socket, zmq.POLLIN)
        is_open = True
        while is_open:
            ready = dict(poller.poll(self._poll_milliseconds()))
            for socket in self._links:
                if socket in ready:
                    self._take_message(socket)
            if self._events in ready:
                self._take_event()
            if self._replies in ready:
                is_open = self._take_reply()
            for request in self._unanswered.remove_expired(time.monotonic()):
                self._refuse(request, "deadline", "no result within the deadline")
        for request in self._unanswered.remove_all():
            self._refuse(request, "stopping", "the daemon is stopping")
        for socket in self._links:
            _send(socket, [link.CONTROL, link.QUIT])

    def _poll_milliseconds(self) -> int | None:
        expiry = self._unanswered.next_expiry()
        if expiry is None:
            return None
        # Rounded up: waking a fraction early would spin.
        return max(0, int((expiry - time.monotonic()) * 1000) + 1)

    def _take_message(self, socket: zmq.Socket[bytes]) -> None:
        frames = socket.recv_multipart(copy=False)
        ticket, origin = frames[0].bytes, frames[1].bytes
        if ticket == link.CONTROL:
            is_listening = frames[-1].bytes == b"1"
            (self._audience.add if is_listening else self._audience.discard)(socket)
            return
        image = frames[3] if len(frames) == _TICKET_AND_ORIGIN + _ENVELOPE_AND_IMAGE else None
        in_flight = InFlight(socket, ticket, 0, 0.0, image)
        # No frames are known to make this raise; the loop must outlive those that do, and the front
        # counts on a reply to each.
        slip = perform(functools.partial(self._take_request, in_flight, origin, frames[2].bytes))
        if slip is not None:
            self._refuse(in_flight, "internal", slip.message)

    def _take_request(self, in_flight: InFlight, origin: bytes, frame: bytes) -> None:
        try:
            envelope, request = wire.decode_request(frame)
        except wire.WireError as error:
            in_flight.id = error.id
            self._refuse(in_flight, error.code, str(error))
            return
        in_flight.id = envelope.id
        refusal = self._refusal(in_flight, request)
        if refusal:
            self._refuse(in_flight, *refusal)
            return
        seconds = min(max(envelope.deadline_ms, 0) / 1000, MAX_DEADLINE_SECONDS)
        in_flight.expires = time.monotonic() + seconds
        number = self._unanswered.add(in_flight)
        job = functools.partial(self._work, number, in_flight, request)
        if not self._pool_of(request).submit(origin, job):
            self._unanswered.remove(number)
            self._refuse(in_flight, "busy", "too many requests of this client wait")

    def _refusal(
        self, in_flight: InFlight, request: wire.Request
    ) -> tuple[wire.ErrorCode, str] | None:
        if self._is_stopping.is_set():
            return "stopping", "the daemon is stopping"
        if (in_flight.image is not None) != isinstance(request, _WITH_IMAGE):
            return (
                "malformed",
                "search, why, preview and preview_detail alone have a second frame, the image",
            )
        if in_flight.link in self._remote_links and not isinstance(request, wire.RemoteRequest):
            return "forbidden", "this can only be asked on the daemon's own machine"
        return None

    def _take_event(self) -> None:
        frames = self._events.recv_multipart()
        for socket in self._audience:
            _send(socket, [link.CONTROL, *frames])

    def _take_reply(self) -> bool:
        """Send on what a worker finished; False when there is nothing more to come."""
        number, *reply = self._replies.recv_multipart()
        if not reply:
            return False
        request = self._unanswered.remove(int.from_bytes(number))
        if request is not None:
            _send(request.link, [request.ticket, reply[0]])
        return True

    def _refuse(self, request: InFlight, code: wire.ErrorCode, message: str) -> None:
        reply = wire.encode_reply(wire.ErrorReply(code, message), id=request.id)
        _send(request.link, [request.ticket, reply])

    # --- worker threads -----------------------------------------------------------------------

    def _pool_of(self, request: wire.Request) -> Workers:
        match request:
            case wire.SearchRequest() | wire.WhyRequest() | wire.DuplicatesRequest():
                return self._searchers
            case wire.AddRoot() | wire.RemoveRoot() | wire.ConfirmRoot() | wire.PauseRoot():
                return self._changers
            case wire.PictureRequest() | wire.PreviewRequest():
                return self._showers
            case wire.DetailRequest() | wire.PreviewDetailRequest():
                return self._detailers
            case _:
                return self._quick

    def _work(self, number: int, in_flight: InFlight, request: wire.Request) -> None:
        frame = in_flight.image
        needs_image = isinstance(request, _WITH_IMAGE)
        if in_flight.expires <= time.monotonic() or (needs_image and frame is None):
            return  # The deadline passed in the queue; the client has been told.
        image = bytes(frame.buffer) if frame is not None else None
        del frame
        result = perform(functools.partial(self._handler.handle, request, image, in_flight.expires))
        if isinstance(result, Future):
            result.add_done_callback(functools.partial(self._finish_later, number, in_flight.id))
        else:
            self._finish(number, in_flight.id, result)

    def _finish_later(self, number: int, id: int, future: Future[wire.Reply]) -> None:
        self._finish(number, id, perform(future.result))

    def _finish(self, number: int, id: int, reply: wire.Reply) -> None:
        encoded = perform(functools.partial(wire.encode_reply, reply, id=id))
        if isinstance(encoded, wire.ErrorReply):
            encoded = wire.encode_reply(encoded, id=id)
        self._reply_outlet.send([number.to_bytes(8), encoded])


def _send(socket: zmq.Socket[bytes], frames: Sequence[bytes]) -> None:
    try:
        socket.send_multipart(frames, zmq.NOBLOCK)
    except zmq.Again:
        _log.debug("a message to a front is dropped: it is gone")
