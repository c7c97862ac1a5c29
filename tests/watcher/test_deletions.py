"""What seems gone is only believed when somebody was seen deleting it, or looked twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pspd.core.globs import PathFilter
from pspd.core.model import DirectoryId, FileKey, WatchRoot
from pspd.store import batch
from pspd.watcher.deletions import Doomed
from pspd.watcher.notify import DirectoryHint, Hint, NoNotifier, Sink
from tests.waiting import until
from tests.watcher.bench import OPTIONS, Bench, watching
from tests.watcher.test_scan import write

MANY = 150


def fill(bench: Bench) -> None:
    """Make files, and have them read."""
    for number in range(MANY):
        write(bench.top / f"{number % 10}" / f"{number}")
    bench.sync()
    bench.index_all()


def empty(bench: Bench, end: int = MANY, *, first: int = 0) -> None:
    """Remove files while nobody tells the watcher."""
    for number in range(first, end):
        (bench.top / f"{number % 10}" / f"{number}").unlink()


@pytest.fixture
def deaf(tmp_path: Path) -> Iterator[Bench]:
    """A watcher that nobody hints anything to, over a folder with many files."""
    with watching(tmp_path, NoNotifier) as bench:
        fill(bench)
        yield bench


def test_a_folder_that_is_suddenly_empty_keeps_its_records_and_says_so(deaf: Bench) -> None:
    empty(deaf)
    deaf.sync()
    assert len(deaf.stamps()) == MANY
    (notice,) = deaf.notices("more than half")
    assert "pspc roots confirm" in notice.cure
    assert "150 files" in deaf.watcher.roots()[0].problem
    deaf.sync()
    assert len(deaf.stamps()) == MANY, "asking again is no second look"


def test_a_persons_word_drops_them_at_once(deaf: Bench) -> None:
    empty(deaf)
    deaf.sync()
    deaf.watcher.confirm(str(deaf.top)).result(timeout=30)
    assert deaf.stamps() == {}
    assert not deaf.notices("more than half")
    assert deaf.watcher.roots()[0].problem == ""


def test_files_that_come_back_are_no_longer_suspected(deaf: Bench) -> None:
    shutil.copytree(deaf.top, deaf.folder / "kept")
    empty(deaf)
    deaf.sync()
    shutil.rmtree(deaf.top)
    (deaf.folder / "kept").rename(deaf.top)
    deaf.sync()
    assert deaf.is_exact()
    assert not deaf.notices("more than half")


def test_a_file_that_is_deleted_meanwhile_changes_nothing_for_the_others(deaf: Bench) -> None:
    write(deaf.top / "other")
    deaf.sync()
    deaf.index_all()
    empty(deaf)
    deaf.sync()
    (deaf.top / "other").unlink()
    deaf.watcher.look_at(str(deaf.top / "other"))
    assert until(lambda: len(deaf.stamps()) == MANY) is not None
    assert deaf.notices("more than half")


def test_a_second_look_after_the_time_is_believed(tmp_path: Path) -> None:
    options = replace(OPTIONS, confirm_seconds=0.3)
    with watching(tmp_path, NoNotifier, options) as bench:
        fill(bench)
        empty(bench)
        bench.sync()
        assert len(bench.stamps()) == MANY
        # No sync: the watcher looks again by itself.
        assert until(lambda: not bench.stamps()) is not None


def test_half_of_a_folder_may_go(deaf: Bench) -> None:
    empty(deaf, MANY // 2)
    deaf.sync()
    assert len(deaf.stamps()) == MANY // 2


def test_more_than_half_may_not_go_bit_by_bit_either(deaf: Bench) -> None:
    empty(deaf, 60)
    deaf.sync()
    assert len(deaf.stamps()) == MANY - 60
    empty(deaf, 100, first=60)
    deaf.sync()
    assert len(deaf.stamps()) == MANY - 60
    assert deaf.notices("more than half")
    deaf.watcher.confirm(str(deaf.top)).result(timeout=30)
    assert deaf.is_exact()


def test_what_went_long_ago_is_not_held_against_the_rest(tmp_path: Path) -> None:
    options = replace(OPTIONS, confirm_seconds=0.0)
    with watching(tmp_path, NoNotifier, options) as bench:
        fill(bench)
        for first in range(0, MANY, 50):
            empty(bench, first + 50, first=first)
            bench.sync()
            assert bench.is_exact()


def test_a_card_that_is_exchanged_again_and_again_is_believed(tmp_path: Path) -> None:
    with watching(tmp_path, NoNotifier) as bench:
        for number in range(4):
            for name in range(60):
                write(bench.top / f"card {number}" / f"{name}")
            shutil.rmtree(bench.top / f"card {number - 1}", ignore_errors=True)
            bench.sync()
            assert bench.is_exact()
            bench.index_all()


def watch_again(bench: Bench, **globs: Any) -> WatchRoot:
    """Watch the root with other globs, as `pspc add` does, and have all that is new read."""
    root = replace(bench.root, **globs)
    bench.store.apply([batch.PutRoot(root)])
    bench.watcher.add(root)
    bench.sync()
    bench.index_all()
    return root


@pytest.mark.parametrize(
    "globs",
    [{"exclude": ("[0-9][0-9]*",)}, {"exclude": ("[1-9]",)}, {"include": ("?",)}],
    ids=["files", "folders", "included"],
)
def test_what_does_not_belong_any_more_is_dropped_at_once(
    deaf: Bench, globs: dict[str, tuple[str, ...]]
) -> None:
    belongs = PathFilter.of(watch_again(deaf, **globs))
    expected = {
        path
        for path in deaf.truth()
        if belongs.has_directory("", path.split("/")[0]) and belongs.has_file(*path.split("/"))
    }
    assert deaf.stamps().keys() == expected
    assert 0 < len(expected) < MANY / 2
    assert not deaf.notices("more than half")
    watch_again(deaf)
    assert deaf.is_exact()


def test_hidden_files_that_do_not_belong_any_more_are_dropped_at_once(deaf: Bench) -> None:
    for number in range(2 * MANY):
        write(deaf.top / f".{number % 10}" / f"{number}")
    watch_again(deaf, hidden=True)
    assert deaf.is_exact()
    watch_again(deaf)
    assert len(deaf.stamps()) == MANY
    assert not deaf.notices("more than half")


def test_a_drive_that_does_not_belong_any_more_is_not_taken_for_away(deaf: Bench) -> None:
    with deaf.store.read() as reader:
        folder = reader.child(deaf.root.directory, "1")
    assert folder is not None
    deaf.store.apply([batch.PutDirectory(replace(folder, device=folder.device + 1))])
    watch_again(deaf, exclude=("1",))
    assert not any(path.startswith("1/") for path in deaf.stamps())
    assert deaf.board.notices() == []


def test_what_belongs_and_is_gone_is_doubted_beside_what_does_not_belong(deaf: Bench) -> None:
    for number in range(2 * MANY):
        write(deaf.top / f"{number}.tif")
    watch_again(deaf)
    empty(deaf)
    watch_again(deaf, exclude=("*.tif",))
    assert len(deaf.stamps()) == MANY
    assert deaf.notices("more than half")


def test_a_deletion_that_was_seen_is_believed_at_once(tmp_path: Path) -> None:
    with watching(tmp_path) as bench:
        fill(bench)
        for number in range(10):
            shutil.rmtree(bench.top / f"{number}")
        assert bench.settles() is not None
        assert not bench.notices("more than half")


def test_what_is_read_again_is_not_counted_twice(deaf: Bench) -> None:
    for path in deaf.top.glob("*/*"):
        path.touch()
    (deaf.top / "0" / "0").unlink()
    deaf.sync()
    deaf.index_all()
    (deaf.top / "1" / "1").unlink()
    deaf.sync()
    assert deaf.is_exact()


def test_what_was_seen_deleted_is_not_held_against_the_rest(tmp_path: Path) -> None:
    with watching(tmp_path) as bench:
        fill(bench)
        suspicion = bench.watcher.roots()[0].suspicion
        nobody_hinted = Doomed(bench.root, [batch.FileGone(FileKey(bench.root.directory, "x"))])
        assert suspicion.believe(bench.store, nobody_hinted, 3600.0)
        for number in range(9):
            shutil.rmtree(bench.top / f"{number}")
        assert bench.settles() is not None
        assert suspicion.believe(bench.store, nobody_hinted, 3600.0)


def test_a_rename_does_not_make_the_loss_of_others_seen(tmp_path: Path) -> None:
    hints: list[Sink] = []

    class Telling(NoNotifier):
        def start(self, sink: Sink) -> None:
            hints.append(sink)

    with watching(tmp_path, Telling) as bench:
        fill(bench)
        (bench.top / "0" / "0").rename(bench.top / "0" / "renamed")
        hints[0](Hint(str(bench.top / "0" / "0"), is_removal=True))
        hints[0](Hint(str(bench.top / "0" / "renamed")))
        assert bench.settles() is not None
        bench.index_all()
        for number in range(10):
            shutil.rmtree(bench.top / f"{number}")
        bench.sync()
        assert len(bench.stamps()) == MANY
        assert bench.notices("more than half")


def test_a_sync_at_once_believes_what_was_seen_deleted(tmp_path: Path) -> None:
    options = replace(OPTIONS, coalesce_seconds=1.0)
    with watching(tmp_path, options=options) as bench:
        for _ in range(5):
            fill(bench)
            for number in range(10):
                shutil.rmtree(bench.top / f"{number}")
            bench.sync()
            assert bench.is_exact()
            assert not bench.notices("more than half")


def test_a_suspicion_of_one_look_is_looked_into_and_lifted(tmp_path: Path) -> None:
    options = replace(OPTIONS, confirm_seconds=0.5)
    with watching(tmp_path, NoNotifier, options) as bench:
        fill(bench)
        bench.top.rename(tmp_path / "away")
        bench.top.mkdir()
        for name in ("0", "1"):
            (tmp_path / "away" / name).rename(bench.top / name)
        bench.watcher.look_at(str(bench.top))
        assert until(lambda: bool(bench.notices("more than half"))) is not None
        for path in sorted((tmp_path / "away").iterdir()):
            path.rename(bench.top / path.name)
        # No sync: the second look is the watcher's own, and at all of it.
        assert until(lambda: not bench.notices("more than half")) is not None
        assert bench.watcher.roots()[0].suspicion.files == 0
        assert bench.is_exact()


class Unmounting(NoNotifier):
    """Tells what the kernel tells when a drive is unmounted: each directory has an event."""

    def start(self, sink: Sink) -> None:
        self.sink = sink
        self.entered: set[DirectoryId] = set()

    def enter(self, descriptor: int, directory: DirectoryId) -> None:  # noqa: ARG002
        self.entered.add(directory)

    def unmount(self) -> None:
        for directory in self.entered:
            self.sink(DirectoryHint(directory, frozenset(), is_self=True))


def test_a_drive_that_is_unmounted_was_not_seen_deleted(tmp_path: Path) -> None:
    with watching(tmp_path, Unmounting) as bench:
        fill(bench)
        notifier = bench.last_notifier
        assert isinstance(notifier, Unmounting)
        empty(bench, 100)
        notifier.unmount()
        bench.sync()
        # How many of its hints come in one look is for the clock to say.
        assert len(bench.stamps()) >= MANY // 2
        assert bench.notices("more than half")
