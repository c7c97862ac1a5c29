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
    problem: str = ""
    """Why indexing does not go on, as one sentence; empty when all is well."""


class Notice(msgspec.Struct, frozen=True):
    """One thing that a person should know, or mend."""

    area: str
    """The part it is about: "watching", "workers", "store", "sockets", "host"."""
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


class Finding(msgspec.Struct, frozen=True):
    """One thing that a check found wrong."""

    level: str
    """"page", "value", "reference", "sum", "index", "content"; more may come."""
    text: str
