"""Stores of many pictures without the pictures, written through the store's own code, and kept.

Ten million take minutes to write, so that a store is kept from run to run in the user's cache
folder, under a name that says all it was made of, and a measurement works on a copy of it:

    python -m benchmarks.synthetic_store 1000000 10000000       `make bench-stores`
"""

from __future__ import annotations

import argparse
import hashlib
import io
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from pathlib import Path

from PIL import Image

from benchmarks import hash_model
from benchmarks.live_daemon import LiveDaemon, live_daemon
from benchmarks.plan import Plan, add_options, cache_folder, plan_of
from benchmarks.synthetic_pictures import Hashes, Query, copies_of, draw_hashes, features_of
from examples.make_samples import landscape
from pspd.copy_search import CopySearch
from pspd.core import verdict
from pspd.core.model import (
    Directory,
    DirectoryId,
    Features,
    FileKey,
    FileStamp,
    ImageNumber,
    Turn,
    WatchRoot,
)
from pspd.features.extract import FEATURES_VERSION
from pspd.search.linear import LinearIndex
from pspd.store import batch
from pspd.store.migrations import FORMAT_VERSION
from pspd.store.opening import Options, open_store
from pspd.store.store import Store

RECIPE = 1
"""Raised whenever the same arguments would give another store."""

MOST_MADE = 1_000_000
"""A larger store is made by `make bench-stores` alone: a measurement must not take that long."""

DIRECTORY_FILES = 1000
BATCH_FILES = 20_000
ROOT = "/nonexistent/synthetic"
"""Its absence makes the root unavailable, and its pictures are searched all the same."""

CONFIGURATION = "[store]\nbackup_days = 0\n"
"""A weekly copy of gigabytes would be measured by chance."""


@cache
def queries(count: int) -> tuple[Query, ...]:
    """Return the query images that every store has pictures around."""
    return tuple(Query.of(_jpeg(landscape(number))) for number in range(count))


class StoreMissing(Exception):
    """A store is too large to be made on the way; the message says what to do."""


def kept_store(plan: Plan, count: int) -> Path:
    """Return the state folder of a store of so many pictures, making it if need be; do not use it.

    Raises:
        StoreMissing: It is not there, and would take too long.
    """
    folder = _place_of(plan, count)
    if folder.is_dir():
        return folder
    if count > MOST_MADE:
        raise StoreMissing(f"there is no store of {count:,} pictures; first: make bench-stores")
    return make_store(folder, count, queries(plan.queries))


def make_store(folder: Path, count: int, around: Sequence[Query]) -> Path:
    """Make a store whose name says that it is whole; a half-made one has another."""
    half = folder.with_name(folder.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True, mode=0o700)
    write_store(half, count, around)
    half.rename(folder)
    return folder


@contextmanager
def synthetic_daemon(plan: Plan, count: int) -> Iterator[LiveDaemon]:
    """Yield a daemon, not started yet, with a copy of a kept store.

    Raises:
        StoreMissing: As of `kept_store`.
    """
    kept = kept_store(plan, count)
    with live_daemon(started=False) as daemon:
        shutil.copytree(kept, daemon.path, dirs_exist_ok=True)
        daemon.configure(CONFIGURATION)
        yield daemon


def write_store(state: Path, count: int, around: Sequence[Query] = ()) -> None:
    """Write a store of `count` files in directories of `DIRECTORY_FILES`, as the daemon does.

    Args:
        state: A state folder without a store.
        count: Pictures.
        around: Pictures are put around these.
    """
    opened = open_store(state, Options(map_bytes=64 << 30, any_file_system=True))
    try:
        store = opened.store
        root = WatchRoot(store.new_root_id(), ROOT, directory=store.new_directory_id())
        top = Directory(root.directory, root.root_id, DirectoryId(0), "", 1, 1)
        store.apply([batch.PutDirectory(top), batch.PutRoot(root)])
        store.apply([batch.CompareAnew(_rule(store))])
        for hashes in draw_hashes(count, around):
            every = features_of(hashes)
            for first in range(hashes.first, hashes.first + len(hashes.quality), BATCH_FILES):
                _write_files(store, root, first, list(islice(every, BATCH_FILES)))
            store.apply([_comparisons(hashes)])
        store.set_meta("features_version", FEATURES_VERSION)
    finally:
        opened.close()


def _write_files(store: Store, root: WatchRoot, first: int, files: list[Features]) -> None:
    """Write some files as the daemon does: seen first, then indexed."""
    keys: list[FileKey] = []
    operations: list[batch.Operation] = []
    for number in range(first, first + len(files)):
        if number % DIRECTORY_FILES == 0:
            directory = store.new_directory_id()
            name = f"folder-{number // DIRECTORY_FILES:06}"
            operations.append(
                batch.PutDirectory(
                    Directory(directory, root.root_id, root.directory, name, 1, 1000 + directory)
                )
            )
        keys.append(FileKey(directory, f"IMG_{number:08}.jpg"))
    stamps = [_stamp(number) for number in range(first, first + len(files))]
    operations.extend(batch.FileSeen(key, stamp) for key, stamp in zip(keys, stamps, strict=True))
    queued = store.apply(operations).queued
    store.apply(
        [
            batch.FileIndexed(key, sequence, stamp, False, features.image_id, features)
            for (sequence, key), stamp, features in zip(queued, stamps, files, strict=True)
        ]
    )


def _comparisons(hashes: Hashes) -> batch.ImagesCompared:
    """Say which of some pictures are copies of which, as the daemon finds it out.

    A stranger that chance made a copy is left out: of pairs that were drawn apart hardly any is.
    """
    return batch.ImagesCompared(
        hashes.first,
        hashes.first + len(hashes.quality),
        tuple(
            batch.Compared(
                ImageNumber(number),
                hashes.phash256[number - hashes.first].tobytes(),
                tuple(batch.CopyFound(ImageNumber(other), Turn.NONE, bits) for other, bits in near),
            )
            for number, near in copies_of(hashes)
        ),
    )


def _rule(store: Store) -> int:
    """Return the digest of what makes a copy, by which the daemon believes what is compared."""
    index = LinearIndex(verdict.FLAT_QUALITY)
    return CopySearch(store, index, verdict.COPY_DISTANCE, verdict.MEAN_DIFFERENCE).rule


def _stamp(number: int) -> FileStamp:
    """Stamp a file as one taken at some second and copied with its time onto a disk of its own."""
    taken = 1_500_000_000_123_456_789 + number * 7_919_000_003
    copied = 1_700_000_000_987_654_321 + number * 1_000_003
    return FileStamp(1_000_000 + number, taken, copied, 1_000_000 + number, 0x10302)


def _place_of(plan: Plan, count: int) -> Path:
    """Name the folder by all that its store is made of."""
    spread = hash_model.model()[0].tobytes().hex()
    made_of = (RECIPE, FORMAT_VERSION, FEATURES_VERSION, plan.queries, spread)
    recipe = hashlib.blake2b(repr(made_of).encode(), digest_size=6).hexdigest()
    return (plan.stores or cache_folder() / "stores") / f"{count}-{recipe}"


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.resize((image.width // 2, image.height // 2)).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def main(counts: Iterable[str]) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_options(parser)
    parser.add_argument("counts", type=int, nargs="+", metavar="PICTURES")
    options = parser.parse_args(list(counts))
    plan = plan_of(options)
    for count in options.counts:
        folder = _place_of(plan, count)
        if folder.is_dir():
            print(f"{count:,} pictures: there already")
            continue
        began = time.perf_counter()
        make_store(folder, count, queries(plan.queries))
        seconds = time.perf_counter() - began
        print(f"{count:,} pictures: {seconds:.0f} s, {count / seconds:.0f} a second")


if __name__ == "__main__":
    main(sys.argv[1:])
