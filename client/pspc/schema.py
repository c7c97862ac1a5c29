"""The shape of the JSON documents of `--json`, described in docs/json.md.

Field names are a promise to scripts: they may be added to, never renamed.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType


class PathDocument(msgspec.Struct, kw_only=True):
    """Base of what has a path."""

    path: str
    """Bytes that are no UTF-8 are written as \\xNN."""
    path_base64: str | UnsetType = UNSET
    """The exact bytes, when they are no UTF-8."""


class ProofDocument(msgspec.Struct, kw_only=True):
    """Where the query and the indexed picture lie in one another, in pixels of the upright ones."""

    transform: list[float]
    """Nine numbers, row by row: query to indexed picture, as homogeneous coordinates."""
    quadrilateral: list[tuple[float, float]]
    query_quadrilateral: list[tuple[float, float]]
    query_share: float
    indexed_share: float
    angle: float
    mirrored: bool
    inliers: int
    agreement: float
    colour: str


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
    likeness: float | UnsetType = UNSET
    """When learned descriptors were compared."""
    proof: ProofDocument | UnsetType = UNSET
    """When the copy was proven by geometry."""


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
    paused_roots: list[str]
    stale: int
    unverified: int
    problem: str
    model: str
    described: int
    describable: int
    cut: str
    complete: bool
    """Whether nothing found means that there is nothing."""


class ResultDocument(msgspec.Struct, kw_only=True):
    """The answer to one query."""

    query: QueryDocument
    hits: list[HitDocument]
    total: int
    elapsed_ms: float
    threshold: int
    expected: float | UnsetType = UNSET
    """Foreign hits that a query has on average, when that is known."""
    freshness: FreshnessDocument


class ReasonDocument(msgspec.Struct, kw_only=True):
    """What one tier says of two pictures."""

    tier: str
    says: str
    text: str
    value: float | None
    threshold: float | None
    setting: str


class WhyDocument(msgspec.Struct, kw_only=True):
    """`pspc why A B --json`."""

    verdict: str
    reasons: list[ReasonDocument]
    proof: ProofDocument | UnsetType = UNSET


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


class NoticeDocument(PathDocument, kw_only=True):
    """One thing that a person should know, or mend; the path is empty when it is about none."""

    area: str
    cause: str
    cure: str


class RestrictionDocument(msgspec.Struct, kw_only=True):
    """Something that the daemon shall not be able to do."""

    setting: str
    holds: bool
    promised: bool


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
    notices: list[NoticeDocument]
    counters: dict[str, int]
    sandbox: str
    protection: list[RestrictionDocument]
    uncompared: int
    model: str
    described: int
    describable: int
    undescribed_because: str
    threshold: int
    expected: float | UnsetType = UNSET
    """Foreign hits that a query has on average, when that is known."""


class FailureDocument(PathDocument, kw_only=True):
    """One file that could not be indexed."""

    reason: str
    message: str
    disposition: str


class QuarantineEntryDocument(PathDocument, kw_only=True):
    """One content that cost workers their lives."""

    reason: str
    message: str
    when: str
    deaths: int
    decoder: str
    image: str


class QuarantineDocument(msgspec.Struct, kw_only=True):
    """`pspc quarantine --json`."""

    quarantine: list[QuarantineEntryDocument]


class ModelDocument(msgspec.Struct, kw_only=True):
    """One model that makes learned descriptors."""

    name: str
    chosen: bool
    usable: bool
    problem: str
    key: str
    dimension: int
    source: str
    origin: str
    bytes: int
    sha256: str
    licence: str


class ModelsDocument(msgspec.Struct, kw_only=True):
    """`pspc model --json`."""

    models: list[ModelDocument]


class FindingDocument(msgspec.Struct, kw_only=True):
    """One thing that a check found wrong."""

    level: str
    text: str


class CheckDocument(msgspec.Struct, kw_only=True):
    """`pspc check --json` and `pspc repair --json`."""

    found: int
    findings: list[FindingDocument]
    summary: str
    restart: bool


class BackupDocument(PathDocument, kw_only=True):
    """`pspc backup --json`."""


class GroupFileDocument(PathDocument, kw_only=True):
    """One file of a group of copies."""

    verdict: str
    distance: int
    turn: str
    width: int
    height: int
    bytes: int
    format: str
    image: str


class GroupDocument(msgspec.Struct, kw_only=True):
    """Files of which each is a copy of the first."""

    waste: int
    files: list[GroupFileDocument]


class DuplicatesDocument(msgspec.Struct, kw_only=True):
    """`pspc duplicates --json`."""

    groups: list[GroupDocument]
    total: int
    waste: int
    left_out: int
    """Files that are other shots, or halves of one, and no copies."""
    uncompared: int
    freshness: FreshnessDocument


class FailuresDocument(msgspec.Struct, kw_only=True):
    """`pspc failures --json`."""

    failures: list[FailureDocument]
