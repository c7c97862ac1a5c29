"""Which images lack a learned descriptor, as gaps: ranges of numbers, disjoint, of one model.

    described   0 1 2 3     5 6           9
    gaps                4       [7, 8]      [10, …)

What takes ten million images in the order of their numbers has one gap all the while, and whoever
asks for the next page of it begins where the gap does: no walk over those that are described, and
no entry for each that is not. Numbers of images that were dropped may lie in gaps or outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pspd.core.model import ImageNumber
from pspd.store import codec, keys
from pspd.store.descriptor_codec import OPEN_END, Gap, decode_gap, entry_key, model_of

if TYPE_CHECKING:
    from pspd.store.entries import Entries
    from pspd.store.tables import Tables

DATABASE = "undescribed"


def gap_at(reader: Entries, code: bytes, number: int) -> Gap | None:
    """Return the gap of a model in which a number lies."""
    if number < 0:
        return None
    found = reader.last_up_to(DATABASE, entry_key(code, number))
    if found is None or model_of(found[0]) != code:
        return None
    gap = decode_gap(*found)
    return gap if number < gap.end else None


def last_gap(reader: Entries, code: bytes) -> Gap | None:
    """Return the last gap of a model; None where there is none at all."""
    found = reader.last_up_to(DATABASE, entry_key(code, keys.LARGEST_NUMBER))
    return decode_gap(*found) if found is not None and model_of(found[0]) == code else None


def images_in_gaps(reader: Entries, code: bytes, after: int) -> Iterator[ImageNumber]:
    """Yield the images in gaps whose numbers are above `after`, ascending."""
    start = after + 1
    first = gap_at(reader, code, start)
    if first is not None:
        yield from _images_in(reader, Gap(start, first.end))
    for key, body in reader.items(DATABASE, code, entry_key(code, start)):
        gap = decode_gap(key, body)
        if gap.first > start or first is None:
            yield from _images_in(reader, gap)


def _images_in(reader: Entries, gap: Gap) -> Iterator[ImageNumber]:
    for key in reader.keys_from("images", keys.number_key(gap.first)):
        number = ImageNumber(keys.number_from_key(key))
        if number >= gap.end:
            return
        yield number


class GapLedger:
    """Gaps of one model in one write transaction; each change says how many more there are.

    Args:
        tables: The transaction's databases.
        code: The model.
    """

    def __init__(self, tables: Tables, code: bytes) -> None:
        self._tables = tables
        self._code = code

    def begin(self) -> int:
        """Have every number in one gap; there must be none."""
        self._put(Gap(0, OPEN_END))
        return 1

    def take_out(self, number: int) -> int:
        """Have a number in no gap."""
        gap = gap_at(self._tables.reader, self._code, number)
        if gap is None:
            return 0
        more = -1
        if gap.first < number:
            self._put(Gap(gap.first, number))
            more += 1
        else:
            self._delete(gap.first)
        if number + 1 < gap.end:
            self._put(Gap(number + 1, gap.end))
            more += 1
        return more

    def put_in(self, number: int) -> int:
        """Have a number in a gap, which takes in those beside it."""
        reader = self._tables.reader
        if gap_at(reader, self._code, number) is not None:
            return 0
        before, after = (gap_at(reader, self._code, number + step) for step in (-1, 1))
        if after is not None:
            self._delete(after.first)
        first = number if before is None else before.first
        self._put(Gap(first, number + 1 if after is None else after.end))
        return (before is None) - (after is not None)

    def forget(self, number: int) -> int:
        """Take a number out that is of no image any more, unless that would make another gap."""
        gap = gap_at(self._tables.reader, self._code, number)
        is_edge = gap is not None and number in {gap.first, gap.end - 1}
        return self.take_out(number) if is_edge else 0

    def clear(self) -> None:
        """Drop all gaps."""
        for key in [key for key, _ in self._tables.reader.items(DATABASE, self._code)]:
            self._tables.delete(DATABASE, key)

    def _put(self, gap: Gap) -> None:
        key = entry_key(self._code, gap.first)
        self._tables.put(DATABASE, key, codec.encode_number(gap.end))

    def _delete(self, first: int) -> None:
        self._tables.delete(DATABASE, entry_key(self._code, first))
