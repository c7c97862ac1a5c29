"""Begins to look at the store, by what is known beside it: before the daemon has all its imports.

    claim ──begin──▶ child: what is needed first ──▶ all the rest, beside the running daemon
      └─ imports ──▶ open_store ──waits──┘

A store that was closed in order, and is the one that the manifest tells of, proves little by its
values: each has a checksum, which who reads it looks at. What cannot be caught is a page that ends
the process. So the child reads the pages that the daemon needs for its first answer, and what adds
up between the databases, before the daemon opens the store; the other pages while it runs.

So it is where the daemon was killed while the machine went on: LMDB leaves its pages in order
whenever a process ends, and nothing else has touched the file. Once only: if the daemon does not
end in order a second time, it may have met something that ends it, and all is looked at first. So
are small stores, which takes no time, and those of which less is known. (A disk that was taken away
and came back while the machine went on is not told from that; what reached it, LMDB had synced.)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pspd.store import file_system, manifest
from pspd.store.engine import DATA_FILE
from pspd.store.preflight import Look

if TYPE_CHECKING:
    from pspd.store.manifest import Manifest

_BOOT = Path("/proc/sys/kernel/random/boot_id")
"""Of Linux; drawn anew at each boot."""

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
        if known is not None and was_killed(state, known) and size_of(state) > SMALL_BYTES:
            since = ("--needed-first", str(known.transaction), "--or-later")
            return Look(state / FOLDER, FULL_SECONDS, "--mend", *since)
        return Look(state / FOLDER, FULL_SECONDS, "--mend")
    assert known is not None
    if size_of(state) <= SMALL_BYTES:
        return Look(state / FOLDER, QUICK_SECONDS, "--mend")
    moment = ("--needed-first", str(known.transaction))
    return Look(state / FOLDER, FULL_SECONDS, "--mend", *moment)


def is_clean(state: Path, known: Manifest | None) -> bool:
    """Say whether a store was closed in order and not used since, as far as the manifest tells."""
    return known is not None and known.is_clean and known.bytes == size_of(state)


def was_killed(state: Path, known: Manifest) -> bool:
    """Say whether it was a process alone that ended while it had a store open, as far as known."""
    is_open = not known.is_clean and known.unchecked != "all"
    return is_open and bool(known.opened_in) and known.opened_in == opened_in(state)


def opened_in(state: Path) -> str:
    """Name the boot of the machine and the file of a store; empty where there is no such name."""
    try:
        boot = _BOOT.read_text(encoding="ascii").strip()
        data = (state / FOLDER / DATA_FILE).stat()
    except (OSError, ValueError):
        return ""
    return f"{boot} {data.st_dev} {data.st_ino}" if boot else ""


def size_of(state: Path) -> int:
    """Return the bytes of the store's file; 0 where there is none."""
    data = state / FOLDER / DATA_FILE
    return data.stat().st_size if data.exists() else 0
