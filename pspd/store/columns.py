"""Descriptor columns: rows of fixed width in blocks, so that the index is ready by reading memory.

Row n of every column belongs to image number n. A block is one LMDB value of `BLOCK_ROWS` rows;
one transaction writes a block at most once, whatever number of its rows change. (Writing a large
value and then a smaller one under one key in one transaction makes LMDB's own check cry wolf.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pspd.errors import StoreDamaged
from pspd.search.index import WORDS, Rows, shape_value
from pspd.store import checksum, keys
from pspd.store.shapes import BLOCK_ROWS, NO_ROW, WIDTHS, Column

if TYPE_CHECKING:
    import lmdb

    from pspd.core.model import Features, ImageNumber


_WIDTH = {column: WIDTHS[column] for column in Column}
_EMPTY = {column: b"\0" * width for column, width in _WIDTH.items()} | {
    Column.QUALITY: bytes([NO_ROW])
}


@dataclass(frozen=True, slots=True)
class Row:
    """What the columns hold of one picture."""

    phash64: bytes
    phash256: bytes
    width: int
    height: int
    quality: int

    def cells(self) -> dict[Column, bytes]:
        """Return the row as bytes for each column; numbers are little-endian."""
        return {
            Column.PHASH64: self.phash64[::-1],
            Column.SHAPE: shape_value(self.width, self.height).to_bytes(8, "little"),
            Column.QUALITY: bytes([self.quality]),
            Column.PHASH256: self.phash256,
        }


def row_of(features: Features) -> Row:
    """Return the row of an image with these features."""
    return Row(
        features.phash64,
        features.phash256,
        features.width,
        features.height,
        features.quality,
    )


class ColumnWriter:
    """Collects the rows that one transaction changes and writes each touched block once."""

    def __init__(self, transaction: lmdb.Transaction[bytes], database: lmdb._Database) -> None:
        self._transaction = transaction
        self._database = database
        self._blocks: dict[tuple[Column, int], bytearray] = {}

    def put(self, number: ImageNumber, row: Row) -> None:
        """Set the row of an image."""
        for column, cell in row.cells().items():
            self._set(column, number, cell)

    def drop(self, number: ImageNumber) -> None:
        """Mark the row of an image as empty."""
        for column, cell in _EMPTY.items():
            self._set(column, number, cell)

    def finish(self) -> None:
        """Write the touched blocks."""
        for (column, block), rows in self._blocks.items():
            key = keys.column_key(column, block)
            self._transaction.put(key, checksum.seal(key, bytes(rows)), db=self._database)

    def _set(self, column: Column, number: ImageNumber, cell: bytes) -> None:
        block, row = divmod(number, BLOCK_ROWS)
        rows = self._blocks.get((column, block))
        if rows is None:
            stored = _read_block(self._transaction, self._database, column, block)
            rows = bytearray(stored if stored is not None else _EMPTY[column] * BLOCK_ROWS)
            self._blocks[column, block] = rows
        width = _WIDTH[column]
        rows[row * width : (row + 1) * width] = cell


def read_rows(transaction: lmdb.Transaction[bytes], database: lmdb._Database) -> Rows:
    """Read what the index needs of every picture; no record is decoded for it."""
    narrow = {
        column: np.frombuffer(_read_column(transaction, database, column), dtype=dtype)
        for column, dtype in (
            (Column.PHASH64, "<u8"),
            (Column.SHAPE, "<u8"),
            (Column.QUALITY, "u1"),
        )
    }
    words = np.frombuffer(_read_column(transaction, database, Column.PHASH256), dtype=np.uint64)
    wide = words.reshape(-1, WORDS)
    if len({len(column) for column in (*narrow.values(), wide)}) > 1:
        raise StoreDamaged("the columns are not of one length")
    numbers = np.flatnonzero(narrow[Column.QUALITY] != NO_ROW)
    return Rows(
        numbers=numbers.astype(np.int64),
        phash64=narrow[Column.PHASH64][numbers],
        phash256=wide[numbers],
        shapes=narrow[Column.SHAPE][numbers],
        quality=narrow[Column.QUALITY][numbers],
    )


def empty_block(column: int) -> bytes:
    """Return the rows of a block in which there is no image."""
    return _EMPTY[Column(column)] * BLOCK_ROWS


def read_qualities(
    transaction: lmdb.Transaction[bytes], database: lmdb._Database
) -> NDArray[np.uint8]:
    """Read the column that tells which images there are: `NO_ROW` where there is none."""
    return np.frombuffer(_read_column(transaction, database, Column.QUALITY), dtype="u1")


def read_quality(
    transaction: lmdb.Transaction[bytes], database: lmdb._Database, number: ImageNumber
) -> int:
    """Read the quality of one image; `NO_ROW` where there is none."""
    block, row = divmod(number, BLOCK_ROWS)
    rows = _read_block(transaction, database, Column.QUALITY, block)
    return NO_ROW if rows is None else rows[row]


def read_cells(
    transaction: lmdb.Transaction[bytes], database: lmdb._Database, number: ImageNumber
) -> dict[Column, bytes]:
    """Read the row of one image; columns that do not reach it are left out."""
    block, row = divmod(number, BLOCK_ROWS)
    cells = {}
    for column, width in _WIDTH.items():
        rows = _read_block(transaction, database, column, block)
        if rows is not None:
            cells[column] = rows[row * width : (row + 1) * width]
    return cells


def _read_block(
    transaction: lmdb.Transaction[bytes], database: lmdb._Database, column: Column, block: int
) -> bytes | None:
    key = keys.column_key(column, block)
    value = transaction.get(key, db=database)
    return None if value is None else _whole(column, checksum.unseal(key, value))


def _whole(column: Column, block: bytes) -> bytes:
    if len(block) != _WIDTH[column] * BLOCK_ROWS:
        raise StoreDamaged(f"a block of column {column} has {len(block)} bytes")
    return block


def _read_column(
    transaction: lmdb.Transaction[bytes], database: lmdb._Database, column: Column
) -> bytes:
    prefix = bytes([column])
    blocks: list[bytes] = []
    with transaction.cursor(db=database) as cursor:
        if cursor.set_range(prefix):
            for key, value in cursor:
                if not key.startswith(prefix):
                    break
                if key != keys.column_key(column, len(blocks)):
                    # The rows after a missing block would be taken for other images' rows.
                    raise StoreDamaged(f"block {len(blocks)} of column {column} is missing")
                blocks.append(_whole(column, checksum.unseal(key, value)))
    return b"".join(blocks)
