"""The store's keys: numbers and names in, bytes of at most 511 out, and back.

    meta         <name>                             = number
    roots        <u32 root>                         = WatchRoot
    directories  <u64 directory>                    = Directory
    children     <u64 parent> <name>                = u64 directory
    inodes       <u64 device> <u64 inode>           = u64 directory
    files        <u64 directory> <name>             = FileRecord
    pending      <u64 sequence>                     = key in `files`
    failures     <u64 directory> <name>             = reason and message
    images       <u64 image>                        = ImageRecord without hashes
    digests      <32 bytes content digest>          = u64 image
    links        <u64 image> <u64 directory> <name> = nothing
    orphans      <u64 image>                        = u64 time it lost its last file
    pixels       <u64 image>                        = PixelDigest
    columns      <u8 column> <u32 block>            = BLOCK_ROWS rows of fixed width
    counters     <u32 root>                         = Counts
    copies       see `pspd.store.copy_codec`

Numbers are big-endian, so that LMDB's order is theirs. A name longer than `LONGEST_NAME` bytes (a
few file systems allow more than 255) is cut, and a digest takes the place of its end.
"""

from __future__ import annotations

import hashlib
import os
import struct

from pspd.core.model import DirectoryId, FileKey, ImageNumber, RootId

LONGEST_NAME = 400
"""Bytes of a name that a key holds as they are; LMDB's keys have at most 511."""

_NAME_DIGEST_BYTES = 20

_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")
_TWO_U64 = struct.Struct(">QQ")
_COLUMN = struct.Struct(">BI")


def root_key(root_id: RootId) -> bytes:
    """Key in `roots` and `counters`."""
    return _U32.pack(root_id)


def root_from_key(key: bytes) -> RootId:
    """Inverse of `root_key`."""
    return RootId(_U32.unpack(key)[0])


def number_key(number: int) -> bytes:
    """Key in `directories`, `images`, `orphans`, `pixels`, `pending`: one 64-bit number."""
    return _U64.pack(number)


def number_from_key(key: bytes) -> int:
    """Inverse of `number_key`; also reads the number that a longer key begins with."""
    return int(_U64.unpack_from(key)[0])


def name_bytes(name: str) -> bytes:
    """Encode a name for use inside a key."""
    raw = os.fsencode(name)
    if len(raw) <= LONGEST_NAME:
        return raw
    digest = hashlib.blake2b(raw, digest_size=_NAME_DIGEST_BYTES).digest()
    return raw[: LONGEST_NAME - _NAME_DIGEST_BYTES] + digest


def is_cut(name: str) -> bool:
    """Say whether a key holds only part of `name`, so that the value must hold all of it."""
    return len(os.fsencode(name)) > LONGEST_NAME


def file_key(key: FileKey) -> bytes:
    """Key in `files` and `failures`; with a parent and a name also in `children`."""
    return _U64.pack(key.directory) + name_bytes(key.name)


def file_from_key(raw: bytes, full_name: bytes = b"") -> FileKey:
    """Inverse of `file_key`; `full_name` comes from the value when the key's name is cut."""
    return FileKey(DirectoryId(number_from_key(raw)), os.fsdecode(full_name or raw[8:]))


def inode_key(device: int, inode: int) -> bytes:
    """Key in `inodes`."""
    return _TWO_U64.pack(device & 0xFFFF_FFFF_FFFF_FFFF, inode & 0xFFFF_FFFF_FFFF_FFFF)


def link_key(image: ImageNumber, file: bytes) -> bytes:
    """Key in `links`; `file` is a key in `files`."""
    return _U64.pack(image) + file


def column_key(column: int, block: int) -> bytes:
    """Key in `columns`."""
    return _COLUMN.pack(column, block)
