"""The bodies of the store's values: records in, bytes out, and back.

`docs/store-format.md` describes them; golden bytes are in the tests. `pspd.store.checksum` puts a
checksum before each; those of images are in `pspd.store.image_codec`. What there are many of is
MessagePack, whose numbers are as short as they can be: a file's record took 58 bytes in fields of
fixed width and takes 37 to 45 so.
"""

from __future__ import annotations

import functools
import os
import struct
from collections.abc import Callable, Iterable
from typing import Annotated, ParamSpec, TypeVar

import msgspec

from pspd.core.model import (
    Counts,
    Directory,
    DirectoryId,
    FailureReason,
    FileRecord,
    FileStamp,
    FileState,
    ImageNumber,
    QuarantineEntry,
    RootId,
    StampFields,
    WatchRoot,
)
from pspd.errors import StoreDamaged

_NUMBER = struct.Struct("<Q")
_DIRECTORY = struct.Struct("<IQQQ")
"""root, parent, device, inode; then the name."""
_COUNTS = struct.Struct("<QQQQ")
"""indexed, pending, failed, not pictures."""

FILE_BYTES = 9
"""Fewest bytes of a file's body: an array of eight numbers; likewise the next ones."""
DIRECTORY_BYTES = _DIRECTORY.size
COUNTS_BYTES = _COUNTS.size

_STATE = 3
"""Bits of a file's flags that are its state."""
_RACY = 4
_NOT_PICTURE = 8

_HALF = 1 << 63

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

_encode_msgpack = msgspec.msgpack.Encoder().encode

Natural = Annotated[int, msgspec.Meta(ge=0)]


class _File(msgspec.Struct, array_like=True, gc=False):
    flags: Natural
    size: Natural
    mtime_ns: int
    ctime_after: int
    """ctime - mtime, in ns: small wherever a file was not copied with its time."""
    inode: Natural
    device: Natural
    image: Natural | None
    sequence: Natural
    cut_name: bytes = b""


_decode_file = msgspec.msgpack.Decoder(_File).decode


def refusing(decode: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
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


@refusing
def decode_number(body: bytes) -> int:
    """Inverse of `encode_number`."""
    return int(_NUMBER.unpack(body)[0])


def encode_file(record: FileRecord, cut_name: bytes = b"") -> bytes:
    """Encode a file's record; `cut_name` is its full name where the key holds only a part."""
    stamp = record.stamp
    fields = (
        record.state | (_RACY if record.racy else 0) | (_NOT_PICTURE if record.not_picture else 0),
        stamp.size,
        stamp.mtime_ns,
        _wrapped(stamp.ctime_ns - stamp.mtime_ns),
        stamp.inode,
        stamp.device,
        record.image,
        record.sequence,
    )
    return _encode_msgpack((*fields, cut_name) if cut_name else fields)


@refusing
def decode_file(body: bytes) -> tuple[FileRecord, bytes]:
    """Inverse of `encode_file`."""
    fields = _decode_file(body)
    mtime, flags, image = fields.mtime_ns, fields.flags, fields.image
    ctime = _wrapped(mtime + fields.ctime_after)
    record = FileRecord(
        FileStamp(fields.size, mtime, ctime, fields.inode, fields.device),
        FileState(flags & _STATE),
        bool(flags & _RACY),
        None if image is None else ImageNumber(image),
        fields.sequence,
        bool(flags & _NOT_PICTURE),
    )
    return record, fields.cut_name


def _wrapped(number: int) -> int:
    """Bring a difference of two times, or their sum, into 64 bits with a sign."""
    return (number + _HALF) % (2 * _HALF) - _HALF


@refusing
def decode_stamps(
    items: Iterable[tuple[bytes, bytes]], name_of: Callable[[bytes, bytes], str]
) -> dict[str, tuple[StampFields, bool]]:
    """Read of many files' records only the stamps, and whether each is racy.

    Args:
        items: Keys and bodies.
        name_of: Tells a file's name by its key, and by its full name where the key's is cut.
    """
    found = {}
    for key, body in items:
        fields = _decode_file(body)
        mtime = fields.mtime_ns
        ctime = _wrapped(mtime + fields.ctime_after)
        stamp = (fields.size, mtime, ctime, fields.inode, fields.device)
        found[name_of(key, fields.cut_name)] = (stamp, bool(fields.flags & _RACY))
    return found


def encode_directory(directory: Directory) -> bytes:
    """Encode a directory's record; its number is the key."""
    return _DIRECTORY.pack(
        directory.root_id, directory.parent, directory.device, directory.inode
    ) + os.fsencode(directory.name)


@refusing
def decode_directory(number: DirectoryId, body: bytes) -> Directory:
    """Inverse of `encode_directory`."""
    root_id, parent, device, inode = _DIRECTORY.unpack_from(body)
    name = os.fsdecode(body[_DIRECTORY.size :])
    return Directory(number, RootId(root_id), DirectoryId(parent), name, device, inode)


def encode_counts(counts: Counts) -> bytes:
    """Encode a root's counters."""
    return _COUNTS.pack(counts.indexed, counts.pending, counts.failed, counts.not_pictures)


@refusing
def decode_counts(body: bytes) -> Counts:
    """Inverse of `encode_counts`."""
    return Counts(*_COUNTS.unpack(body))


def encode_failure(reason: str, message: str, cut_name: bytes = b"") -> bytes:
    """Encode why a file failed; `cut_name` as in `encode_file`."""
    return _encode_msgpack((reason, message, cut_name))


@refusing
def decode_failure(body: bytes) -> tuple[str, str, bytes]:
    """Inverse of `encode_failure`."""
    return msgspec.msgpack.decode(body, type=tuple[str, str, bytes])


def encode_quarantine(entry: QuarantineEntry) -> bytes:
    """Encode what a content did; its digest is the key."""
    path = os.fsencode(entry.path)
    return _encode_msgpack(
        (entry.reason, entry.message, path, entry.when, entry.deaths, entry.decoder)
    )


@refusing
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


@refusing
def decode_root(root_id: RootId, body: bytes) -> WatchRoot:
    """Inverse of `encode_root`."""
    path, include, exclude, hidden, removing, directory = msgspec.msgpack.decode(
        body, type=tuple[bytes, tuple[str, ...], tuple[str, ...], bool, bool, int]
    )
    return WatchRoot(
        root_id, os.fsdecode(path), include, exclude, hidden, removing, DirectoryId(directory)
    )
