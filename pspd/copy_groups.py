"""What the store knows of copies → groups, all of them: best images, their copies, their waste.

    pairs, marks, equal pixels ─┐
                                ├─> star_cover ──> CopyGroups, largest waste first
    images, best first ─────────┘

They are computed when somebody asks, for what is read is no more than what has copies; so nothing
of it lies in memory while nobody looks.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pspd.copy_search import known
from pspd.core.groups import Standing, standing, star_cover
from pspd.core.model import ImageNumber
from pspd.store import copies, keys
from pspd.store.copy_codec import CROWDED, PAIR, SEVERAL

if TYPE_CHECKING:
    from pspd.copy_search import CopySearch
    from pspd.store.reader import Reader
    from pspd.store.store import Store

SLICE = 20_000
"""Entries, or images, that are read within one read transaction."""


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


class _Image(NamedTuple):
    standing: Standing
    size: int
    files: int


def compute_groups(store: Store, search: CopySearch) -> CopyGroups:
    """Compute the groups of all images that have copies.

    Raises:
        StoreError: The store cannot be read.
    """
    moment = store.last_transaction()
    relations = _Relations(store)
    images = _images(store, relations)
    groups = [
        CopyGroup(_waste(images, best, others), best, tuple(others))
        for best, others in star_cover(
            _ranked(store, images), lambda image: relations.copies_of(image, search)
        )
        if others or images[best].files > 1
    ]
    groups.sort(key=lambda group: (-group.waste, group.best))
    return CopyGroups(moment, groups, sum(group.waste for group in groups))


class _Relations:
    """Which images are copies of which, as the store has it."""

    def __init__(self, store: Store) -> None:
        self._store = store
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

    def copies_of(self, image: ImageNumber, search: CopySearch) -> list[ImageNumber]:
        """Return the copies of an image, all of them."""
        found = self._copies.get(image, [])
        if image not in self._marked[CROWDED]:
            return found
        with self._store.read() as reader:
            hashes = known(reader, [image])
        return found + [copy.other for each in hashes for copy in search.copies_of(each)]

    def _read_copies(self) -> None:
        after = b""
        number = int.from_bytes
        while True:
            with self._store.read() as reader:
                page = copies.entries(reader, after, SLICE)
            for key, _ in page:
                image = ImageNumber(number(key[1:9]))
                if key[0] == PAIR:
                    self._copies.setdefault(image, []).append(ImageNumber(number(key[9:])))
                elif key[0] in self._marked:
                    self._marked[key[0]].add(image)
            if len(page) < SLICE:
                return
            after = page[-1][0]

    def _read_equal_pixels(self) -> None:
        """Join what has equal pixels: flat pictures have no other copies."""
        for images in _equal_pixels(self._store):
            for image in images:
                others = self._copies.setdefault(image, [])
                others.extend(other for other in images if other not in {image, *others})


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


def _images(store: Store, relations: _Relations) -> dict[ImageNumber, _Image]:
    """Return what ranks the images, of those that have a file."""
    found: dict[ImageNumber, _Image] = {}
    wanted = iter(relations.images())
    while page := list(islice(wanted, SLICE)):
        with store.read() as reader:
            for number in page:
                record = reader.image(number)
                files = _files(reader, number, has_several=number in relations.several)
                if record is not None and files:
                    place = standing(record.width, record.height, record.format, record.size)
                    found[number] = _Image(place, record.size, files)
    return found


def _files(reader: Reader, number: ImageNumber, *, has_several: bool) -> int:
    if has_several:
        return len(reader.links(number))
    return int(reader.get("orphans", keys.number_key(number)) is None)


def _ranked(store: Store, images: dict[ImageNumber, _Image]) -> list[ImageNumber]:
    """Return the images, best first; of equally good ones the first path counts."""
    numbers = sorted(images, key=lambda number: (images[number].standing, number))
    ranked: list[ImageNumber] = []
    for _, group in groupby(numbers, lambda number: images[number].standing):
        equals = list(group)
        if len(equals) > 1:
            with store.read() as reader:
                equals.sort(key=lambda number: (_first_path(reader, number), number))
        ranked.extend(equals)
    return ranked


def _first_path(reader: Reader, number: ImageNumber) -> str:
    return min((reader.file_path(key) or "" for key in reader.links(number)), default="")


def _waste(images: dict[ImageNumber, _Image], best: ImageNumber, others: list[ImageNumber]) -> int:
    wasted = sum(images[number].size * images[number].files for number in (best, *others))
    return wasted - images[best].size
