"""What must add up between the databases: a record that vanished whole leaves a sum that is off.

A checksum tells that a value is damaged, and LMDB's own numbers that a page is; neither misses what
is not there. LMDB knows how many entries a database has without reading one, so that this costs no
more for ten million pictures than for ten (and a byte each, to see which images have a row).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pspd.core.model import Counts
from pspd.store import checksum, codec, descriptor_codec, keys
from pspd.store.shapes import NO_ROW, NUMBERED_BY, WIDTHS, Column

if TYPE_CHECKING:
    import lmdb


def problems(
    transaction: lmdb.Transaction[bytes], databases: Mapping[str, lmdb._Database]
) -> Iterator[str]:
    """Yield what does not add up within one transaction, one clause each.

    Raises:
        StoreDamaged: A value that has to be read for it is damaged.
    """
    there = {name: transaction.stat(database)["entries"] for name, database in databases.items()}
    counts = _counts(transaction, databases["counters"])
    described, gaps = _descriptors(transaction, databases["models"])
    blocks, rows = _rows(transaction, databases["columns"])
    equal = {
        "digests": (there["digests"], there["images"]),
        "rows of images": (rows, there["images"]),
        "blocks of columns": (there["columns"], blocks * len(WIDTHS)),
        "images with a file or without": (
            _number(transaction, databases["meta"], b"pictures") + there["orphans"],
            there["images"],
        ),
        "links": (there["links"], counts.indexed),
        "pending": (there["pending"], counts.pending),
        "failures": (there["failures"], counts.failed),
        "directories": (there["directories"], there["children"] + there["roots"]),
        "copies": (there["copies"], _number(transaction, databases["meta"], b"copies")),
        "descriptors": (there["descriptors"], described),
        "gaps in descriptors": (there["undescribed"], gaps),
    }
    for what, (found, wanted) in equal.items():
        if found != wanted:
            yield f"there are {found:,} {what}, which should be {wanted:,}"
    compared = _number(transaction, databases["meta"], b"compared")
    if compared > _number(transaction, databases["meta"], b"next_image"):
        yield f"{compared:,} images are compared, more than there ever were"
    # A file in the queue may be indexed or failed besides, or neither.
    least, files = counts.indexed + counts.failed, there["files"]
    if not least <= files <= least + counts.pending:
        yield f"there are {files:,} files, which should be {least:,} at least, or those that wait"
    for name, database in NUMBERED_BY.items():
        last = _last(transaction, databases[database])
        if last is not None and _number(transaction, databases["meta"], name.encode()) <= last:
            yield f"{name} of meta was given already: there is a number {last:,} in {database}"


def _last(transaction: lmdb.Transaction[bytes], database: lmdb._Database) -> int | None:
    with transaction.cursor(db=database) as cursor:
        return int.from_bytes(cursor.key()) if cursor.last() else None


def _counts(transaction: lmdb.Transaction[bytes], database: lmdb._Database) -> Counts:
    indexed = pending = failed = 0
    with transaction.cursor(db=database) as cursor:
        for key, value in cursor:
            each = codec.decode_counts(checksum.unseal(key, value))
            indexed += each.indexed
            pending += each.pending
            failed += each.failed
    return Counts(indexed, pending, failed)


def _descriptors(transaction: lmdb.Transaction[bytes], database: lmdb._Database) -> tuple[int, int]:
    """Return how many descriptors there should be of all models, and how many gaps in them."""
    described = gaps = 0
    with transaction.cursor(db=database) as cursor:
        for key, value in cursor:
            record = descriptor_codec.decode_record(checksum.unseal(key, value))
            described += record.described
            gaps += record.gaps
    return described, gaps


def _rows(transaction: lmdb.Transaction[bytes], database: lmdb._Database) -> tuple[int, int]:
    """Return how many blocks the column has that tells which images there are, and how many."""
    blocks = rows = 0
    with transaction.cursor(db=database) as cursor:
        is_there = cursor.set_range(keys.column_key(Column.QUALITY, 0))
        for key, value in cursor if is_there else ():
            if key[0] != Column.QUALITY:
                break
            body = checksum.unseal(key, value)
            blocks += 1
            rows += len(body) - body.count(NO_ROW)
    return blocks, rows


def _number(transaction: lmdb.Transaction[bytes], database: lmdb._Database, key: bytes) -> int:
    value = transaction.get(key, db=database)
    return 0 if value is None else codec.decode_number(checksum.unseal(key, value))
