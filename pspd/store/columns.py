"""Descriptor columns: rows of fixed width in blocks, so that the index is ready by reading memory.

Row n of every column belongs to image number n. A block is one LMDB value of up to `BLOCK_ROWS`
rows; it begins small and doubles, so that a small library does not rewrite a large one's blocks;
rows that it does not reach are those of no image. One transaction writes a block at most once,
whatever number of its rows change. (Writing a large value and then a smaller one under one key in
one transaction makes LMDB's own check cry wolf.)

All rows at once are read by `pspd.store.column_reading`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pspd.core.model import ImageRecord
from pspd.errors import StoreDamaged
from pspd.search.index import shape_value
from pspd.store import checksum, keys
from pspd.store.shapes import BLOCK_ROWS, BLOCK_SIZES, NO_ROW, WIDTHS, Column

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
            rows = self._blocks[column, block] = bytearray(stored or b"")
        width = _WIDTH[column]
        if row * width >= len(rows):
            size = next(size for size in BLOCK_SIZES if size > row)
            rows += _EMPTY[column] * (size - len(rows) // width)
        rows[row * width : (row + 1) * width] = cell


def empty_block(column: int) -> bytes:
    """Return the rows of a full block in which there is no image."""
    return _EMPTY[Column(column)] * BLOCK_ROWS


def read_quality(
    transaction: lmdb.Transaction[bytes], database: lmdb._Database, number: ImageNumber
) -> int:
    """Read the quality of one image; `NO_ROW` where there is none."""
    block, row = divmod(number, BLOCK_ROWS)
    rows = _read_block(transaction, database, Column.QUALITY, block)
    return _cell(Column.QUALITY, rows, row)[0]


class CellReader:
    """Reads rows of the columns in one transaction; keeps the block of each column read last.

    A block is checked as a whole, 82 kB of four columns: for each image anew that was half of what
    comparing a small one with the others cost.
    """

    def __init__(self, transaction: lmdb.Transaction[bytes], database: lmdb._Database) -> None:
        self._transaction = transaction
        self._database = database
        self._blocks: dict[Column, tuple[int, bytes | None]] = {}

    def cells(self, number: ImageNumber) -> dict[Column, bytes]:
        """Read the row of one image; columns that do not reach it are left out."""
        block, row = divmod(number, BLOCK_ROWS)
        cells = {}
        for column, width in _WIDTH.items():
            rows = self._rows(column, block)
            if rows is not None and len(rows) > row * width:
                cells[column] = rows[row * width : (row + 1) * width]
        return cells

    def _rows(self, column: Column, block: int) -> bytes | None:
        last = self._blocks.get(column)
        if last is None or last[0] != block:
            rows = _read_block(self._transaction, self._database, column, block)
            last = self._blocks[column] = (block, rows)
        return last[1]


def rows_in(column: int, size: int) -> int:
    """Return how many rows there are in so many bytes of a block.

    Raises:
        StoreDamaged: No block is of that size.
    """
    rows, rest = divmod(size, WIDTHS[column])
    if rest or rows not in BLOCK_SIZES:
        raise StoreDamaged(f"a block of column {column} has {size} bytes")
    return rows


def _cell(column: Column, rows: bytes | None, row: int) -> bytes:
    """Return a row of a block; an empty one where the block is missing or too short."""
    width = _WIDTH[column]
    if rows is None or len(rows) <= row * width:
        return _EMPTY[column]
    return rows[row * width : (row + 1) * width]


def _read_block(
    transaction: lmdb.Transaction[bytes], database: lmdb._Database, column: Column, block: int
) -> bytes | None:
    key = keys.column_key(column, block)
    value = transaction.get(key, db=database)
    if value is None:
        return None
    body = checksum.unseal(key, value)
    rows_in(column, len(body))
    return body
