"""What every notifier owes the watcher: a hint that leads to each change, sooner or later.

A hint may name the path itself or a directory above it; `None` stands for everything. A notifier
that is led through trees names directories by the numbers that it was given.
"""

from __future__ import annotations

import os
import queue
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pspd.core.model import DirectoryId
from pspd.watcher.notify import AnyHint, DirectoryHint, Hint, Notifier

PATIENCE = 10.0


class Hints:
    """Collects hints as paths, and leads the notifier through trees as the watcher does."""

    def __init__(self, notifier: Notifier) -> None:
        self.notifier = notifier
        self.numbers: dict[DirectoryId, Path] = {}
        self._received: queue.Queue[AnyHint] = queue.Queue()
        self._paths: list[str | None] = []
        notifier.start(self._received.put)

    def watch(self, folder: Path) -> None:
        """Watch a tree as a root."""
        self.notifier.watch(str(folder))
        self.lead(folder)

    def lead(self, folder: Path) -> None:
        """Lead the notifier into a directory and those below it."""
        for where, _, _ in os.walk(folder):
            number = DirectoryId(len(self.numbers) + 1)
            self.numbers[number] = Path(where)
            descriptor = os.open(where, os.O_RDONLY)
            try:
                self.notifier.enter(descriptor, number)
            finally:
                os.close(descriptor)

    def leave(self, folder: Path) -> None:
        """Watch a tree no longer."""
        self.notifier.unwatch(str(folder))
        self.notifier.leave(
            number for number, path in self.numbers.items() if path.is_relative_to(folder)
        )

    def get(self) -> str | None:
        """Return the next path that is hinted at; None for everything."""
        while not self._paths:
            hint = self._received.get(timeout=PATIENCE)
            if isinstance(hint, Hint):
                self._paths.append(hint.path)
            elif isinstance(hint, DirectoryHint):
                where = self.numbers[hint.directory]
                names = [""] if hint.names is None else sorted(hint.names)
                self._paths += [os.fspath(where / name) for name in names]
        return self._paths.pop(0)

    def clear(self) -> None:
        """Forget what was hinted at so far."""
        while not self.is_empty():
            self._received.get()

    def is_empty(self) -> bool:
        """Say whether nothing was hinted at since the last path."""
        return self._received.empty()


class NotifierContract:
    """Inherit, and give a fixture `notifier` that is not started yet."""

    @pytest.fixture
    def hints(self, notifier: Notifier) -> Iterator[Hints]:
        """Start the notifier and collect its hints."""
        yield Hints(notifier)
        notifier.close()

    @pytest.fixture
    def root(self, tmp_path: Path, hints: Hints) -> Path:
        """A watched folder."""
        folder = tmp_path / "root"
        folder.mkdir()
        (folder / "old").mkdir()
        (folder / "old" / "file").write_text("old")
        hints.watch(folder)
        return folder

    def leads_to(self, hints: Hints, path: Path) -> bool:
        """Wait for a hint that makes the watcher look at `path`."""
        while True:
            hinted = hints.get()
            if hinted is None or path.is_relative_to(hinted):
                return True

    def test_a_new_file_is_hinted_at(self, root: Path, hints: Hints) -> None:
        (root / "new").write_text("x")

        assert self.leads_to(hints, root / "new")

    def test_a_change_in_a_subdirectory_is_hinted_at(self, root: Path, hints: Hints) -> None:
        (root / "old" / "file").write_text("a longer text than before")

        assert self.leads_to(hints, root / "old" / "file")

    def test_a_removal_is_hinted_at(self, root: Path, hints: Hints) -> None:
        (root / "old" / "file").unlink()

        assert self.leads_to(hints, root / "old" / "file")

    def test_both_ends_of_a_move_are_hinted_at(self, root: Path, hints: Hints) -> None:
        (root / "old" / "file").rename(root / "moved")

        assert self.leads_to(hints, root / "old" / "file")
        (root / "again").write_text("x")
        assert self.leads_to(hints, root / "again")

    def test_a_directory_that_is_moved_in_is_hinted_at(
        self, root: Path, hints: Hints, tmp_path: Path
    ) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "file").write_text("x")
        outside.rename(root / "inside")

        assert self.leads_to(hints, root / "inside")

    def test_names_that_are_no_text_are_hinted_at(self, root: Path, hints: Hints) -> None:
        name = os.fsdecode(b"\xff\n")
        (root / name).write_text("x")

        assert self.leads_to(hints, root / name)

    def test_what_is_no_longer_watched_is_not_hinted_at(
        self, root: Path, hints: Hints, tmp_path: Path
    ) -> None:
        hints.leave(root)
        other = tmp_path / "other"
        other.mkdir()
        hints.watch(other)
        hints.clear()
        (root / "unseen").write_text("x")
        (other / "seen").write_text("x")

        hinted = hints.get()
        assert hinted is not None
        assert hinted.startswith(str(other))

    def test_a_directory_is_watched_that_appeared_later(self, root: Path, hints: Hints) -> None:
        (root / "later" / "deeper").mkdir(parents=True)
        assert self.leads_to(hints, root / "later")
        hints.lead(root / "later")
        hints.clear()
        (root / "later" / "deeper" / "file").write_text("x")

        assert self.leads_to(hints, root / "later" / "deeper" / "file")

    def test_a_directory_that_moved_is_hinted_at_where_it_is(
        self, root: Path, hints: Hints
    ) -> None:
        (root / "old").rename(root / "renamed")
        assert self.leads_to(hints, root / "renamed")
        hints.lead(root / "renamed")
        hints.clear()
        (root / "renamed" / "file").write_text("a longer text than before")

        assert self.leads_to(hints, root / "renamed" / "file")

    def test_the_end_of_a_directory_is_survived(
        self, root: Path, hints: Hints, tmp_path: Path, notifier: Notifier
    ) -> None:
        (root / "old").rename(tmp_path / "outside")
        (root / "old").mkdir()
        (root / "old").rmdir()
        shutil.rmtree(tmp_path / "outside")
        (root / "after").write_text("x")

        assert self.leads_to(hints, root / "after")
        assert notifier.is_alive()

    def test_unwatching_what_is_not_watched_is_no_error(
        self, notifier: Notifier, hints: Hints
    ) -> None:
        notifier.unwatch("/nowhere")

        assert hints.is_empty()

    def test_it_is_alive_while_it_runs(self, notifier: Notifier, root: Path) -> None:
        assert notifier.is_alive()
        assert root.exists()
