"""Messages ↔ frames: the envelopes around them, and what is refused on the way in."""

from __future__ import annotations

import functools
from typing import TypeVar

import msgspec

from pspd.rpc.wire.events import Event, ProgressEvent
from pspd.rpc.wire.replies import ErrorCode, Reply
from pspd.rpc.wire.requests import Request

PROTOCOL_VERSION = 1
"""Version of the messages' meaning; a daemon answers a newer one with `protocol_too_new`."""

MAX_ENVELOPE_BYTES = 1 << 20
"""Largest envelope; paths and options need far less."""

MAX_QUERY_BYTES = 256 << 20
"""Largest query image, as the default limit on indexed files."""

MAX_REMOTE_QUERY_BYTES = 64 << 20
"""Largest query image that is sent over tcp."""


class RequestEnvelope(msgspec.Struct, frozen=True):
    """What surrounds every request."""

    protocol: int
    id: int
    """Chosen by the client; the reply carries it."""
    body: msgspec.Raw
    deadline_ms: int = 30_000
    """How long the client will wait."""


class EnvelopeHead(msgspec.Struct, frozen=True):
    """The part of an envelope that no version changes: enough to answer what else is unreadable."""

    id: int
    protocol: int = PROTOCOL_VERSION


class ReplyEnvelope(msgspec.Struct, frozen=True):
    """What surrounds every reply."""

    protocol: int
    id: int
    body: msgspec.Raw


_encoder = msgspec.msgpack.Encoder()
_request_envelope_decoder = msgspec.msgpack.Decoder(RequestEnvelope)
_head_decoder = msgspec.msgpack.Decoder(EnvelopeHead)
_reply_envelope_decoder = msgspec.msgpack.Decoder(ReplyEnvelope)


# Made when they are first needed: a client reads no requests, and its start is half of a search.


@functools.cache
def _request_decoder() -> msgspec.msgpack.Decoder[Request]:
    return msgspec.msgpack.Decoder(Request)


@functools.cache
def _reply_decoder() -> msgspec.msgpack.Decoder[Reply]:
    return msgspec.msgpack.Decoder(Reply)


@functools.cache
def _event_decoder() -> msgspec.msgpack.Decoder[Event]:
    return msgspec.msgpack.Decoder(Event)


class WireError(Exception):
    """Bytes that are not a message; `code` is an `ErrorCode`, `id` the request's if known."""

    def __init__(self, code: ErrorCode, message: str, id: int = 0) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.id = id


def encode_request(request: Request, *, id: int, deadline_ms: int) -> bytes:
    """Encode a request in its envelope."""
    return _encoder.encode(
        RequestEnvelope(PROTOCOL_VERSION, id, msgspec.Raw(_encoder.encode(request)), deadline_ms)
    )


def decode_request(frame: bytes) -> tuple[RequestEnvelope, Request]:
    """Decode an envelope and the request in it.

    Raises:
        WireError: `too_large`, `malformed`, `protocol_too_new` or `unknown_request`.
    """
    # The head first: the rest of a newer envelope may be nothing this version can read.
    head = decode_head(frame)
    if head.protocol > PROTOCOL_VERSION:
        raise WireError(
            "protocol_too_new",
            f"this daemon speaks protocol {PROTOCOL_VERSION}, the request {head.protocol}; "
            "restart it after an upgrade with: pspc stop",
            head.id,
        )
    envelope = _decode(_request_envelope_decoder, frame, "malformed", head.id)
    return envelope, _decode(_request_decoder(), envelope.body, "unknown_request", head.id)


def decode_head(frame: bytes) -> EnvelopeHead:
    """Decode the part of a request's envelope that tells whether it is one at all.

    Raises:
        WireError: `malformed` or `too_large`.
    """
    if len(frame) > MAX_ENVELOPE_BYTES:
        raise WireError("too_large", f"an envelope may have {MAX_ENVELOPE_BYTES} bytes")
    return _decode(_head_decoder, frame, "malformed", 0)


def encode_reply(reply: Reply, *, id: int) -> bytes:
    """Encode a reply in its envelope."""
    return _encoder.encode(ReplyEnvelope(PROTOCOL_VERSION, id, msgspec.Raw(_encoder.encode(reply))))


def decode_reply(frame: bytes) -> tuple[int, Reply]:
    """Decode a reply; returns the request's id and the reply.

    Raises:
        WireError: `malformed`.
    """
    envelope = _decode(_reply_envelope_decoder, frame, "malformed", 0)
    return envelope.id, _decode(_reply_decoder(), envelope.body, "malformed", envelope.id)


def encode_event(event: Event) -> tuple[bytes, bytes]:
    """Encode an event as topic and message."""
    topic = b"progress" if isinstance(event, ProgressEvent) else b"change"
    return topic, _encoder.encode(event)


def decode_event(frame: bytes) -> Event:
    """Decode the message frame of an event."""
    return _decode(_event_decoder(), frame, "malformed", 0)


_T = TypeVar("_T")


def _decode(
    decoder: msgspec.msgpack.Decoder[_T], frame: bytes | msgspec.Raw, code: ErrorCode, id: int
) -> _T:
    # Beside MsgspecError, 200,000 mutated frames raised UnicodeDecodeError and RecursionError.
    try:
        return decoder.decode(frame)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        if code == "unknown_request" and "`$.type`" not in str(error):
            code = "malformed"
        raise WireError(code, f"not a valid message: {error}", id) from error
