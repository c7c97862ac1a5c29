"""The wire: messages, their encoding, and where the daemon listens. Imports nothing of PSP.

A request is one or two ZeroMQ frames: an envelope in MessagePack, and, for a search, the bytes of
the query image. A reply is one frame. `docs/protocol.md` describes them for other languages.

Compatibility: fields that a reader does not know are ignored, new fields have defaults, and
`PROTOCOL_VERSION` changes only when an old reader would misunderstand.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

import msgspec

PROTOCOL_VERSION = 1
"""Version of the messages' meaning; a daemon answers a newer one with `protocol_too_new`."""

MAX_ENVELOPE_BYTES = 1 << 20
"""Largest envelope; paths and options need far less."""

MAX_QUERY_BYTES = 256 << 20
"""Largest query image, as the default limit on indexed files."""

SOCKET_NAME = "pspd.sock"
EVENTS_SOCKET_NAME = "pspd-events.sock"

MAX_SOCKET_PATH = 107 if os.uname().sysname == "Linux" else 103
"""Bytes a socket's path may have: `sun_path` less its NUL (unix(7): 108, BSD and macOS: 104)."""

ErrorCode = Literal[
    "malformed",
    "too_large",
    "unknown_request",
    "protocol_too_new",
    "deadline",
    "busy",
    "bad_request",
    "bad_query",
    "root",
    "store",
    "stopping",
    "internal",
]
"""Why a request failed; `bad_query` is about the query image, `root` about a watch root."""


class Message(msgspec.Struct, frozen=True, tag_field="type"):
    """Base of everything with a `type` on the wire."""


# --- requests -----------------------------------------------------------------------------


class Hello(Message, frozen=True, tag="hello"):
    """Ask who listens and which protocol it speaks."""

    client: str
    """Name and version of the client, for the log."""


class StatusRequest(Message, frozen=True, tag="status"):
    """Ask for the daemon's state; answered even while searches run."""


class RootsRequest(Message, frozen=True, tag="roots"):
    """Ask for the watch roots and their progress."""


class AddRoot(Message, frozen=True, tag="add_root"):
    """Watch a directory tree."""

    path: bytes
    """Absolute."""
    include: list[str] = []
    exclude: list[str] = []
    hidden: bool = False


class RemoveRoot(Message, frozen=True, tag="remove_root"):
    """Stop watching a directory tree and forget its files."""

    path: bytes


class SearchRequest(Message, frozen=True, tag="search"):
    """Search with the image in the second frame."""

    mode: Literal["both", "original", "similar"] = "both"
    """`original`: same file and same pixels; `similar`: copies by hash; `both`: all of it."""
    distance: Annotated[int, msgspec.Meta(ge=0, le=256)] | None = None
    """Largest distance of the 256-bit hashes, 0 to 256; None for the calibrated threshold."""
    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """At most so many hits; None for all."""


class SyncRequest(Message, frozen=True, tag="sync"):
    """Reply once everything that happened in the roots before now is indexed."""


class FailuresRequest(Message, frozen=True, tag="failures"):
    """Ask for one page of the files that could not be indexed."""

    after: bytes | None = None
    """The `next` of the page before."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000
    """Most entries of the page, 1 to 10,000."""


class StopRequest(Message, frozen=True, tag="stop"):
    """Ask the daemon to finish its batch and exit."""


Request = (
    Hello
    | StatusRequest
    | RootsRequest
    | AddRoot
    | RemoveRoot
    | SearchRequest
    | SyncRequest
    | FailuresRequest
    | StopRequest
)


# --- replies ------------------------------------------------------------------------------


class Welcome(Message, frozen=True, tag="welcome"):
    """Who listens."""

    server: str
    version: str
    protocol: int
    pid: int


RootStateWord = Literal["scanning", "watching", "unavailable", "removing"]


class RootStatus(msgspec.Struct, frozen=True):
    """One watch root and how far it is."""

    path: bytes
    state: RootStateWord
    """`scanning` until its first scan since the daemon's start is through."""
    indexed: int
    pending: int
    failed: int
    include: list[str] = []
    exclude: list[str] = []
    hidden: bool = False
    problem: str = ""
    """Why it is unavailable, or what the watcher misses; empty when all is well."""


class Freshness(msgspec.Struct, frozen=True):
    """What a reply was computed over."""

    indexed: int
    """Files."""
    pending: int
    """Files seen but not yet indexed."""
    failed: int
    """Files that cannot be indexed."""
    scanning_roots: list[bytes] = []
    """Roots whose first scan is not through: there may be files nobody has seen yet."""
    unavailable_roots: list[bytes] = []
    stale: int = 0
    """Pictures that still have the features of an older version."""
    unverified: int = 0
    """Candidates whose pixels could not be compared for this reply."""


class StatusReply(Message, frozen=True, tag="status_reply"):
    """The daemon's state."""

    pid: int
    version: str
    protocol: int
    roots: list[RootStatus]
    indexed: int
    """Files that can be found."""
    pictures: int
    """Distinct contents among them."""
    pending: int
    failed: int
    not_pictures: int
    """Those of `failed` that no picture format begins like."""
    stale: int
    extracted: int
    """Pictures decoded for indexing since the daemon's start."""
    rate: float
    """Files done per second, over the last seconds."""
    store_bytes: int
    since: str
    """Start of the daemon, ISO 8601, UTC."""
    features_version: int
    notifier: str
    """Where hints come from."""


class RootsReply(Message, frozen=True, tag="roots_reply"):
    """The watch roots."""

    roots: list[RootStatus]


class RootReply(Message, frozen=True, tag="root_reply"):
    """The root that was added or removed."""

    root: RootStatus


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One file that the search found."""

    path: bytes
    verdict: Literal["same_file", "same_pixels", "copy", "alike"]
    distance: int
    """Of the 256-bit hashes, 0 to 256."""
    turn: str
    """What turns the query into this picture, as `pspd.core.model.Turn`."""
    width: int
    height: int
    size: int = msgspec.field(name="bytes")
    format: str
    image: str
    """Content digest in hexadecimal."""
    frames: int = 1
    channels: int = 3
    orientation: int = 1
    """EXIF orientation tag of the file; the width and height are of the upright picture."""
    upright: bool = False
    """Whether the two files carry different orientation tags and were compared upright."""
    quality: int = 100


class QueryInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What the daemon saw in the query image."""

    width: int
    height: int
    size: int = msgspec.field(name="bytes")
    format: str
    image: str
    frames: int = 1
    orientation: int = 1
    quality: int = 100
    flat: bool = False
    """Too flat for perceptual hashes: only equality was searched for."""


class SearchReply(Message, frozen=True, tag="search_reply"):
    """What was found, nearest first."""

    query: QueryInfo
    hits: list[Hit]
    freshness: Freshness
    total: int
    """Hits before `count` cut them."""
    elapsed_ms: float
    """In the daemon, extraction of the query included."""


class SyncReply(Message, frozen=True, tag="sync_reply"):
    """Everything before the request is indexed, as far as it can be."""

    freshness: Freshness


class FailureEntry(msgspec.Struct, frozen=True):
    """One file that could not be indexed."""

    path: bytes
    reason: str
    """A value of `pspd.core.model.FailureReason`."""
    message: str


class FailuresReply(Message, frozen=True, tag="failures_reply"):
    """One page of failures, in the store's order."""

    failures: list[FailureEntry]
    next: bytes | None = None
    """Pass as `after` for the next page; None at the end."""


class Stopping(Message, frozen=True, tag="stopping"):
    """The daemon will exit."""

    pid: int


class ErrorReply(Message, frozen=True, tag="error"):
    """The request failed; the daemon goes on."""

    code: str
    """An `ErrorCode`; a client treats one it does not know like `internal`."""
    message: str
    """One sentence for a person."""
    reason: str = ""
    """For `bad_query`: a value of `pspd.core.model.FailureReason`."""


Reply = (
    Welcome
    | StatusReply
    | RootsReply
    | RootReply
    | SearchReply
    | SyncReply
    | FailuresReply
    | Stopping
    | ErrorReply
)


# --- events (PUB socket; frame 0 is the topic, frame 1 the message) -------------------------


class ProgressEvent(Message, frozen=True, tag="progress"):
    """How far indexing is; sent at most a few times a second."""

    indexed: int
    pending: int
    failed: int
    rate: float


class ChangeEvent(Message, frozen=True, tag="change"):
    """A file was indexed, failed, moved or went away."""

    kind: Literal["indexed", "failed", "moved", "removed"]
    path: bytes
    old_path: bytes | None = None


Event = ProgressEvent | ChangeEvent


# --- envelopes ------------------------------------------------------------------------------


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
_request_decoder: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_reply_decoder: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)
_event_decoder: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)
_request_envelope_decoder = msgspec.msgpack.Decoder(RequestEnvelope)
_head_decoder = msgspec.msgpack.Decoder(EnvelopeHead)
_reply_envelope_decoder = msgspec.msgpack.Decoder(ReplyEnvelope)


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
    if len(frame) > MAX_ENVELOPE_BYTES:
        raise WireError("too_large", f"an envelope may have {MAX_ENVELOPE_BYTES} bytes")
    # The head first: the rest of a newer envelope may be nothing this version can read.
    head = _decode(_head_decoder, frame, "malformed", 0)
    if head.protocol > PROTOCOL_VERSION:
        raise WireError(
            "protocol_too_new",
            f"this daemon speaks protocol {PROTOCOL_VERSION}, the request {head.protocol}; "
            "restart it after an upgrade with: pspc stop",
            head.id,
        )
    envelope = _decode(_request_envelope_decoder, frame, "malformed", head.id)
    return envelope, _decode(_request_decoder, envelope.body, "unknown_request", head.id)


def encode_reply(reply: Reply, *, id: int) -> bytes:
    """Encode a reply in its envelope."""
    return _encoder.encode(ReplyEnvelope(PROTOCOL_VERSION, id, msgspec.Raw(_encoder.encode(reply))))


def decode_reply(frame: bytes) -> tuple[int, Reply]:
    """Decode a reply; returns the request's id and the reply.

    Raises:
        WireError: `malformed`.
    """
    envelope = _decode(_reply_envelope_decoder, frame, "malformed", 0)
    return envelope.id, _decode(_reply_decoder, envelope.body, "malformed", envelope.id)


def encode_event(event: Event) -> tuple[bytes, bytes]:
    """Encode an event as topic and message."""
    topic = b"progress" if isinstance(event, ProgressEvent) else b"change"
    return topic, _encoder.encode(event)


def decode_event(frame: bytes) -> Event:
    """Decode the message frame of an event."""
    return _decode(_event_decoder, frame, "malformed", 0)


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


def runtime_directory(environ: Mapping[str, str]) -> str:
    """Return the directory of the sockets.

    It is $PSP_HOME, or $XDG_RUNTIME_DIR/psp, or psp-UID in the temporary folder.
    """
    home = environ.get("PSP_HOME")
    if home:
        return os.path.abspath(home)
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime:
        return os.path.join(runtime, "psp")
    # Anybody may make this name before the user does: both sides check who owns what lies there.
    shared = environ.get("TMPDIR") or "/tmp"  # noqa: S108 - as the line above says
    return os.path.join(shared, f"psp-{os.getuid()}")


def socket_paths(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the default paths of the request socket and of the events socket."""
    directory = runtime_directory(environ)
    return os.path.join(directory, SOCKET_NAME), os.path.join(directory, EVENTS_SOCKET_NAME)


def socket_address(path: str) -> str:
    """Return the ZeroMQ address of the socket at `path`."""
    return f"ipc://{path}"


def socket_path_problem(path: str) -> str:
    """Say in one sentence why no socket can lie at `path`; empty when one can.

    Both sides ask before they use a path: libzmq and the system would only say "invalid".
    """
    if not os.path.isabs(path):
        return f"the socket's path must be absolute: {path!a}"
    length = len(os.fsencode(path))
    if length > MAX_SOCKET_PATH:
        return (
            f"the socket's path has {length} bytes, and this system allows {MAX_SOCKET_PATH}: "
            f"{path!a}; set PSP_HOME or XDG_RUNTIME_DIR to a shorter folder"
        )
    try:
        path.encode()
    except UnicodeEncodeError:
        return f"the socket's path must be UTF-8, ZeroMQ takes no other: {path!a}"
    return ""
