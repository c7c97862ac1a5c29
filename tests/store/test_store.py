"""The store keeps every database in step with the files, whatever is applied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import lmdb
import numpy as np
import pytest

from pspd.core.model import (
    Counts,
    DirectoryId,
    FailureReason,
    FileKey,
    FileState,
    ImageId,
    ImageNumber,
    PixelDigest,
    WatchRoot,
)
from pspd.errors import StoreError, StoreTooNew
from pspd.store import batch, column_reading
from pspd.store.checking import Checker, Progress
from pspd.store.migrations import FORMAT_VERSION
from pspd.store.shapes import Column
from pspd.store.store import Store
from tests.store.records import (
    add_directory,
    add_root,
    features,
    image_id,
    stamp,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store")
    yield opened
    opened.close()


@pytest.fixture
def root(store: Store) -> WatchRoot:
    return add_root(store)


def see(store: Store, key: FileKey, number: int = 1) -> int:
    """Tell the store of a file; returns its place in the queue."""
    [(sequence, _)] = store.apply([batch.FileSeen(key, stamp(number))]).queued
    return sequence


def index(store: Store, key: FileKey, content: int, number: int = 1) -> batch.Applied:
    sequence = see(store, key, number)
    return store.apply(
        [
            batch.FileIndexed(
                key, sequence, stamp(number), False, image_id(content), features(content)
            )
        ]
    )


def key_in(root: WatchRoot, name: str) -> FileKey:
    return FileKey(root.directory, name)


def paths_of(store: Store, content: int) -> list[str]:
    with store.read() as reader:
        number = reader.number_of(image_id(content))
        links = [] if number is None else reader.links(number)
        return sorted(str(reader.file_path(key)) for key in links)


def counts(store: Store, root: WatchRoot) -> Counts:
    with store.read() as reader:
        return reader.counts()[root.root_id]


def test_a_seen_file_waits_in_the_queue_until_it_is_indexed(store: Store, root: WatchRoot) -> None:
    key = key_in(root, "a.png")
    sequence = see(store, key)

    with store.read() as reader:
        assert reader.queued(0, 10) == [(sequence, key)]
    assert counts(store, root) == Counts(pending=1)

    store.apply([batch.FileIndexed(key, sequence, stamp(), False, image_id(7), features(7))])

    with store.read() as reader:
        assert reader.queued(0, 10) == []
        assert reader.meta("pictures") == 1
    assert counts(store, root) == Counts(indexed=1)
    assert paths_of(store, 7) == ["/pictures/a.png"]


def test_two_files_with_one_content_are_one_picture(store: Store, root: WatchRoot) -> None:
    index(store, key_in(root, "a.png"), 7)
    applied = index(store, key_in(root, "b.png"), 7)

    assert applied.images == []
    assert paths_of(store, 7) == ["/pictures/a.png", "/pictures/b.png"]
    with store.read() as reader:
        assert reader.meta("pictures") == 1


def test_a_changed_file_is_no_longer_answered_for(store: Store, root: WatchRoot) -> None:
    key = key_in(root, "a.png")
    index(store, key, 7)
    see(store, key, number=2)

    assert paths_of(store, 7) == []
    assert counts(store, root) == Counts(pending=1)


def test_a_suspect_file_answers_while_it_waits(store: Store, root: WatchRoot) -> None:
    key = key_in(root, "a.png")
    index(store, key, 7)
    store.apply([batch.FileSuspect(key, stamp())])

    assert paths_of(store, 7) == ["/pictures/a.png"]
    assert counts(store, root) == Counts(indexed=1, pending=1)


def test_a_moved_file_answers_under_its_new_path_at_once(store: Store, root: WatchRoot) -> None:
    sub = add_directory(store, root, root.directory, "sub")
    old, new = key_in(root, "a.png"), FileKey(sub.directory_id, "b.png")
    index(store, old, 7)
    applied = store.apply([batch.FileMoved(old, new, stamp(1), stamp(1))])

    assert paths_of(store, 7) == ["/pictures/sub/b.png"]
    assert applied.changes == [batch.PathChange("moved", "/pictures/sub/b.png", "/pictures/a.png")]
    with store.read() as reader:
        assert reader.file(old) is None
        assert [key for _, key in reader.queued(0, 10)] == [new]


def test_a_result_for_a_file_that_changed_meanwhile_is_dropped(
    store: Store, root: WatchRoot
) -> None:
    key = key_in(root, "a.png")
    old = see(store, key, 1)
    see(store, key, 2)
    store.apply([batch.FileIndexed(key, old, stamp(1), False, image_id(7), features(7))])

    assert paths_of(store, 7) == []
    assert counts(store, root) == Counts(pending=1)


def test_a_result_without_features_for_a_forgotten_image_queues_the_file_again(
    store: Store, root: WatchRoot
) -> None:
    key = key_in(root, "a.png")
    sequence = see(store, key)
    applied = store.apply([batch.FileIndexed(key, sequence, stamp(), False, image_id(7), None)])

    assert [each for _, each in applied.queued] == [key]
    assert counts(store, root) == Counts(pending=1)


def test_a_failure_is_kept_with_its_reason_until_the_file_changes(
    store: Store, root: WatchRoot
) -> None:
    key = key_in(root, "a.png")
    sequence = see(store, key)
    store.apply(
        [batch.FileFailed(key, sequence, stamp(), False, FailureReason.NOT_A_PICTURE, "a text")]
    )

    with store.read() as reader:
        assert reader.failures(None, 10) == (
            [("/pictures/a.png", "not_a_picture", "a text")],
            None,
        )
    assert counts(store, root) == Counts(failed=1, not_pictures=1)

    see(store, key, 2)

    with store.read() as reader:
        assert reader.failures(None, 10) == ([], None)
    assert counts(store, root) == Counts(pending=1)


def test_failures_come_in_pages(store: Store, root: WatchRoot) -> None:
    for number in range(5):
        key = key_in(root, f"{number}.png")
        failed = batch.FileFailed(
            key, see(store, key), stamp(), False, FailureReason.BROKEN, str(number)
        )
        store.apply([failed])
    pages, after = [], None
    while True:
        with store.read() as reader:
            page, after = reader.failures(after, 2)
        pages.append([message for _, _, message in page])
        if after is None:
            break

    assert pages == [["0", "1"], ["2", "3"], ["4"]]


def test_a_deferred_file_goes_to_the_end_of_the_queue(store: Store, root: WatchRoot) -> None:
    a, b = key_in(root, "a.png"), key_in(root, "b.png")
    first = see(store, a)
    see(store, b)
    store.apply([batch.FileDeferred(a, first, stamp(2))])

    with store.read() as reader:
        assert [key for _, key in reader.queued(0, 10)] == [b, a]


def test_a_file_that_was_seen_in_a_directory_dropped_in_the_same_batch_is_dropped_too(
    store: Store, root: WatchRoot
) -> None:
    sub = add_directory(store, root, root.directory, "sub")
    seen = [batch.FileSeen(FileKey(sub.directory_id, name), stamp()) for name in "ab"]
    store.apply([seen[0], batch.RemoveDirectory(sub.directory_id), seen[1]])

    assert counts(store, root) == Counts()
    with store.read() as reader:
        assert reader.files_in(sub.directory_id) == {}


def test_removing_a_directory_drops_everything_below_it(store: Store, root: WatchRoot) -> None:
    sub = add_directory(store, root, root.directory, "sub")
    deep = add_directory(store, root, sub.directory_id, "deep")
    index(store, FileKey(deep.directory_id, "a.png"), 7)
    index(store, key_in(root, "b.png"), 8)
    applied = store.apply([batch.RemoveDirectory(sub.directory_id)])

    assert paths_of(store, 7) == []
    assert paths_of(store, 8) == ["/pictures/b.png"]
    assert counts(store, root) == Counts(indexed=1)
    assert applied.changes == [batch.PathChange("removed", "/pictures/sub/deep/a.png")]
    with store.read() as reader:
        assert reader.directory(deep.directory_id) is None
        assert reader.children(root.directory) == []


def test_renaming_a_directory_is_one_write_and_moves_all_paths(
    store: Store, root: WatchRoot
) -> None:
    sub = add_directory(store, root, root.directory, "sub")
    index(store, FileKey(sub.directory_id, "a.png"), 7)
    store.apply([batch.PutDirectory(replace(sub, name="other"))])

    assert paths_of(store, 7) == ["/pictures/other/a.png"]
    with store.read() as reader:
        assert reader.child(root.directory, "sub") is None
        assert reader.queued(0, 10) == []


def test_two_directories_can_change_names(store: Store, root: WatchRoot) -> None:
    a = add_directory(store, root, root.directory, "a")
    b = add_directory(store, root, root.directory, "b")
    index(store, FileKey(a.directory_id, "x.png"), 7)
    store.apply([batch.PutDirectory(replace(a, name="c"))])
    store.apply([batch.PutDirectory(replace(b, name="a"))])
    store.apply([batch.PutDirectory(replace(a, name="b"))])

    assert paths_of(store, 7) == ["/pictures/b/x.png"]
    with store.read() as reader:
        assert sorted(each.name for each in reader.children(root.directory)) == ["a", "b"]


def test_an_image_without_files_is_kept_for_a_while_and_then_forgotten(
    store: Store, root: WatchRoot
) -> None:
    key = key_in(root, "a.png")
    index(store, key, 7)
    store.apply([batch.FileGone(key)], now=1000)
    assert store.apply([batch.ForgetOrphans(before=1000)]).dropped == []

    index(store, key, 7)
    assert store.apply([batch.ForgetOrphans(before=9999)]).dropped == []

    store.apply([batch.FileGone(key)], now=1000)
    assert store.apply([batch.ForgetOrphans(before=1001)]).dropped == [0]
    with store.read() as reader:
        assert reader.number_of(image_id(7)) is None
        assert reader.image(ImageNumber(0)) is None
        assert len(reader.rows().numbers) == 0


def test_a_root_that_is_forgotten_leaves_nothing(store: Store, root: WatchRoot) -> None:
    other = add_root(store, "/other")
    index(store, key_in(root, "a.png"), 7)
    index(store, key_in(other, "a.png"), 8)
    store.apply([batch.ForgetRoot(root)])

    with store.read() as reader:
        assert [each.path for each in reader.roots()] == ["/other"]
        assert reader.counts() == {other.root_id: Counts(indexed=1)}
        assert reader.meta("pictures") == 1


def test_a_root_that_is_being_removed_answers_no_more(store: Store, root: WatchRoot) -> None:
    index(store, key_in(root, "a.png"), 7)
    store.apply([batch.PutRoot(replace(root, removing=True))])

    assert paths_of(store, 7) == ["None"]


def test_columns_and_hashes_come_back_as_they_were_put(store: Store, root: WatchRoot) -> None:
    for content in range(3):
        index(store, key_in(root, f"{content}.png"), content)
    with store.read() as reader:
        rows = reader.rows()
        wide = [reader.cells(ImageNumber(number))[Column.PHASH256] for number in range(3)]

    assert rows.numbers.tolist() == [0, 1, 2]
    assert rows.shapes.tolist() == [((10 + content) << 32) | 20 for content in range(3)]
    assert [int(each) for each in rows.phash64] == [
        int.from_bytes(features(content).phash64, "big") for content in range(3)
    ]
    assert wide == [features(content).phash256 for content in range(3)]
    assert rows.phash256.tobytes() == b"".join(wide)


def index_many(store: Store, root: WatchRoot, contents: range) -> None:
    seen = [batch.FileSeen(key_in(root, f"{content}.png"), stamp()) for content in contents]
    queued = store.apply(seen).queued
    store.apply(
        [
            batch.FileIndexed(key, sequence, stamp(), False, image_id(content), features(content))
            for content, (sequence, key) in zip(contents, queued, strict=True)
        ]
    )


@pytest.mark.parametrize("steps", [[1, 125, 126, 251], [300, 2000, 2001], [2125, 4001]])
def test_columns_grow_by_rows_and_by_blocks(
    store: Store, root: WatchRoot, steps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_reading, "_PART_BLOCKS", 1)
    for first, last in pairwise([0, *steps]):
        index_many(store, root, range(first, last))
    with store.read() as reader:
        numbers = reader.numbers().tolist()
        rows = reader.rows()
        wide = [reader.cells(ImageNumber(number))[Column.PHASH256] for number in numbers]
        assert reader.imbalances() == []

        parts = list(reader.row_parts())

    assert numbers == rows.numbers.tolist() == list(range(steps[-1]))
    assert np.concatenate([part.numbers for part in parts]).tolist() == numbers
    assert np.array_equal(np.concatenate([part.phash256 for part in parts]), rows.phash256)
    for number in {0, 124, 125, steps[-1] - 1} & set(numbers):
        wanted = features(number)
        assert int(rows.phash64[number]).to_bytes(8) == wanted.phash64
        assert rows.phash256[number].tobytes() == wide[number] == wanted.phash256
        assert int(rows.shapes[number]) == (10 + number) << 32 | 20


def test_rows_of_images_that_were_forgotten_are_left_out(store: Store, root: WatchRoot) -> None:
    index_many(store, root, range(300))
    store.apply([batch.FileGone(key_in(root, f"{content}.png")) for content in (0, 7)], now=1)
    store.apply([batch.ForgetOrphans(before=2)])

    with store.read() as reader:
        rows = reader.rows()
        assert reader.numbers().tolist() == rows.numbers.tolist()
    left = [number for number in range(300) if number not in {0, 7}]
    assert rows.numbers.tolist() == left
    assert [int(each) for each in rows.phash64] == [
        int.from_bytes(features(number).phash64) for number in left
    ]


def test_contents_whose_digests_begin_alike_are_told_apart(store: Store, root: WatchRoot) -> None:
    twins = [ImageId(b"alike" + bytes([each]) * 27) for each in range(3)]
    for each, twin in enumerate(twins):
        key = key_in(root, f"{each}.png")
        made = replace(features(each), image_id=twin)
        store.apply([batch.FileIndexed(key, see(store, key), stamp(), False, twin, made)])
    with store.read() as reader:
        assert [reader.number_of(twin) for twin in twins] == [0, 1, 2]
        assert reader.number_of(ImageId(b"alike" + bytes([9]) * 27)) is None
        assert reader.imbalances() == []

    store.apply([batch.FileGone(key_in(root, "1.png"))], now=1)
    store.apply([batch.ForgetOrphans(before=2)])

    with store.read() as reader:
        assert [reader.number_of(twin) for twin in twins] == [0, None, 2]
        assert reader.imbalances() == []
    assert list(Checker(store, Progress()).run()) == []


def test_refreshed_features_replace_the_old_ones(store: Store, root: WatchRoot) -> None:
    index(store, key_in(root, "a.png"), 7)
    newer = replace(features(7, version=2), phash256=b"\x01" * 32)
    with store.read() as reader:
        assert reader.outdated(-1, 2, 10) == [0]
    store.apply([batch.ImageRefreshed(ImageNumber(0), newer)])

    with store.read() as reader:
        assert reader.outdated(-1, 2, 10) == []
        assert reader.cells(ImageNumber(0))[Column.PHASH256] == b"\x01" * 32


def test_a_pixel_digest_is_kept(store: Store, root: WatchRoot) -> None:
    index(store, key_in(root, "a.png"), 7)
    store.apply([batch.PixelsKnown(ImageNumber(0), PixelDigest(1, b"p" * 32))])

    with store.read() as reader:
        assert reader.pixels(ImageNumber(0)) == PixelDigest(1, b"p" * 32)


@pytest.mark.parametrize(
    "name",
    [
        "\udcff\udc80.jpg",
        "new\nline",
        "ü" * 120,
        "名" * 85,
        "x" * 255,
        "long" * 200,
        "long" * 200 + "2",
    ],
    ids=ascii,
)
def test_names_of_any_bytes_and_length_survive(store: Store, root: WatchRoot, name: str) -> None:
    key = key_in(root, name)
    index(store, key, 7)
    failed = key_in(root, "f" + name)
    store.apply(
        [batch.FileFailed(failed, see(store, failed), stamp(), False, FailureReason.BROKEN, "why")]
    )

    assert paths_of(store, 7) == [f"/pictures/{name}"]
    with store.read() as reader:
        assert reader.failures(None, 5)[0] == [(f"/pictures/f{name}", "broken", "why")]
        assert set(reader.files_in(root.directory)) == {key, failed}


def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    root = add_root(store)
    index(store, key_in(root, "a.png"), 7)
    next_directory = store.new_directory_id()
    store.apply([])
    store.close()
    store = Store(tmp_path / "store")

    assert paths_of(store, 7) == ["/pictures/a.png"]
    assert store.new_directory_id() > next_directory
    store.close()


def test_a_full_map_grows_and_nothing_of_the_batch_is_lost(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", map_bytes=1 << 20)
    root = add_root(store)
    for content in range(0, 3000, 500):
        seen = [
            batch.FileSeen(key_in(root, f"{each}.png"), stamp())
            for each in range(content, content + 500)
        ]
        queued = store.apply(seen).queued
        store.apply(
            [
                batch.FileIndexed(key, sequence, stamp(), False, image_id(each), features(each))
                for each, (sequence, key) in enumerate(queued, content)
            ]
        )

    assert store.used_bytes() > 1 << 20
    assert counts(store, root) == Counts(indexed=3000)
    store.close()


def test_a_store_of_a_newer_version_is_refused_and_left_untouched(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store._environment.write(
        lambda transaction: _put_format(transaction, store, FORMAT_VERSION + 1)
    )
    store.close()
    before = (tmp_path / "store" / "data.mdb").read_bytes()

    with pytest.raises(StoreTooNew, match="left untouched"):
        Store(tmp_path / "store")
    assert (tmp_path / "store" / "data.mdb").read_bytes() == before


def _put_format(transaction: lmdb.Transaction[bytes], store: Store, version: int) -> None:
    from pspd.store import checksum, codec  # noqa: PLC0415

    body = codec.encode_number(version)
    transaction.put(
        b"format", checksum.seal(b"format", body), db=store._environment.databases["meta"]
    )


def test_another_programs_environment_is_refused(tmp_path: Path) -> None:
    environment = lmdb.open(str(tmp_path / "store"), lib_version=0, max_dbs=2)
    environment.open_db(b"theirs")
    environment.close()

    with pytest.raises(StoreError, match="another program"):
        Store(tmp_path / "store")


def test_a_damaged_value_is_noticed_not_believed(store: Store, root: WatchRoot) -> None:
    index(store, key_in(root, "a.png"), 7)

    def damage(transaction: lmdb.Transaction[bytes]) -> None:
        database = store._environment.databases["images"]
        key = (0).to_bytes(5, "big")
        value = bytearray(transaction.get(key, db=database) or b"")
        value[-1] ^= 1
        transaction.put(key, bytes(value), db=database)

    store._environment.write(damage)

    with store.read() as reader, pytest.raises(StoreError, match="damaged"):
        reader.image(ImageNumber(0))


def test_nothing_of_the_store_can_be_read_by_others(store: Store, tmp_path: Path) -> None:
    for path in [tmp_path / "store", *(tmp_path / "store").iterdir()]:
        assert path.stat().st_mode & 0o077 == 0


def test_applying_a_batch_twice_changes_nothing_more(store: Store, root: WatchRoot) -> None:
    key = key_in(root, "a.png")
    sequence = see(store, key)
    operations: list[batch.Operation] = [
        batch.FileIndexed(key, sequence, stamp(), False, image_id(7), features(7)),
        batch.FileSeen(key_in(root, "b.png"), stamp(2)),
        batch.FileGone(key_in(root, "c.png")),
    ]
    store.apply(operations)
    once = counts(store, root)
    store.apply(operations)

    assert counts(store, root) == once == Counts(indexed=1, pending=1)
    with store.read() as reader:
        record = reader.file(key)
    assert record is not None
    assert record.state is FileState.INDEXED


def test_a_directory_found_by_its_inode(store: Store, root: WatchRoot) -> None:
    sub = add_directory(store, root, root.directory, "sub")
    with store.read() as reader:
        assert reader.directory_by_inode(1, sub.inode) == sub
        assert reader.path_of(sub.directory_id) == "/pictures/sub"
        assert reader.path_of(DirectoryId(999)) is None


def test_what_was_missed_long_ago_is_not_dropped_when_it_came_back(
    store: Store, root: WatchRoot
) -> None:
    key = key_in(root, "a.png")
    index(store, key, 7)
    missed = batch.FileGone(key, stamp(1))
    see(store, key, number=2)
    store.apply([missed])
    with store.read() as reader:
        assert reader.file(key) is not None

    sub = add_directory(store, root, root.directory, "sub")
    missed_directory = batch.RemoveDirectory(sub.directory_id, FileKey(root.directory, "sub"))
    store.apply([batch.PutDirectory(replace(sub, name="elsewhere"))])
    store.apply([missed_directory])
    with store.read() as reader:
        assert reader.directory(sub.directory_id) is not None


def test_a_directory_is_never_put_inside_itself(store: Store, root: WatchRoot) -> None:
    outer = add_directory(store, root, root.directory, "outer")
    inner = add_directory(store, root, outer.directory_id, "inner")
    store.apply([batch.PutDirectory(replace(outer, parent=inner.directory_id, name="x"))])

    with store.read() as reader:
        assert reader.path_of(inner.directory_id) == "/pictures/outer/inner"


def test_a_move_of_what_is_another_file_by_now_moves_nothing(store: Store, root: WatchRoot) -> None:
    old, new = key_in(root, "a.png"), key_in(root, "b.png")
    index(store, old, 7)
    see(store, old, number=2)
    store.apply([batch.FileMoved(old, new, stamp(1), stamp(1))])

    with store.read() as reader:
        assert set(reader.files_in(root.directory)) == {old, new}
        assert [key for _, key in reader.queued(0, 9)] == [old, new]


def test_a_store_may_lie_in_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    folder = tmp_path / "caf\udce9\x1b\n" / "store"
    with_root = Store(folder)
    root = add_root(with_root)
    with_root.close()
    again = Store(folder)
    with again.read() as reader:
        assert [each.path for each in reader.roots()] == [root.path]
    again.close()
