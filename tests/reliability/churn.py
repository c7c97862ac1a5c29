"""Random operations on a tree: whatever programs do to folders and files, in any order.

But for hard links: what is written under one name is told of no other; a scan finds it.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

MOST_DEPTH = 6


class Churn:
    """Does operations below a folder, some of them by way of a folder outside.

    Args:
        top: The folder.
        outside: Where things are moved to and come back from; on the same file system.
        seed: Of all choices.
    """

    def __init__(self, top: Path, outside: Path, seed: int) -> None:
        self.top = os.fspath(top)
        self.outside = os.fspath(outside)
        self.random = random.Random(seed)
        self.directories = [self.top]
        self.count = 0
        self._weighed: list[tuple[Callable[[], None], int]] = [
            (self._write, 30),
            (self._rewrite_in_place, 10),
            (self._replace, 10),
            (self._remove_file, 12),
            (self._make_directory, 10),
            (self._move, 12),
            (self._move_out, 3),
            (self._move_in, 4),
            (self._remove_tree, 2),
            (self._exchange, 3),
            (self._build_and_rename, 4),
            (self._touch, 2),
        ]

    def run(self, operations: int) -> None:
        """Do some operations; those that cannot be done are none."""
        actions, weights = zip(*self._weighed, strict=True)
        for action in self.random.choices(actions, weights, k=operations):
            with suppress(OSError):
                action()
            self.count += 1
            if self.count % 50 == 0:
                self._survey()

    def probe(self) -> list[str]:
        """Write a file into every directory; returns the paths."""
        self._survey(most=10**9)
        probes = []
        for directory in self.directories:
            probes.append(os.path.join(directory, f"probe{self.count}"))
            with open(probes[-1], "w", encoding="ascii"):
                pass
        return probes

    def _survey(self, most: int = 300) -> None:
        self.directories = [where for where, _, _ in os.walk(self.top)][:most]

    def _directory(self) -> str:
        return self.random.choice(self.directories)

    def _name(self, kind: str) -> str:
        # Few names, so that they are used again and again for other things.
        return f"{kind}{self.random.randrange(12)}"

    def _file(self) -> str:
        return os.path.join(self._directory(), self._name("f"))

    def _write(self) -> None:
        with open(self._file(), "w", encoding="ascii") as file:
            file.write(str(self.count))

    def _rewrite_in_place(self) -> None:
        path = self._file()
        status = os.stat(path)
        with open(path, "r+", encoding="ascii") as file:
            file.write("x")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def _replace(self) -> None:
        path = self._file()
        with open(f"{path}~", "w", encoding="ascii") as file:
            file.write(str(self.count))
        os.replace(f"{path}~", path)

    def _remove_file(self) -> None:
        os.unlink(self._file())

    def _make_directory(self) -> None:
        where = self._directory()
        if where.count("/") - self.top.count("/") < MOST_DEPTH:
            os.mkdir(os.path.join(where, self._name("d")))

    def _move(self) -> None:
        kind = self.random.choice("fd")
        os.rename(
            os.path.join(self._directory(), self._name(kind)),
            os.path.join(self._directory(), self._name(kind)),
        )

    def _move_out(self) -> None:
        name = self._name(self.random.choice("fd"))
        os.rename(os.path.join(self._directory(), name), os.path.join(self.outside, name))

    def _move_in(self) -> None:
        name = self._name(self.random.choice("fd"))
        os.rename(os.path.join(self.outside, name), os.path.join(self._directory(), name))

    def _remove_tree(self) -> None:
        where = self._directory()
        if where != self.top:
            shutil.rmtree(where)

    def _exchange(self) -> None:
        where, one, other = self._directory(), self._name("d"), self._name("d")
        os.rename(os.path.join(where, one), os.path.join(where, "between"))
        with suppress(OSError):
            os.rename(os.path.join(where, other), os.path.join(where, one))
        os.rename(os.path.join(where, "between"), os.path.join(where, other))

    def _build_and_rename(self) -> None:
        where = os.path.join(self._directory(), self._name("tmp"))
        os.makedirs(os.path.join(where, "s"))
        for below in ("f1", "s/f2"):
            with open(os.path.join(where, below), "w", encoding="ascii"):
                pass
        os.rename(where, os.path.join(self._directory(), self._name("d")))

    def _touch(self) -> None:
        os.utime(self._file())
