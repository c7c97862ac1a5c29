"""What the store knows of copies → groups, all of them: best images, their copies, their waste.

    pairs, marks, equal pixels ─┐            without those that are told apart
                                ├─> star_cover ──> CopyGroups, largest waste first
    images, best first ─────────┘

They are computed when somebody asks, for what is read is no more than what has copies; so nothing
of it lies in memory while nobody looks.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pspd.copy_search import known
from pspd.core.groups import Standing, standing, star_cover
from pspd.core.model import ImageNumber
from pspd.store import image_codec, keys
from pspd.store.copy_codec import CROWDED, DATABASE, PAIR, SEVERAL, image_of, other_of

if TYPE_CHECKING:
    from pspd.copy_search import CopySearch
    from pspd.distinctions import Pair
    from pspd.store.reader import Reader
    from pspd.store.store import Store

SLICE = 20_000
"""Entries, or images, that are read within one read transaction."""

SLICE_PAIRS = 2_000
"""Pairs that are looked up within one."""


class CopyGroup(NamedTuple):
    """Images that are copies of the best of them; or one image with several files."""

    waste: int
    """Bytes of all files but the best one."""
    best: ImageNumber
    others: tuple[ImageNumber, ...]


@dataclass(frozen=True, slots=True)
class CopyGroups:
    """All groups of one moment, the largest waste first."""

    moment: int
    """Number of the last transaction that may have been seen."""
    groups: list[CopyGroup]
    waste: int
    """Of all."""


class _Images:
    """What ranks images, and what they take on disk."""

    def __init__(self) -> None:
        # Columns, and no tuple an image: collecting their garbage took a quarter of the time.
        self._numbers, self._standings = array("q"), [array("q") for _ in Standing._fields]
        self.sizes: dict[ImageNumber, int] = {}
        self.files: dict[ImageNumber, int] = {}
        """Of those with more than one."""

    def take(
        self, reader: Reader, page: Sequence[ImageNumber], several: AbstractSet[ImageNumber]
    ) -> None:
        """Take those of a page that have a file."""
        raw_keys = [keys.number_key(number) for number in page]
        lonely = {key for key, _ in reader.get_many("orphans", raw_keys)}
        for key, body in reader.get_many("images", raw_keys):
            number = ImageNumber(keys.number_from_key(key))
            width, height, image_format, size = image_codec.image_standing(body)
            if number in several:
                self.files[number] = len(reader.links(number))
            if key not in lonely and self.files.get(number, 1):
                self.sizes[number] = size
                self._numbers.append(number)
                place = standing(width, height, image_format, size)
                for column, value in zip(self._standings, place, strict=True):
                    column.append(value)

    def equals(self) -> Iterator[list[ImageNumber]]:
        """Yield images that are equally good, the best first; of most there is only one."""
        columns = [np.frombuffer(column, np.int64) for column in (self._numbers, *self._standings)]
        order = np.lexsort([columns[0], *columns[:0:-1]])
        numbers, *standings = (column[order] for column in columns)
        ends = np.zeros(len(numbers), np.bool_)
        ends[-1:] = True
        for column in standings:
            ends[:-1] |= column[1:] != column[:-1]
        ordered, first = numbers.tolist(), 0
        for end in np.flatnonzero(ends).tolist():
            yield ordered[first : end + 1]
            first = end + 1

    def waste(self, best: ImageNumber, others: Sequence[ImageNumber]) -> int:
        """Return the bytes of all files of a group but the best one."""
        wasted = sum(self.sizes[number] * self.files.get(number, 1) for number in others)
        return wasted + self.sizes[best] * (self.files.get(best, 1) - 1)


def compute_groups(store: Store, search: CopySearch, apart: Iterable[Pair] = ()) -> CopyGroups:
    """Compute the groups of all images that have copies.

    Args:
        store: The truth.
        search: Finds all copies of an image of which not all are kept.
        apart: Contents that are to stand in no group on account of one another.

    Raises:
        StoreError: The store cannot be read.
    """
    moment = store.last_transaction()
    relations = _Relations(store, apart)
    images = _images(store, relations)
    stars = star_cover(
        _ranked(store, images),
        lambda image: relations.copies_of(image, search),
        relations.are_apart if relations.has_apart else None,
    )
    groups = [
        CopyGroup(images.waste(best, others), best, tuple(others))
        for best, others in stars
        if others or images.files.get(best, 1) > 1
    ]
    groups.sort(key=lambda group: (-group.waste, group.best))
    return CopyGroups(moment, groups, sum(group.waste for group in groups))


class _Relations:
    """Which images are copies of which, as the store has it."""

    def __init__(self, store: Store, apart: Iterable[Pair]) -> None:
        self._store = store
        self._apart = _numbers_of(store, apart)
        self._copies: dict[ImageNumber, list[ImageNumber]] = {}
        self._marked: dict[int, set[ImageNumber]] = {SEVERAL: set(), CROWDED: set()}
        self._read_copies()
        self._read_equal_pixels()

    @property
    def several(self) -> set[ImageNumber]:
        """Images with more than one file."""
        return self._marked[SEVERAL]

    def images(self) -> list[ImageNumber]:
        """Return all images that have copies, of whichever kind; ascending."""
        return sorted(self._copies.keys() | self.several | self._marked[CROWDED])

    @property
    def has_apart(self) -> bool:
        """Whether any images are told apart."""
        return bool(self._apart)

    def are_apart(self, one: ImageNumber, other: ImageNumber) -> bool:
        """Say whether two images are told apart."""
        return other in self._apart.get(one, ())

    def copies_of(self, image: ImageNumber, search: CopySearch) -> list[ImageNumber]:
        """Return the copies of an image, all of them."""
        found = self._copies.get(image, [])
        if image in self._marked[CROWDED]:
            with self._store.read() as reader:
                hashes = known(reader, [image])
            found = found + [copy.other for each in hashes for copy in search.copies_of(each)]
        apart = self._apart.get(image)
        return found if apart is None else [other for other in found if other not in apart]

    def _read_copies(self) -> None:
        # Without their checksums: whoever lists a group looks at each of its pairs once more.
        after = b""
        while True:
            with self._store.read() as reader:
                page = reader.raw_keys(DATABASE, after, SLICE)
            for key in page:
                image = image_of(key)
                if key[0] == PAIR:
                    self._copies.setdefault(image, []).append(other_of(key))
                elif key[0] in self._marked:
                    self._marked[key[0]].add(image)
            if len(page) < SLICE:
                return
            after = page[-1]

    def _read_equal_pixels(self) -> None:
        """Join what has equal pixels: flat pictures have no other copies."""
        for images in _equal_pixels(self._store):
            for image in images:
                others = self._copies.setdefault(image, [])
                there = {image, *others}
                others.extend(other for other in images if other not in there)


def _numbers_of(store: Store, pairs: Iterable[Pair]) -> defaultdict[ImageNumber, set[ImageNumber]]:
    """Return, by image, those that it is told apart from; those that are not there are left out."""
    apart: defaultdict[ImageNumber, set[ImageNumber]] = defaultdict(set)
    waiting = iter(pairs)
    while page := list(islice(waiting, SLICE_PAIRS)):
        with store.read() as reader:
            for pair in page:
                first, second = (reader.number_of(each) for each in pair)
                if first is not None and second is not None:
                    apart[first].add(second)
                    apart[second].add(first)
    return apart


def _equal_pixels(store: Store) -> Iterator[list[ImageNumber]]:
    """Yield images of equal pixel digests."""
    numbers, digests = array("Q"), array("Q")
    with store.read() as reader:
        for key, body in reader.items("pixels"):
            numbers.append(keys.number_from_key(key))
            digests.append(int.from_bytes(body[-8:]))
    order = np.argsort(np.frombuffer(digests, np.uint64), kind="stable")
    ascending = np.frombuffer(digests, np.uint64)[order]
    is_like_next = ascending[1:] == ascending[:-1]
    is_twin = np.zeros(len(ascending), np.bool_)
    is_twin[:-1] |= is_like_next
    is_twin[1:] |= is_like_next
    twins = [ImageNumber(numbers[place]) for place in order[is_twin].tolist()]
    with store.read() as reader:
        found = [(reader.pixels(image), image) for image in twins]
    for pixels, group in groupby(found, lambda each: each[0]):
        images = [image for _, image in group]
        if pixels is not None and len(images) > 1:
            yield images


def _images(store: Store, relations: _Relations) -> _Images:
    images = _Images()
    wanted = iter(relations.images())
    while page := list(islice(wanted, SLICE)):
        with store.read() as reader:
            images.take(reader, page, relations.several)
    return images


def _ranked(store: Store, images: _Images) -> list[ImageNumber]:
    """Return the images, best first; of equally good ones the first path counts."""
    ranked: list[ImageNumber] = []
    for equals in images.equals():
        if len(equals) > 1:
            with store.read() as reader:
                paths = {number: _first_path(reader, number) for number in equals}
            equals.sort(key=lambda number: (paths[number], number))
        ranked += equals
    return ranked


def _first_path(reader: Reader, number: ImageNumber) -> str:
    return min((reader.file_path(key) or "" for key in reader.links(number)), default="")
