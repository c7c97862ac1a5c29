"""What replies consist of: a root, a hit, a failure and the like, as the daemon describes them."""

from __future__ import annotations

from typing import Literal

import msgspec

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
    paused: bool = False
    """Whether a person wants nothing below it to be looked at. Its `state` is `unavailable`, which
    readers that do not know this field understand."""


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
    """Roots of which is told what was last seen: they are not there, or paused."""
    stale: int = 0
    """Pictures that still have the features of an older version."""
    unverified: int = 0
    """Candidates whose pixels could not be compared for this reply."""
    problem: str = ""
    """Why indexing does not go on, as one sentence; empty when all is well."""
    model: str = ""
    """What made the learned descriptors that answer; empty when there is none."""
    described: int = 0
    """Pictures that have such a descriptor."""
    describable: int = 0
    """Pictures that shall have one; 0 without a model."""
    cut: str = ""
    """What was left out of this reply for want of time, as a clause; empty when nothing was."""
    paused_roots: list[bytes] = []
    """Those of `unavailable_roots` that a person has paused."""


class Notice(msgspec.Struct, frozen=True):
    """One thing that a person should know, or mend."""

    area: str
    """The part it is about: "watching", "workers", "store", "sockets", "host", "learned"."""
    cause: str
    cure: str = ""
    path: bytes = b""
    """The file or directory it is about; empty when it is about none."""


class Restriction(msgspec.Struct, frozen=True):
    """Something that the daemon's process shall not be able to do, and whether that is so."""

    setting: str
    """The line of the systemd unit that asks for it."""
    holds: bool
    promised: bool
    """Whether the daemon was started by a unit that asks for it."""


Point = tuple[float, float]
"""Across and down, in pixels of an upright picture, from its upper left corner."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Where one picture lies in the other, and how sure that is."""

    transform: list[float]
    """Nine numbers, row by row: from pixels of the upright query, or of its part that was searched
    with, to those of the upright indexed picture, as homogeneous coordinates."""
    quadrilateral: list[Point]
    """Corners, in the indexed picture, of what is seen of the query there, beginning with the
    query's upper left and going round as it does."""
    query_quadrilateral: list[Point]
    """Corners, in the query, of what is seen of the indexed picture there, likewise."""
    query_share: float
    """Share of the query's area that is in the indexed picture, 0 to 1."""
    indexed_share: float
    """Share of the indexed picture's area that is in the query, 0 to 1."""
    angle: float
    """Degrees, counter-clockwise, by which the query is turned to lie in the indexed picture."""
    mirrored: bool
    inliers: int
    """Matched points that agree with the transform."""
    agreement: float
    """Share of the structure that agrees once they lie on each other, 0 to 1."""
    colour: str = ""
    """How the colours differ, as words; empty when they do not."""


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
    likeness: float | None = None
    """Cosine of the learned descriptors, -1 to 1; None when they were not compared."""
    proof: Proof | None = None
    """None when there is none: a smaller distance needs no proof."""


class Reason(msgspec.Struct, frozen=True):
    """What one tier of a search says of two images."""

    tier: Literal["file", "pixels", "quality", "hash", "shortlist", "mean", "learned", "proof"]
    says: Literal["joins", "parts", "nothing"]
    text: str
    """One clause for a person."""
    value: float | None = None
    """What was measured; None where nothing was."""
    threshold: float | None = None
    """What it is compared with."""
    setting: str = ""
    """What would change it: an option of a search, or a key of the configuration."""


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


class FailureEntry(msgspec.Struct, frozen=True):
    """One file that could not be indexed."""

    path: bytes
    reason: str
    """A value of `pspd.core.model.FailureReason`."""
    message: str
    disposition: str = ""
    """What the reason amounts to: a value of `pspd.core.disposition.Disposition`."""


class QuarantineEntry(msgspec.Struct, frozen=True):
    """One content that cost workers their lives."""

    path: bytes
    """Where it was met the last time; empty for a query."""
    reason: str
    """A value of `pspd.core.model.FailureReason`: "crashed" or "timeout"."""
    message: str
    when: str
    """The last time, ISO 8601, UTC."""
    deaths: int
    """Workers that it cost; from 2 on it is not tried again."""
    decoder: str
    """Versions and limits of what read it; another one tries again."""
    image: str
    """Content digest in hexadecimal."""


class ModelStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One model that makes learned descriptors."""

    name: str
    chosen: bool
    """Whether it is the one in use."""
    usable: bool
    problem: str = ""
    """Why it is not usable, and what to do; one line for a person."""
    key: str = ""
    """What its descriptors are known by; empty when it is not usable."""
    dimension: int = 0
    """Numbers of a descriptor; 0 when nobody knows yet."""
    source: Literal["package", "download", "file"]
    """package: it is there as soon as the package is. download: a client may fetch it and hand
    over the file. file: the configuration says where it lies."""
    origin: bytes
    """The package's name, the address or the path."""
    size: int = msgspec.field(name="bytes", default=0)
    """Of the file that is there; of one at an address, about; 0 when nobody knows."""
    sha256: str = ""
    """Of the file that is there; else of the one at the address; in hexadecimal."""
    licence: str = ""


class GroupFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a group of copies."""

    path: bytes
    verdict: Literal["best", "same_file", "same_pixels", "copy"]
    """What it is to the best file of the group."""
    distance: int
    """Of the 256-bit hashes to the best picture's, 0 to 256; of a turned one, about."""
    turn: str
    """What turns the best picture into this one, as `pspd.core.model.Turn`."""
    width: int
    height: int
    size: int = msgspec.field(name="bytes")
    format: str
    image: str
    """Content digest in hexadecimal."""


class Group(msgspec.Struct, frozen=True):
    """Files of which each is a copy of the first."""

    files: list[GroupFile]
    """The best one first, then the surest and nearest."""
    waste: int
    """Bytes of all its files but the best one."""
    total: int
    """Files of the whole group."""
    first: int = 0
    """How many of them are on pages before; only a group that fits on none is divided."""


class DistinctPair(msgspec.Struct, frozen=True):
    """Two contents of which somebody said that they are no copies of one another."""

    first: str
    """Content digest in hexadecimal; likewise the second."""
    second: str
    when: str
    """ISO 8601, UTC."""
    first_paths: list[bytes] = []
    """Some of the files that have it now, three at most; likewise of the second."""
    second_paths: list[bytes] = []


class Finding(msgspec.Struct, frozen=True):
    """One thing that a check found wrong."""

    level: str
    """"page", "value", "reference", "sum", "index", "content"; more may come."""
    text: str
