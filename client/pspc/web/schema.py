"""The shape of what the page asks and is answered, where it is not that of `--json`.

Field names are a promise to scripts: they may be added to, never renamed.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pspc.schema import (
    FailureDocument,
    FreshnessDocument,
    GroupFileDocument,
    HitDocument,
    PathDocument,
    QueryDocument,
)

Image = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", min_length=64, max_length=64)]
"""A content digest in hexadecimal."""

Key = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]+$", min_length=24, max_length=8192)]
"""A file, as the gateway named it."""

Cursor = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]+$", max_length=8192)]
"""Where a page begins: the `next` of the page before."""

_CROP = "^[0-9]{1,9},[0-9]{1,9},[1-9][0-9]{0,8},[1-9][0-9]{0,8}$"

Verdict = Literal["same_file", "same_pixels", "copy"]

Do = Literal["keep", "trash", "stay"]


class Wish(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Base of what is asked: a word that is not known is a mistake, and not passed over."""


class ImageWish(Wish, kw_only=True):
    """A picture, by its content."""

    image: Image


class ThumbnailWish(ImageWish, kw_only=True):
    """A picture, small."""

    size: Annotated[int, Meta(ge=16, le=1024)] = 256
    """Pixels of the longer side at most."""


class QueryPictureWish(ImageWish, kw_only=True):
    """A query that was kept."""

    size: Annotated[int, Meta(ge=16, le=1024)] = 1024


class SearchWish(Wish, kw_only=True):
    """How to search."""

    mode: Literal["both", "original", "similar"] = "both"
    distance: Annotated[int, Meta(ge=0, le=256)] | UnsetType = UNSET
    expect: Annotated[float, Meta(ge=0, le=1_000_000_000)] | UnsetType = UNSET
    count: Annotated[int, Meta(ge=1, le=2**31 - 1)] | UnsetType = UNSET
    effort: Literal["fast", "full"] = "full"
    alike: bool = False
    budget: Annotated[float, Meta(gt=0, le=60)] | UnsetType = UNSET
    crop: Annotated[str, Meta(pattern=_CROP, max_length=39)] = ""
    """Left, top, width and height, in pixels of the upright picture."""


class KeptSearchWish(SearchWish, kw_only=True):
    """How to search with a picture that is known."""

    image: Image


class CompareWish(Wish, kw_only=True):
    """Two pictures: of the index, or queries that were kept."""

    first: Image
    second: Image


class PageWish(Wish, kw_only=True):
    """Which part of a long list."""

    after: Cursor | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 1000


class DuplicatesWish(PageWish, kw_only=True):
    """Which groups, and what could become of their files."""

    verdict: Verdict = "copy"
    across_roots: bool = False
    keep: Annotated[str, Meta(max_length=1000)] = ""
    """Rules of which to keep; none for the usual ones."""
    limit_do: Verdict = "same_pixels"
    """The weakest verdict to the kept file that a file may have to go."""


class ActWish(Wish, kw_only=True):
    """One act."""

    act: Annotated[int, Meta(ge=1, le=2**31 - 1)]


class NewRoot(Wish, kw_only=True):
    """A folder to watch."""

    path: Annotated[str, Meta(min_length=1, max_length=4096, pattern="^/")]
    """Absolute."""
    include: list[str] = []
    exclude: list[str] = []
    hidden: bool = False


class OldRoot(Wish, kw_only=True):
    """A folder to watch no longer."""

    path: Annotated[str, Meta(min_length=1, max_length=4096, pattern="^/")]
    path_base64: Annotated[str, Meta(max_length=8192)] = ""
    """The exact bytes, where they are no UTF-8."""


class ModelWish(Wish, kw_only=True):
    """What to do about models."""

    action: Literal["use", "pause", "resume"]
    name: Annotated[str, Meta(max_length=200)] = ""


class Address(Wish, kw_only=True):
    """Where a picture lies in the web."""

    url: Annotated[str, Meta(min_length=1, max_length=8192)]


class FileWish(Wish, kw_only=True):
    """A file that was named before."""

    key: Key


class ActFile(Wish, kw_only=True):
    """A file of a plan, as it was listed."""

    key: Key
    image: Image
    bytes: Annotated[int, Meta(ge=0, le=2**62)]


class ActGroup(Wish, kw_only=True):
    """What is to become of some copies; one at least is kept."""

    keep: Annotated[list[ActFile], Meta(min_length=1)]
    trash: list[ActFile] = []
    link: list[ActFile] = []


class Plan(Wish, kw_only=True):
    """What is to become of copies."""

    groups: Annotated[list[ActGroup], Meta(min_length=1)]
    dry_run: bool = False
    """Only look whether all could be done."""


class Images(Wish, kw_only=True):
    """Some pictures."""

    images: Annotated[list[Image], Meta(min_length=1, max_length=1000)]


class KeyedHit(HitDocument, kw_only=True):
    """One file that the search found."""

    key: str


class FoundDocument(msgspec.Struct, kw_only=True):
    """The answer to a query, as `pspc search --json`."""

    query: QueryDocument
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
    """Groups on all pages, whatever was asked for."""
    waste: int
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
    """At most 1,000 of them."""
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


class DistinctPair(msgspec.Struct, kw_only=True):
    """Two pictures that a person has told apart."""

    first: str
    second: str
    when: str
    first_files: list[PathDocument]
    second_files: list[PathDocument]


class DistinctDocument(msgspec.Struct, kw_only=True):
    """What was told apart."""

    pairs: list[DistinctPair]


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
