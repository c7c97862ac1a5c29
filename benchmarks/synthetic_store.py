"""Stores of many pictures without the pictures, written through the store's own code.

Real hashes are not spread evenly: some pictures are copies of others, and each has neighbours that
are none. Both are put in here, for they are what a query has to look at:

* `COPY_SHARE` of the pictures are up to `COPY_BITS` of 64 bits from another;
* around each query image lie `near_share` of the pictures, within the shortlist's radius.

What is left is drawn evenly among the hashes that have as many ones as zeros, as all of
`imagehash.phash` have.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pspd.core import verdict
from pspd.core.model import (
    Directory,
    DirectoryId,
    Features,
    FileKey,
    FileStamp,
    ImageId,
    WatchRoot,
)
from pspd.features.extract import FEATURES_VERSION
from pspd.search.index import HASH_BITS
from pspd.store import batch
from pspd.store.store import Store

NEAR_SHARE = 0.0013
"""Of 56 real photographs, the share of the others that lay from 13 to 16 bits of one of another's
eight turns; those nearer were copies. With drawings and copies it is 0.0085 (docs/quality.md)."""

COPY_SHARE = 0.05
COPY_BITS = 6
DIRECTORY_FILES = 1000
SEEN_FILES = 1000
"""Files that are seen in one transaction."""
INDEXED_SHARE = 100
LEAST_INDEXED = 64
"""Files that are indexed in one transaction are a hundredth of all, and so many at least: the
daemon has 25 to 50 photographs in each, and what one rewrites stays as room in the file."""
DRAWN = 100_000
"""Hashes that are drawn at once."""
ROOT = "/nonexistent/synthetic"
"""Its absence makes the root unavailable, and its pictures are searched all the same."""

Hashes = NDArray[np.uint64]


def write_store(folder: Path, count: int, queries: Sequence[bytes], near_share: float) -> None:
    """Write a store of `count` files in directories of `DIRECTORY_FILES`, all distinct.

    Args:
        folder: Where; it must not hold a store.
        count: Pictures.
        queries: 64-bit hashes that pictures are put around.
        near_share: Share of the pictures around each of them.
    """
    store = Store(folder)
    try:
        root = WatchRoot(store.new_root_id(), ROOT, directory=store.new_directory_id())
        top = Directory(root.directory, root.root_id, DirectoryId(0), "", 1, 1)
        store.apply([batch.PutDirectory(top), batch.PutRoot(root)])
        hashes = draw_hashes(count, queries, near_share)
        for first in range(0, count, SEEN_FILES):
            _write_files(store, root, hashes, range(first, min(count, first + SEEN_FILES)))
        store.set_meta("features_version", FEATURES_VERSION)
    finally:
        store.close()


def draw_hashes(count: int, queries: Sequence[bytes], near_share: float) -> Hashes:
    """Draw 64-bit hashes, the same each time."""
    random = np.random.default_rng(count)
    # In parts: of ten million at once the places alone would take 5 GB.
    parts = [min(DRAWN, count - first) for first in range(0, count, DRAWN)]
    hashes = np.concatenate([_even_hashes(random, part) for part in parts])
    copies = random.permutation(count)[: int(count * COPY_SHARE)]
    originals = random.integers(0, count, len(copies))
    hashes[copies] = hashes[originals] ^ _flips(random, len(copies), 0, COPY_BITS)
    neighbours = iter(np.array_split(random.permutation(count), 2 * len(queries)))
    for query in queries:
        near = next(neighbours)[: round(count * near_share)]
        value = np.uint64(int.from_bytes(query, "big"))
        radius = verdict.SHORTLIST_RADIUS
        hashes[near] = value ^ _flips(random, len(near), radius - 3, radius)
    return hashes


def _even_hashes(random: np.random.Generator, count: int) -> Hashes:
    places = np.argsort(random.random((count, HASH_BITS), dtype=np.float32), axis=1)
    bits = (places < HASH_BITS // 2).astype(np.uint8)
    return np.packbits(bits, axis=1).view(">u8").astype(np.uint64).ravel()


def _flips(random: np.random.Generator, count: int, least: int, most: int) -> Hashes:
    """Draw masks of `least` to `most` bits."""
    ranks = np.argsort(random.random((count, HASH_BITS), dtype=np.float32), axis=1)
    sizes = random.integers(least, most + 1, count)
    masks = (ranks < sizes[:, np.newaxis]).astype(np.uint8)
    return np.packbits(masks, axis=1).view(">u8").astype(np.uint64).ravel()


def _write_files(store: Store, root: WatchRoot, hashes: Hashes, numbers: range) -> None:
    """Write some files as the daemon does: seen first, then indexed."""
    keys: list[FileKey] = []
    operations: list[batch.Operation] = []
    for first in range(numbers.start, numbers.stop, DIRECTORY_FILES):
        number = store.new_directory_id()
        name = f"folder-{first // DIRECTORY_FILES:06}"
        directory = Directory(number, root.root_id, root.directory, name, 1, 1000 + number)
        operations.append(batch.PutDirectory(directory))
        inside = range(first, min(first + DIRECTORY_FILES, numbers.stop))
        keys.extend(FileKey(number, f"IMG_{each:08}.jpg") for each in inside)
    operations.extend(
        batch.FileSeen(key, _stamp(number)) for key, number in zip(keys, numbers, strict=True)
    )
    queued = store.apply(operations).queued
    indexed = list(_indexed(queued, hashes, numbers))
    size = max(LEAST_INDEXED, len(hashes) // INDEXED_SHARE)
    for first in range(0, len(indexed), size):
        store.apply(indexed[first : first + size])


def _indexed(
    queued: Sequence[tuple[int, FileKey]], hashes: Hashes, numbers: range
) -> Iterator[batch.FileIndexed]:
    for (sequence, key), number in zip(queued, numbers, strict=True):
        features = _features(number, int(hashes[number]))
        yield batch.FileIndexed(key, sequence, _stamp(number), False, features.image_id, features)


def _stamp(number: int) -> FileStamp:
    # As of pictures that were copied with their time onto a disk of their own.
    taken = 1_500_000_000_123_456_789 + number * 7_919_000_003
    copied = 1_700_000_000_987_654_321 + number * 1_000_003
    return FileStamp(1_000_000 + number, taken, copied, 1_000_000 + number, 0x10302)


def _features(number: int, phash64: int) -> Features:
    digest = hashlib.blake2b(number.to_bytes(8, "big"), digest_size=64).digest()
    return Features(
        version=FEATURES_VERSION,
        image_id=ImageId(digest[:32]),
        format="JPEG",
        width=4000 + number % 100,
        height=3000,
        channels=3,
        size=1_000_000 + number,
        frames=1,
        orientation=1,
        mean=(100.0, 110.0, 120.0),
        quality=95,
        phash64=phash64.to_bytes(8, "big"),
        phash256=digest[32:],
    )
