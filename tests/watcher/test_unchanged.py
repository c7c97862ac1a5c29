"""What a look proved unchanged is not compared again, and what changed since always is."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pspd.core.model import DirectoryId, FailureReason, FileKey, WatchRoot
from pspd.store import batch
from pspd.watcher.scan import Pass
from pspd.watcher.unchanged import Unchanged
from tests.store.records import features, image_id
from tests.watcher.test_scan import Tree, write

FIRST, SECOND = DirectoryId(1), DirectoryId(2)


class Remembering(Tree):
    """A tree whose scans remember what they proved."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.unchanged = Unchanged()
        self.store.on_touched = self.unchanged.forget
        self.compared: list[int] = []
        self.unchanged.expect = self._expect  # type: ignore[method-assign]

    def _expect(self, directory: DirectoryId) -> None:
        self.compared.append(directory)
        Unchanged.expect(self.unchanged, directory)

    def scan(self, root: WatchRoot | None = None) -> list[batch.Operation]:
        self.applied, self.compared = [], []
        return self._sweep(self.unchanged, root or self.root, is_applied=True)

    def scan_afresh(self, root: WatchRoot | None = None) -> list[batch.Operation]:
        """Return what a scan would do that remembers nothing."""
        return self._sweep(Unchanged(), root or self.root, is_applied=False)

    def _sweep(
        self, unchanged: Unchanged, root: WatchRoot, *, is_applied: bool
    ) -> list[batch.Operation]:
        found: list[batch.Operation] = []
        sweep = Pass(self.store, self.hand_on if is_applied else found.extend, unchanged=unchanged)
        for _ in sweep.scan(root):
            pass
        sweep.finish([root])
        return self.applied if is_applied else found

    def key(self, path: str) -> FileKey:
        """Return where the store has a file."""
        with self.store.read() as reader:
            number = self.root.directory
            *folders, name = path.split("/")
            for folder in folders:
                child = reader.child(number, folder)
                assert child is not None
                number = child.directory_id
        return FileKey(number, name)

    def settle(self) -> None:
        """Scan and read until a scan compares nothing."""
        self.scan()
        self.index_all()
        self.scan()
        assert self.scan() == []
        assert self.compared == []


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Remembering]:
    tree = Remembering(tmp_path)
    for name in ("a", "b/c", "b/d", "b/e/f", "g/h"):
        write(tree.top / name)
    tree.settle()
    yield tree
    tree.store.close()


def test_only_the_directory_with_a_change_is_compared(tree: Remembering) -> None:
    write(tree.top / "b/c", "longer")

    assert [type(each) for each in tree.scan()] == [batch.FileSeen]
    assert tree.compared == [tree.key("b/c").directory]


def test_a_file_that_became_racy_is_suspected_although_it_looks_the_same(tree: Remembering) -> None:
    key = tree.key("b/c")
    with tree.store.read() as reader:
        record = reader.file(key)
    assert record is not None
    queued = tree.store.apply([batch.FileSuspect(key, record.stamp)]).queued
    tree.store.apply(
        [batch.FileFailed(key, queued[0][0], record.stamp, True, FailureReason.TRUNCATED, "")]
    )

    assert tree.scan() == [batch.FileSuspect(key, record.stamp)]


def test_a_record_that_somebody_dropped_is_found_again(tree: Remembering) -> None:
    key = tree.key("b/e/f")
    tree.store.apply([batch.FileGone(key)])

    assert [type(each) for each in tree.scan()] == [batch.FileSeen]


def test_a_directory_that_somebody_dropped_is_found_again(tree: Remembering) -> None:
    tree.store.apply([batch.RemoveDirectory(tree.key("b/e/f").directory)])

    assert [type(each) for each in tree.scan()] == [batch.PutDirectory, batch.FileSeen]


def test_after_a_mend_everything_is_compared(tree: Remembering) -> None:
    tree.store.mend([])
    tree.scan()

    assert len(tree.compared) == 4


def test_other_globs_are_other_looks(tree: Remembering) -> None:
    without = replace(tree.root, exclude=("c",))

    assert [type(each) for each in tree.scan(without)] == [batch.FileGone]
    assert [type(each) for each in tree.scan()] == [batch.FileSeen]


def test_globs_on_the_path_are_tried_anew_where_a_directory_above_moved(tree: Remembering) -> None:
    root = replace(tree.root, exclude=("x/e/f",))
    tree.scan(root)
    tree.scan(root)
    (tree.top / "b").rename(tree.top / "x")
    tree.scan(root)

    assert tree.known() == {"a", "x/c", "x/d", "g/h"}


def test_a_directory_that_was_moved_and_moved_back_is_where_it_is(tree: Remembering) -> None:
    (tree.top / "b/e").rename(tree.top / "g/e")
    tree.look(("g", {"e"}))
    assert "g/e/f" in tree.known()
    (tree.top / "g/e").rename(tree.top / "b/e")
    tree.scan()

    assert tree.known() == {"a", "b/c", "b/d", "b/e/f", "g/h"}


def test_what_changes_while_it_is_compared_is_not_settled() -> None:
    unchanged = Unchanged()
    unchanged.expect(FIRST)
    unchanged.expect(SECOND)
    unchanged.forget({FIRST})
    unchanged.settle(FIRST, 11)
    unchanged.settle(SECOND, 22)

    assert unchanged.recall(FIRST, 11) is None
    assert unchanged.recall(SECOND, 22) == ()
    assert unchanged.recall(SECOND, 33) is None


def test_the_directories_in_one_are_remembered_with_it_and_go_with_it() -> None:
    unchanged = Unchanged()
    unchanged.expect(FIRST)
    unchanged.settle(FIRST, 44, [SECOND])
    assert list(unchanged.recall(FIRST, 44) or ()) == [SECOND]
    unchanged.forget({FIRST})
    unchanged.expect(FIRST)
    unchanged.settle(FIRST, 44)

    assert unchanged.recall(FIRST, 44) == ()


def test_beyond_the_most_nothing_more_is_remembered() -> None:
    unchanged = Unchanged(most=1)
    for number in (FIRST, SECOND):
        unchanged.expect(number)
        unchanged.settle(number, 44)

    assert unchanged.recall(FIRST, 44) is not None
    assert unchanged.recall(SECOND, 44) is None


def test_all_is_forgotten_after_its_time() -> None:
    for seconds, is_kept in ((60.0, True), (-1.0, False)):
        unchanged = Unchanged(seconds=seconds)
        unchanged.expect(FIRST)
        unchanged.settle(FIRST, 11)
        assert (unchanged.recall(FIRST, 11) is not None) == is_kept


def test_whatever_happens_a_scan_finds_what_one_without_memory_finds(tree: Remembering) -> None:
    dice = random.Random(1)
    folders = ["", "b", "b/e", "g", "new"]
    for _ in range(200):
        _disturb(tree, dice, [folder for folder in folders if (tree.top / folder).is_dir()])
        wanted = tree.scan_afresh()
        assert list(map(_without_number, tree.scan())) == list(map(_without_number, wanted))
        if dice.random() < 0.5:
            tree.index_all()


def _disturb(tree: Remembering, dice: random.Random, folders: list[str]) -> None:
    """Change files, directories or records at random."""
    folder = tree.top / dice.choice(folders)
    file = folder / dice.choice("cdf")
    other = tree.top / dice.choice(folders) / dice.choice("cdf")
    match dice.randrange(8):
        case 0:
            write(file, "x" * dice.randrange(9))
        case 1 if file.is_file():
            file.unlink()
        case 2 if file.is_file() and not other.is_dir():
            file.rename(other)
        case 3 if file.is_file():
            os.utime(file, ns=(0, dice.randrange(5)))
        case 4:
            target = tree.top / dice.choice(folders) / "e"
            source = tree.top / "b/e"
            if source.is_dir() and not target.exists() and not target.is_relative_to(source):
                source.rename(target)
        case 5:
            (folder / "new").mkdir(exist_ok=True)
        case 6 | 7 if file.is_file():
            _change_record(tree, dice, tree.key(os.path.relpath(file, tree.top)))


def _change_record(tree: Remembering, dice: random.Random, key: FileKey) -> None:
    with tree.store.read() as reader:
        record = reader.file(key)
    if record is None:
        return
    if dice.random() < 0.5:
        tree.store.apply([batch.FileGone(key)])
        return
    applied = tree.store.apply([batch.FileSuspect(key, record.stamp)])
    for number, _ in applied.queued:
        found = features(number)
        tree.store.apply(
            [batch.FileIndexed(key, number, record.stamp, True, image_id(number), found)]
        )


def _without_number(operation: batch.Operation) -> batch.Operation:
    """Two scans give new directories different numbers."""
    if isinstance(operation, batch.PutDirectory):
        directory = replace(operation.directory, directory_id=FIRST, parent=FIRST)
        return batch.PutDirectory(directory)
    if isinstance(operation, batch.FileSeen | batch.FileSuspect):
        return replace(operation, key=FileKey(FIRST, operation.key.name))
    return operation
