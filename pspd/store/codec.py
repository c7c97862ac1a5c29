"""The bodies of the store's values: records in, bytes out, and back.

`docs/store-format.md` describes them; golden bytes are in the tests. `pspd.store.checksum` puts a
checksum before each.
"""

from __future__ import annotations

import functools
import os
import struct
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import msgspec

from pspd.core.model import (
    Counts,
    Directory,
    DirectoryId,
    FailureReason,
    Features,
    FileRecord,
    FileStamp,
    FileState,
    ImageId,
    ImageNumber,
    ImageRecord,
    PixelDigest,
    QuarantineEntry,
    RootId,
    WatchRoot,
)
from pspd.errors import StoreDamaged

_NUMBER = struct.Struct("<Q")
_FILE = struct.Struct("<QqqQQBBQQ")
"""size, mtime_ns, ctime_ns, inode, device, state, flags, image, sequence; then the full name when
the key's is cut."""
_DIRECTORY = struct.Struct("<IQQQ")
"""root, parent, device, inode; then the name."""
_IMAGE = struct.Struct("<H32sQIBBB3fIIB")
"""version, digest, size, frames, orientation, channels, quality, mean of red, green and blue,
width, height, length of the format's name; then that name."""
_PIXELS = struct.Struct("<H32s")
"""version, digest."""
_COUNTS = struct.Struct("<QQQQ")
"""indexed, pending, failed, not pictures."""

_VERSION = struct.Struct("<H")

FILE_BYTES = _FILE.size
"""Fewest bytes of a file's body; likewise the next ones."""
DIRECTORY_BYTES = _DIRECTORY.size
IMAGE_BYTES = _IMAGE.size
PIXELS_BYTES = _PIXELS.size
COUNTS_BYTES = _COUNTS.size

_RACY = 1
_NOT_PICTURE = 2
_NO_IMAGE = 0xFFFF_FFFF_FFFF_FFFF

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

_encode_msgpack = msgspec.msgpack.Encoder().encode


def _refusing(decode: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Have a decoder say that what it cannot decode is damaged.

    A whole value with a fitting checksum may lie in the wrong database: checksums do not cover the
    database's name, and swapped pages carry whole values about.
    """

    @functools.wraps(decode)
    def decode_or_refuse(*arguments: _Parameters.args, **named: _Parameters.kwargs) -> _Result:
        try:
            return decode(*arguments, **named)
        except (struct.error, ValueError, TypeError, OverflowError, msgspec.MsgspecError) as error:
            raise StoreDamaged(f"a value in the store is damaged: {error}") from error

    return decode_or_refuse


def encode_number(number: int) -> bytes:
    """Encode a 64-bit number."""
    return _NUMBER.pack(number)


@_refusing
def decode_number(body: bytes) -> int:
    """Inverse of `encode_number`."""
    return int(_NUMBER.unpack(body)[0])


def encode_file(record: FileRecord, cut_name: bytes = b"") -> bytes:
    """Encode a file's record; `cut_name` is its full name where the key holds only a part."""
    stamp = record.stamp
    return (
        _FILE.pack(
            stamp.size,
            stamp.mtime_ns,
            stamp.ctime_ns,
            stamp.inode,
            stamp.device,
            record.state,
            (_RACY if record.racy else 0) | (_NOT_PICTURE if record.not_picture else 0),
            _NO_IMAGE if record.image is None else record.image,
            record.sequence,
        )
        + cut_name
    )


@_refusing
def decode_file(body: bytes) -> tuple[FileRecord, bytes]:
    """Inverse of `encode_file`."""
    size, mtime, ctime, inode, device, state, flags, image, sequence = _FILE.unpack_from(body)
    record = FileRecord(
        FileStamp(size, mtime, ctime, inode, device),
        FileState(state),
        bool(flags & _RACY),
        None if image == _NO_IMAGE else ImageNumber(image),
        sequence,
        bool(flags & _NOT_PICTURE),
    )
    return record, body[_FILE.size :]


def encode_directory(directory: Directory) -> bytes:
    """Encode a directory's record; its number is the key."""
    return _DIRECTORY.pack(
        directory.root_id, directory.parent, directory.device, directory.inode
    ) + os.fsencode(directory.name)


@_refusing
def decode_directory(number: DirectoryId, body: bytes) -> Directory:
    """Inverse of `encode_directory`."""
    root_id, parent, device, inode = _DIRECTORY.unpack_from(body)
    name = os.fsdecode(body[_DIRECTORY.size :])
    return Directory(number, RootId(root_id), DirectoryId(parent), name, device, inode)


def encode_image(record: ImageRecord) -> bytes:
    """Encode an image's record; its number is the key, its hashes lie in columns."""
    name = record.format.encode("ascii")
    return (
        _IMAGE.pack(
            record.version,
            record.image_id,
            record.size,
            record.frames,
            record.orientation,
            record.channels,
            record.quality,
            *record.mean,
            record.width,
            record.height,
            len(name),
        )
        + name
    )


@_refusing
def decode_image(number: ImageNumber, body: bytes) -> ImageRecord:
    """Inverse of `encode_image`."""
    fields = _IMAGE.unpack_from(body)
    version, digest, size, frames, orientation, channels, quality = fields[:7]
    red, green, blue, width, height, length = fields[7:]
    name = body[_IMAGE.size : _IMAGE.size + length].decode("ascii")
    return ImageRecord(
        number=number,
        version=version,
        image_id=ImageId(digest),
        format=name,
        width=width,
        height=height,
        channels=channels,
        size=size,
        frames=frames,
        orientation=orientation,
        mean=(red, green, blue),
        quality=quality,
    )


@_refusing
def image_standing(body: bytes) -> tuple[int, int, str, int]:
    """Read only width, height, format and size of an image's record."""
    fields = _IMAGE.unpack_from(body)
    name = body[_IMAGE.size : _IMAGE.size + fields[-1]].decode("ascii")
    return fields[-3], fields[-2], name, fields[2]


@_refusing
def image_version(body: bytes) -> int:
    """Read only the features version of an image's record."""
    return int(_VERSION.unpack_from(body)[0])


def encode_pixels(pixels: PixelDigest) -> bytes:
    """Encode a pixel digest."""
    return _PIXELS.pack(pixels.version, pixels.digest)


@_refusing
def decode_pixels(body: bytes) -> PixelDigest:
    """Inverse of `encode_pixels`."""
    return PixelDigest(*_PIXELS.unpack(body))


def encode_counts(counts: Counts) -> bytes:
    """Encode a root's counters."""
    return _COUNTS.pack(counts.indexed, counts.pending, counts.failed, counts.not_pictures)


@_refusing
def decode_counts(body: bytes) -> Counts:
    """Inverse of `encode_counts`."""
    return Counts(*_COUNTS.unpack(body))


def encode_failure(reason: str, message: str, cut_name: bytes = b"") -> bytes:
    """Encode why a file failed; `cut_name` as in `encode_file`."""
    return _encode_msgpack((reason, message, cut_name))


@_refusing
def decode_failure(body: bytes) -> tuple[str, str, bytes]:
    """Inverse of `encode_failure`."""
    return msgspec.msgpack.decode(body, type=tuple[str, str, bytes])


def encode_quarantine(entry: QuarantineEntry) -> bytes:
    """Encode what a content did; its digest is the key."""
    path = os.fsencode(entry.path)
    return _encode_msgpack(
        (entry.reason, entry.message, path, entry.when, entry.deaths, entry.decoder)
    )


@_refusing
def decode_quarantine(body: bytes) -> QuarantineEntry:
    """Inverse of `encode_quarantine`."""
    reason, message, path, when, deaths, decoder = msgspec.msgpack.decode(
        body, type=tuple[FailureReason, str, bytes, int, int, str]
    )
    return QuarantineEntry(reason, message, os.fsdecode(path), when, deaths, decoder)


def encode_root(root: WatchRoot) -> bytes:
    """Encode a watch root."""
    path = os.fsencode(root.path)
    fields = (root.include, root.exclude, root.hidden, root.removing, root.directory)
    return _encode_msgpack((path, *fields))


@_refusing
def decode_root(root_id: RootId, body: bytes) -> WatchRoot:
    """Inverse of `encode_root`."""
    path, include, exclude, hidden, removing, directory = msgspec.msgpack.decode(
        body, type=tuple[bytes, tuple[str, ...], tuple[str, ...], bool, bool, int]
    )
    return WatchRoot(
        root_id, os.fsdecode(path), include, exclude, hidden, removing, DirectoryId(directory)
    )


def record_of(number: ImageNumber, features: Features) -> ImageRecord:
    """Return what is stored of an image with these features, but for its row in the columns."""
    return ImageRecord(
        number=number,
        version=features.version,
        image_id=features.image_id,
        format=features.format,
        width=features.width,
        height=features.height,
        channels=features.channels,
        size=features.size,
        frames=features.frames,
        orientation=features.orientation,
        mean=features.mean,
        quality=features.quality,
    )
