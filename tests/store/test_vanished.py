"""A record that vanished whole is noticed when the store opens, and answered from by nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from pspd.core.model import DirectoryId, FileKey, ImageNumber
from pspd.errors import StoreDamaged
from pspd.store import batch, keys, preflight
from pspd.store.checking import Checker, Progress
from pspd.store.environment import DATABASES
from pspd.store.opened_store import OpenedStore
from pspd.store.opening import Options, open_store
from pspd.store.store import Store
from tests.store.raw import Raw
from tests.store.records import (
    add_directory,
    add_everything,
    add_root,
    features,
    image_id,
    stamp,
)

OPTIONS = Options(1 << 26)

NOT_MISSED = {"meta", "pixels", "quarantine", "inodes", "files"}
"""The first is tested key by key; the next two are computed or tried again, the rest is found again
by the first scan."""

NUMBERS = ["next_root", "next_directory", "next_image", "next_sequence"]
META = [*NUMBERS, "pictures", "copies", "store_id", "format"]
ROOT = DirectoryId(1)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory whose store has a bit of everything, and was not closed in order."""
    opened = open_store(tmp_path, OPTIONS)
    add_everything(opened.store)
    opened.store.close()
    return tmp_path


def delete(state: Path, database: str, key: bytes | None = None) -> None:
    raw = Raw(state / "store")
    raw.delete(database, raw.first(database) if key is None else key)
    raw.close()


def told(opened: OpenedStore) -> list[str]:
    return [notice.cause for notice in opened.notices]


def waiting(store: Store) -> set[str]:
    with store.read() as reader:
        return {key.name for _, key in reader.queued(0, 100)}


def test_a_store_in_order_adds_up(state: Path) -> None:
    assert preflight.examine(state / "store", seconds=5.0).verdict == "sound"
    opened = open_store(state, OPTIONS)
    assert told(opened) == []
    opened.close()


def test_pictures_whose_image_vanished_are_read_again(state: Path) -> None:
    delete(state, "images", keys.number_key(0))
    opened = open_store(state, OPTIONS)
    assert [("missing" in cause) for cause in told(opened)] == [True]
    assert "a.png" in waiting(opened.store)
    with opened.store.read() as reader:
        assert reader.number_of(image_id(0)) is None
        assert reader.imbalances() == []
    opened.close()


@pytest.mark.parametrize("database", [name for name in DATABASES if name not in NOT_MISSED])
def test_a_record_that_vanished_is_noticed_whichever_it_was(state: Path, database: str) -> None:
    delete(state, database)
    opened = open_store(state, OPTIONS)
    assert len(told(opened)) == 1
    with opened.store.read() as reader:
        assert reader.imbalances() == []
        assert [root.path for root in reader.roots()] == ["/pictures"]
    opened.close()


@pytest.mark.parametrize("name", META)
def test_a_number_of_meta_that_vanished_makes_no_wrong_answers(state: Path, name: str) -> None:
    delete(state, "meta", name.encode())
    opened = open_store(state, OPTIONS)
    # Those without a notice are set again from what is known beside the store.
    assert len(told(opened)) == (0 if name in {"store_id", "format"} else 1)
    assert list(state.glob("store.bad-*")) == []
    see_that_all_is_told_apart(opened.store)
    opened.close()


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_that_vanishes_from_a_store_in_use_is_never_given_twice(
    state: Path, name: str
) -> None:
    opened = open_store(state, OPTIONS)
    store = opened.store
    met: list[StoreDamaged] = []
    store.on_damage = met.append
    store.apply([batch.FileSeen(FileKey(ROOT, "before.png"), stamp())])
    last = store.last_sequence()
    forget_number(store, name)
    try:
        store.apply([batch.FileSeen(FileKey(ROOT, "after.png"), stamp())])
    except StoreDamaged:
        assert len(met) == 1
        store.mend(opened.roots)
        store.apply([batch.FileSeen(FileKey(ROOT, "after.png"), stamp())])
    assert store.last_sequence() > last
    see_that_all_is_told_apart(store)
    opened.close()


def forget_number(store: Store, name: str) -> None:
    """Let a number of `meta` vanish behind an open store's back."""
    environment = store._environment
    meta = environment.databases["meta"]
    environment.write(lambda transaction: transaction.delete(name.encode(), db=meta))


def see_that_all_is_told_apart(store: Store) -> None:
    """Add a picture and a directory, and see that nothing old is taken for them."""
    root = add_root(store, "/more")
    sub = add_directory(store, root, root.directory, "new")
    new = FileKey(sub.directory_id, "newest.png")
    [(sequence, _)] = store.apply([batch.FileSeen(new, stamp())]).queued
    store.apply([batch.FileIndexed(new, sequence, stamp(), False, image_id(77), features(77))])
    with store.read() as reader:
        assert reader.imbalances() == []
        for content, name in ((0, "a.png"), (1, "b.png"), (77, "newest.png")):
            number = reader.number_of(image_id(content))
            assert number is not None
            assert [key.name for key in reader.links(number)] == [name]
            assert reader.agrees(number, features(content))
        assert {root.path for root in reader.roots()} == {"/pictures", "/more"}
    assert list(Checker(store, Progress()).run()) == []


def test_a_check_that_may_not_mend_calls_it_damaged(state: Path) -> None:
    delete(state, "images")
    report = preflight.examine(state / "store", seconds=5.0, mends=False)
    assert report.verdict == "damaged"
    assert any("images" in finding for finding in report.findings)


def test_a_link_to_a_file_that_has_another_image_is_not_followed(state: Path) -> None:
    raw = Raw(state / "store")
    raw.put("links", keys.link_key(ImageNumber(0), keys.number_key(1) + b"nobody.png"), b"")
    raw.put("links", keys.link_key(ImageNumber(0), keys.number_key(2) + b"b.png"), b"")
    raw.close()
    store = Store(state / "store", map_bytes=1 << 26)
    with store.read() as reader:
        [root] = reader.roots()
        assert reader.links(ImageNumber(0)) == [FileKey(root.directory, "a.png")]
    store.close()
