"""Begins to look at the store, by what is known beside it: before the daemon has all its imports.

    claim ──begin──▶ child: what is needed first ──▶ all the rest, beside the running daemon
      └─ imports ──▶ open_store ──waits──┘

A store that was closed in order, and is the one that the manifest tells of, proves little by its
values: each has a checksum, which who reads it looks at. What cannot be caught is a page that ends
the process. So the child reads the pages that the daemon needs for its first answer, and what adds
up between the databases, before the daemon opens the store; the other pages while it runs. Small
stores, which takes no time, and those that were not closed in order are looked at as a whole first.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pspd.store import file_system, manifest
from pspd.store.engine import DATA_FILE
from pspd.store.preflight import Look

if TYPE_CHECKING:
    from pspd.store.manifest import Manifest

FOLDER = "store"
"""The store's, in the daemon's state directory."""

QUICK_SECONDS = 1.5
"""How long a store is looked at that was closed in order and is small. Measured for 100,000
pictures: 0.5 s for the pages and 0.25 s for the values."""

FULL_SECONDS = 6.0
"""How long any other is looked at: what is larger than that is checked while the daemon runs."""

SMALL_BYTES = 30 << 20
"""A store of at most so many is looked at as a whole; about 100,000 pictures."""


def begin(state: Path) -> Look | None:
    """Begin to look at the store in a state directory that this process alone uses.

    Returns:
        None where there is no store, or where it is to be put aside or refused anyway.
    """
    known = manifest.read(state)
    if not size_of(state) or (known is not None and known.is_condemned):
        return None
    if file_system.magic_of(state) in file_system.REFUSED:
        return None
    return look_at(state, known)


def look_at(state: Path, known: Manifest | None) -> Look:
    """Begin to look at a store, by what its manifest says."""
    if not is_clean(state, known):
        return Look(state / FOLDER, FULL_SECONDS, "--mend")
    assert known is not None
    if size_of(state) <= SMALL_BYTES:
        return Look(state / FOLDER, QUICK_SECONDS, "--mend")
    moment = ("--needed-first", str(known.transaction))
    return Look(state / FOLDER, FULL_SECONDS, "--mend", *moment)


def is_clean(state: Path, known: Manifest | None) -> bool:
    """Say whether a store was closed in order and not used since, as far as the manifest tells."""
    return known is not None and known.is_clean and known.bytes == size_of(state)


def size_of(state: Path) -> int:
    """Return the bytes of the store's file; 0 where there is none."""
    data = state / FOLDER / DATA_FILE
    return data.stat().st_size if data.exists() else 0
