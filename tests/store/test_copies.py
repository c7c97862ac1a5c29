"""What the store keeps of copies: in both directions, in step with images and files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from pspd.core.model import FileKey, ImageNumber, Turn, WatchRoot
from pspd.store import batch, codec, copies, copy_codec
from pspd.store.checking import Checker, Progress
from pspd.store.copy_codec import AGAIN, CROWDED, SEVERAL, Pair
from pspd.store.manifest import KeptRoot
from pspd.store.store import Store
from tests.store.raw import Raw
from tests.store.records import add_root, features, image_id, stamp

IMAGES = 4
RULE = 7


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with some images, of which nothing was compared."""
    made = Store(tmp_path / "store", map_bytes=1 << 26)
    yield made
    assert findings(made) == []
    made.close()


@pytest.fixture
def root(store: Store) -> WatchRoot:
    made = add_root(store)
    for content in range(IMAGES):
        add_file(store, FileKey(made.directory, f"{content}.png"), content)
    return made


def add_file(store: Store, key: FileKey, content: int) -> None:
    [(sequence, _)] = store.apply([batch.FileSeen(key, stamp())]).queued
    store.apply(
        [batch.FileIndexed(key, sequence, stamp(), False, image_id(content), features(content))]
    )


def compared(number: int, *found: batch.CopyFound, is_crowded: bool = False) -> batch.Compared:
    return batch.Compared(ImageNumber(number), features(number).phash256, found, is_crowded)


def copy(other: int, turn: Turn = Turn.NONE, distance: int = 3) -> batch.CopyFound:
    return batch.CopyFound(ImageNumber(other), turn, distance)


def compare_all(store: Store, *found: batch.CopyFound) -> None:
    """Note that the last image has these copies."""
    none = [compared(number) for number in range(IMAGES - 1)]
    store.apply([batch.ImagesCompared(0, IMAGES, (*none, compared(IMAGES - 1, *found)))])


def pairs(store: Store) -> list[Pair]:
    with store.read() as reader:
        found = [copy_codec.decode(*entry) for entry in reader.items("copies")]
    return [each for each in found if isinstance(each, Pair)]


def marks(store: Store, mark: int) -> list[int]:
    with store.read() as reader:
        return list(copies.marked(reader, mark, 100))


def uncompared(store: Store) -> int:
    with store.read() as reader:
        return copies.count_uncompared(reader)


def test_a_pair_is_there_from_both_sides(store: Store, root: WatchRoot) -> None:
    assert uncompared(store) == IMAGES
    compare_all(store, copy(0, Turn.ROTATE_90, 9), copy(2))
    assert pairs(store) == [
        Pair(ImageNumber(0), ImageNumber(3), Turn.ROTATE_270, 9),
        Pair(ImageNumber(2), ImageNumber(3), Turn.NONE, 3),
        Pair(ImageNumber(3), ImageNumber(0), Turn.ROTATE_90, 9),
        Pair(ImageNumber(3), ImageNumber(2), Turn.NONE, 3),
    ]
    assert uncompared(store) == 0
    with store.read() as reader:
        assert copies.pair(reader, ImageNumber(3), ImageNumber(2)) == pairs(store)[3]
        assert copies.pair(reader, ImageNumber(3), ImageNumber(1)) is None


def test_what_was_found_since_another_number_does_not_count(store: Store, root: WatchRoot) -> None:
    store.apply([batch.ImagesCompared(2, 4, (compared(3, copy(0)),))])
    assert (pairs(store), uncompared(store)) == ([], IMAGES)


def test_the_same_found_twice_is_there_once(store: Store, root: WatchRoot) -> None:
    compare_all(store, copy(0))
    store.apply([batch.ImagesCompared(IMAGES, IMAGES, (compared(0, copy(3)),))])
    assert len(pairs(store)) == 2


def test_an_image_extracted_again_is_compared_again(store: Store, root: WatchRoot) -> None:
    compare_all(store, copy(0), copy(1))
    store.apply([batch.ImageRefreshed(ImageNumber(0), features(0, version=2))])
    assert [(pair.image, pair.other) for pair in pairs(store)] == [(1, 3), (3, 1)]
    assert (marks(store, AGAIN), uncompared(store)) == ([0], 1)
    store.apply([batch.ImagesCompared(IMAGES, IMAGES, (compared(0, copy(3)),))])
    assert len(pairs(store)) == 4
    assert uncompared(store) == 0


def test_an_image_that_changed_while_it_was_compared_is_compared_again(
    store: Store, root: WatchRoot
) -> None:
    changed = batch.Compared(ImageNumber(3), bytes(32), (copy(0),))
    store.apply([batch.ImagesCompared(0, IMAGES, (compared(0), changed))])
    assert (pairs(store), marks(store, AGAIN)) == ([], [3])


def test_a_dropped_image_takes_its_pairs_and_marks_along(store: Store, root: WatchRoot) -> None:
    none = [compared(number) for number in range(3)]
    crowded = compared(3, copy(0), copy(1), is_crowded=True)
    store.apply([batch.ImagesCompared(0, 4, (*none, crowded), (ImageNumber(2),))])
    assert marks(store, CROWDED) == [2, 3]
    store.apply([batch.FileGone(FileKey(root.directory, "3.png"))], now=5)
    assert len(pairs(store)) == 4, "it may come back"
    store.apply([batch.ForgetOrphans(6)])
    assert (pairs(store), marks(store, CROWDED)) == ([], [2])
    store.apply([batch.ImagesCompared(4, 4, (compared(3, copy(0)), compared(0, copy(3))))])
    assert pairs(store) == [], "nobody is a copy of what is not there"


def test_another_rule_begins_anew(store: Store, root: WatchRoot) -> None:
    add_file(store, FileKey(root.directory, "again.png"), 1)
    compare_all(store, copy(0))
    store.apply([batch.CompareAnew(RULE)])
    assert (pairs(store), uncompared(store), marks(store, SEVERAL)) == ([], IMAGES, [1])
    with store.read() as reader:
        assert reader.meta("copy_rule") == RULE


def test_several_files_of_an_image_are_noted_and_forgotten(store: Store, root: WatchRoot) -> None:
    second, third = (FileKey(root.directory, name) for name in ("second.png", "third.png"))
    add_file(store, second, 1)
    assert marks(store, SEVERAL) == [1]
    [(sequence, _)] = store.apply([batch.FileMoved(second, third, stamp(), stamp())]).queued
    assert marks(store, SEVERAL) == [1]
    store.apply([batch.FileIndexed(third, sequence, stamp(), False, image_id(2), None)])
    assert marks(store, SEVERAL) == [2]
    store.apply([batch.FileGone(third)])
    assert marks(store, SEVERAL) == []


def test_marks_that_an_earlier_psp_did_not_make_are_made_by_comparing(tmp_path: Path) -> None:
    with changed_behind_its_back(tmp_path, ()) as raw:
        raw.delete("copies", copy_codec.mark_key(SEVERAL, 1))
        raw.put("meta", b"copies", codec.encode_number(0))
    store = Store(tmp_path / "store", map_bytes=1 << 26)
    assert marks(store, SEVERAL) == []
    assert findings(store) == [], "nothing is promised of what was not compared"
    compare_all(store)
    assert marks(store, SEVERAL) == [1]
    store.close()


def test_a_store_whose_copies_lost_a_pair_is_compared_anew(tmp_path: Path) -> None:
    with changed_behind_its_back(tmp_path, (copy(0), copy(1))) as raw:
        raw.delete("copies", copy_codec.pair_key(3, 0))
        raw.delete("copies", copy_codec.pair_key(0, 3))
    store = Store(tmp_path / "store", map_bytes=1 << 26)
    assert any("copies" in text for text in findings(store))
    assert store.mend((KeptRoot("/pictures"),)).dropped == 2
    assert (pairs(store), marks(store, SEVERAL), uncompared(store)) == ([], [1], IMAGES)
    assert findings(store) == []
    store.close()


@contextmanager
def changed_behind_its_back(tmp_path: Path, found: Sequence[batch.CopyFound]) -> Iterator[Raw]:
    """Make a store whose image 1 has two files; compared, if there is something to find."""
    store = Store(tmp_path / "store", map_bytes=1 << 26)
    root = add_root(store)
    for content in (*range(IMAGES), 1):
        with store.read() as reader:
            files = len(reader.files_in(root.directory))
        add_file(store, FileKey(root.directory, f"{files}.png"), content)
    if found:
        compare_all(store, *found)
    store.close()
    raw = Raw(tmp_path / "store")
    yield raw
    raw.close()


def findings(store: Store) -> list[str]:
    return [finding.text for finding in Checker(store, Progress()).run(pages=False)]
