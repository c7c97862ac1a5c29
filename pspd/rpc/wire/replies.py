"""What the daemon answers."""

from __future__ import annotations

from typing import Literal

import msgspec

from pspd.rpc.wire.parts import (
    DistinctPair,
    FailureEntry,
    Finding,
    Freshness,
    Group,
    Hit,
    ModelStatus,
    Notice,
    Proof,
    QuarantineEntry,
    QueryInfo,
    Reason,
    Restriction,
    RootStatus,
)
from pspd.rpc.wire.requests import Message

ErrorCode = Literal[
    "malformed",
    "too_large",
    "unknown_request",
    "protocol_too_new",
    "deadline",
    "busy",
    "forbidden",
    "bad_request",
    "bad_query",
    "root",
    "store",
    "model",
    "stopping",
    "internal",
]
"""Why a request failed; `bad_query` is about the query image, `root` about a watch root,
`model` about a model of learned descriptors."""


class Welcome(Message, frozen=True, tag="welcome"):
    """Who listens."""

    server: str
    version: str
    protocol: int
    pid: int


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
    problem: str = ""
    """As in `Freshness`."""
    notices: list[Notice] = msgspec.field(default_factory=list)
    """What a person should know or mend."""
    counters: dict[str, int] = msgspec.field(default_factory=dict)
    """What happened how often since the start, such as "queue_overflows"."""
    sandbox: str = ""
    """What confines the processes that decode, by their own word; empty until one is ready."""
    protection: list[Restriction] = msgspec.field(default_factory=list)
    """What the kernel keeps the daemon from, as it was at the start."""
    uncompared: int = 0
    """Pictures that were not compared with the others yet: their copies are not known."""
    model: str = ""
    """The model of learned descriptors in use; empty when there is none."""
    described: int = 0
    """Pictures that have a descriptor of it."""
    describable: int = 0
    """Pictures that shall have one; 0 without a model."""
    threshold: int = 0
    """Largest distance of the 256-bit hashes of a copy, unless a search says another."""
    expected: float | None = None
    """Foreign hits that a query has within it on average; None when too little is known."""
    undescribed_because: str = ""
    """Why no more are described, as one sentence; empty when all is well."""
    keep: str = ""
    """Rules of which copy to keep, as the configuration has them."""


class RootsReply(Message, frozen=True, tag="roots_reply"):
    """The watch roots."""

    roots: list[RootStatus]


class RootReply(Message, frozen=True, tag="root_reply"):
    """The root that was added, removed, confirmed or paused."""

    root: RootStatus


class SearchReply(Message, frozen=True, tag="search_reply"):
    """What was found, nearest first."""

    query: QueryInfo
    hits: list[Hit]
    freshness: Freshness
    total: int
    """Hits before `count` cut them."""
    elapsed_ms: float
    """In the daemon, extraction of the query included."""
    threshold: int = 0
    """Largest distance of the 256-bit hashes with which pictures were taken for copies, or as far
    as was asked for."""
    expected: float | None = None
    """Foreign hits that a query has within it on average, in this library; None when too little is
    known of it."""


class WhyReply(Message, frozen=True, tag="why_reply"):
    """What joins or parts two images."""

    verdict: str
    """As a search with the first would call the second; empty when it would not find it."""
    reasons: list[Reason]
    """In the order in which they are asked."""
    proof: Proof | None = None
    """Where the first lies in the second."""
    picture: bytes = b""
    """PNG of both, with what joins them; empty unless asked for."""


class PictureReply(Message, frozen=True, tag="picture_reply"):
    """A picture as a person sees it: small, upright, on white."""

    picture: bytes
    """A JPEG file, made from its pixels: nothing of the file itself is in it."""
    width: int
    """Of the whole upright picture, in pixels; likewise the height."""
    height: int
    size: int = msgspec.field(name="bytes")
    """Of its file."""
    format: str
    image: str
    """Content digest in hexadecimal."""
    frames: int = 1
    channels: int = 3
    orientation: int = 1
    """EXIF orientation tag of the file."""
    paths: list[bytes] = msgspec.field(default_factory=list)
    """Of all indexed files with this content, in order; none of a picture that is not indexed."""
    tags: list[tuple[str, str]] = msgspec.field(default_factory=list)
    """Names and texts of what its EXIF says; empty unless asked for."""


class DetailReply(Message, frozen=True, tag="detail_reply"):
    """A part of a picture as a person sees it closely: upright, on white."""

    picture: bytes
    """A PNG file, made from its pixels: nothing of the file itself is in it."""
    width: int
    """Of the whole upright picture, in pixels; likewise the height."""
    height: int


class DistinctReply(Message, frozen=True, tag="distinct_reply"):
    """Pictures that are no copies of one another, as somebody said."""

    pairs: list[DistinctPair]
    """One page of them for `list`, the oldest first; else empty."""
    changed: int = 0
    """Pairs that were added or taken back."""
    next: int | None = None
    """Pass as `after` for the next page; None at the end."""


class DistancesReply(Message, frozen=True, tag="distances_reply"):
    """What chance brings in this library."""

    expected: list[float]
    """Foreign hits that a query has on average within each distance from 0 to 256: 257 numbers, or
    none when too little is known."""


class SyncReply(Message, frozen=True, tag="sync_reply"):
    """Everything before the request is indexed, as far as it can be."""

    freshness: Freshness


class FailuresReply(Message, frozen=True, tag="failures_reply"):
    """One page of failures, in the store's order."""

    failures: list[FailureEntry]
    next: bytes | None = None
    """Pass as `after` for the next page; None at the end."""


class QuarantineReply(Message, frozen=True, tag="quarantine_reply"):
    """What is in quarantine, or was until it was let out."""

    entries: list[QuarantineEntry]


class DuplicatesReply(Message, frozen=True, tag="duplicates_reply"):
    """One page of the groups of copies, the largest waste first."""

    groups: list[Group]
    total: int
    """Groups on all pages, whatever folders were asked for."""
    waste: int
    """Bytes of all their files but the best ones."""
    uncompared: int
    """Pictures that were not compared with the others yet."""
    freshness: Freshness
    next: bytes | None = None
    """Pass as `after` for the next page, which may be all there is; None at the end."""


class JobReply(Message, frozen=True, tag="job_reply"):
    """How far a job is."""

    job: int
    step: str = ""
    """What it is at; a word for people."""
    done: int = 0
    total: int = 0
    """Of the steps that are counted; 0 when nobody knows."""
    finished: bool = False
    findings: list[Finding] = msgspec.field(default_factory=list)
    """At most 1,000 that follow `after`."""
    found: int = 0
    """All findings, kept or not; after 10,000 they are only counted."""
    summary: str = ""
    """What was done, as one clause; of a backup, the folder that it is."""
    restart: bool = False
    """Whether the rest is done by the next daemon, and this one stops."""
    error: str = ""
    """Why it failed, as one sentence; empty when it did not."""


class ModelsReply(Message, frozen=True, tag="models_reply"):
    """The models, as they are now."""

    models: list[ModelStatus]


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
    retry_ms: int = 0
    """For `busy`: when to ask again, in milliseconds."""


Reply = (
    Welcome
    | StatusReply
    | RootsReply
    | RootReply
    | SearchReply
    | WhyReply
    | PictureReply
    | DetailReply
    | SyncReply
    | FailuresReply
    | QuarantineReply
    | DuplicatesReply
    | DistinctReply
    | DistancesReply
    | JobReply
    | ModelsReply
    | Stopping
    | ErrorReply
)
