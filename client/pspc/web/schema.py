"""The shape of what the page is answered, where it is not that of `--json`.

Field names are a promise to scripts: they may be added to, never renamed.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from pspc.schema import (
    FailureDocument,
    FreshnessDocument,
    GroupFileDocument,
    HitDocument,
    PathDocument,
    QueryDocument,
)

Do = Literal["keep", "trash", "stay"]


class KeyedHit(HitDocument, kw_only=True):
    """One file that the search found."""

    key: str


class WholeDocument(msgspec.Struct, kw_only=True):
    """The picture that was searched with, or a part of which."""

    image: str
    """Its digest, by which it can be searched with once more."""
    width: int
    """Of the upright picture, in pixels; likewise the height."""
    height: int


class FoundDocument(msgspec.Struct, kw_only=True):
    """The answer to a query, as `pspc search --json`."""

    query: QueryDocument
    """With `crop` of that part, as if it were all."""
    whole: WholeDocument
    hits: list[KeyedHit]
    total: int
    elapsed_ms: float
    threshold: int
    expected: float | UnsetType = UNSET
    freshness: FreshnessDocument


class FailuresPage(msgspec.Struct, kw_only=True):
    """A page of the files that could not be indexed."""

    failures: list[FailureDocument]
    next: str | None


class DistancesDocument(msgspec.Struct, kw_only=True):
    """What chance brings within each distance."""

    threshold: int
    expected: float | None
    expected_by_distance: list[float]
    """Foreign hits of a query on average, within 0 to 256 bits; empty when too little is known."""


class PictureFile(PathDocument, kw_only=True):
    """A file with a picture's content."""

    key: str
    bytes: int | UnsetType = UNSET
    modified: str | UnsetType = UNSET
    """ISO 8601, UTC."""
    missing: bool = False


class PictureDocument(msgspec.Struct, kw_only=True):
    """A picture of the index."""

    image: str
    width: int
    height: int
    format: str
    bytes: int
    frames: int
    channels: int
    orientation: int
    files: list[PictureFile]
    tags: list[tuple[str, str]]


class ProposedFile(GroupFileDocument, kw_only=True):
    """A file of a group, and what could become of it."""

    key: str
    do: Do
    why: str = ""
    """Of a kept one the rule that decided; of one that could go, what it is to the kept one."""


class ProposedGroup(msgspec.Struct, kw_only=True):
    """Files of which each is a copy of the first."""

    waste: int
    files: list[ProposedFile]


class DuplicatesPage(msgspec.Struct, kw_only=True):
    """A page of groups, each of them whole."""

    groups: list[ProposedGroup]
    total: int
    """Groups on all pages, whatever was asked for, and with what is left out as another shot."""
    waste: int
    """Of those."""
    left_out: int
    """Files of this page's groups that are other shots, or halves of one, and so no copies."""
    uncompared: int
    freshness: FreshnessDocument
    next: str | None


class RulesDocument(msgspec.Struct, kw_only=True):
    """The rules that say which copy to keep."""

    rules: list[str]
    default: str


class ActStarted(msgspec.Struct, kw_only=True):
    """An act that is under way."""

    act: int


class FailedStep(PathDocument, kw_only=True):
    """Something that could not be done."""

    message: str


class ActDocument(msgspec.Struct, kw_only=True):
    """How far an act is."""

    act: int
    kind: Literal["apply", "undo"]
    state: Literal["running", "done", "failed"]
    """failed: it ended early; what was done so far is done."""
    message: str
    """Why it ended early; empty when it did not."""
    total: int
    done: int
    bytes: int
    failed: list[FailedStep]
    """At most 1,000 of them, and 20 in the list of all acts."""
    failures: int
    dry_run: bool
    can_undo: bool


class ActsDocument(msgspec.Struct, kw_only=True):
    """The acts of this gateway, newest first."""

    acts: list[ActDocument]


class Added(msgspec.Struct, kw_only=True):
    """How many pairs were told apart."""

    added: int


class Forgotten(msgspec.Struct, kw_only=True):
    """How many pairs are told apart no longer."""

    forgotten: int


class Shown(msgspec.Struct, kw_only=True):
    """A file is shown in its folder."""

    shown: bool


class DaemonDocument(msgspec.Struct, kw_only=True):
    """Whether the daemon is there."""

    state: Literal["up", "down"]
    started: bool
    """Whether it was started just now."""


class NewKey(msgspec.Struct, kw_only=True):
    """A key that opens one session, within ten minutes: `/?key=KEY`."""

    key: str
