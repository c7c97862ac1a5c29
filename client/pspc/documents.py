"""Replies → the JSON documents of `--json`, described in docs/json.md.

Field names are a promise to scripts: they may be added to, never renamed.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pspc.errors import PspcError
    from pspd.rpc import wire


class PathDocument(msgspec.Struct, kw_only=True):
    """Base of what has a path."""

    path: str
    """Bytes that are no UTF-8 are written as \\xNN."""
    path_base64: str | UnsetType = UNSET
    """The exact bytes, when they are no UTF-8."""


class HitDocument(PathDocument, kw_only=True):
    """One file that the search found."""

    verdict: str
    distance: int
    turn: str
    width: int
    height: int
    bytes: int
    format: str
    image: str
    frames: int
    channels: int
    orientation: int
    upright: bool
    quality: int


class QueryDocument(msgspec.Struct, kw_only=True):
    """The query image."""

    source: str
    """As it was given on the command line."""
    width: int
    height: int
    bytes: int
    format: str
    image: str
    frames: int
    orientation: int
    quality: int
    flat: bool


class FreshnessDocument(msgspec.Struct, kw_only=True):
    """What the answer was computed over."""

    indexed: int
    pending: int
    failed: int
    scanning_roots: list[str]
    unavailable_roots: list[str]
    stale: int
    unverified: int
    problem: str
    complete: bool
    """Whether nothing found means that there is nothing."""


class ResultDocument(msgspec.Struct, kw_only=True):
    """The answer to one query."""

    query: QueryDocument
    hits: list[HitDocument]
    total: int
    elapsed_ms: float
    freshness: FreshnessDocument


class FailedQueryDocument(msgspec.Struct, kw_only=True):
    """A query that could not be answered."""

    source: str


class ErrorDocument(msgspec.Struct, kw_only=True):
    """Why a query could not be answered."""

    code: str
    """The wire's error code; `source` when the image could not be read."""
    reason: str
    """For `bad_query`, the word that `pspc failures` has for it."""
    message: str


class FailedResultDocument(msgspec.Struct, kw_only=True):
    """Stands for the answer to a query that failed."""

    query: FailedQueryDocument
    error: ErrorDocument


class ResultsDocument(msgspec.Struct, kw_only=True):
    """The answers to several queries, in their order."""

    results: list[ResultDocument | FailedResultDocument]


class RootDocument(PathDocument, kw_only=True):
    """One watch root."""

    state: str
    indexed: int
    pending: int
    failed: int
    include: list[str]
    exclude: list[str]
    hidden: bool
    problem: str


class RootsDocument(msgspec.Struct, kw_only=True):
    """`pspc roots --json`."""

    roots: list[RootDocument]


class StatusDocument(msgspec.Struct, kw_only=True):
    """`pspc status --json`."""

    pid: int
    version: str
    protocol: int
    since: str
    roots: list[RootDocument]
    indexed: int
    pictures: int
    pending: int
    failed: int
    not_pictures: int
    stale: int
    extracted: int
    rate: float
    store_bytes: int
    features_version: int
    notifier: str
    problem: str


class FailureDocument(PathDocument, kw_only=True):
    """One file that could not be indexed."""

    reason: str
    message: str


class FailuresDocument(msgspec.Struct, kw_only=True):
    """`pspc failures --json`."""

    failures: list[FailureDocument]


def text_of(document: msgspec.Struct) -> str:
    """Return a document as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def path_text(path: str | bytes) -> str:
    """Return a path as JSON can carry it."""
    encoded = path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape")
    return encoded.decode("utf-8", "backslashreplace")


def path_base64(path: bytes) -> str | UnsetType:
    """Return the exact bytes of a path, for those that `path_text` cannot show."""
    try:
        path.decode()
    except UnicodeDecodeError:
        return base64.b64encode(path).decode("ascii")
    return UNSET


def result(source: str, reply: wire.SearchReply) -> ResultDocument:
    """Make the document of one answered query."""
    query = reply.query
    return ResultDocument(
        query=QueryDocument(
            source=path_text(source),
            width=query.width,
            height=query.height,
            bytes=query.size,
            format=query.format,
            image=query.image,
            frames=query.frames,
            orientation=query.orientation,
            quality=query.quality,
            flat=query.flat,
        ),
        hits=[_hit(hit) for hit in reply.hits],
        total=reply.total,
        elapsed_ms=reply.elapsed_ms,
        freshness=_freshness(reply.freshness),
    )


def failed_result(source: str, error: PspcError) -> FailedResultDocument:
    """Make the document of a query that could not be answered."""
    return FailedResultDocument(
        query=FailedQueryDocument(source=path_text(source)),
        error=ErrorDocument(
            code=getattr(error, "code", "source"),
            reason=getattr(error, "reason", ""),
            message=path_text(str(error)),
        ),
    )


def root(status: wire.RootStatus) -> RootDocument:
    """Make the document of a watch root."""
    return RootDocument(
        path=path_text(status.path),
        path_base64=path_base64(status.path),
        state=status.state,
        indexed=status.indexed,
        pending=status.pending,
        failed=status.failed,
        include=status.include,
        exclude=status.exclude,
        hidden=status.hidden,
        problem=status.problem,
    )


def status(reply: wire.StatusReply) -> StatusDocument:
    """Make the document of the daemon's state."""
    return StatusDocument(
        pid=reply.pid,
        version=reply.version,
        protocol=reply.protocol,
        since=reply.since,
        roots=[root(one) for one in reply.roots],
        indexed=reply.indexed,
        pictures=reply.pictures,
        pending=reply.pending,
        failed=reply.failed,
        not_pictures=reply.not_pictures,
        stale=reply.stale,
        extracted=reply.extracted,
        rate=reply.rate,
        store_bytes=reply.store_bytes,
        features_version=reply.features_version,
        notifier=reply.notifier,
        problem=reply.problem,
    )


def failures(entries: Iterable[wire.FailureEntry]) -> FailuresDocument:
    """Make the document of the files that could not be indexed."""
    return FailuresDocument(
        failures=[
            FailureDocument(
                path=path_text(entry.path),
                path_base64=path_base64(entry.path),
                reason=entry.reason,
                message=entry.message,
            )
            for entry in entries
        ]
    )


def _hit(hit: wire.Hit) -> HitDocument:
    return HitDocument(
        path=path_text(hit.path),
        path_base64=path_base64(hit.path),
        verdict=hit.verdict,
        distance=hit.distance,
        turn=hit.turn,
        width=hit.width,
        height=hit.height,
        bytes=hit.size,
        format=hit.format,
        image=hit.image,
        frames=hit.frames,
        channels=hit.channels,
        orientation=hit.orientation,
        upright=hit.upright,
        quality=hit.quality,
    )


def _freshness(freshness: wire.Freshness) -> FreshnessDocument:
    return FreshnessDocument(
        indexed=freshness.indexed,
        pending=freshness.pending,
        failed=freshness.failed,
        scanning_roots=[path_text(path) for path in freshness.scanning_roots],
        unavailable_roots=[path_text(path) for path in freshness.unavailable_roots],
        stale=freshness.stale,
        unverified=freshness.unverified,
        problem=freshness.problem,
        complete=not (freshness.pending or freshness.scanning_roots or freshness.unavailable_roots),
    )
