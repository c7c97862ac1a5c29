"""A ZeroMQ socket that tells when its connection ends, which libzmq keeps to itself."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import zmq

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

_REFUSALS = (
    zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)
"""How a daemon says that it does not let us in."""


class MonitoredSocket:
    """A connected ZeroMQ socket that tells when its connection ends."""

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        kind: zmq.SocketType,
        address: str,
        prepare: Callable[[zmq.Socket[bytes]], None] = lambda _: None,
    ) -> None:
        self.socket = context.socket(kind)
        self.socket.setsockopt(zmq.LINGER, 0)
        prepare(self.socket)
        # CLOSED: it could not even connect, for the daemon ended since it was looked for.
        self._monitor = self.socket.get_monitor_socket(
            zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED | _REFUSALS
        )
        self._poller = zmq.Poller()
        self._poller.register(self.socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)
        self.socket.connect(address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def send(self, frames: list[bytes]) -> bool:
        """Send; False when the connection has ended so soon that nothing can be sent."""
        try:
            self.socket.send_multipart(frames, zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return False
        return True

    def receive(self, deadline: float | None) -> list[bytes] | None:
        """Return the next message's frames; None when the connection ended.

        Raises:
            TimeoutError: `deadline` of `time.monotonic()` has passed.
        """
        left = None if deadline is None else max(0, int((deadline - time.monotonic()) * 1000))
        ready = dict(self._poller.poll(left))
        if not ready:
            raise TimeoutError
        # What was received before the end counts: the monitor may be faster than the reply.
        if self.socket in ready or self.socket.poll(0):
            return self.socket.recv_multipart()
        return None

    def has_ended(self) -> bool:
        """Tell whether the connection ended, though libzmq may have made another."""
        return bool(self._monitor.poll(0))

    def is_refused(self) -> bool:
        """Tell whether the connection ended because the keys do not fit."""
        return (
            bool(self._monitor.poll(0))
            and self.socket.mechanism == zmq.CURVE
            and int.from_bytes(self._monitor.recv_multipart()[0][:2], sys.byteorder) & _REFUSALS > 0
        )

    def close(self) -> None:
        """Close the socket; what is not sent yet is dropped."""
        self.socket.disable_monitor()
        self._monitor.close(linger=0)
        self.socket.close(linger=0)
