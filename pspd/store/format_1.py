"""What the store's format 1 was: its entries in, those of format 2 out.

In format 1 numbers in keys had eight bytes, records fields of fixed width, `digests` the whole
content digest as its key, and blocks of columns 4,096 rows.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pspd.core.model import (
    FileRecord,
    FileStamp,
    FileState,
    ImageId,
    ImageNumber,
    ImageRecord,
)
from pspd.errors import StoreDamaged
from pspd.store import codec, columns, image_codec, keys
from pspd.store.shapes import BLOCK_ROWS, BLOCK_SIZES, NO_ROW, WIDTHS, Column

Entry = tuple[bytes, bytes]
"""Key and body."""

BLOCK_ROWS_1 = 4096

_U64_BYTES = 8

_FILE = struct.Struct("<QqqQQBBQQ")
"""size, mtime_ns, ctime_ns, inode, device, state, flags, image, sequence; then the full name when
the key's is cut."""
_IMAGE = struct.Struct("<H32sQIBBB3fIIB")
"""version, digest, size, frames, orientation, channels, quality, mean of red, green and blue,
width, height, length of the format's name; then that name."""

_RACY = 1
_NOT_PICTURE = 2
_NO_IMAGE = 0xFFFF_FFFF_FFFF_FFFF


def lifted(database: str, key: bytes, body: bytes) -> Entry:
    """Return what an entry of format 1 is in format 2; not for `columns`.

    Raises:
        StoreDamaged: It is none of format 1.
    """
    try:
        return _LIFTED[database](key, body)
    except (struct.error, ValueError, OverflowError) as error:
        raise StoreDamaged(f"a value of format 1 is damaged: {error}") from error


def lifted_columns(entries: Mapping[bytes, bytes], images: int) -> Iterator[Entry]:
    """Yield the blocks of format 2 with the rows of those of format 1.

    Args:
        entries: All whole ones of `columns`; where one is missing, its rows are empty.
        images: How many rows may be in use: what lies behind them is left out.
    """
    for column in Column:
        width = WIDTHS[column]
        empty = columns.empty_block(column)[:width] * BLOCK_ROWS_1
        blocks = -(-images // BLOCK_ROWS_1)
        rows = b"".join(
            entries.get(keys.column_key(column, block), empty) for block in range(blocks)
        )
        for block, first in enumerate(range(0, images, BLOCK_ROWS)):
            size = next(size for size in BLOCK_SIZES if size >= min(BLOCK_ROWS, images - first))
            part = rows[first * width : (first + size) * width]
            missing = size - len(part) // width
            yield keys.column_key(column, block), part + empty[:width] * missing


def images_in(entries: Mapping[bytes, bytes]) -> int:
    """Return one more than the number of the last image that has a row."""
    last = 0
    for key, body in entries.items():
        if key[0] == Column.QUALITY:
            used = len(body.rstrip(bytes([NO_ROW])))
            last = max(last, keys.block_of(key) * BLOCK_ROWS_1 + used if used else 0)
    return last


def _same(key: bytes, body: bytes) -> Entry:
    return key, body


def _numbered(key: bytes, body: bytes) -> Entry:
    return _short(key), body


def _short(key: bytes) -> bytes:
    """Return a key that begins with a number of 64 bits with one of 40."""
    return keys.number_key(int.from_bytes(key[:_U64_BYTES])) + key[_U64_BYTES:]


def _file(key: bytes, body: bytes) -> Entry:
    size, mtime, ctime, inode, device, state, flags, image, sequence = _FILE.unpack_from(body)
    record = FileRecord(
        FileStamp(size, mtime, ctime, inode, device),
        FileState(state),
        bool(flags & _RACY),
        None if image == _NO_IMAGE else ImageNumber(image),
        sequence,
        bool(flags & _NOT_PICTURE),
    )
    return _short(key), codec.encode_file(record, body[_FILE.size :])


def _image(key: bytes, body: bytes) -> Entry:
    version, digest, size, frames, orientation, channels, quality, *rest = _IMAGE.unpack_from(body)
    red, green, blue, width, height, length = rest
    record = ImageRecord(
        number=ImageNumber(int.from_bytes(key)),
        version=version,
        image_id=ImageId(digest),
        format=body[_IMAGE.size : _IMAGE.size + length].decode("ascii"),
        width=width,
        height=height,
        channels=channels,
        size=size,
        frames=frames,
        orientation=orientation,
        mean=(red, green, blue),
        quality=quality,
    )
    return _short(key), image_codec.encode_image(record)


def _digest(key: bytes, body: bytes) -> Entry:
    return keys.digest_key(ImageId(key), ImageNumber(codec.decode_number(body))), b""


def _link(key: bytes, _body: bytes) -> Entry:
    return _short(key[:_U64_BYTES]) + _short(key[_U64_BYTES:]), b""


_LIFTED: Mapping[str, Callable[[bytes, bytes], Entry]] = {
    "meta": _same,
    "roots": _same,
    "directories": _numbered,
    "children": _numbered,
    "inodes": _same,
    "files": _file,
    "pending": lambda key, body: (_short(key), _short(body)),
    "failures": _numbered,
    "images": _image,
    "digests": _digest,
    "links": _link,
    "orphans": _numbered,
    "pixels": _numbered,
    "counters": _same,
    "quarantine": _same,
}

DATABASES: Final = (*_LIFTED, "columns")
"""What format 1 had; `copies` came with format 2."""
