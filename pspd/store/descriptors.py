"""Learned descriptors of images, by model: what is known of them, and how it changes.

    models       each model that described anything, with counts, so that nothing is walked for one
    descriptors  of each model and image, the descriptor
    undescribed  of each model, the images without one, as `pspd.store.descriptor_gaps`

A descriptor goes with its image, in one transaction. An image that is extracted again keeps it: it
is the same file. Damage costs a descriptor, which is computed again.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pspd.core.model import ImageNumber, ModelKey
from pspd.core.pausing import Pause, unhindered
from pspd.errors import StoreDamaged, StoreError
from pspd.search.vector_index import VectorRows
from pspd.store import keys
from pspd.store.descriptor_codec import (
    OPEN_END,
    ModelRecord,
    decode_gap,
    decode_record,
    encode_record,
    entry_key,
    model_code,
    model_key,
    model_name,
    model_of,
    number_of,
)
from pspd.store.descriptor_gaps import GapLedger, gap_at, images_in_gaps, last_gap

if TYPE_CHECKING:
    from pspd.store import batch
    from pspd.store.entries import Entries
    from pspd.store.reader import Reader
    from pspd.store.store import Store
    from pspd.store.tables import Tables

PART_ROWS = 4096
"""Descriptors that are read in one transaction; some 2 MB."""

_ROWS_EACH = 128
"""Descriptors that are read between two pauses; 0.2 ms."""

# --- questions


class KnownModel(NamedTuple):
    """A model that described images."""

    key: ModelKey
    dimensions: int
    """Bytes of each of its descriptors."""
    described: int
    """Images that have one; kept as a number."""


def models(reader: Entries) -> list[KnownModel]:
    """Return the models of which there are descriptors."""
    found = ((key, decode_record(body)) for key, body in reader.items("models"))
    return [
        KnownModel(model_key(code, record.name), record.dimensions, record.described)
        for code, record in found
    ]


def known(reader: Entries, model: ModelKey) -> KnownModel | None:
    """Return what is known of a model, under whatever name; None if it described nothing."""
    code = model_code(model)
    return next((each for each in models(reader) if model_code(each.key) == code), None)


def descriptor(reader: Entries, model: ModelKey, number: ImageNumber) -> bytes | None:
    """Return the descriptor of an image, a signed byte a dimension; None if it has none."""
    return reader.get("descriptors", entry_key(model_code(model), number))


def undescribed(reader: Entries, model: ModelKey, after: int, limit: int) -> list[ImageNumber]:
    """Return up to so many images without a descriptor, ascending, of numbers above `after`.

    What it costs is the page, however many images there are, and however many are described.

    Args:
        reader: Of one moment.
        model: It may be one that has described nothing yet.
        after: -1 for the first page.
        limit: Most images of the page.
    """
    code = model_code(model)
    if reader.get("models", code) is None:
        found = reader.keys_from("images", keys.number_key(after + 1))
        return [ImageNumber(keys.number_from_key(key)) for key in islice(found, limit)]
    return list(islice(images_in_gaps(reader, code, after), limit))


def rows(
    reader: Entries, model: KnownModel, after: int, most: int, pause: Pause = unhindered
) -> VectorRows:
    """Return the descriptors of up to so many images, ascending, of numbers above `after`.

    Raises:
        StoreDamaged: One is damaged.
    """
    code = model_code(model.key)
    numbers, bodies = [], []
    for key, body in islice(reader.items("descriptors", code, entry_key(code, after + 1)), most):
        if len(body) != model.dimensions:
            raise StoreDamaged(f"a descriptor of {model.key} has {len(body)} bytes")
        numbers.append(number_of(key))
        bodies.append(body)
        if not len(numbers) % _ROWS_EACH:
            pause()
    vectors = np.frombuffer(b"".join(bodies), dtype=np.int8).reshape(-1, model.dimensions)
    return VectorRows(np.array(numbers, dtype=np.int64), vectors)


def parts(store: Store, model: ModelKey, pause: Pause = unhindered) -> Iterator[VectorRows]:
    """Yield all descriptors of a model in parts, in the order of their images.

    Each part is of a moment of its own, so that the file does not grow for it; what changes
    meanwhile is in what `Store.apply` returns.

    Args:
        store: An open store.
        model: Of one that described nothing there are no parts.
        pause: Called every few tenths of a millisecond, within a read transaction.

    Raises:
        StoreDamaged: One is damaged; `on_damage` was told, and mending drops it.
    """
    after = -1
    while True:
        with store.read() as reader:
            is_known = known(reader, model)
            part = None if is_known is None else rows(reader, is_known, after, PART_ROWS, pause)
        if part is None or not len(part):
            return
        yield part
        after = int(part.numbers[-1])
        store.bound_memory()


# --- changes


class DescriptorLedger:
    """Descriptors of one write transaction."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._reader = tables.reader
        self._records: dict[bytes, ModelRecord | None] = {}
        """Of the models that were looked at; None of those that are not there (any more)."""

    def record(self, found: batch.DescriptorsKnown) -> bool:
        """Take a descriptor in; returns whether its image is there.

        Raises:
            StoreError: It is not of the length that the model's others have.
        """
        if self._reader.get("images", keys.number_key(found.number)) is None:
            return False
        code = model_code(found.model)
        record = self._record_of(code) or self._begin(found, code)
        if len(found.descriptor) != record.dimensions:
            raise StoreError(
                f"a descriptor of {found.model} has {len(found.descriptor):,} dimensions, and "
                f"others have {record.dimensions:,}"
            )
        record.name = model_name(found.model)
        key = entry_key(code, found.number)
        if self._reader.get("descriptors", key) is None:
            record.described += 1
            record.gaps += GapLedger(self._tables, code).take_out(found.number)
        self._tables.put("descriptors", key, found.descriptor)
        return True

    def forget(self, image: ImageNumber) -> None:
        """Drop the descriptors of an image that is dropped."""
        # Those that began in this transaction are not stored yet.
        for code in {*self._records, *(key for key, _ in self._reader.items("models"))}:
            record = self._record_of(code)
            if record is None:
                continue
            key = entry_key(code, image)
            if self._reader.get("descriptors", key) is None:
                record.gaps += GapLedger(self._tables, code).forget(image)
            else:
                self._delete(record, key)

    def drop(self, model: ModelKey, most: int) -> None:
        """Drop up to so many descriptors of a model, and with the last one the model."""
        code = model_code(model)
        record = self._record_of(code)
        if record is None:
            return
        gaps = GapLedger(self._tables, code)
        every = self._reader.raw_keys("descriptors", code, most + 1)
        found = [key for key in every if model_of(key) == code]
        for key in found[:most]:
            self._delete(record, key)
            record.gaps += gaps.put_in(number_of(key))
        if len(found) <= most:
            gaps.clear()
            self._records[code] = None

    def finish(self) -> None:
        """Write the models' records."""
        for code, record in self._records.items():
            if record is None:
                self._tables.delete("models", code)
            else:
                self._tables.put("models", code, encode_record(record))

    def _begin(self, found: batch.DescriptorsKnown, code: bytes) -> ModelRecord:
        if self._tables.has_prefix("descriptors", code):
            raise StoreDamaged(f"there are descriptors of {found.model}, and no record of it")
        gaps = GapLedger(self._tables, code)
        gaps.clear()
        begun = ModelRecord(model_name(found.model), len(found.descriptor), gaps=gaps.begin())
        self._records[code] = begun
        return begun

    def _record_of(self, code: bytes) -> ModelRecord | None:
        if code not in self._records:
            body = self._reader.get("models", code)
            self._records[code] = None if body is None else decode_record(body)
        return self._records[code]

    def _delete(self, record: ModelRecord, key: bytes) -> None:
        if not record.described:
            raise StoreDamaged(f"there are more descriptors of {record.name} than its record says")
        record.described -= 1
        self._tables.delete("descriptors", key)


# --- what must be true


def model_problems(reader: Reader, key: bytes, _body: bytes) -> Iterator[str]:
    """Yield what is wrong with what a model's record leads to."""
    last = last_gap(reader, key)
    if last is None or last.end != OPEN_END:
        yield "does not miss descriptors of images to come"


def descriptor_problems(reader: Reader, key: bytes, body: bytes) -> Iterator[str]:
    """Yield what is wrong with what a descriptor leads to."""
    code, number = model_of(key), number_of(key)
    record = reader.get("models", code)
    if record is None:
        yield "is of no model"
    elif decode_record(record).dimensions != len(body):
        yield "has another length than the others of its model"
    if reader.get("images", keys.number_key(number)) is None:
        yield "is of no image"
    if gap_at(reader, code, number) is not None:
        yield "is there and said to be missing"


def gap_problems(reader: Reader, key: bytes, body: bytes) -> Iterator[str]:
    """Yield what is wrong with what a gap leads to."""
    code, gap = model_of(key), decode_gap(key, body)
    if reader.get("models", code) is None:
        yield "is of no model"
    if gap_at(reader, code, gap.first - 1) not in {None, gap}:
        yield "begins where another one goes on"


def is_accounted_for(reader: Reader, image: ImageNumber) -> bool:
    """Say whether an image has a descriptor of each model, or is known to lack it."""
    codes = [key for key, _ in reader.items("models")]
    return all(
        gap_at(reader, code, image) is not None
        or reader.get("descriptors", entry_key(code, image)) is not None
        for code in codes
    )
