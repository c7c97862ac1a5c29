"""The shape of what is asked: parameters of paths and queries, and documents that are sent.

Field names are a promise to scripts: they may be added to, never renamed.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Image = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", min_length=64, max_length=64)]
"""A content digest in hexadecimal."""

Key = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]+$", min_length=24, max_length=8192)]
"""A file, as the gateway named it."""

Cursor = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]+$", max_length=8192)]
"""Where a page begins: the `next` of the page before."""

_RECTANGLE = "^[0-9]{1,9},[0-9]{1,9},[1-9][0-9]{0,8},[1-9][0-9]{0,8}$"

Verdict = Literal["same_file", "same_pixels", "copy"]


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


class DetailWish(ImageWish, kw_only=True):
    """A part of a picture."""

    part: Annotated[str, Meta(pattern=_RECTANGLE, max_length=39)]
    """Left, top, width and height, in pixels of the upright picture, in which it has to lie."""


class SearchWish(Wish, kw_only=True):
    """How to search."""

    mode: Literal["both", "original", "similar"] = "both"
    distance: Annotated[int, Meta(ge=0, le=256)] | UnsetType = UNSET
    expect: Annotated[float, Meta(ge=0, le=1_000_000_000)] | UnsetType = UNSET
    count: Annotated[int, Meta(ge=1, le=2**31 - 1)] | UnsetType = UNSET
    effort: Literal["fast", "full"] = "full"
    alike: bool = False
    budget: Annotated[float, Meta(gt=0, le=60)] | UnsetType = UNSET
    crop: Annotated[str, Meta(pattern=_RECTANGLE, max_length=39)] = ""
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
    all_shots: bool = False
    """Whether other shots, and halves of one, are listed with what they look like."""
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


class KnownRoot(Wish, kw_only=True):
    """A folder that is watched."""

    path: Annotated[str, Meta(min_length=1, max_length=4096, pattern="^/")]
    path_base64: Annotated[str, Meta(max_length=8192)] = ""
    """The exact bytes, where they are no UTF-8."""


class OldRoot(KnownRoot, kw_only=True):
    """A folder to watch no longer."""


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


class Undo(Wish, kw_only=True):
    """What to take back."""

    act: Annotated[int, Meta(ge=1, le=2**31 - 1)] | UnsetType = UNSET
    """An act of this gateway, which must be the last that can be; without, whatever was last."""


class Images(Wish, kw_only=True):
    """Some pictures."""

    images: Annotated[list[Image], Meta(min_length=1, max_length=1000)]


def rectangle(text: str) -> tuple[int, int, int, int]:
    """Read the left, top, width and height of a part."""
    left, top, width, height = (int(each) for each in text.split(","))
    return left, top, width, height
