"""What a key and a body of each database look like: whatever else lies there is damage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum

from pspd.core.model import DirectoryId, ImageNumber, RootId
from pspd.errors import StoreDamaged
from pspd.store import checksum, codec, copy_codec, descriptor_codec, image_codec, keys

_U32_BYTES = 4
_U64_BYTES = 8
_TWO_U64_BYTES = 16
_DIGEST_BYTES = 32
_DIGEST_KEY_BYTES = keys.DIGEST_BYTES + keys.NUMBER_BYTES
_COLUMN_BYTES = 5

Lengths = tuple[int, int]
"""Least and most bytes."""

BLOCK_ROWS = 2000
"""Rows of a full block of a column. A commit rewrites each that it touches, and this many fit into
pages of 4 KiB with 2 % left over: four pages for the narrow hash, sixteen for the wide one."""

FIRST_ROWS = 125
"""Rows of a block at first: it doubles until it is full, so that few pictures have small blocks."""

BLOCK_SIZES = tuple(FIRST_ROWS << step for step in range(5))
"""Rows that a block may have."""


class Column(IntEnum):
    """Columns; the numbers are in the store and never change."""

    PHASH64 = 1
    SHAPE = 2
    QUALITY = 3
    PHASH256 = 4


WIDTHS: Mapping[int, int] = {
    Column.PHASH64: 8,
    Column.SHAPE: 8,
    Column.QUALITY: 1,
    Column.PHASH256: 32,
}
"""Bytes of a row of each column."""

NO_ROW = 255
"""Value of the quality column where there is no picture."""


def check(database: str, key: bytes, value: bytes) -> None:
    """See that a value is whole and is what its database holds.

    Raises:
        StoreDamaged: It is not.
    """
    (shortest_key, longest_key), (shortest, longest), decode = _SHAPES[database]
    body = checksum.unseal(key, value)
    if not (shortest_key <= len(key) <= longest_key and shortest <= len(body) <= longest):
        raise StoreDamaged(f"a key has {len(key)} bytes and its value {len(body)}")
    decode(key, body)


NUMBERED_BY: Mapping[str, str] = {
    "next_root": "roots",
    "next_directory": "directories",
    "next_image": "images",
    "next_sequence": "pending",
}
"""Numbers of `meta` that are given next, each above all keys of a database."""


def lengths(database: str) -> tuple[Lengths, Lengths]:
    """Return the least and most bytes that a key has, and a value with its checksum."""
    of_key, (shortest, longest), _ = _SHAPES[database]
    return of_key, (checksum.BYTES + shortest, checksum.BYTES + longest)


def _any(_key: bytes, _body: bytes) -> None:
    """Nothing to decode."""


def _column(key: bytes, body: bytes) -> None:
    width = WIDTHS.get(key[0])
    if width is None or divmod(len(body), width) not in _WHOLE_BLOCKS:
        raise StoreDamaged(f"a block of column {key[0]} has {len(body)} bytes")


_WHOLE_BLOCKS = frozenset((rows, 0) for rows in BLOCK_SIZES)

_LONGEST_KEY = 511
_LONGEST = 1 << 30
_NAMED: Lengths = (keys.NUMBER_BYTES + 1, _LONGEST_KEY)
_NUMBERED: Lengths = (keys.NUMBER_BYTES, keys.NUMBER_BYTES)
_ROOT_KEY: Lengths = (_U32_BYTES, _U32_BYTES)
_NUMBER: Lengths = (_U64_BYTES, _U64_BYTES)

_SHAPES: Mapping[str, tuple[Lengths, Lengths, Callable[[bytes, bytes], object]]] = {
    "meta": ((1, _LONGEST_KEY), _NUMBER, _any),
    "roots": (
        _ROOT_KEY,
        (1, _LONGEST),
        lambda key, body: codec.decode_root(RootId(int.from_bytes(key)), body),
    ),
    "directories": (
        _NUMBERED,
        (codec.DIRECTORY_BYTES, _LONGEST),
        lambda key, body: codec.decode_directory(DirectoryId(keys.number_from_key(key)), body),
    ),
    "children": (_NAMED, _NUMBER, _any),
    "inodes": ((_TWO_U64_BYTES, _TWO_U64_BYTES), _NUMBER, _any),
    "files": (_NAMED, (codec.FILE_BYTES, _LONGEST), lambda _, body: codec.decode_file(body)),
    "pending": (_NUMBERED, _NAMED, _any),
    "failures": (_NAMED, (1, _LONGEST), lambda _, body: codec.decode_failure(body)),
    "images": (
        _NUMBERED,
        (image_codec.IMAGE_BYTES, _LONGEST),
        lambda key, body: image_codec.decode_image(ImageNumber(keys.number_from_key(key)), body),
    ),
    "digests": ((_DIGEST_KEY_BYTES, _DIGEST_KEY_BYTES), (0, 0), _any),
    "links": ((2 * keys.NUMBER_BYTES + 1, _LONGEST_KEY), (0, 0), _any),
    "orphans": (_NUMBERED, _NUMBER, _any),
    "pixels": (_NUMBERED, (image_codec.PIXELS_BYTES, image_codec.PIXELS_BYTES), _any),
    "quarantine": (
        (_DIGEST_BYTES, _DIGEST_BYTES),
        (1, _LONGEST),
        lambda _, body: codec.decode_quarantine(body),
    ),
    "columns": ((_COLUMN_BYTES, _COLUMN_BYTES), (FIRST_ROWS, 32 * BLOCK_ROWS), _column),
    "counters": (_ROOT_KEY, (codec.COUNTS_BYTES, codec.COUNTS_BYTES), _any),
    "copies": (copy_codec.KEY_BYTES, copy_codec.BODY_BYTES, copy_codec.decode),
    "models": (
        (descriptor_codec.MODEL_BYTES, descriptor_codec.MODEL_BYTES),
        descriptor_codec.RECORD_BYTES,
        lambda _, body: descriptor_codec.decode_record(body),
    ),
    "descriptors": (descriptor_codec.KEY_BYTES, descriptor_codec.BODY_BYTES, _any),
    "undescribed": (descriptor_codec.KEY_BYTES, _NUMBER, descriptor_codec.decode_gap),
}
"""Lengths of keys, lengths of bodies, and what decodes a body."""
