"""What one write transaction applies, as values; applying a batch twice changes nothing more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pspd.core.model import (
    Directory,
    DirectoryId,
    FailureReason,
    Features,
    FileKey,
    FileStamp,
    ImageId,
    ImageNumber,
    ModelKey,
    PixelDigest,
    QuarantineEntry,
    Turn,
    WatchRoot,
)


@dataclass(frozen=True, slots=True)
class PutRoot:
    """Add or replace a watch root."""

    root: WatchRoot


@dataclass(frozen=True, slots=True)
class ForgetRoot:
    """Drop a watch root whose directories are gone."""

    root: WatchRoot


@dataclass(frozen=True, slots=True)
class PutDirectory:
    """Add a directory, or note that it moved or is another inode now."""

    directory: Directory


@dataclass(frozen=True, slots=True)
class RemoveDirectory:
    """Drop a directory and everything below it."""

    directory_id: DirectoryId
    place: FileKey | None = None
    """Where it was missed: nothing is dropped when it is elsewhere by now. None: wherever it is."""


@dataclass(frozen=True, slots=True)
class FileSeen:
    """A file is new or changed: what was known of its content no longer holds; read it."""

    key: FileKey
    stamp: FileStamp


@dataclass(frozen=True, slots=True)
class FileSuspect:
    """A file may have changed under an equal stamp: read it, and answer with it meanwhile."""

    key: FileKey
    stamp: FileStamp


@dataclass(frozen=True, slots=True)
class FileMoved:
    """A file is elsewhere; its record goes along and is read again to confirm it."""

    old: FileKey
    key: FileKey
    stamp: FileStamp
    old_stamp: FileStamp
    """As it was known when it was missed at its old place; another one means it came back."""


@dataclass(frozen=True, slots=True)
class FileGone:
    """A file is no longer there."""

    key: FileKey
    stamp: FileStamp | None = None
    """As it was known when it was missed: another one means it came back. None: whatever it is."""


@dataclass(frozen=True, slots=True)
class FileIndexed:
    """A file was read; `features` is None when the image was known already."""

    key: FileKey
    sequence: int
    """Of the queue entry that was served; a result for another one came too late."""
    stamp: FileStamp
    racy: bool
    image_id: ImageId
    features: Features | None


@dataclass(frozen=True, slots=True)
class FileFailed:
    """A file was read and cannot be indexed."""

    key: FileKey
    sequence: int
    stamp: FileStamp
    racy: bool
    reason: FailureReason
    message: str


@dataclass(frozen=True, slots=True)
class FileDeferred:
    """A file is still being written: it goes to the end of the queue."""

    key: FileKey
    sequence: int
    stamp: FileStamp


@dataclass(frozen=True, slots=True)
class ImageRefreshed:
    """An image was extracted again at a newer features version."""

    number: ImageNumber
    features: Features


@dataclass(frozen=True, slots=True)
class PixelsKnown:
    """The pixel digest of an image was computed."""

    number: ImageNumber
    pixels: PixelDigest


@dataclass(frozen=True, slots=True)
class DescriptorsKnown:
    """The learned descriptor of an image was computed; of one that is gone by now it is dropped."""

    model: ModelKey
    number: ImageNumber
    descriptor: bytes
    """As `pspd.search.quantising` makes it; of one length for all images of a model."""


@dataclass(frozen=True, slots=True)
class DropDescriptors:
    """Drop descriptors of a model, those of the smallest numbers first; the last takes it along."""

    model: ModelKey
    most: int = 1000
    """At most so many in one transaction."""


@dataclass(frozen=True, slots=True)
class PutQuarantine:
    """A content cost a worker its life."""

    image_id: ImageId
    entry: QuarantineEntry


@dataclass(frozen=True, slots=True)
class DropQuarantine:
    """A content may be decoded again."""

    image_id: ImageId


@dataclass(frozen=True, slots=True)
class ForgetOrphans:
    """Drop images that have had no file since before a time."""

    before: int
    """Seconds since the epoch."""
    most: int = 1000
    """At most so many in one transaction."""


class CopyFound(NamedTuple):
    """A copy of an image."""

    other: ImageNumber
    turn: Turn
    """What turns the image into `other`."""
    distance: int
    """Of the 256-bit hashes."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One image was compared with the others."""

    number: ImageNumber
    phash256: bytes
    """What was compared; with another one it is to be done again."""
    copies: tuple[CopyFound, ...] = ()
    is_crowded: bool = False
    """Whether it has copies beside these."""


@dataclass(frozen=True, slots=True)
class ImagesCompared:
    """Images were compared with all that are there, see `pspd.store.copies`."""

    since: int
    """What `compared` of `meta` was: with another number nothing of it holds any more."""
    upto: int
    """All images of smaller numbers are compared now, but for those that are marked."""
    comparisons: tuple[Compared, ...]
    """Of the images from `since` to `upto`, and of any that were to be compared again."""
    crowded: tuple[ImageNumber, ...] = ()
    """Others that have copies which are not kept."""


@dataclass(frozen=True, slots=True)
class CompareAnew:
    """What makes a copy is another rule now."""

    rule: int
    """A digest of it."""


Operation = (
    PutRoot
    | ForgetRoot
    | PutDirectory
    | RemoveDirectory
    | FileSeen
    | FileSuspect
    | FileMoved
    | FileGone
    | FileIndexed
    | FileFailed
    | FileDeferred
    | ImageRefreshed
    | PixelsKnown
    | DescriptorsKnown
    | DropDescriptors
    | ForgetOrphans
    | PutQuarantine
    | DropQuarantine
    | ImagesCompared
    | CompareAnew
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Operations in the order in which they are applied."""

    operations: tuple[Operation, ...]
    now: int
    """Wall clock, seconds since the epoch; orphans are dated with it."""


ChangeKind = Literal["indexed", "failed", "moved", "removed"]


@dataclass(frozen=True, slots=True)
class PathChange:
    """What became of one file, for those who listen."""

    kind: ChangeKind
    path: str
    old_path: str | None = None


@dataclass(slots=True)
class Applied:
    """What applying a batch changed, for the index and for those who listen."""

    images: list[tuple[ImageNumber, Features]] = field(default_factory=list)
    """Images whose descriptors are new."""
    dropped: list[ImageNumber] = field(default_factory=list)
    """Images that are gone."""
    described: list[DescriptorsKnown] = field(default_factory=list)
    """Learned descriptors that are stored now."""
    queued: list[tuple[int, FileKey]] = field(default_factory=list)
    """Files to read, with their place in the queue."""
    deferred: list[tuple[int, FileKey]] = field(default_factory=list)
    """Files to read later, with their new place in the queue."""
    changes: list[PathChange] = field(default_factory=list)
    touched: set[DirectoryId] = field(default_factory=set)
    """Directories of which a record changed: their own, a file's, or that of one in them."""
