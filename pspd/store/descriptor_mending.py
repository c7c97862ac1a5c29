"""Mends what is known of learned descriptors: keeps those that are whole, derives the rest."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from pspd.core.model import ImageNumber
from pspd.store import codec
from pspd.store.descriptor_codec import (
    LOST_NAME,
    OPEN_END,
    Gap,
    ModelRecord,
    decode_record,
    encode_record,
    entry_key,
    model_of,
    number_of,
)

if TYPE_CHECKING:
    from pspd.store.tables import Tables


def mend_descriptors(tables: Tables, images: Collection[ImageNumber]) -> int:
    """Mend `descriptors` and `models`, and make `undescribed`, which must be empty.

    Args:
        tables: Of a write transaction in which damaged values are dropped already.
        images: Those that are there.

    Returns:
        How many descriptors were dropped.
    """
    reader = tables.reader
    lengths: defaultdict[bytes, Counter[int]] = defaultdict(Counter)
    for key, body in reader.items("descriptors"):
        lengths[model_of(key)][len(body)] += 1
    records = {key: decode_record(body) for key, body in reader.items("models")}
    for code, counts in lengths.items():
        if code not in records:
            # What most of them are: one of another length may be a whole value from elsewhere.
            records[code] = ModelRecord(LOST_NAME, counts.most_common(1)[0][0])
    dropped = 0
    for code, record in records.items():
        strays = [
            key
            for key, body in reader.items("descriptors", code)
            if len(body) != record.dimensions or number_of(key) not in images
        ]
        for key in strays:
            tables.delete("descriptors", key)
        dropped += len(strays)
        record.described = sum(lengths[code].values()) - len(strays)
        gaps = list(_gaps(tables, code, images))
        for gap in gaps:
            body = codec.encode_number(gap.end)
            tables.put("undescribed", entry_key(code, gap.first), body)
        record.gaps = len(gaps)
        tables.put("models", code, encode_record(record))
    return dropped


def _gaps(tables: Tables, code: bytes, images: Collection[ImageNumber]) -> Iterator[Gap]:
    """Yield the gaps between a model's descriptors, but for those without an image."""
    first = 0
    for key, _ in tables.reader.items("descriptors", code):
        number = number_of(key)
        if any(ImageNumber(each) in images for each in range(first, number)):
            yield Gap(first, number)
        first = number + 1
    yield Gap(first, OPEN_END)
