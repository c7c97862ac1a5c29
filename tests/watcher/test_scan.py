"""Passes over real directories and a real store."""

from __future__ import annotations

import errno
import os
import random
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pspd.core.model import Directory, DirectoryId, FileKey, FileState, WatchRoot
from pspd.store import batch
from pspd.store.store import Store
from pspd.watcher.descriptors import has_writer, open_directory, open_file
from pspd.watcher.finds import FLUSH_CHANGES
from pspd.watcher.scan import Pass
from tests.store.records import features, image_id


class Tree:
    """A folder, a store that knows it, and passes between the two."""

    def __init__(self, folder: Path) -> None:
        self.top = folder / "root"
        self.top.mkdir()
        self.store = Store(folder / "store")
        self.root = self.new_root(self.top)
        """The one that is scanned."""
        self.applied: list[batch.Operation] = []

    def new_root(self, top: Path) -> WatchRoot:
        """Have a folder watched as well."""
        status = top.stat()
        root = WatchRoot(
            self.store.new_root_id(), str(top), directory=self.store.new_directory_id()
        )
        directory = Directory(
            root.directory, root.root_id, DirectoryId(0), "", status.st_dev, status.st_ino
        )
        self.store.apply([batch.PutDirectory(directory), batch.PutRoot(root)])
        return root

    def hand_on(self, operations: Sequence[batch.Operation]) -> None:
        self.applied += operations
        self.store.apply(operations)

    def scan(self) -> list[batch.Operation]:
        """Scan the root; returns the operations that it took."""
        self.applied = []
        sweep = Pass(self.store, self.hand_on)
        for _ in sweep.scan(self.root):
            pass
        sweep.finish([self.root])
        return self.applied

    def look(self, *places: tuple[str, set[str] | None]) -> list[batch.Operation]:
        """Look at names in directories, as after hints."""
        self.applied = []
        sweep = Pass(self.store, self.hand_on)
        for below, only in places:
            names = tuple(below.split("/")) if below else ()
            for _ in sweep.look(self.root, names, only):
                pass
        sweep.finish([self.root])
        return self.applied

    def known(self) -> set[str]:
        """Return the paths, below the root, of all files that the store knows."""
        found, stack = set(), [self.root.directory]
        with self.store.read() as reader:
            while stack:
                number = stack.pop()
                stack += [child.directory_id for child in reader.children(number)]
                for key in reader.files_in(number):
                    path = reader.file_path(key)
                    assert path is not None
                    found.add(os.path.relpath(path, self.top))
        return found

    def real(self) -> set[str]:
        """Return the paths of all files that are there."""
        return {
            os.path.relpath(os.path.join(where, name), self.top)
            for where, _, names in os.walk(self.top)
            for name in names
        }

    def index_all(self) -> None:
        """Serve the whole queue with a content of its own for each file."""
        with self.store.read() as reader:
            queued = reader.queued(0, 10_000)
            records = {key: reader.file(key) for _, key in queued}
        for sequence, key in queued:
            record = records[key]
            assert record is not None
            self.store.apply(
                [
                    batch.FileIndexed(
                        key, sequence, record.stamp, False, image_id(sequence), features(sequence)
                    )
                ]
            )


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    tree = Tree(tmp_path)
    yield tree
    tree.store.close()


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_first_scan_finds_every_file_at_any_depth(tree: Tree) -> None:
    for name in ("a", "b/c", "b/d/e", "f/g/h/i"):
        write(tree.top / name)
    tree.scan()

    assert tree.known() == {"a", "b/c", "b/d/e", "f/g/h/i"}


def test_a_folder_of_thousands_is_handed_on_bit_by_bit_and_makes_way_meanwhile(tree: Tree) -> None:
    (tree.top / "many").mkdir()
    for number in range(2 * FLUSH_CHANGES + 1):
        (tree.top / "many" / str(number)).touch()
    batches: list[list[batch.Operation]] = []

    def hand_on(operations: Sequence[batch.Operation]) -> None:
        batches.append(list(operations))
        tree.store.apply(operations)

    sweep = Pass(tree.store, hand_on)
    handed_on = []
    for _ in sweep.scan(tree.root):
        sweep.make_way()
        handed_on.append(sum(map(len, batches)))
    sweep.finish([tree.root])

    assert max(map(len, batches)) <= FLUSH_CHANGES
    assert len(set(handed_on)) > 3
    assert len(tree.known()) == 2 * FLUSH_CHANGES + 1


def test_a_second_scan_of_unchanged_files_changes_nothing(tree: Tree) -> None:
    write(tree.top / "b/c")
    tree.scan()
    tree.index_all()

    assert tree.scan() == []


def test_a_scan_finds_what_was_added_changed_moved_and_removed(tree: Tree) -> None:
    for name in ("changed", "moved", "removed", "kept"):
        write(tree.top / name)
    tree.scan()
    tree.index_all()
    write(tree.top / "changed", "longer")
    (tree.top / "moved").rename(tree.top / "there")
    (tree.top / "removed").unlink()
    write(tree.top / "added")
    kinds = sorted(type(operation).__name__ for operation in tree.scan())

    assert kinds == ["FileGone", "FileMoved", "FileSeen", "FileSeen"]
    assert tree.known() == {"changed", "there", "kept", "added"}


def test_a_renamed_directory_keeps_its_records_with_one_write(tree: Tree) -> None:
    for number in range(5):
        write(tree.top / "old" / "deep" / str(number))
    tree.scan()
    tree.index_all()
    (tree.top / "old").rename(tree.top / "new")
    operations = tree.scan()

    assert [type(operation) for operation in operations] == [batch.PutDirectory]
    assert tree.known() == {f"new/deep/{number}" for number in range(5)}


def test_a_directory_moved_by_hints_keeps_its_records_in_either_order(tree: Tree) -> None:
    for number in range(5):
        write(tree.top / "old" / "deep" / str(number))
    (tree.top / "to").mkdir()
    tree.scan()
    tree.index_all()
    (tree.top / "old").rename(tree.top / "to" / "new")
    tree.look(("", {"old"}), ("to", {"new"}), ("to/new/deep", {"0"}))
    assert tree.known() == {f"to/new/deep/{number}" for number in range(5)}

    (tree.top / "to" / "new").rename(tree.top / "back")
    tree.look(("", {"back"}), ("to", {"new"}))
    assert tree.known() == {f"back/deep/{number}" for number in range(5)}
    with tree.store.read() as reader:
        assert reader.queued(0, 1) == []


def test_two_directories_that_change_places_are_told_apart(tree: Tree) -> None:
    write(tree.top / "a" / "one")
    write(tree.top / "b" / "two")
    tree.scan()
    (tree.top / "a").rename(tree.top / "c")
    (tree.top / "b").rename(tree.top / "a")
    (tree.top / "c").rename(tree.top / "b")
    tree.look(("", {"a", "b"}))

    assert tree.known() == {"b/one", "a/two"}


def test_a_hint_below_an_unknown_directory_leads_to_all_of_it(tree: Tree) -> None:
    write(tree.top / "new" / "deep" / "a")
    write(tree.top / "new" / "b")
    tree.look(("new/deep", {"a"}))

    assert tree.known() == {"new/deep/a", "new/b"}


def test_a_hint_below_a_directory_that_is_gone_drops_it(tree: Tree) -> None:
    write(tree.top / "old" / "deep" / "a")
    tree.scan()
    shutil.rmtree(tree.top / "old")
    tree.look(("old/deep", {"a"}))

    assert tree.known() == set()


def test_a_file_that_became_a_directory_and_back_is_followed(tree: Tree) -> None:
    write(tree.top / "x")
    tree.scan()
    (tree.top / "x").unlink()
    write(tree.top / "x" / "y")
    tree.look(("", {"x"}))
    assert tree.known() == {"x/y"}

    shutil.rmtree(tree.top / "x")
    write(tree.top / "x")
    tree.look(("", {"x"}))
    assert tree.known() == {"x"}


def test_a_directory_that_cannot_be_listed_keeps_its_records(tree: Tree) -> None:
    if os.getuid() == 0:
        pytest.skip("root can list everything")
    write(tree.top / "secret" / "a")
    tree.scan()
    (tree.top / "secret").chmod(0)
    try:
        tree.scan()
    finally:
        (tree.top / "secret").chmod(0o700)

    assert tree.known() == {"secret/a"}


def test_symbolic_links_are_not_followed_not_even_in_the_middle_of_a_path(tree: Tree) -> None:
    secret = write(tree.top.parent / "outside" / "a")
    (tree.top / "link").symlink_to(secret.parent)
    (tree.top / "file").symlink_to(secret)
    tree.scan()

    assert tree.known() == set()
    with pytest.raises(OSError, match=r"\[Errno"):
        open_file(str(tree.top), ("link",), "a")
    with pytest.raises(OSError, match=r"\[Errno"):
        open_directory(str(tree.top), ("link",))


def test_what_is_no_plain_file_is_not_even_opened(tmp_path: Path) -> None:
    """Opening has effects of its own: a FIFO lets its writer in, a tape winds back."""
    os.mkfifo(tmp_path / "fifo.jpg")
    os.mknod(tmp_path / "socket.jpg", stat.S_IFSOCK | 0o600)
    (tmp_path / "directory.jpg").mkdir()
    for name in ("fifo.jpg", "socket.jpg", "directory.jpg"):
        with pytest.raises(OSError, match=os.strerror(errno.ENXIO)):
            open_file(str(tmp_path), (), name)


def test_a_path_of_six_kilobytes_is_scanned(tree: Tree) -> None:
    descriptor = open_directory(str(tree.top), ())
    for _ in range(30):
        os.mkdir("d" * 200, dir_fd=descriptor)
        child = os.open("d" * 200, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = child
    os.close(os.open("deep.png", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    os.close(descriptor)
    tree.scan()
    names = ("d" * 200,) * 30

    [known] = tree.known()
    assert known == "/".join([*names, "deep.png"])
    os.close(open_file(str(tree.top), names, "deep.png"))


def test_files_that_are_gone_together_are_looked_for_together(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    open_anything = os.open

    def noted(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        opened.append(path)
        return open_anything(path, flags, mode, dir_fd=dir_fd)

    deep = tree.top.joinpath(*["d"] * 30)
    numbers = []
    for count in (1, 200):
        paths = [write(deep / str(number)) for number in range(count)]
        tree.scan()
        for path in paths:
            path.unlink()
        with monkeypatch.context() as patched:
            patched.setattr(os, "open", noted)
            tree.scan()
        assert tree.known() == set()
        numbers.append(len(opened))
        opened.clear()

    assert numbers[0] == numbers[1] > 30


@pytest.mark.parametrize("is_scan", [True, False])
def test_what_cannot_be_looked_at_once_more_is_there(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, *, is_scan: bool
) -> None:
    paths = [write(tree.top / "a" / name) for name in ("bad", "gone")]
    tree.scan()
    for path in paths:
        path.unlink()
    sweep = Pass(tree.store, tree.hand_on)
    for _ in sweep.scan(tree.root) if is_scan else sweep.look(tree.root, ("a",), None):
        pass
    look = os.stat

    def failing(path: str, **options: Any) -> os.stat_result:
        if path == "bad":
            raise OSError(errno.EIO, "a bad sector")
        return look(path, **options)

    monkeypatch.setattr(os, "stat", failing)
    sweep.finish([tree.root])

    assert tree.known() == {"a/bad"}
    assert sweep.is_disturbed == is_scan


def test_a_writer_is_noticed_where_the_system_can_tell(tmp_path: Path) -> None:
    path = write(tmp_path / "a")
    with open(path, "rb") as reader:
        if has_writer(reader.fileno()) is None:
            pytest.skip("leases cannot be asked for here")
        assert has_writer(reader.fileno()) is False
        with open(path, "ab"):
            assert has_writer(reader.fileno()) is True
        assert has_writer(reader.fileno()) is False


@pytest.mark.parametrize("seed", range(6))
def test_after_random_operations_hints_and_scans_agree_with_the_truth(
    tree: Tree, seed: int
) -> None:
    """Each round does operations, looks where they happened, and compares with the real tree."""
    dice = random.Random(seed)
    directories = [""]
    for _ in range(12):
        hints: dict[str, set[str]] = {}
        for _ in range(dice.randrange(1, 8)):
            directories = [""] + [
                os.path.relpath(os.path.join(where, name), tree.top)
                for where, names, _ in os.walk(tree.top)
                for name in names
            ]
            act(dice, tree.top, dice.choice(directories), dice.choice(directories), hints)
        if dice.random() < 0.2:
            tree.scan()
        else:
            places = list(hints.items())
            dice.shuffle(places)
            tree.look(*places)
        assert tree.known() == tree.real()
        if dice.random() < 0.5:
            tree.index_all()
    tree.index_all()
    assert tree.scan() == []
    assert_consistent(tree)


def act(
    dice: random.Random, top: Path, source: str, target: str, hints: dict[str, set[str]]
) -> None:
    """Do one random operation and note what a notifier would say of it."""
    name, other = dice.choice("abc"), dice.choice("abc")
    path, there = top / source / name, top / target / other
    kind = dice.choice(["write", "write", "mkdir", "remove", "move", "copy"])
    try:
        if kind == "write" and not path.is_dir():
            path.write_text(str(dice.random()))
        elif kind == "mkdir":
            (path / "sub").mkdir(parents=True)
            write(path / "sub" / "f", str(dice.random()))
        elif kind == "remove" and path.is_dir():
            shutil.rmtree(path)
        elif kind == "remove":
            path.unlink()
        elif kind == "move":
            path.rename(there)
        elif kind == "copy" and path not in [there, *there.parents]:
            shutil.copytree(path, there)
    except OSError:
        return
    for where, what in ((source, name), (target, other)):
        hints.setdefault("" if where == "." else where, set()).add(what)


def assert_consistent(tree: Tree) -> None:
    """Every file is indexed, and every directory's children lead back to it."""
    with tree.store.read() as reader:
        stack = [tree.root.directory]
        while stack:
            number = stack.pop()
            for key, record in reader.files_in(number).items():
                assert record.state is FileState.INDEXED
                assert record.image is not None
                assert FileKey(number, key.name) in reader.links(record.image)
            for child in reader.children(number):
                assert child.parent == number
                stack.append(child.directory_id)


def test_a_folder_moved_into_its_own_old_path_makes_no_cycle(tree: Tree) -> None:
    write(tree.top / "a" / "one")
    tree.scan()
    (tree.top / "a").rename(tree.top.parent / "out")
    (tree.top / "a" / "b").mkdir(parents=True)
    (tree.top.parent / "out").rename(tree.top / "a" / "b" / "x")
    tree.look(("a/b", {"x"}), ("a", {"b"}), ("", {"a"}))
    tree.scan()

    assert tree.known() == {"a/b/x/one"} == tree.real()


def test_a_file_that_came_back_while_a_scan_went_on_is_not_lost(tree: Tree) -> None:
    path = write(tree.top / "a")
    write(tree.top / "sub" / "b")
    tree.scan()
    path.unlink()
    sweep = Pass(tree.store, tree.hand_on)
    scanning = sweep.scan(tree.root)
    next(scanning)  # the root has been listed, without the file
    write(path, "again")
    tree.look(("", {"a"}))
    for _ in scanning:
        pass
    sweep.finish([tree.root])

    assert tree.known() == {"a", "sub/b"}


def test_a_folder_that_went_away_and_came_back_while_a_scan_went_on_is_not_lost(
    tree: Tree,
) -> None:
    write(tree.top / "away" / "a")
    write(tree.top / "sub" / "b")
    tree.scan()
    (tree.top / "away").rename(tree.top.parent / "out")
    sweep = Pass(tree.store, tree.hand_on)
    scanning = sweep.scan(tree.root)
    next(scanning)
    (tree.top.parent / "out").rename(tree.top / "away")
    for _ in scanning:
        pass
    sweep.finish([tree.root])

    assert tree.known() == {"away/a", "sub/b"}


def test_files_are_not_booked_on_a_directory_that_was_swapped_meanwhile(tree: Tree) -> None:
    write(tree.top / "a" / "one")
    write(tree.top / "b" / "two")
    tree.scan()
    sweep = Pass(tree.store, tree.hand_on)
    scanning = sweep.scan(tree.root)
    next(scanning)
    (tree.top / "a").rename(tree.top / "c")
    (tree.top / "b").rename(tree.top / "a")
    (tree.top / "c").rename(tree.top / "b")
    for _ in scanning:
        pass
    sweep.finish([tree.root])
    assert sweep.is_disturbed
    tree.scan()

    assert tree.known() == {"b/one", "a/two"}


def test_a_removal_that_was_hinted_at_asks_for_no_scan_and_one_during_a_scan_does(
    tree: Tree,
) -> None:
    paths = [write(tree.top / name) for name in ("a", "b")]
    write(tree.top / "sub" / "c")
    tree.scan()
    paths[0].unlink()
    look = Pass(tree.store, tree.hand_on)
    for _ in look.look(tree.root, (), {"a"}):
        pass
    look.finish([tree.root])
    assert not look.is_disturbed

    scan = Pass(tree.store, tree.hand_on)
    scanning = scan.scan(tree.root)
    next(scanning)
    shutil.rmtree(tree.top / "sub")
    for _ in scanning:
        pass
    scan.finish([tree.root])
    assert scan.is_disturbed
