"""The child that looks at a store: only what it says of the store counts, not how else it ends."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pspd.errors import StartBrokenOff, StoreError
from pspd.store import backups, preflight
from pspd.store.checking import Checker, Progress
from pspd.store.opening import Options, open_store
from pspd.store.store import Store
from tests.store.records import add_everything, image_id

OPTIONS = Options(1 << 26)

Look = Callable[[Path], preflight.Report]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory whose store has a bit of everything, and was not closed in order."""
    state = tmp_path / "state"
    state.mkdir()
    opened = open_store(state, OPTIONS)
    add_everything(opened.store)
    opened.store.close()
    return state


@pytest.fixture
def end_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have every Python that is started from now on do what a line of shell says."""

    def end(line: str) -> None:
        script = tmp_path / "python"
        script.write_text(f"#!/bin/sh\n{line}\n")
        script.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(script))

    return end


def look_at_all(folder: Path) -> preflight.Report:
    return preflight.examine(folder, seconds=5.0)


LOOKS = pytest.mark.parametrize("look", [look_at_all, preflight.examine_pages])

SILENT = [
    "kill -TERM $$",
    "kill -INT $$",
    "kill -KILL $$",
    "kill -HUP $$",
    "kill -XCPU $$",
    "kill -40 $$",
    "echo MemoryError >&2; exit 1",
    "exit 0",
    f'exec {sys.executable} -S "$@"',  # no package is found, as in the middle of an upgrade
]  # fmt: skip


@LOOKS
@pytest.mark.parametrize("line", SILENT)
def test_an_end_that_says_nothing_of_the_store_is_no_damage(
    state: Path, end_children: Callable[[str], None], look: Look, line: str
) -> None:
    end_children(line)
    report = look(state / "store")
    assert (report.verdict, report.is_complete) == ("unfinished", False)
    assert report.findings


@LOOKS
@pytest.mark.parametrize("name", ["SEGV", "BUS", "ABRT", "ILL", "FPE"])
def test_a_look_that_pages_end_is_damage(
    state: Path, end_children: Callable[[str], None], look: Look, name: str
) -> None:
    end_children(f"kill -{name} $$")
    report = look(state / "store")
    assert report.verdict == "damaged"
    assert name in report.findings[0]


@pytest.mark.parametrize("line", SILENT)
def test_a_store_whose_look_was_broken_off_is_used_and_checked_later(
    state: Path, end_children: Callable[[str], None], line: str
) -> None:
    end_children(line)
    opened = open_store(state, OPTIONS)
    with opened.store.read() as reader:
        assert reader.number_of(image_id(0)) is not None
    assert opened.unchecked == "all"
    assert list(state.glob("store.bad-*")) == []
    opened.close()


def test_a_backup_whose_look_was_broken_off_is_better_than_an_empty_store(
    state: Path, end_children: Callable[[str], None]
) -> None:
    opened = open_store(state, OPTIONS)
    backups.make(opened.store, state / backups.FOLDER, 1e9)
    opened.close()
    (state / "store" / "data.mdb").unlink()
    end_children("kill -KILL $$")
    opened = open_store(state, OPTIONS)
    with opened.store.read() as reader:
        assert reader.number_of(image_id(0)) is not None
    assert opened.unchecked == "all"
    opened.close()


def test_pages_that_nobody_could_look_at_are_not_called_whole(
    state: Path, end_children: Callable[[str], None]
) -> None:
    end_children("kill -TERM $$")
    store = Store(state / "store", map_bytes=1 << 26)
    with pytest.raises(StoreError, match="not looked at"):
        list(Checker(store, Progress()).run())
    store.close()


@contextmanager
def store_locked(state: Path) -> Iterator[None]:
    """Have everybody wait who opens the store, at LMDB's own lock."""
    with open(state / "store" / "lock.mdb", "r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield


def test_a_start_that_is_asked_to_stop_ends_and_changes_nothing(state: Path) -> None:
    before = sorted(path.name for path in state.iterdir())
    with store_locked(state), pytest.raises(StartBrokenOff):
        open_store(state, OPTIONS, is_stopping=lambda: True)
    assert sorted(path.name for path in state.iterdir()) == before
    open_store(state, OPTIONS).close()


def test_the_child_ends_with_its_daemon(state: Path) -> None:
    command = [sys.executable, "-m", "pspd.store.preflight", os.fspath(state / "store"), "60"]
    with store_locked(state):
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(30) == preflight.ORPHANED
    assert child.stdout is not None
    child.stdout.close()


def test_the_child_is_in_no_group_that_a_terminal_or_a_shell_ends(
    state: Path, tmp_path: Path, end_children: Callable[[str], None]
) -> None:
    end_children(f"ps -o pgid= -p $$ > {tmp_path}/group; echo $$ > {tmp_path}/pid; exit 1")
    look_at_all(state / "store")
    group = int((tmp_path / "group").read_text())
    assert group == int((tmp_path / "pid").read_text()) != os.getpgrp()
