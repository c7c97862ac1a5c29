"""The way from any thread to the server's I/O thread.

A ZeroMQ socket belongs to one thread at a time; a lock hands this one from thread to thread, for
the microseconds that putting a message into a pipe takes.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import zmq

from pspd.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Sequence

_log = get_logger(__name__)


class Outlet:
    """The sending end of an inproc pipe; never blocks."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], name: str, limit: int) -> None:
        """Connect to `inproc://name`; at most `limit` messages wait in the pipe, 0 for no limit."""
        self._lock = threading.Lock()
        self._socket = context.socket(zmq.PUSH)
        self._socket.setsockopt(zmq.SNDHWM, limit)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.connect(f"inproc://{name}")

    def send(self, frames: Sequence[bytes]) -> None:
        """Send frames, or drop them when the pipe is full or closed."""
        with self._lock:
            if self._socket.closed:
                return
            try:
                self._socket.send_multipart(frames, zmq.NOBLOCK)
            except zmq.Again:
                _log.debug("a message is dropped: its pipe is full")

    def close(self) -> None:
        """Close it; what is sent afterwards is dropped."""
        with self._lock:
            self._socket.close()
