"""A store of an earlier version says the same once it is lifted, whatever ends that in between."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pspd.core.model import DirectoryId, FileKey, FileStamp
from pspd.errors import StartBrokenOff, StoreUnusable
from pspd.store import backups, batch, file_system, migrations
from pspd.store.checking import Checker, Progress
from pspd.store.environment import DATABASES
from pspd.store.opening import Options, open_store
from pspd.store.store import Store
from tests.store.older import NEW_NUMBERS, make_format_1
from tests.store.raw import Raw
from tests.store.records import add_everything, add_root, features, image_id

OPTIONS = Options(1 << 26)
MANY = 4500
"""More than a block of either format has rows."""


def opened(folder: Path) -> Store:
    return Store(folder, map_bytes=1 << 26)


def everything(store: Store) -> dict[str, list[tuple[bytes, bytes]]]:
    with store.read() as reader:
        return {name: list(reader.items(name)) for name in DATABASES}


def add_many(store: Store) -> None:
    root = add_root(store, "/many")
    stamp = FileStamp(2**33, -5, 2**60, 2**63, 2**40)
    names = [f"{number:05}" + "x" * (number % 3) * 250 for number in range(MANY)]
    seen = [batch.FileSeen(FileKey(root.directory, name), stamp) for name in names]
    done = [
        batch.FileIndexed(key, sequence, stamp, False, image_id(content), features(content))
        for content, (sequence, key) in enumerate(store.apply(seen).queued, start=100)
    ]
    store.apply(done)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A closed store of this version, with a bit of everything and many pictures."""
    store = opened(tmp_path / "store")
    add_everything(store)
    add_many(store)
    store.close()
    return tmp_path / "store"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory, closed in order, whose store and backup are of format 1."""
    made = open_store(tmp_path, OPTIONS)
    add_everything(made.store)
    place = backups.make(made.store, tmp_path / backups.FOLDER, 1e9)
    made.close()
    make_format_1(tmp_path / "store")
    make_format_1(place)
    return tmp_path


def test_a_lifted_store_says_all_that_it_said_before(folder: Path) -> None:
    store = opened(folder)
    before = everything(store)
    store.close()
    make_format_1(folder)
    store = opened(folder)
    # What are copies of what is found anew, and descriptors: format 1 did not know them.
    for name in ("copies", "models", "descriptors", "undescribed"):
        assert before[name]
        before[name] = []
    before["meta"] = [each for each in before["meta"] if each[0] not in NEW_NUMBERS]
    assert everything(store) == before
    assert list(Checker(store, Progress()).run()) == []
    store.close()
    assert sorted(path.name for path in folder.iterdir()) == ["data.mdb", "lock.mdb"]


def test_the_daemon_lifts_its_store_and_has_nothing_to_tell(state: Path) -> None:
    made = open_store(state, OPTIONS)
    assert (made.notices, made.unchecked) == ([], "entries")
    with made.store.read() as reader:
        assert reader.number_of(image_id(0)) == 0
        assert reader.agrees(reader.number_of(image_id(0)) or 0, features(0))  # type: ignore[arg-type]
        assert [root.path for root in reader.roots()] == ["/pictures"]
    made.close()


def test_a_backup_of_an_earlier_version_takes_the_place_of_a_ruined_store(state: Path) -> None:
    os.truncate(state / "store" / "data.mdb", 3 * 4096)
    made = open_store(state, OPTIONS)
    assert any("the backup" in notice.cause for notice in made.notices)
    with made.store.read() as reader:
        assert reader.number_of(image_id(0)) is not None
    made.close()


def test_a_lift_that_is_broken_off_leaves_the_old_store(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_format_1(folder)
    monkeypatch.setattr(migrations, "BATCH_ENTRIES", 1000)
    before = (folder / "data.mdb").read_bytes()
    answers = iter([False, False, True])
    with pytest.raises(StartBrokenOff):
        migrations.lift(folder, is_stopping=lambda: next(answers))
    assert (folder / "data.mdb").read_bytes() == before
    assert not (folder / migrations.FOLDER).exists()


def test_what_a_killed_lift_left_is_no_hindrance(folder: Path) -> None:
    make_format_1(folder)
    (folder / migrations.FOLDER).mkdir()
    (folder / migrations.FOLDER / "data.mdb").write_bytes(b"half")
    store = opened(folder)
    with store.read() as reader:
        assert reader.number_of(image_id(100)) is not None
    store.close()
    assert not (folder / migrations.FOLDER).exists()


def test_a_disk_without_room_for_it_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_format_1(folder)
    before = (folder / "data.mdb").read_bytes()
    monkeypatch.setattr(file_system, "free_bytes", lambda _folder: 0)
    with pytest.raises(StoreUnusable, match="make room"):
        opened(folder)
    assert (folder / "data.mdb").read_bytes() == before


def _flip(raw: Raw, database: str) -> None:
    key = b"pictures" if database == "meta" else raw.first(database)
    raw.put_value(database, key, b"1234" + raw.body(database, key))


def _lose(raw: Raw, database: str) -> None:
    raw.delete(database, b"pictures" if database == "meta" else raw.first(database))


@pytest.mark.parametrize("database", ["files", "images", "columns", "links", "digests", "meta"])
@pytest.mark.parametrize("harm", [_flip, _lose])
def test_damage_of_an_older_store_is_mended_when_it_is_lifted(
    state: Path, harm: Callable[[Raw, str], None], database: str
) -> None:
    raw = Raw(state / "store")
    harm(raw, database)
    raw.close()
    made = open_store(state, OPTIONS)
    with made.store.read() as reader:
        waiting = {key.name for _, key in reader.queued(0, 100)}
        known = reader.number_of(image_id(0))
        [root] = reader.roots()
        file = reader.file(FileKey(DirectoryId(root.directory), "a.png"))
        assert reader.imbalances() == []
        assert "a.png" in waiting or file is None or (known is not None and reader.links(known))
    made.close()
