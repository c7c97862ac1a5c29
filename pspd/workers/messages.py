"""What the pool and its worker processes say to each other, and how it gets across.

    parent                                        worker
      Setup (limits, nice)            ──>           imports, then puts itself into its sandbox
                                      <──         Ready
      Job (order) + descriptor        ──>           reads the file, computes its digest
                                      <──         Digest      only if the job asks first
      Proceed (or not)                ──>
                                      <──         Done | Failed
      Proceed (or not)                ──>           only if the job shows features first
                                      <──         Done | Failed     with the pixels, if wanted

    parent                                        template
      Fork + descriptor               ──>           forks; the new worker gets the descriptor
                                      <──         Forked

Each end speaks in its turn. Messages are MessagePack behind a length of four bytes, big-endian,
over a Unix stream socket. A worker parses files of strangers, so that nothing it says is believed:
replies are small, decoded to these types and no others, and then checked by
`pspd.workers.replies`.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from typing import Annotated, TypeVar

import msgspec

from pspd.core.model import FailureReason, Features, ImageId, Limits, PixelDigest, TurnedHashes
from pspd.core.view import CHANNELS, LONGEST_VIEW, Box, View
from pspd.features.inner_pictures import InnerHashes

MAX_FRAME_BYTES = (CHANNELS * LONGEST_VIEW**2) + (1 << 16)
"""Largest message: one with a view. The features of a picture and the hashes of its eight turns
take 1.2 kB."""

_LENGTH = struct.Struct(">I")
_READ_BYTES = 1 << 14
"""Asked for at once: more than any message has but one with a view."""
_MOST_READ_BYTES = 1 << 18
"""Asked for at once of a message that is known to have more; a socket holds some 200 kB."""

_T = TypeVar("_T")


class Order(msgspec.Struct, frozen=True):
    """What is wanted of one file."""

    features: bool = True
    turns: bool = False
    """Also the hashes of the eight turns; implies `features`."""
    pixels: bool = False
    """The pixel digest, which costs a full decode."""
    view: int = 0
    """A view with so many pixels on its longer side, at most; 0 for none."""
    inner: bool = False
    """The hashes of the parts that may be whole pictures."""
    tags: bool = False
    """What its EXIF says."""
    part: Box | None = None
    """Only this part of the upright picture, as if that were the file, by its digest too; None for
    all of it. Whoever asks for a part is not told the file's digest first."""


ONLY_PIXELS = Order(features=False, pixels=True)


class Setup(msgspec.Struct, frozen=True):
    """The first message a worker gets."""

    limits: Limits
    nice: int


class Protection(msgspec.Struct, frozen=True):
    """What of the sandbox is in force, by the worker's word: read back, not what was asked for."""

    landlock: int = 0
    """ABI of the kernel's Landlock under which the worker cannot open any path; 0 when it can."""
    seccomp: bool = False
    """Whether all but a few system calls are refused."""
    no_new_privileges: bool = False
    limits: bool = False
    """Whether memory and written bytes are limited."""
    missing: str = ""
    """Why something is not in force; empty when all is."""

    @property
    def is_full(self) -> bool:
        """Whether all of it is in force."""
        return self.landlock > 0 and self.seccomp and self.no_new_privileges and self.limits

    def __str__(self) -> str:
        """Return it as `pspc status` shows it."""
        parts = (
            f"landlock abi {self.landlock}" if self.landlock else "",
            "seccomp" if self.seccomp else "",
            "no new privileges" if self.no_new_privileges else "",
            "limits" if self.limits else "",
        )
        return ", ".join(part for part in parts if part) or "none"


class Job(msgspec.Struct, frozen=True):
    """One file, whose descriptor comes along."""

    order: Order
    asks_first: bool
    """Whether the worker sends the digest and waits before it decodes."""
    size: int
    """Bytes of the file a moment ago; in its sandbox a worker cannot ask."""
    shows_first: bool = False
    """Whether the worker says all but the pixels, and waits before it decodes for those."""


class Proceed(msgspec.Struct, frozen=True):
    """The answer to a digest, or to what was shown first."""

    is_wanted: bool


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The worker has all its imports and is in its sandbox."""

    protection: Protection = Protection()


class Digest(msgspec.Struct, frozen=True, tag="digest"):
    """What the file's bytes amount to."""

    image_id: ImageId


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The file was read; what was not ordered, or not wanted, is absent."""

    image_id: ImageId
    features: Features | None = None
    turns: tuple[TurnedHashes, ...] = ()
    pixels: PixelDigest | None = None
    view: View | None = None
    inner: tuple[InnerHashes, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The file could not be read; the worker is alive."""

    reason: FailureReason
    message: str
    is_spent: bool
    """Whether what happened may have left the worker in a bad state."""


class Fork(msgspec.Struct, frozen=True, tag="fork"):
    """A worker is wanted; its end of the conversation comes along."""


class Forked(msgspec.Struct, frozen=True, tag="forked"):
    """There is a worker, which says so itself."""

    pid: Annotated[int, msgspec.Meta(gt=0)]


Reply = Ready | Digest | Done | Failed


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
