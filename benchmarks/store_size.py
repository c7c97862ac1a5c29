"""What a store's file is made of: entries and pages of each database, and bytes a picture.

python -m benchmarks.store_size                       stores of 10,000 and 100,000 pictures
python -m benchmarks.store_size --sizes 1000000
python -m benchmarks.store_size --store DIR/store     a store that nobody has open
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lmdb

from benchmarks.synthetic_store import write_store
from pspd.store.environment import DATABASES


@dataclass(frozen=True, slots=True)
class Part:
    """One database's share of a store's file."""

    name: str
    entries: int
    branch: int
    leaf: int
    overflow: int
    filled: int
    """Bytes of keys and values."""

    @property
    def pages(self) -> int:
        """All its pages."""
        return self.branch + self.leaf + self.overflow


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table of each store."""
    parser = argparse.ArgumentParser(prog="benchmarks.store_size", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--store", type=Path, nargs="*", default=[])
    options = parser.parse_args(arguments)
    for store in options.store:
        print_parts(store)
    for size in [] if options.store else options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            write_store(Path(folder), size)
            print_parts(Path(folder) / "store")


def print_parts(store: Path) -> None:
    """Print what a store's file is made of."""
    environment = lmdb.open(str(store), max_dbs=32, lib_version=0, readonly=True, lock=False)
    page: int = environment.stat()["psize"]
    total = environment.info()["last_pgno"] + 1
    parts = [part_of(environment, name) for name in DATABASES]
    pictures = max(1, next(part.entries for part in parts if part.name == "images"))
    print(f"{store}: {pictures:,} pictures, {total * page:,} bytes")
    print(f"{'database':12} {'entries':>11} {'branch':>8} {'leaf':>8} {'overflow':>8} "
          f"{'fill':>5} {'bytes a picture':>15}")  # fmt: skip
    for part in parts:
        fill = part.filled / (part.pages * page) if part.pages else 0
        print(f"{part.name:12} {part.entries:11,} {part.branch:8,} {part.leaf:8,} "
              f"{part.overflow:8,} {fill:5.0%} {part.pages * page / pictures:15.1f}")  # fmt: skip
    free = total - sum(part.pages for part in parts)
    print(f"{'free':12} {'':11} {'':8} {free:8,} {'':8} {'':5} {free * page / pictures:15.1f}")
    print(f"{'all':12} {'':11} {'':8} {total:8,} {'':8} {'':5} {total * page / pictures:15.1f}\n")
    environment.close()


def part_of(environment: lmdb.Environment, name: str) -> Part:
    """Measure one database."""
    with environment.begin() as transaction:
        database = environment.open_db(name.encode(), transaction, create=False)
        found = transaction.stat(database)
        with transaction.cursor(db=database) as cursor:
            filled = sum(len(key) + len(value) for key, value in cursor)
    return Part(
        name,
        found["entries"],
        found["branch_pages"],
        found["leaf_pages"],
        found["overflow_pages"],
        filled,
    )


if __name__ == "__main__":
    main()
