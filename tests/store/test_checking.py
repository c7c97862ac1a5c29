"""Every kind of damage is found by the check, one test a kind, and mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from pspd.core.model import (
    Counts,
    FileKey,
    FileState,
    ImageNumber,
    PixelDigest,
    Turn,
    WatchRoot,
)
from pspd.errors import StoreDamaged
from pspd.store import batch, checksum, codec, copy_codec, descriptor_codec, image_codec, keys
from pspd.store.checking import Checker, Progress
from pspd.store.environment import DATABASES
from pspd.store.manifest import KeptRoot
from pspd.store.store import Store
from tests.store.raw import Raw
from tests.store.records import (
    MODEL,
    add_directory,
    add_everything,
    add_root,
    features,
    image_id,
    stamp,
)

CODE = descriptor_codec.model_code(MODEL)
KEPT = (KeptRoot("/pictures"),)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A closed store with a bit of everything in it."""
    store = Store(tmp_path / "store", map_bytes=1 << 26)
    add_everything(store)
    store.close()
    return tmp_path / "store"


@pytest.fixture
def raw(folder: Path) -> Iterator[Raw]:
    made = Raw(folder)
    yield made
    made.close()


def findings(store: Store) -> list[str]:
    return [finding.text for finding in Checker(store, Progress()).run(pages=False)]


def opened(folder: Path) -> Store:
    return Store(folder, map_bytes=1 << 26)


def test_two_directories_of_one_inode_are_in_order_and_so_is_the_one_that_is_left(
    folder: Path,
) -> None:
    """A bind mount shows a directory twice; roots that were restored have no inode yet."""
    store = opened(folder)
    root = add_root(store, "/twice")
    first = add_directory(store, root, root.directory, "first")
    second = replace(first, directory_id=store.new_directory_id(), name="second")
    store.apply([batch.PutDirectory(second)])
    assert findings(store) == []
    place = FileKey(root.directory, "second")
    store.apply([batch.RemoveDirectory(second.directory_id, place)])
    assert findings(store) == []
    with store.read() as reader:
        assert reader.directory(first.directory_id) == first
    store.close()


def test_a_store_in_order_has_no_findings(folder: Path) -> None:
    store = opened(folder)
    progress = Progress()
    assert list(Checker(store, progress).run()) == []
    assert progress.done == progress.total > 20
    store.close()


def test_a_check_lets_others_pass_every_few_values(folder: Path) -> None:
    store = opened(folder)
    top = add_root(store, "/others").directory
    keys_of_files = [FileKey(top, f"{number}.png") for number in range(200)]
    store.apply([batch.FileSeen(key, stamp()) for key in keys_of_files])
    passed: list[int] = []
    progress = Progress()
    checker = Checker(store, progress, pause=lambda: passed.append(progress.done))
    assert list(checker.run(pages=False)) == []
    assert passed
    assert max(later - sooner for sooner, later in pairwise([0, *passed])) <= 64
    store.close()


def test_mending_a_store_in_order_changes_nothing(folder: Path) -> None:
    store = opened(folder)
    before = everything(store)
    assert not store.mend(KEPT)
    assert everything(store) == before
    store.close()


def everything(store: Store) -> dict[str, list[tuple[bytes, bytes]]]:
    with store.read() as reader:
        return {name: list(reader.items(name)) for name in DATABASES}


@pytest.mark.parametrize("database", DATABASES)
def test_a_flipped_bit_in_a_value_of_each_database_is_found_and_mended(
    folder: Path, raw: Raw, database: str
) -> None:
    key = b"pictures" if database == "meta" else raw.first(database)
    value = bytearray(checksum.seal(key, raw.body(database, key)))
    value[-1] ^= 1
    raw.put_value(database, key, bytes(value))
    raw.close()
    mended_well(folder, f"{database} ")


LOSSES = [name for name in DATABASES if name not in {"meta", "pixels", "quarantine", "inodes"}]
"""A lost digest of pixels is computed anew when it is wanted; a content that is no longer in
quarantine is tried again; a directory without an inode's entry is a new one after its next move."""


@pytest.mark.parametrize("database", LOSSES)
def test_a_lost_value_of_each_database_is_found_and_mended(
    folder: Path, raw: Raw, database: str
) -> None:
    raw.delete(database, raw.first(database))
    raw.close()
    mended_well(folder, "")


@pytest.mark.parametrize("database", [name for name in DATABASES if name not in {"links", "meta"}])
def test_a_whole_value_of_another_kind_is_found_and_mended(
    folder: Path, raw: Raw, database: str
) -> None:
    """As swapped pages bring them about: checksums do not cover the database's name."""
    raw.put(database, raw.first(database), b"?")
    raw.close()
    mended_well(folder, f"{database} ")


def _no_file(raw: Raw) -> bytes:
    return keys.number_key(1) + b"nobody.png"


STRAYS: dict[str, Callable[[Raw], None]] = {
    "children": lambda raw: raw.put(
        "children", keys.number_key(1) + b"x", codec.encode_number(777)
    ),
    "inodes": lambda raw: raw.put("inodes", bytes(16), codec.encode_number(777)),
    "pending": lambda raw: raw.put("pending", keys.number_key(5000), _no_file(raw)),
    "failures": lambda raw: raw.put("failures", _no_file(raw), codec.encode_failure("x", "y")),
    "digests": lambda raw: raw.put("digests", bytes(10), b""),
    "links": lambda raw: raw.put("links", keys.number_key(0) + _no_file(raw), b""),
    "orphans": lambda raw: raw.put("orphans", keys.number_key(0), codec.encode_number(1)),
    "pixels": lambda raw: raw.put(
        "pixels", keys.number_key(99), image_codec.encode_pixels(PixelDigest(1, bytes(32)))
    ),
    "counters": lambda raw: raw.put(
        "counters", bytes([0, 0, 0, 1]), codec.encode_counts(Counts(9))
    ),
    "copies of no image": lambda raw: raw.put(
        "copies", copy_codec.mark_key(copy_codec.AGAIN, 99), b""
    ),
    "copies one way": lambda raw: raw.put(
        "copies", copy_codec.pair_key(1, 2), copy_codec.encode_pair(Turn.NONE, 3)
    ),
    "copies with another turn": lambda raw: raw.put(
        "copies", copy_codec.pair_key(1, 0), copy_codec.encode_pair(Turn.TRANSVERSE, 5)
    ),
    "copies: several files": lambda raw: raw.put(
        "copies", copy_codec.mark_key(copy_codec.SEVERAL, 0), b""
    ),
    "a descriptor of no image": lambda raw: raw.put(
        "descriptors", descriptor_codec.entry_key(CODE, 99), bytes(3)
    ),
    "a descriptor of no model": lambda raw: raw.put(
        "descriptors", descriptor_codec.entry_key(bytes(8), 0), bytes(3)
    ),
    "a descriptor that is said to be missing": lambda raw: raw.put(
        "undescribed", descriptor_codec.entry_key(CODE, 0), codec.encode_number(1)
    ),
    "a descriptor of another length": lambda raw: raw.put(
        "descriptors", descriptor_codec.entry_key(CODE, 0), bytes(4)
    ),
    "gaps that overlap": lambda raw: raw.put(
        "undescribed", descriptor_codec.entry_key(CODE, 2), codec.encode_number(5)
    ),
    "a gap that ends before it begins": lambda raw: raw.put(
        "undescribed", descriptor_codec.entry_key(CODE, 1), codec.encode_number(1)
    ),
    "a gap of no model": lambda raw: raw.put(
        "undescribed", descriptor_codec.entry_key(bytes(8), 5), codec.encode_number(9)
    ),
    "a gap that ends too early": lambda raw: raw.put(
        "undescribed", descriptor_codec.entry_key(CODE, 1), codec.encode_number(2)
    ),
    "a model that counts wrongly": lambda raw: raw.put(
        "models",
        CODE,
        descriptor_codec.encode_record(descriptor_codec.ModelRecord("sscd", 3, 7, 1)),
    ),
    "a model that nobody described with": lambda raw: raw.put(
        "models", bytes(8), descriptor_codec.encode_record(descriptor_codec.ModelRecord("x", 3))
    ),
    "meta copies": lambda raw: raw.put("meta", b"copies", codec.encode_number(7)),
    "meta compared": lambda raw: raw.put("meta", b"compared", codec.encode_number(7)),
    "meta pictures": lambda raw: raw.put("meta", b"pictures", codec.encode_number(7)),
    "meta next_sequence": lambda raw: raw.put("meta", b"next_sequence", codec.encode_number(1)),
    "meta next_image": lambda raw: raw.put("meta", b"next_image", codec.encode_number(0)),
    "meta next_directory": lambda raw: raw.put("meta", b"next_directory", codec.encode_number(1)),
}


@pytest.mark.parametrize("name", STRAYS)
def test_what_leads_nowhere_or_adds_up_wrongly_is_found_and_mended(
    folder: Path, raw: Raw, name: str
) -> None:
    STRAYS[name](raw)
    raw.close()
    mended_well(folder, "")


def mended_well(folder: Path, expected: str) -> None:
    """A check finds it; after mending another finds nothing, and the root is there."""
    store = opened(folder)
    told = findings(store)
    assert any(text.startswith(expected) for text in told), told
    mended = store.mend(KEPT)
    assert findings(store) == [], mended
    with store.read() as reader:
        assert [root.path for root in reader.roots()] == ["/pictures"]
        found = reader.number_of(image_id(0))
        if found is not None:
            assert reader.agrees(found, features(0))
        waiting = {key.name for _, key in reader.queued(0, 100)}
        known = {
            key.name: record.state
            for root in reader.roots()
            for key, record in reader.files_in(root.directory).items()
        }
    # Whatever is left is right or waits to be read; what is not left is found by the next scan.
    for name, state in known.items():
        right = {"a.png": FileState.INDEXED, "broken.png": FileState.FAILED}
        assert state is right.get(name, FileState.PENDING) or name in waiting
    store.close()


def test_a_distrusted_image_is_dropped_and_its_file_read_again(folder: Path) -> None:
    store = opened(folder)
    mended = store.mend(KEPT, frozenset({ImageNumber(0)}))
    assert mended.queued == 1
    assert findings(store) == []
    with store.read() as reader:
        assert reader.number_of(image_id(0)) is None
        assert 0 not in reader.rows().numbers
    store.close()


def test_damage_that_is_met_is_told_and_not_answered_from(folder: Path, raw: Raw) -> None:
    raw.put_value("digests", keys.digest_key(image_id(0), ImageNumber(0)), b"1234")
    raw.close()
    store = opened(folder)
    met: list[StoreDamaged] = []
    store.on_damage = met.append
    with pytest.raises(StoreDamaged), store.read() as reader:
        reader.number_of(image_id(0))
    assert len(met) == 1
    store.close()


def test_a_missing_block_of_a_column_does_not_shift_the_rows_after_it(
    folder: Path, raw: Raw
) -> None:
    raw.put("columns", keys.column_key(1, 1), bytes(8 * 2000))
    raw.delete("columns", keys.column_key(1, 0))
    raw.close()
    store = opened(folder)
    with pytest.raises(StoreDamaged), store.read() as reader:
        reader.rows()
    store.close()


def test_roots_that_were_lost_come_back_with_new_numbers(folder: Path, raw: Raw) -> None:
    raw.delete("roots", raw.first("roots"))
    raw.close()
    store = opened(folder)
    store.mend((KeptRoot("/pictures", ("*.jpg",)), KeptRoot("/more", hidden=True)))
    with store.read() as reader:
        roots = reader.roots()
    assert [(root.path, root.include, root.hidden) for root in roots] == [
        ("/pictures", ("*.jpg",), False),
        ("/more", (), True),
    ]
    assert WatchRoot(roots[0].root_id, "/pictures").root_id > 1
    add_root(store, "/third")
    assert findings(store) == []
    store.close()


def test_a_root_that_was_lost_keeps_its_numbers_and_what_is_below_it(
    folder: Path, raw: Raw
) -> None:
    raw.delete("roots", raw.first("roots"))
    raw.close()
    store = opened(folder)
    with store.read() as reader:
        files = list(reader.items("files"))
    mended = store.mend((KeptRoot("/pictures", root_id=1, directory=1),))
    assert (mended.dropped, mended.queued) == (0, 0)
    with store.read() as reader:
        assert [(root.root_id, root.directory) for root in reader.roots()] == [(1, 1)]
        assert list(reader.items("files")) == files
    assert findings(store) == []
    store.close()


@pytest.mark.parametrize(("root_id", "directory"), [(1, 7), (7, 1), (7, 2), (0, 7), (7, 0)])
def test_a_root_that_was_lost_gets_new_numbers_where_others_have_its_own(
    folder: Path, root_id: int, directory: int
) -> None:
    store = opened(folder)
    store.mend((KeptRoot("/lost", root_id=root_id, directory=directory),))
    with store.read() as reader:
        old, new = reader.roots()
    assert (old.path, old.root_id, old.directory) == ("/pictures", 1, 1)
    assert new.path == "/lost"
    assert new.root_id > max(1, root_id)
    assert new.directory > max(2, directory)
    assert findings(store) == []
    assert store.new_root_id() > new.root_id
    assert store.new_directory_id() > new.directory
    store.close()
