"""What the store keeps of learned descriptors: in step with images, paged, counted, mended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import lmdb
import numpy as np
import pytest

from pspd.core.model import FileKey, ImageNumber, ModelKey, WatchRoot
from pspd.errors import StoreDamaged, StoreError
from pspd.search.exact_vectors import ExactVectors
from pspd.search.vector_index import VectorRows
from pspd.store import batch, checksum, descriptor_codec, descriptors
from pspd.store.checking import Checker, Progress
from pspd.store.descriptor_codec import OPEN_END, Gap, decode_gap
from pspd.store.manifest import KeptRoot
from pspd.store.store import Store
from pspd.store.vector_filling import fill
from tests.store.raw import Raw
from tests.store.records import MODEL, add_root, features, image_id, stamp

IMAGES = 12
OTHER = ModelKey("dinov2-small@ffffffffffffffff")
RENAMED = ModelKey("copies@0123456789abcdef")
KEPT = (KeptRoot("/pictures"),)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with some images, of which none is described."""
    made = Store(tmp_path / "store", map_bytes=1 << 26)
    add_images(made)
    yield made
    assert findings(made) == []
    made.close()


def add_images(store: Store) -> WatchRoot:
    root = add_root(store)
    for content in range(IMAGES):
        add_image(store, root, content)
    return root


def add_image(store: Store, root: WatchRoot, content: int) -> None:
    key = FileKey(root.directory, f"{content}.png")
    [(sequence, _)] = store.apply([batch.FileSeen(key, stamp())]).queued
    store.apply(
        [batch.FileIndexed(key, sequence, stamp(), False, image_id(content), features(content))]
    )


def findings(store: Store) -> list[str]:
    return [finding.text for finding in Checker(store, Progress()).run(pages=False)]


def described(number: int, model: ModelKey = MODEL) -> batch.DescriptorsKnown:
    return batch.DescriptorsKnown(model, ImageNumber(number), body_of(number))


def body_of(number: int) -> bytes:
    return bytes([127, number % 128, 129])


def describe(store: Store, *numbers: int, model: ModelKey = MODEL) -> None:
    store.apply([described(number, model) for number in numbers])


def undescribed(
    store: Store, model: ModelKey = MODEL, after: int = -1, limit: int = 99
) -> list[int]:
    with store.read() as reader:
        return list(descriptors.undescribed(reader, model, after, limit))


def gaps(store: Store) -> list[Gap]:
    with store.read() as reader:
        return [decode_gap(*entry) for entry in reader.items("undescribed")]


def known(store: Store) -> list[descriptors.KnownModel]:
    with store.read() as reader:
        return descriptors.models(reader)


def all_rows(store: Store, model: ModelKey = MODEL) -> dict[int, bytes]:
    parts = list(descriptors.parts(store, model))
    return {
        number: row.tobytes()
        for part in parts
        for number, row in zip(part.numbers.tolist(), part.vectors, strict=True)
    }


def test_of_a_model_that_described_nothing_every_image_is_missing(store: Store) -> None:
    assert undescribed(store) == list(range(IMAGES))
    assert undescribed(store, after=3, limit=2) == [4, 5]
    assert (known(store), all_rows(store)) == ([], {})
    with store.read() as reader:
        assert descriptors.known(reader, MODEL) is None
        assert descriptors.descriptor(reader, MODEL, ImageNumber(0)) is None


def test_a_descriptor_is_there_once_it_is_known(store: Store) -> None:
    applied = store.apply([described(5), described(2), described(99)])
    assert applied.described == [described(5), described(2)], "there is no image 99"
    assert known(store) == [descriptors.KnownModel(MODEL, 3, 2)]
    assert all_rows(store) == {2: body_of(2), 5: body_of(5)}
    assert undescribed(store) == [0, 1, 3, 4, 6, 7, 8, 9, 10, 11]
    assert undescribed(store, after=4, limit=3) == [6, 7, 8]
    assert undescribed(store, OTHER) == list(range(IMAGES))


def test_what_is_described_in_order_leaves_one_gap(store: Store) -> None:
    for first in range(0, IMAGES, 4):
        describe(store, *range(first, first + 4))
        assert gaps(store) == [Gap(first + 4, OPEN_END)]
    assert undescribed(store) == []
    assert known(store)[0].described == IMAGES


def test_what_is_described_in_any_order_leaves_one_gap_in_the_end(store: Store) -> None:
    for number in np.random.default_rng(3).permutation(IMAGES).tolist():
        describe(store, number)
        assert findings(store) == []
    assert gaps(store) == [Gap(IMAGES, OPEN_END)]


def test_the_same_again_takes_the_place_of_the_old_one(store: Store) -> None:
    describe(store, 1)
    store.apply([batch.DescriptorsKnown(MODEL, ImageNumber(1), b"abc")])
    assert (all_rows(store), known(store)[0].described) == ({1: b"abc"}, 1)


def test_a_descriptor_of_another_length_is_refused_and_nothing_is_stored(store: Store) -> None:
    describe(store, 1)
    wrong = batch.DescriptorsKnown(MODEL, ImageNumber(3), b"four")
    with pytest.raises(StoreError, match="4 dimensions, and others have 3"):
        store.apply([described(2), wrong])
    assert all_rows(store) == {1: body_of(1)}


def test_a_model_is_the_same_under_another_name(store: Store) -> None:
    describe(store, 1)
    assert undescribed(store, RENAMED) == undescribed(store)
    describe(store, 2, model=RENAMED)
    assert known(store) == [descriptors.KnownModel(RENAMED, 3, 2)]


@pytest.mark.parametrize("key", ["", "sscd", "sscd@0123", "@0123456789abcdef", "a b@" + "0" * 16])
def test_what_is_no_key_of_a_model_is_refused(store: Store, key: str) -> None:
    with pytest.raises(ValueError, match="no key of a model"):
        undescribed(store, ModelKey(key))


def test_a_dropped_image_takes_its_descriptors_along(store: Store) -> None:
    describe(store, *range(IMAGES))
    describe(store, 1, 2, model=OTHER)
    with store.read() as reader:
        [root] = reader.roots()
    gone = [batch.FileGone(FileKey(root.directory, f"{number}.png")) for number in (2, 3)]
    store.apply(gone, now=5)
    assert known(store)[0].described == IMAGES, "they may come back"
    applied = store.apply([batch.ForgetOrphans(6)])
    assert (applied.dropped, sorted(all_rows(store))) == ([2, 3], [0, 1, *range(4, IMAGES)])
    assert [(each.key, each.described) for each in known(store)] == [(MODEL, 10), (OTHER, 1)]
    assert undescribed(store) == []
    assert undescribed(store, OTHER) == [0, *range(4, IMAGES)]


def test_an_image_described_and_dropped_in_one_transaction_leaves_nothing(store: Store) -> None:
    with store.read() as reader:
        [root] = reader.roots()
    store.apply([batch.FileGone(FileKey(root.directory, "2.png"))], now=5)
    store.apply([described(2), described(3), batch.ForgetOrphans(6)])
    assert all_rows(store) == {3: body_of(3)}
    store.apply([described(4), batch.DropDescriptors(MODEL), described(5)])
    assert all_rows(store) == {5: body_of(5)}


def test_an_image_that_comes_back_is_missing_again_and_only_it(store: Store) -> None:
    describe(store, *range(IMAGES))
    with store.read() as reader:
        [root] = reader.roots()
    store.apply([batch.FileGone(FileKey(root.directory, "2.png"))], now=5)
    store.apply([batch.ForgetOrphans(6)])
    add_image(store, root, 2)
    assert undescribed(store) == [IMAGES]


def test_an_image_extracted_again_keeps_its_descriptor(store: Store) -> None:
    describe(store, 1)
    store.apply([batch.ImageRefreshed(ImageNumber(1), features(1, version=2))])
    assert all_rows(store) == {1: body_of(1)}


def test_a_model_is_dropped_bit_by_bit(store: Store) -> None:
    describe(store, *range(0, IMAGES, 2))
    describe(store, 3, model=OTHER)
    store.apply([batch.DropDescriptors(MODEL, 4)])
    assert sorted(all_rows(store)) == [8, 10]
    assert undescribed(store) == [*range(8), 9, 11]
    assert gaps(store)[0] == Gap(0, 8)
    store.apply([batch.DropDescriptors(MODEL, 2)])
    assert [each.key for each in known(store)] == [OTHER]
    store.apply([batch.DropDescriptors(MODEL, 2)])
    assert undescribed(store) == list(range(IMAGES))
    describe(store, 4)
    assert all_rows(store) == {4: body_of(4)}


def test_pages_of_what_is_missing_walk_over_nothing_else(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(store, *range(IMAGES - 1))
    describe(store, *range(1, IMAGES), model=OTHER)
    walked: list[bytes] = []
    with store.read() as reader:
        ask = reader.keys_from

        def keys_from(database: str, start: bytes) -> Iterator[bytes]:
            for key in ask(database, start):
                walked.append(key)
                yield key

        monkeypatch.setattr(reader, "keys_from", keys_from)
        assert descriptors.undescribed(reader, MODEL, -1, 5) == [IMAGES - 1]
        assert descriptors.undescribed(reader, OTHER, -1, 5) == [0]
    assert len(walked) <= 4


def test_all_are_read_in_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    describe(store, *range(IMAGES))
    monkeypatch.setattr(descriptors, "PART_ROWS", 5)
    paused: list[int] = []
    parts = list(descriptors.parts(store, MODEL, lambda: paused.append(1)))
    assert [part.numbers.tolist() for part in parts] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11]]
    assert {part.vectors.dtype.name for part in parts} == {"int8"}
    assert all_rows(store) == {number: body_of(number) for number in range(IMAGES)}


# --- damage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A closed store of which every other image is described."""
    store = Store(tmp_path / "store", map_bytes=1 << 26)
    add_images(store)
    describe(store, *range(0, IMAGES, 2))
    store.close()
    return tmp_path / "store"


def test_a_damaged_descriptor_is_told_and_mending_drops_it_alone(folder: Path) -> None:
    raw = Raw(folder)
    key = descriptor_codec.entry_key(descriptor_codec.model_code(MODEL), 4)
    value = bytearray(checksum.seal(key, raw.body("descriptors", key)))
    value[-1] ^= 4
    raw.put_value("descriptors", key, bytes(value))
    raw.close()
    store = Store(folder, map_bytes=1 << 26)
    met: list[StoreDamaged] = []
    store.on_damage = met.append
    with pytest.raises(StoreDamaged):
        list(descriptors.parts(store, MODEL))
    assert len(met) == 1
    assert store.mend(KEPT).dropped == 1
    assert sorted(all_rows(store)) == [0, 2, 6, 8, 10]
    assert undescribed(store) == [1, 3, 4, 5, 7, 9, 11]
    assert findings(store) == []
    store.close()


def test_descriptors_whose_model_was_lost_are_kept_without_its_name(folder: Path) -> None:
    raw = Raw(folder)
    raw.delete("models", raw.first("models"))
    raw.close()
    store = Store(folder, map_bytes=1 << 26)
    with pytest.raises(StoreDamaged, match="no record"):
        describe(store, 1)
    store.mend(KEPT)
    assert known(store) == [descriptors.KnownModel(ModelKey("unnamed@0123456789abcdef"), 3, 6)]
    describe(store, 1)
    assert known(store) == [descriptors.KnownModel(MODEL, 3, 7)]
    assert findings(store) == []
    store.close()


def test_a_model_whose_record_and_descriptors_were_lost_begins_anew(folder: Path) -> None:
    raw = Raw(folder)
    raw.delete("models", raw.first("models"))
    for number in range(0, IMAGES, 2):
        key = descriptor_codec.entry_key(descriptor_codec.model_code(MODEL), number)
        raw.delete("descriptors", key)
    raw.close()
    store = Store(folder, map_bytes=1 << 26)
    describe(store, 3)
    assert undescribed(store) == [number for number in range(IMAGES) if number != 3]
    assert findings(store) == []
    store.close()


def test_a_store_of_an_earlier_version_gets_the_databases(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", map_bytes=1 << 26)
    add_images(store)
    environment = store._environment
    names = ("models", "descriptors", "undescribed")

    def drop(transaction: lmdb.Transaction[bytes]) -> None:
        for name in names:
            transaction.drop(environment.databases[name])

    environment.write(drop)
    assert environment.database_names().isdisjoint(names)
    store.close()
    store = Store(tmp_path / "store", map_bytes=1 << 26)
    assert findings(store) == []
    describe(store, 1)
    assert findings(store) == []
    store.close()


# --- the index of vectors


def test_an_index_is_filled_and_put_right(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    describe(store, *range(IMAGES - 2))
    monkeypatch.setattr(descriptors, "PART_ROWS", 4)
    index = ExactVectors(3)
    assert fill(index, store, MODEL) == IMAGES - 2
    assert index.numbers().tolist() == list(range(IMAGES - 2))
    assert fill(index, store, MODEL) == 0
    wrong = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.int8)
    index.put(VectorRows(np.array([3, IMAGES]), wrong))
    index.drop([5])
    assert fill(index, store, MODEL) == 3
    for part in descriptors.parts(store, MODEL):
        assert not len(index.differing(part))
    assert len(index) == IMAGES - 2
