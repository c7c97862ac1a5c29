"""What a key and a body of each database look like: whatever else lies there is damage."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pspd.core.model import DirectoryId, ImageNumber, RootId
from pspd.errors import StoreDamaged
from pspd.store import codec, keys

_U32_BYTES = 4
_U64_BYTES = 8
_TWO_U64_BYTES = 16
_DIGEST_BYTES = 32
_COLUMN_BYTES = 5

BLOCK_ROWS = 4096
"""Rows of a block of a column: 32 KiB for the narrow hash. A commit rewrites each that it
touches."""

WIDTHS: Mapping[int, int] = {1: 8, 2: 8, 3: 1, 4: 32}
"""Bytes of a row of each column."""


def check(database: str, key: bytes, value: bytes) -> None:
    """See that a value is whole and is what its database holds.

    Raises:
        StoreDamaged: It is not.
    """
    least, most, decode = _SHAPES[database]
    body = codec.unseal(key, value)
    if not least <= len(key) <= most:
        raise StoreDamaged(f"a key in {database} has {len(key)} bytes")
    decode(key, body)


def _file(_key: bytes, body: bytes) -> None:
    codec.decode_file(body)


def _number(_key: bytes, body: bytes) -> None:
    codec.decode_number(body)


def _nothing(_key: bytes, body: bytes) -> None:
    if body:
        raise StoreDamaged("a link has a body")


def _file_key(_key: bytes, body: bytes) -> None:
    if len(body) <= _U64_BYTES:
        raise StoreDamaged("a place in the queue names no file")


def _column(key: bytes, body: bytes) -> None:
    width = WIDTHS.get(key[0])
    if width is None or len(body) != width * BLOCK_ROWS:
        raise StoreDamaged(f"a block of column {key[0]} has {len(body)} bytes")


_LONGEST_KEY = 511
_NAMED = (_U64_BYTES + 1, _LONGEST_KEY)
_NUMBERED = (_U64_BYTES, _U64_BYTES)

_SHAPES: Mapping[str, tuple[int, int, Callable[[bytes, bytes], object]]] = {
    "meta": (1, _LONGEST_KEY, _number),
    "roots": (
        _U32_BYTES,
        _U32_BYTES,
        lambda key, body: codec.decode_root(RootId(int.from_bytes(key)), body),
    ),
    "directories": (
        *_NUMBERED,
        lambda key, body: codec.decode_directory(DirectoryId(keys.number_from_key(key)), body),
    ),
    "children": (*_NAMED, _number),
    "inodes": (_TWO_U64_BYTES, _TWO_U64_BYTES, _number),
    "files": (*_NAMED, _file),
    "pending": (*_NUMBERED, _file_key),
    "failures": (*_NAMED, lambda _, body: codec.decode_failure(body)),
    "images": (
        *_NUMBERED,
        lambda key, body: codec.decode_image(ImageNumber(keys.number_from_key(key)), body),
    ),
    "digests": (_DIGEST_BYTES, _DIGEST_BYTES, _number),
    "links": (2 * _U64_BYTES + 1, _LONGEST_KEY, _nothing),
    "orphans": (*_NUMBERED, _number),
    "pixels": (*_NUMBERED, lambda _, body: codec.decode_pixels(body)),
    "columns": (_COLUMN_BYTES, _COLUMN_BYTES, _column),
    "counters": (_U32_BYTES, _U32_BYTES, lambda _, body: codec.decode_counts(body)),
}
