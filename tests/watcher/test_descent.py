"""A descent opens what its names lead to, keeps little open, and does not begin at the root."""

from __future__ import annotations

import os
import random
from contextlib import closing
from pathlib import Path

import pytest

from pspd.watcher.descent import MOST_KEPT, SHALLOW, Descent
from pspd.watcher.descriptors import opened_directory

LEVELS = SHALLOW + 2 * MOST_KEPT


def chain(top: Path, levels: int) -> list[tuple[str, ...]]:
    """Nest directories, each with a leaf beside the next; returns all ways in order of a scan."""
    ways: list[tuple[str, ...]] = [()]
    names: tuple[str, ...] = ()
    for _ in range(levels):
        with opened_directory(os.fspath(top), names) as descriptor:
            os.mkdir("d", dir_fd=descriptor)
            os.mkdir("leaf", dir_fd=descriptor)
        ways.insert(len(names) + 1, (*names, "leaf"))
        names = (*names, "d")
        ways.insert(len(names), names)
    return ways


def inode_at(top: Path, names: tuple[str, ...]) -> int:
    with opened_directory(os.fspath(top), names) as descriptor:
        return os.fstat(descriptor).st_ino


def descriptors() -> int:
    return len(os.listdir("/dev/fd"))


@pytest.mark.parametrize("is_in_order", [True, False])
def test_it_opens_what_the_names_lead_to(tmp_path: Path, *, is_in_order: bool) -> None:
    ways = chain(tmp_path, LEVELS)
    with closing(Descent(os.fspath(tmp_path))) as descent:
        if not is_in_order:
            random.Random(1).shuffle(ways)
        before, most = descriptors(), 0
        for names in ways:
            with descent.opened(names) as descriptor:
                assert os.fstat(descriptor).st_ino == inode_at(tmp_path, names)
            most = max(most, descriptors() - before)
        assert 0 < most <= MOST_KEPT
        descent.close()
        assert descriptors() == before


def test_it_goes_on_from_the_directory_above(tmp_path: Path) -> None:
    ways = chain(tmp_path, SHALLOW + 2)
    with closing(Descent(os.fspath(tmp_path))) as descent:
        deepest = max(ways, key=len)
        expected = inode_at(tmp_path, deepest)
        with descent.opened(deepest[:-1]):
            pass
        # Whoever began at the root would no longer get there.
        (tmp_path / "d").rename(tmp_path / "moved")
        with descent.opened(deepest) as descriptor:
            assert os.fstat(descriptor).st_ino == expected


def test_nothing_is_kept_open_near_the_root(tmp_path: Path) -> None:
    ways = chain(tmp_path, SHALLOW - 1)
    with closing(Descent(os.fspath(tmp_path))) as descent:
        before = descriptors()
        for names in ways:
            with descent.opened(names):
                pass
            assert descriptors() == before


def test_what_is_missing_is_told_and_the_descent_goes_on(tmp_path: Path) -> None:
    ways = chain(tmp_path, SHALLOW + 2)
    with closing(Descent(os.fspath(tmp_path))) as descent:
        deepest = max(ways, key=len)
        with pytest.raises(FileNotFoundError), descent.opened((*deepest, "absent")):
            pass
        (tmp_path / "link").symlink_to(tmp_path / "d")
        with pytest.raises(NotADirectoryError), descent.opened(("link",)):
            pass
        with descent.opened(deepest) as descriptor:
            assert os.fstat(descriptor).st_ino == inode_at(tmp_path, deepest)
