"""Copies of the store: made compact, verified in a child, and only the newest kept."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from pspd.errors import StoreError
from pspd.rpc.wire import quoted
from pspd.store import manifest, preflight
from pspd.store.engine import DATA_FILE
from pspd.store.store import Store

FOLDER = "backups"
_PREFIX = "store-"
_PASSING = ".passing"

VERIFY_SECONDS = 600.0


def find(state: Path) -> list[Path]:
    """Return the backups in a state directory, the newest first."""
    folder = state / FOLDER
    if not folder.is_dir():
        return []
    found = [
        each
        for each in folder.iterdir()
        if each.name.startswith(_PREFIX) and each.suffix != _PASSING
    ]
    return sorted((each for each in found if (each / DATA_FILE).exists()), reverse=True)


def age_of_newest(state: Path, now: float) -> float | None:
    """Return how old the newest backup is, in seconds; None where there is none."""
    found = find(state)
    return now - (found[0] / DATA_FILE).stat().st_mtime if found else None


def make(store: Store, folder: Path, now: float, beside: Iterable[Path] = ()) -> Path:
    """Write a backup into `folder`, see that it is sound, and return where it lies.

    Args:
        store: What is copied.
        folder: Made if need be.
        now: Wall clock, seconds since the epoch; the backup is named after it.
        beside: Small files that go along, those that are there.

    Raises:
        StoreError: It cannot be written, or what was written is not sound; nothing is left of it.
    """
    name = _PREFIX + time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    passing, place = folder / f"{name}{_PASSING}", folder / name
    if place.exists():
        raise StoreError(f"there is a backup {quoted(os.fspath(place))} already; ask for it again")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        passing.mkdir(mode=0o700)
        store.copy(passing)
        for file in beside:
            if file.exists():
                shutil.copy(file, passing)
        _verify(passing)
        passing.rename(place)
        manifest.sync_folder(folder)
    except OSError as error:
        shutil.rmtree(passing, ignore_errors=True)
        where = quoted(os.fspath(folder))
        raise StoreError(f"no backup can be written in {where}: {error.strerror}") from error
    except StoreError:
        shutil.rmtree(passing, ignore_errors=True)
        raise
    return place


def thin_out(state: Path, keep: int) -> None:
    """Remove all but the newest backups, and what an interrupted one left."""
    for old in find(state)[keep:]:
        shutil.rmtree(old, ignore_errors=True)


def clean_up(state: Path) -> None:
    """Remove what interrupted backups left."""
    for each in (state / FOLDER).glob(f"{_PREFIX}*{_PASSING}"):
        shutil.rmtree(each, ignore_errors=True)


def _verify(folder: Path) -> None:
    report = preflight.examine(folder, seconds=VERIFY_SECONDS, mends=False)
    if report.verdict == "unfinished":
        raise StoreError(
            f"the backup could not be verified: {report.findings[0]}; ask for it again"
        )
    if report.verdict != "sound":
        raise StoreError(f"the backup is not sound: {'; '.join(report.findings[:3])}")
