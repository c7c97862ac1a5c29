"""Reads all rows of the columns at once, as arrays: what the index is made of.

    cursors ──▶ a part of each column, where it lies in the map
                  └─▶ threads: checksum, then one copy into place

No record is decoded for it. What takes the time is the checksum, at about a gigabyte a second and
thread (zlib's CRC-32), for which Python lets other threads run.
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pspd.errors import StoreDamaged
from pspd.search.index import WORDS, Rows
from pspd.store import checksum, columns, keys
from pspd.store.shapes import BLOCK_ROWS, NO_ROW, WIDTHS, Column

if TYPE_CHECKING:
    import lmdb

_PART_BLOCKS = 16
"""Blocks of each column that are taken up together; 1.6 MB, which stays in the cache."""

_MOST_THREADS = 4

_Block = tuple[bytes, "bytes | memoryview"]
"""Key and value."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """All rows, the row of image n at place n."""

    phash64: NDArray[np.uint64]
    shapes: NDArray[np.uint64]
    """Width × 2³² + height."""
    quality: NDArray[np.uint8]
    """`NO_ROW` where there is no image; then the other columns mean nothing."""
    phash256: NDArray[np.uint64]
    """Four words a row, of the hash's bytes as they are; see `pspd.search.index.Rows`."""

    def numbers(self) -> NDArray[np.int64]:
        """Return the numbers, ascending, of the images that there are."""
        return np.flatnonzero(self.quality != NO_ROW).astype(np.int64, copy=False)

    def rows(self, first: int = 0) -> Rows:
        """Return the rows of the images that there are, as an index takes them.

        Args:
            first: The number of the image whose row is at place 0.
        """
        numbers = self.numbers()
        # A slice where nothing is missing in between: it costs nothing, a choice a copy.
        is_dense = len(numbers) > 0 and int(numbers[-1]) == len(numbers) - 1
        there: slice | NDArray[np.int64] = slice(len(numbers)) if is_dense else numbers
        return Rows(
            numbers=numbers + first,
            phash64=self.phash64[there],
            phash256=self.phash256[there],
            shapes=self.shapes[there],
            quality=self.quality[there],
        )


def read_columns(transaction: lmdb.Transaction[Any], database: lmdb._Database) -> Columns:
    """Read all columns.

    Args:
        transaction: Reads; where it gives views of the map (`buffers`), all is copied once alone.
        database: `columns`.

    Raises:
        StoreDamaged: A block is damaged or missing, or the columns are not of one length.
    """
    entries: int = transaction.stat(database)["entries"]
    blocks = -(-entries // len(WIDTHS))
    arrays = {column: _room(column, blocks) for column in Column}
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads, thread_name_prefix="pspd-columns") as pool:
        for part in _parts(transaction, database):
            shares = [part[first::threads] for first in range(threads)]
            # Waits for all, and raises what any of them met.
            list(pool.map(lambda share: _copy(share, arrays), shares))
    return _columns(arrays)


def read_parts(
    transaction: lmdb.Transaction[Any], database: lmdb._Database
) -> Generator[tuple[int, Columns]]:
    """Yield the columns in parts of 32,000 rows, with the number of the first; else as above.

    The next parts are read meanwhile. It takes half the processor time of all at once: a part stays
    in the cache until whoever takes it has copied it.
    """
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    ahead: deque[Future[tuple[int, Columns]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="pspd-columns") as pool:
        for number, part in enumerate(_parts(transaction, database)):
            ahead.append(pool.submit(_part, number * _PART_BLOCKS, part))
            if len(ahead) > threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def read_qualities(
    transaction: lmdb.Transaction[bytes], database: lmdb._Database
) -> NDArray[np.uint8]:
    """Read the column that tells which images there are: `NO_ROW` where there is none.

    Raises:
        StoreDamaged: A block is damaged or missing.
    """
    with transaction.cursor(db=database) as cursor:
        blocks = list(_column(cursor, Column.QUALITY))
    arrays = {Column.QUALITY: _room(Column.QUALITY, len(blocks))}
    _copy([blocks], arrays)
    return arrays[Column.QUALITY]


def _part(first_block: int, part: Sequence[Sequence[_Block]]) -> tuple[int, Columns]:
    arrays = {column: _room(column, len(part)) for column in Column}
    _copy(part, arrays, first_block)
    return first_block * BLOCK_ROWS, _columns(arrays)


def _columns(arrays: Mapping[Column, NDArray[np.uint8]]) -> Columns:
    return Columns(
        arrays[Column.PHASH64].view("<u8"),
        arrays[Column.SHAPE].view("<u8"),
        arrays[Column.QUALITY],
        arrays[Column.PHASH256].view(np.uint64).reshape(-1, WORDS),
    )


def _room(column: Column, blocks: int) -> NDArray[np.uint8]:
    """Return the bytes of a column whose rows are all empty."""
    size = blocks * BLOCK_ROWS * WIDTHS[column]
    if column is Column.QUALITY:
        return np.full(size, NO_ROW, dtype=np.uint8)
    return np.zeros(size, dtype=np.uint8)


def _parts(
    transaction: lmdb.Transaction[Any], database: lmdb._Database
) -> Iterator[list[tuple[_Block, ...]]]:
    """Yield lists of blocks, each with the same rows of every column."""
    with ExitStack() as stack:
        cursors = [stack.enter_context(transaction.cursor(db=database)) for _ in Column]
        each = [_column(cursor, column) for cursor, column in zip(cursors, Column, strict=True)]
        rows = itertools.zip_longest(*each)
        while part := list(itertools.islice(rows, _PART_BLOCKS)):
            if not all(_are_alike(blocks) for blocks in part):
                raise StoreDamaged("the columns are not of one length")
            yield part


def _are_alike(blocks: Sequence[_Block | None]) -> bool:
    """Say whether all columns have a block here, with as many rows."""
    sizes = {
        None if block is None else (len(block[1]) - checksum.BYTES) // WIDTHS[block[0][0]]
        for block in blocks
    }
    return len(sizes) == 1 and None not in sizes


def _column(cursor: lmdb.Cursor[Any], column: Column) -> Iterator[_Block]:
    if not cursor.set_range(keys.column_key(column, 0)):
        return
    for block, (raw, value) in enumerate(cursor):
        key = bytes(raw)
        if key[0] != column:
            return
        if key != keys.column_key(column, block):
            # The rows after a missing block would be taken for other images' rows.
            raise StoreDamaged(f"block {block} of column {column} is missing")
        yield key, value


def _copy(
    part: Sequence[Sequence[_Block]],
    arrays: Mapping[Column, NDArray[np.uint8]],
    first_block: int = 0,
) -> None:
    """Verify blocks and copy them to where their rows belong."""
    for blocks in part:
        for key, value in blocks:
            column = Column(key[0])
            body = checksum.unseal_view(key, value)
            columns.rows_in(column, len(body))
            first = (keys.block_of(key) - first_block) * BLOCK_ROWS * WIDTHS[column]
            # Python lets other threads run meanwhile, which it does not for a copy of its own.
            arrays[column][first : first + len(body)] = np.frombuffer(body, dtype=np.uint8)
