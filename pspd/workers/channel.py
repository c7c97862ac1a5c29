"""How messages get across between two processes, one of which may have been taken over by a file.

Messages are MessagePack behind a length of four bytes, big-endian, over a Unix stream socket; each
end speaks in its turn. An open descriptor may come along. What is too large, too late or no message
is an error, and not waited for.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from typing import TypeVar

import msgspec

from pspd.core.view import CHANNELS, LONGEST_VIEW

MAX_FRAME_BYTES = (CHANNELS * LONGEST_VIEW**2) + (1 << 16)
"""Largest message: one with a view. The features of a picture and the hashes of its eight turns
take 1.2 kB."""

_LENGTH = struct.Struct(">I")
_READ_BYTES = 1 << 14
"""Asked for at once: more than any message has but one with a view."""
_MOST_READ_BYTES = 1 << 18
"""Asked for at once of a message that is known to have more; a socket holds some 200 kB."""

_T = TypeVar("_T")


class ChannelClosedError(Exception):
    """The other end is gone."""


class NonsenseError(Exception):
    """The other end sent what is no message, or not the one expected."""


class Channel:
    """One end of a conversation; used by one thread at a time.

    Args:
        connection: A connected Unix stream socket; the channel owns it.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""
        """What came and was not yet asked for."""

    def close(self) -> None:
        """Close this end."""
        self._connection.close()

    def send(
        self, message: msgspec.Struct, *, descriptor: int | None = None, deadline: float
    ) -> None:
        """Send a message, and an open descriptor with it.

        Args:
            message: Any of this module's.
            descriptor: Stays open here; the other end gets one of its own.
            deadline: When to give up, by `time.monotonic`, in seconds.

        Raises:
            ChannelClosedError: the other end is gone.
            TimeoutError: the deadline passed.
        """
        body = msgspec.msgpack.encode(message)
        frame = _LENGTH.pack(len(body)) + body
        self._wait_no_longer_than(deadline)
        try:
            if descriptor is None:
                self._connection.sendall(frame)
            else:
                # One call takes it all: a frame is far smaller than the socket's buffer, which
                # is empty whenever this end speaks.
                socket.send_fds(self._connection, [frame], [descriptor])
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ChannelClosedError from error

    def receive(self, decoder: msgspec.msgpack.Decoder[_T], *, deadline: float) -> _T:
        """Return the next message.

        Raises:
            ChannelClosedError: the other end is gone.
            NonsenseError: the frame is too large or not what the decoder expects.
            TimeoutError: the deadline passed.
        """
        return self._decode(decoder, self._receive_frame(deadline))

    def receive_with_descriptor(
        self, decoder: msgspec.msgpack.Decoder[_T], *, deadline: float
    ) -> tuple[_T, int]:
        """Return the next message and the descriptor that comes with it.

        Raises:
            ChannelClosedError: the other end is gone.
            NonsenseError: there is no descriptor, or `receive` would raise it.
            TimeoutError: the deadline passed.
        """
        self._wait_no_longer_than(deadline)
        self._received, descriptors, _, _ = socket.recv_fds(self._connection, _READ_BYTES, 1)
        if not self._received:
            raise ChannelClosedError
        if len(descriptors) != 1:
            for descriptor in descriptors:
                os.close(descriptor)
            raise NonsenseError("a job without a descriptor")
        return self._decode(decoder, self._receive_frame(deadline)), descriptors[0]

    def is_silent(self) -> bool:
        """Tell whether the other end is there and has said nothing that is not yet received."""
        if self._received:
            return False
        self._connection.setblocking(False)
        try:
            self._connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False
        return False

    def _decode(self, decoder: msgspec.msgpack.Decoder[_T], body: bytes) -> _T:
        # Beside MsgspecError, mutated frames were seen to raise UnicodeDecodeError (a
        # ValueError) and RecursionError.
        try:
            return decoder.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise NonsenseError(str(error)) from error

    def _receive_frame(self, deadline: float) -> bytes:
        """Return the body of the next frame; mostly all of it comes at once."""
        self._receive_bytes(_LENGTH.size, deadline)
        (size,) = _LENGTH.unpack_from(self._received)
        if size > MAX_FRAME_BYTES:
            raise NonsenseError(f"a message of {size} bytes")
        end = _LENGTH.size + size
        self._receive_bytes(end, deadline)
        body, self._received = self._received[_LENGTH.size : end], self._received[end:]
        return body

    def _receive_bytes(self, count: int, deadline: float) -> None:
        """Wait until so many bytes are there."""
        if len(self._received) >= count:
            return
        received = bytearray(self._received)
        while (missing := count - len(received)) > 0:
            self._wait_no_longer_than(deadline)
            try:
                part = self._connection.recv(min(max(missing, _READ_BYTES), _MOST_READ_BYTES))
            except ConnectionResetError as error:
                raise ChannelClosedError from error
            if not part:
                raise ChannelClosedError
            received += part
        self._received = bytes(received)

    def _wait_no_longer_than(self, deadline: float) -> None:
        if deadline == float("inf"):
            self._connection.settimeout(None)
            return
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self._connection.settimeout(remaining)
