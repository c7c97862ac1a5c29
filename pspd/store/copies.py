"""Which images are copies of which: what the background comparison found, and how far it is.

    copies  pairs and marks, see `pspd.store.copy_codec`
    meta    compared   images of smaller numbers were compared with one another
            copies     entries of `copies`: one that vanished is noticed by it
            copy_rule  a digest of what makes a copy; another one, and all is compared anew

Every pair stands there in both directions. An image of which there are very many copies (a time
lapse, a thousand screenshots) keeps the nearest only, so that pairs do not grow with the square of
their number; it and those that it does not keep are marked, and whoever wants all of them has to
ask an index.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from pspd.core.groups import inverse
from pspd.core.model import ImageNumber
from pspd.errors import StoreDamaged
from pspd.store import keys
from pspd.store.copy_codec import (
    AGAIN,
    CROWDED,
    DATABASE,
    PAIR,
    SEVERAL,
    Pair,
    decode,
    encode_pair,
    image_of,
    mark_key,
    other_of,
    pair_key,
    turned_round,
)
from pspd.store.shapes import Column

if TYPE_CHECKING:
    from pspd.store import batch
    from pspd.store.entries import Entries
    from pspd.store.reader import Reader
    from pspd.store.tables import Tables

# --- questions


def pair(reader: Entries, image: ImageNumber, other: ImageNumber) -> Pair | None:
    """Return what is kept of two images."""
    key = pair_key(image, other)
    body = reader.get(DATABASE, key)
    found = None if body is None else decode(key, body)
    return found if isinstance(found, Pair) else None


def marked(reader: Entries, mark: int, most: int) -> list[ImageNumber]:
    """Return up to so many images with a mark, ascending."""
    items = islice(reader.items(DATABASE, bytes([mark])), most)
    return [image_of(key) for key, _ in items]


def is_marked(reader: Entries, mark: int, image: ImageNumber) -> bool:
    """Say whether an image has a mark."""
    return reader.get(DATABASE, mark_key(mark, image)) is not None


def count_uncompared(reader: Reader) -> int:
    """Return how many images are still to be compared, those that were dropped since included."""
    new = max(0, reader.meta("next_image") - reader.meta("compared"))
    return new + sum(1 for _ in reader.items(DATABASE, bytes([AGAIN])))


# --- changes


class CopyLedger:
    """Copies of one write transaction."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._reader = tables.reader

    def record(self, found: batch.ImagesCompared) -> None:
        """Take in what was found, if nobody began anew meanwhile."""
        if self._tables.number("compared") != found.since:
            return
        for each in found.comparisons:
            if not self._is_there(each.number):
                self.forget(each.number)
            elif self._reader.cells(each.number).get(Column.PHASH256) == each.phash256:
                self._take_in(each, found.since)
            else:  # extracted again since somebody looked
                self._put(mark_key(AGAIN, each.number), b"")
        for number in found.crowded:
            if self._is_there(number):
                self._put(mark_key(CROWDED, number), b"")
        self._tables.set_number("compared", max(found.since, found.upto))

    def forget(self, image: ImageNumber) -> None:
        """Drop all that was found of an image."""
        prefix = mark_key(PAIR, image)
        others = [other_of(key) for key, _ in self._reader.items(DATABASE, prefix)]
        for other in others:
            self._delete(pair_key(image, other))
            self._delete(pair_key(other, image))
        for mark in (CROWDED, AGAIN):
            self._delete(mark_key(mark, image))

    def outdate(self, image: ImageNumber) -> None:
        """Have an image compared again, whose hashes are others now."""
        if image < self._tables.number("compared"):
            self.forget(image)
            self._put(mark_key(AGAIN, image), b"")

    def see_files(self, image: ImageNumber) -> None:
        """Note whether an image has several files."""
        if has_several_files(self._reader, image):
            self._put(mark_key(SEVERAL, image), b"")
        else:
            self._delete(mark_key(SEVERAL, image))

    def begin_anew(self, rule: int) -> None:
        """Forget all pairs; every image is compared by another rule."""
        for mark in (PAIR, CROWDED, AGAIN):
            for key in [key for key, _ in self._reader.items(DATABASE, bytes([mark]))]:
                self._delete(key)
        self._tables.set_number("compared", 0)
        self._tables.set_number("copy_rule", rule)

    def _take_in(self, compared: batch.Compared, since: int) -> None:
        if compared.number < since:
            self.forget(compared.number)
        for copy in compared.copies:
            if self._is_there(copy.other):
                self._put_pair(Pair(compared.number, *copy))
        if compared.is_crowded:
            self._put(mark_key(CROWDED, compared.number), b"")
        self.see_files(compared.number)

    def _put_pair(self, found: Pair) -> None:
        image, other, turn, distance = found
        self._put(pair_key(image, other), encode_pair(turn, distance))
        self._put(pair_key(other, image), encode_pair(inverse(turn), distance))

    def _is_there(self, image: ImageNumber) -> bool:
        return self._reader.get("images", keys.number_key(image)) is not None

    def _put(self, key: bytes, body: bytes) -> None:
        if self._reader.get(DATABASE, key) is None:
            self._tables.set_number("copies", self._tables.number("copies") + 1)
        self._tables.put(DATABASE, key, body)

    def _delete(self, key: bytes) -> None:
        if self._reader.get(DATABASE, key) is None:
            return
        count = self._tables.number("copies")
        if not count:
            raise StoreDamaged("there are more copies than meta says")
        self._tables.set_number("copies", count - 1)
        self._tables.delete(DATABASE, key)


# --- what must be true


def problems(reader: Reader, key: bytes, body: bytes) -> Iterator[str]:
    """Yield what is wrong with what an entry leads to."""
    found = decode(key, body)
    if not isinstance(found, Pair):
        mark, image = found
        if reader.get("images", keys.number_key(image)) is None:
            yield "is of no image"
        elif mark == SEVERAL and not has_several_files(reader, image):
            yield "is of an image that has not several files"
        return
    for image in (found.image, found.other):
        if reader.get("images", keys.number_key(image)) is None:
            yield "is of no image"
    if pair(reader, found.other, found.image) != turned_round(found):
        yield "is not there the other way round"


def has_several_files(reader: Entries, image: ImageNumber) -> bool:
    """Say whether more than one file has this content."""
    return len(list(islice(reader.items("links", keys.number_key(image)), 2))) > 1


def lacks_mark(reader: Entries, image: ImageNumber) -> bool:
    """Say whether an image has several files and no mark that says so."""
    return has_several_files(reader, image) and not is_marked(reader, SEVERAL, image)
