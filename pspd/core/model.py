"""The nouns of PSP as frozen values.

Paths inside the program are `str` as `os.fsdecode` gives them (surrogate escapes stand for bytes
that are not UTF-8); they are bytes at every border, on disk and on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NamedTuple, NewType

ImageId = NewType("ImageId", bytes)
"""BLAKE2b digest of a file's bytes, 32 bytes: the identity of an image."""

ImageNumber = NewType("ImageNumber", int)
"""Dense number of an image in one store: its row in the descriptor columns, from 0."""

ModelKey = NewType("ModelKey", str)
"""A model of learned descriptors, `NAME@` and 16 hexadecimal digits: those of a SHA-256 over the
SHA-256 of the model's file and how pictures are prepared for it. Descriptors are comparable only
under equal digits; the name is for people."""

RootId = NewType("RootId", int)
"""Number of a watch root in one store, from 1; never used again."""

DirectoryId = NewType("DirectoryId", int)
"""Number of a directory in one store, from 1; never used again."""


class FailureReason(StrEnum):
    """Why a file is not indexed. Each is a word users see and scripts test for."""

    NOT_A_PICTURE = "not_a_picture"
    """No known picture format begins like this."""
    UNSUPPORTED = "unsupported"
    """A known picture format, or a variant of one, that PSP does not read."""
    MISSING_EXTRA = "missing_extra"
    """A format that an optional package reads; the message names the extra."""
    TOO_BIG = "too_big"
    """Over the limit on bytes, pixels, sides or frames; the message names the limit."""
    TRUNCATED = "truncated"
    """The file ends before the picture does."""
    BROKEN = "broken"
    """The decoder refuses the data."""
    TIMEOUT = "timeout"
    """Decoding took longer than the limit."""
    CRASHED = "crashed"
    """The worker process died while it read this file."""
    OUT_OF_MEMORY = "out_of_memory"
    """Decoding needed more memory than a worker may have."""
    UNREADABLE = "unreadable"
    """The file could not be opened or read; the message has the system's reason."""
    NOT_A_FILE = "not_a_file"
    """A FIFO, a socket, a device."""


class Turn(StrEnum):
    """The eight symmetries of a rectangle, named as Pillow's `Image.Transpose` does.

    A hit's turn is what has to be done to the upright query to get the upright indexed picture.
    Rotations are counter-clockwise, as in Pillow.
    """

    NONE = "none"
    ROTATE_90 = "rotate_90"
    ROTATE_180 = "rotate_180"
    ROTATE_270 = "rotate_270"
    FLIP_LEFT_RIGHT = "flip_left_right"
    FLIP_TOP_BOTTOM = "flip_top_bottom"
    TRANSPOSE = "transpose"
    TRANSVERSE = "transverse"


class Verdict(StrEnum):
    """How sure a hit is, strongest first."""

    SAME_FILE = "same_file"
    """Equal content digest."""
    SAME_PIXELS = "same_pixels"
    """Upright pixels equal, whatever the container, metadata or orientation tag."""
    COPY = "copy"
    """The same picture after resizing, recompression, turning or mirroring."""
    ALIKE = "alike"
    """Close, but nothing is proven."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost."""

    max_bytes: int = 256 << 20
    """Largest file, in bytes."""
    max_pixels: int = 89_478_485
    """Most pixels of one frame (width × height), decoded or not. Pillow's own limit: a quarter of a
    gibibyte at three bytes a pixel."""
    max_side: int = 65_500
    """Longest side, in pixels."""
    max_frames: int = 10_000
    """Most frames of an animation, or pages of a document."""
    max_scans: int = 100
    """Most scans of a JPEG. Encoders write 1 to about 12; one of 91 kB with 1,000 scans was seen to
    take 12.9 s."""
    max_segments: int = 100_000
    """Most segments of a JPEG, or chunks of a PNG or WebP."""
    max_metadata: int = 64 << 20
    """Most metadata (EXIF, XMP, colour profile, text) of a JPEG, PNG or WebP, in bytes."""
    max_seconds: float = 10.0
    """Wall-clock and CPU time for one file, in seconds."""
    max_memory: int = 704 << 20
    """Address space a worker may use above what it starts with, in bytes. With that, 45 to 60 MiB,
    a worker stays below 768 MiB: a WebP of 500 bytes was seen to take 1,063 at 1 GiB."""


_U64 = (1 << 64) - 1

StampFields = tuple[int, int, int, int, int]
"""The fields of a `FileStamp` as a stat has them, mostly equal to it: a scan compares one for each
file, and makes a `FileStamp` of what differs alone."""


class FileStamp(NamedTuple):
    """What a stat says of a file; two equal stamps mean the same content, but for racy ones."""

    size: int
    """Bytes."""
    mtime_ns: int
    """Time of last modification, ns since the epoch; may be negative."""
    ctime_ns: int
    """Time of last status change, ns since the epoch."""
    inode: int
    device: int

    @classmethod
    def of(cls, fields: StampFields) -> FileStamp:
        """Make one of what a stat says; what 64 bits cannot hold is cut to what they can.

        Only equality counts. Times beyond the year 2262 are cut, and device numbers that some
        systems give as negative.
        """
        size, mtime_ns, ctime_ns, inode, device = fields
        return cls(size, _clamped(mtime_ns), _clamped(ctime_ns), inode & _U64, device & _U64)


def _clamped(time_ns: int) -> int:
    return max(-(1 << 63), min(time_ns, (1 << 63) - 1))


class FileKey(NamedTuple):
    """Where a file is: a directory and a name in it."""

    directory: DirectoryId
    name: str


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory below a watch root, or the root itself."""

    directory_id: DirectoryId
    root_id: RootId
    parent: DirectoryId
    """0 for the root itself."""
    name: str
    """Empty for the root itself."""
    device: int
    inode: int


class FileState(IntEnum):
    """How far a file is. The numbers are in the store and never change."""

    PENDING = 0
    """Seen, not yet read."""
    INDEXED = 1
    """Linked to an image."""
    FAILED = 2
    """Cannot be indexed until it changes."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What the store keeps for one file."""

    stamp: FileStamp
    state: FileState
    racy: bool = False
    """Whether it was read so soon after its last change that an equal stamp proves nothing."""
    image: ImageNumber | None = None
    """The image it is linked to, when indexed."""
    sequence: int = 0
    """Its place in the queue of files to read; 0 when it is not in it."""
    not_picture: bool = False
    """Whether it failed because no picture format begins like it."""


@dataclass(frozen=True, slots=True)
class WatchRoot:
    """A directory tree the user asked PSP to keep indexed."""

    root_id: RootId
    path: str
    """Absolute, symbolic links resolved."""
    include: tuple[str, ...] = ()
    """Globs on the path below the root; empty means every file."""
    exclude: tuple[str, ...] = ()
    """Globs on the path below the root; they win over `include`."""
    hidden: bool = False
    """Whether names that begin with a dot are looked at."""
    removing: bool = False
    """Whether the user removed it and its records are still being dropped."""
    directory: DirectoryId = DirectoryId(0)
    """The directory that is the root itself."""
    paused: bool = False
    """Whether the user wants nothing below it to be looked at; its records stay and answer."""


@dataclass(frozen=True, slots=True)
class Features:
    """All that is extracted of one image at one features version."""

    version: int
    """`pspd.features.extract.FEATURES_VERSION` of the code that made it."""
    image_id: ImageId
    format: str
    """"JPEG", "PNG", … as Pillow names formats."""
    width: int
    """Of the upright picture, in pixels."""
    height: int
    """Of the upright picture, in pixels."""
    channels: int
    """1 gray, 2 gray and alpha, 3 colour, 4 colour and alpha (or CMYK)."""
    size: int
    """Bytes of the file."""
    frames: int
    """1 for a still picture."""
    orientation: int
    """The EXIF tag's value, 1 to 8; 1 when there is none."""
    mean: tuple[float, float, float]
    """Mean of red, green and blue on the documented background, each 0 to 255."""
    quality: int
    """0 (flat) to 100: how much structure the hashes rest on; below
    `pspd.core.verdict.FLAT_QUALITY` they mean nothing."""
    phash64: bytes
    """8 bytes, the bits of `imagehash.phash(hash_size=8)`, row by row, first bit highest."""
    phash256: bytes
    """32 bytes, the same with `hash_size=16`."""


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """What the store keeps for one image, but for its hashes, which lie in columns."""

    number: ImageNumber
    version: int
    """Features version."""
    image_id: ImageId
    format: str
    width: int
    height: int
    channels: int
    size: int
    frames: int
    orientation: int
    mean: tuple[float, float, float]
    quality: int


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """What one content did to the workers that were to decode it."""

    reason: FailureReason
    """`crashed` or `timeout`."""
    message: str
    """What happened the last time."""
    path: str
    """Where it was met the last time; empty for a query."""
    when: int
    """The last time, seconds since the epoch."""
    deaths: int
    """Workers that it cost."""
    decoder: str
    """Versions and limits of what read it."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many files of a root, or of all roots, are in which state."""

    indexed: int = 0
    pending: int = 0
    failed: int = 0
    not_pictures: int = 0
    """Those of `failed` that no picture format begins like."""


@dataclass(frozen=True, slots=True)
class TurnedHashes:
    """The hashes of a picture after one turn."""

    turn: Turn
    phash64: bytes
    phash256: bytes


@dataclass(frozen=True, slots=True)
class PixelDigest:
    """What stands for all pixels of a picture; equal digests mean equal pixels."""

    version: int
    """`pspd.verify.pixels.PIXELS_VERSION` of the code that made it."""
    digest: bytes
    """32 bytes of BLAKE2b over the canonical upright pixels of all frames."""
