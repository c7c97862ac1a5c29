"""Scenario of G7: drives come and go, as a root and inside one.

python -m tests.reliability.drives FOLDER CYCLES
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.reliability.namespace import mount, unmount
from tests.waiting import until
from tests.watcher.bench import Bench, watching
from tests.watcher.test_scan import write


class Drives:
    """Three drives: one, another with other pictures, and an empty one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("one", "other", "empty"):
            (folder / name).mkdir(parents=True)
            mount("-t", "tmpfs", "none", folder / name)
        for number in range(60):
            write(folder / "one" / f"{number % 7}" / f"{number}", f"one {number}")
            write(folder / "other" / f"{number % 5}" / f"{number}", f"other {number}")

    def plug(self, name: str, place: Path) -> None:
        mount("--bind", self.folder / name, place)


class Tally:
    """What went wrong over all cycles."""

    def __init__(self) -> None:
        self.deleted = 0
        self.unsettled = 0
        self.untold = 0
        self.decoded = 0


def cycle(bench: Bench, drives: Drives, place: Path, kind: str, tally: Tally) -> None:
    """Unplug the drive, perhaps plug another one in between, and plug it in again."""
    before = bench.stamps()
    unmount(place)
    tally.untold += until(lambda: bool(bench.notices("roots confirm"))) is None
    bench.sync()
    tally.deleted += len(before.keys() - bench.stamps().keys())
    if kind != "one":
        drives.plug(kind, place)
        if kind == "other":
            tally.unsettled += bench.settles() is None
            bench.index_all()
        else:
            bench.sync()
            tally.deleted += len(before.keys() - bench.stamps().keys())
        unmount(place)
    drives.plug("one", place)
    tally.unsettled += bench.settles() is None
    tally.untold += until(lambda: not bench.notices("roots confirm")) is None
    extracted = bench.extracted
    bench.index_all()
    tally.decoded += bench.extracted - extracted


def run(folder: Path, cycles: int) -> Tally:
    drives = Drives(folder / "drives")
    tally = Tally()
    for where in ("inside", "root"):
        with watching(folder / where) as bench:
            place = bench.top
            if where == "inside":
                write(bench.top / "own" / "file")
                place = bench.top / "usb"
                place.mkdir()
            # Both drives are seen once, so that all later reading is of known pictures.
            for name in ("other", "one"):
                drives.plug(name, place)
                bench.settles()
                bench.index_all()
                if name == "other":
                    unmount(place)
            for number in range(cycles // 2):
                cycle(bench, drives, place, ("one", "other", "empty")[number % 3], tally)
            if where == "root":
                unmount(place)
    return tally


if __name__ == "__main__":
    sys.stdout.write(json.dumps(vars(run(Path(sys.argv[1]), int(sys.argv[2])))))
