"""What every notifier owes the watcher: a hint that leads to each change, sooner or later.

A hint may name the path itself or a directory above it; `None` stands for everything.
"""

from __future__ import annotations

import os
import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from pspd.watcher.notify import Hint, Notifier

PATIENCE = 10.0


class NotifierContract:
    """Inherit, and give a fixture `notifier` that is not started yet."""

    @pytest.fixture
    def hints(self, notifier: Notifier) -> Iterator[queue.Queue[Hint]]:
        """Start the notifier and collect its hints."""
        received: queue.Queue[Hint] = queue.Queue()
        notifier.start(received.put)
        yield received
        notifier.close()

    @pytest.fixture
    def root(self, tmp_path: Path, notifier: Notifier, hints: queue.Queue[Hint]) -> Path:  # noqa: ARG002 - started by it
        """A watched folder."""
        folder = tmp_path / "root"
        folder.mkdir()
        (folder / "old").mkdir()
        (folder / "old" / "file").write_text("old")
        notifier.watch(str(folder))
        return folder

    def leads_to(self, hints: queue.Queue[Hint], path: Path) -> bool:
        """Wait for a hint that makes the watcher look at `path`."""
        while True:
            hint = hints.get(timeout=PATIENCE)
            if hint.path is None or os.path.commonpath([hint.path, path]) == hint.path:
                return True

    def test_a_new_file_is_hinted_at(self, root: Path, hints: queue.Queue[Hint]) -> None:
        (root / "new").write_text("x")

        assert self.leads_to(hints, root / "new")

    def test_a_change_in_a_subdirectory_is_hinted_at(
        self, root: Path, hints: queue.Queue[Hint]
    ) -> None:
        (root / "old" / "file").write_text("a longer text than before")

        assert self.leads_to(hints, root / "old" / "file")

    def test_a_removal_is_hinted_at(self, root: Path, hints: queue.Queue[Hint]) -> None:
        (root / "old" / "file").unlink()

        assert self.leads_to(hints, root / "old" / "file")

    def test_both_ends_of_a_move_are_hinted_at(self, root: Path, hints: queue.Queue[Hint]) -> None:
        (root / "old" / "file").rename(root / "moved")

        assert self.leads_to(hints, root / "old" / "file")
        (root / "again").write_text("x")
        assert self.leads_to(hints, root / "again")

    def test_a_directory_that_is_moved_in_is_hinted_at(
        self, root: Path, hints: queue.Queue[Hint], tmp_path: Path
    ) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "file").write_text("x")
        outside.rename(root / "inside")

        assert self.leads_to(hints, root / "inside")

    def test_names_that_are_no_text_are_hinted_at(
        self, root: Path, hints: queue.Queue[Hint]
    ) -> None:
        name = os.fsdecode(b"\xff\n")
        (root / name).write_text("x")

        assert self.leads_to(hints, root / name)

    def test_what_is_no_longer_watched_is_not_hinted_at(
        self, root: Path, hints: queue.Queue[Hint], notifier: Notifier, tmp_path: Path
    ) -> None:
        notifier.unwatch(str(root))
        other = tmp_path / "other"
        other.mkdir()
        notifier.watch(str(other))
        while not hints.empty():
            hints.get()
        (root / "unseen").write_text("x")
        (other / "seen").write_text("x")

        hint = hints.get(timeout=PATIENCE)
        assert hint.path is not None
        assert hint.path.startswith(str(other))

    def test_unwatching_what_is_not_watched_is_no_error(
        self, notifier: Notifier, hints: queue.Queue[Hint]
    ) -> None:
        notifier.unwatch("/nowhere")

        assert hints.empty()

    def test_it_is_alive_while_it_runs(self, notifier: Notifier, root: Path) -> None:
        assert notifier.is_alive()
        assert root.exists()
