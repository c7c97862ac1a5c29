"""The store's keys: numbers and names in, bytes of at most 511 out, and back.

    meta         <name>                             = number
    roots        <u32 root>                         = WatchRoot
    directories  <u40 directory>                    = Directory
    children     <u40 parent> <name>                = u64 directory
    inodes       <u64 device> <u64 inode>           = u64 directory
    files        <u40 directory> <name>             = FileRecord
    pending      <u40 sequence>                     = key in `files`
    failures     <u40 directory> <name>             = reason and message
    images       <u40 image>                        = ImageRecord without hashes
    digests      <5 bytes of a digest> <u40 image>  = nothing
    links        <u40 image> <u40 directory> <name> = nothing
    orphans      <u40 image>                        = u64 time it lost its last file
    pixels       <u40 image>                        = PixelDigest
    columns      <u8 column> <u32 block>            = up to BLOCK_ROWS rows of fixed width
    counters     <u32 root>                         = Counts
    quarantine   <32 bytes content digest>          = QuarantineEntry
    copies       see `pspd.store.copy_codec`
    models, descriptors, undescribed   see `pspd.store.descriptor_codec`

Numbers are big-endian, so that LMDB's order is theirs; 40 bits count a trillion of anything, in
five bytes. A name longer than `LONGEST_NAME` bytes (a few file systems allow more than 255) is cut,
and a digest takes the place of its end.
"""

from __future__ import annotations

import hashlib
import os
import struct

from pspd.core.model import DirectoryId, FileKey, ImageId, ImageNumber, RootId

LONGEST_NAME = 400
"""Bytes of a name that a key holds as they are; LMDB's keys have at most 511."""

NUMBER_BYTES = 5
"""Bytes of a number in a key."""

DIGEST_BYTES = 5
"""Bytes of a content digest in a key. They lead to few images (of ten million, two have the same
ones once in a hundred such stores), and the image's record proves which it is."""

LARGEST_NUMBER = (1 << 8 * NUMBER_BYTES) - 1

_WIDE_BYTES = 8

_NAME_DIGEST_BYTES = 20

_U32 = struct.Struct(">I")
_TWO_U64 = struct.Struct(">QQ")
_COLUMN = struct.Struct(">BI")


def root_key(root_id: RootId) -> bytes:
    """Key in `roots` and `counters`."""
    return _U32.pack(root_id)


def root_from_key(key: bytes) -> RootId:
    """Inverse of `root_key`."""
    return RootId(_U32.unpack(key)[0])


def paused_key(root_id: RootId) -> bytes:
    """Key in `meta` of a root that is paused; there is none for others."""
    return b"paused %d" % root_id


def number_key(number: int) -> bytes:
    """Key in `directories`, `images`, `orphans`, `pixels`, `pending`: one number.

    One of more than 40 bits is none that was ever given: its key is longer, and leads nowhere.
    """
    return number.to_bytes(NUMBER_BYTES if number <= LARGEST_NUMBER else _WIDE_BYTES)


def number_from_key(key: bytes) -> int:
    """Inverse of `number_key`; also reads the number that a longer key begins with."""
    return int.from_bytes(key[:NUMBER_BYTES])


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
    return number_key(key.directory) + name_bytes(key.name)


def file_from_key(raw: bytes, full_name: bytes = b"") -> FileKey:
    """Inverse of `file_key`; `full_name` comes from the value when the key's name is cut."""
    return FileKey(DirectoryId(number_from_key(raw)), name_from_key(raw, full_name))


def name_from_key(raw: bytes, full_name: bytes = b"") -> str:
    """Read only the name of a file's key, as `file_from_key` does."""
    return os.fsdecode(full_name or raw[NUMBER_BYTES:])


def inode_key(device: int, inode: int) -> bytes:
    """Key in `inodes`."""
    return _TWO_U64.pack(device & 0xFFFF_FFFF_FFFF_FFFF, inode & 0xFFFF_FFFF_FFFF_FFFF)


def link_key(image: ImageNumber, file: bytes) -> bytes:
    """Key in `links`; `file` is a key in `files`."""
    return number_key(image) + file


def file_of_link(key: bytes) -> bytes:
    """Return the key in `files` that a link leads to."""
    return key[NUMBER_BYTES:]


def digest_prefix(image_id: ImageId) -> bytes:
    """Return what the keys of all images begin with that may have this content."""
    return image_id[:DIGEST_BYTES]


def digest_key(image_id: ImageId, image: ImageNumber) -> bytes:
    """Key in `digests`."""
    return image_id[:DIGEST_BYTES] + number_key(image)


def image_from_digest_key(key: bytes) -> ImageNumber:
    """Return the image that a key in `digests` leads to."""
    return ImageNumber(number_from_key(key[DIGEST_BYTES:]))


def column_key(column: int, block: int) -> bytes:
    """Key in `columns`."""
    return _COLUMN.pack(column, block)


def block_of(key: bytes) -> int:
    """Return the block that a key in `columns` is of."""
    return int.from_bytes(key[1:])
