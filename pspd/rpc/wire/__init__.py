"""The wire: messages, their encoding, and where the daemon listens. Imports nothing of PSP.

    requests ──┐
               ├─▶ envelopes ─▶ one or two ZeroMQ frames ─▶ addresses
    replies ───┘

A request is an envelope in MessagePack and, for a search, a second frame with the bytes of the
query image. A reply is one frame. `docs/protocol.md` describes them for other languages.

Compatibility: fields that a reader does not know are ignored, new fields have defaults, and
`PROTOCOL_VERSION` changes only when an old reader would misunderstand.
"""

from pspd.rpc.wire.addresses import (
    EVENTS_SOCKET_NAME,
    MAX_SOCKET_PATH,
    SOCKET_NAME,
    runtime_directory,
    socket_address,
    socket_path_problem,
    socket_paths,
)
from pspd.rpc.wire.envelopes import (
    MAX_ENVELOPE_BYTES,
    MAX_QUERY_BYTES,
    PROTOCOL_VERSION,
    EnvelopeHead,
    ReplyEnvelope,
    RequestEnvelope,
    WireError,
    decode_event,
    decode_reply,
    decode_request,
    encode_event,
    encode_reply,
    encode_request,
)
from pspd.rpc.wire.replies import (
    ChangeEvent,
    ErrorCode,
    ErrorReply,
    Event,
    FailureEntry,
    FailuresReply,
    Freshness,
    Hit,
    ProgressEvent,
    QueryInfo,
    Reply,
    RootReply,
    RootsReply,
    RootStateWord,
    RootStatus,
    SearchReply,
    StatusReply,
    Stopping,
    SyncReply,
    Welcome,
)
from pspd.rpc.wire.requests import (
    AddRoot,
    FailuresRequest,
    Hello,
    Message,
    RemoveRoot,
    Request,
    RootsRequest,
    SearchRequest,
    StatusRequest,
    StopRequest,
    SyncRequest,
)
from pspd.rpc.wire.text import printable, quoted

__all__ = [
    "EVENTS_SOCKET_NAME",
    "MAX_ENVELOPE_BYTES",
    "MAX_QUERY_BYTES",
    "MAX_SOCKET_PATH",
    "PROTOCOL_VERSION",
    "SOCKET_NAME",
    "AddRoot",
    "ChangeEvent",
    "EnvelopeHead",
    "ErrorCode",
    "ErrorReply",
    "Event",
    "FailureEntry",
    "FailuresReply",
    "FailuresRequest",
    "Freshness",
    "Hello",
    "Hit",
    "Message",
    "ProgressEvent",
    "QueryInfo",
    "RemoveRoot",
    "Reply",
    "ReplyEnvelope",
    "Request",
    "RequestEnvelope",
    "RootReply",
    "RootStateWord",
    "RootStatus",
    "RootsReply",
    "RootsRequest",
    "SearchReply",
    "SearchRequest",
    "StatusReply",
    "StatusRequest",
    "StopRequest",
    "Stopping",
    "SyncReply",
    "SyncRequest",
    "Welcome",
    "WireError",
    "decode_event",
    "decode_reply",
    "decode_request",
    "encode_event",
    "encode_reply",
    "encode_request",
    "printable",
    "quoted",
    "runtime_directory",
    "socket_address",
    "socket_path_problem",
    "socket_paths",
]
