"""A large store that was closed in order: what is needed first is seen first, then the rest."""

from __future__ import annotations

import os
import select
import shutil
from pathlib import Path

import msgspec
import pytest

from pspd.core.model import FileKey
from pspd.core.verdict import FLAT_QUALITY
from pspd.errors import StoreDamaged
from pspd.search.linear import LinearIndex
from pspd.store import batch, column_reading, first_look, manifest, walk
from pspd.store.environment import Environment
from pspd.store.opened_store import OpenedStore
from pspd.store.opening import Options, open_store
from pspd.store.preflight import Report
from tests.store.damage import change_page, make_compact, zeros
from tests.store.raw import Raw
from tests.store.records import add_everything, add_root, features, image_id, stamp
from tests.waiting import expect

OPTIONS = Options(1 << 26)
MANY = 300
QUALITIES = b"\x32" * 100
"""What the column of qualities has in a row of pictures."""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory whose store was closed in order, and counts as large."""
    opened = open_store(tmp_path, OPTIONS)
    add_everything(opened.store)
    root = add_root(opened.store, "/many")
    seen = [batch.FileSeen(FileKey(root.directory, f"{n:05}"), stamp()) for n in range(MANY)]
    opened.store.apply(
        [
            batch.FileIndexed(key, sequence, stamp(), False, image_id(content), features(content))
            for content, (sequence, key) in enumerate(opened.store.apply(seen).queued, start=100)
        ]
    )
    opened.close()
    make_compact(tmp_path)
    monkeypatch.setattr(first_look, "SMALL_BYTES", 0)
    return tmp_path


def rest(opened: OpenedStore) -> Report:
    """Wait for what is found in the rest of the store."""
    found: list[Report] = []

    def is_through() -> bool:
        report = opened.poll_look()
        if report is not None:
            found.append(report)
        return bool(found)

    expect(is_through)
    assert opened.poll_look() is None
    return found[0]


def test_a_store_in_order_is_open_before_all_of_it_was_looked_at(state: Path) -> None:
    look = first_look.begin(state)
    assert look is not None
    report = look.report()
    assert (report.verdict, report.has_more, report.is_complete) == ("sound", True, False)
    assert look.report() == Report("sound")
    look.close()


def test_what_the_claim_began_is_used_and_heard_of_to_its_end(state: Path) -> None:
    opened = open_store(state, OPTIONS, look=first_look.begin(state))
    assert (opened.notices, opened.unchecked) == ([], "nothing")
    index = LinearIndex(FLAT_QUALITY)
    opened.fill(index)
    assert len(index) == len(opened.rows()) == MANY + 3
    assert rest(opened) == Report("sound")
    opened.close()


def test_a_daemon_starts_undisturbed_by_the_look_at_the_rest(state: Path) -> None:
    look = first_look.begin(state)
    assert look is not None
    assert look.report().has_more
    child = look._child
    assert child is not None
    # It says nothing, and does not end, until it is asked.
    assert child.stdout is not None
    assert select.select([child.stdout], [], [], 1.0)[0] == []
    assert look.report().verdict == "sound"
    look.close()


def test_a_look_beside_a_daemon_that_writes_finds_nothing(state: Path) -> None:
    opened = open_store(state, OPTIONS)
    for number in range(50):
        add_root(opened.store, f"/{number}")
    assert rest(opened).verdict == "sound"
    opened.close()


def test_a_damaged_value_elsewhere_is_told_later_and_changes_nothing_yet(state: Path) -> None:
    change_page(state, b"PNG", lambda page: page.replace(b"PNG", b"GIF"))
    opened = open_store(state, OPTIONS)
    assert opened.notices == []
    report = rest(opened)
    assert report.verdict == "mendable"
    assert "images" in report.findings[0]
    opened.close()


def test_a_damaged_page_elsewhere_is_told_later(state: Path) -> None:
    change_page(state, f"{MANY - 1:05}".encode(), zeros)
    opened = open_store(state, OPTIONS)
    assert opened.notices == []
    assert rest(opened).verdict == "damaged"
    opened.close()


def test_a_damaged_page_of_what_is_needed_first_costs_the_store_before_it_is_open(
    state: Path,
) -> None:
    change_page(state, QUALITIES, zeros)
    opened = open_store(state, OPTIONS)
    assert any("an empty store took its place" in notice.cause for notice in opened.notices)
    with opened.store.read() as reader:
        assert {root.path for root in reader.roots()} == {"/pictures", "/many"}
    opened.close()


def test_a_damaged_row_is_mended_before_anything_is_answered(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hash_there = features(100).phash64[::-1]
    change_page(state, hash_there, lambda page: page.replace(hash_there, bytes(8)))
    opened = open_store(state, OPTIONS)
    with pytest.raises(StoreDamaged):
        opened.store.read_columns()
    index = LinearIndex(FLAT_QUALITY)
    monkeypatch.setattr(column_reading, "_PART_BLOCKS", 1)
    opened.fill(index)
    assert len(index) == len(opened.rows()) == 0
    assert any("was mended" in notice.cause for notice in opened.notices)
    with opened.store.read() as reader:
        assert reader.imbalances() == []
    opened.close()


def test_a_store_that_somebody_changed_since_is_looked_at_as_a_whole(state: Path) -> None:
    raw = Raw(state / "store")
    raw.put_value("images", raw.first("images"), b"damaged")
    raw.close()
    size = (state / "store" / "data.mdb").stat().st_size
    known = manifest.read(state)
    assert known is not None
    manifest.write(state, msgspec.structs.replace(known, bytes=size))
    opened = open_store(state, OPTIONS)
    assert any("dropped" in notice.cause for notice in opened.notices)
    assert opened.poll_look() is None
    opened.close()


def test_a_record_that_vanished_is_noticed_before_the_store_is_open(state: Path) -> None:
    raw = Raw(state / "store")
    raw.delete("images", raw.first("images"))
    raw.close()
    make_compact(state)
    opened = open_store(state, OPTIONS)
    assert any("should be" in notice.cause for notice in opened.notices)
    with opened.store.read() as reader:
        assert reader.imbalances() == []
    opened.close()


def leave_as_killed(state: Path) -> None:
    """Leave a store as a killed daemon does: the manifest says that it is open."""
    opened = open_store(state, OPTIONS)
    rest(opened)
    add_root(opened.store, "/while-it-ran")
    manifest_there = (state / manifest.NAME).read_bytes()
    opened.close()
    (state / manifest.NAME).write_bytes(manifest_there)


@pytest.mark.skipif(not first_look._BOOT.exists(), reason="only Linux tells boots apart")
def test_after_a_kill_what_is_needed_comes_first_and_after_another_all(state: Path) -> None:
    leave_as_killed(state)
    opened = open_store(state, OPTIONS)
    # What leads where is checked in the background, as after any disorderly end.
    assert (opened.notices, opened.unchecked) == ([], "entries")
    assert rest(opened) == Report("sound")
    with opened.store.read() as reader:
        assert "/while-it-ran" in {root.path for root in reader.roots()}
    manifest_there = (state / manifest.NAME).read_bytes()
    opened.close()

    (state / manifest.NAME).write_bytes(manifest_there)
    again = open_store(state, OPTIONS)
    assert again.poll_look() is None, "all was looked at before"
    assert (again.notices, again.unchecked) == ([], "entries")
    again.close()


@pytest.mark.skipif(not first_look._BOOT.exists(), reason="only Linux tells boots apart")
@pytest.mark.parametrize("change", ["another boot", "another file", "an older store", "unverified"])
def test_after_anything_else_all_is_looked_at_first(state: Path, change: str) -> None:
    leave_as_killed(state)
    known = manifest.read(state)
    assert known is not None
    assert known.opened_in
    data = state / "store" / "data.mdb"
    match change:
        case "another boot":
            known = msgspec.structs.replace(known, opened_in=f"x{known.opened_in}")
        case "another file":
            copy = data.with_suffix(".copy")
            shutil.copyfile(data, copy)
            copy.rename(data)
        case "an older store":
            known = msgspec.structs.replace(known, transaction=known.transaction + 1000)
        case _:
            known = msgspec.structs.replace(known, unchecked="all")
    manifest.write(state, known)
    look = first_look.begin(state)
    assert look is not None
    report = look.report()
    assert (report.verdict, report.has_more) == ("sound", False)
    look.close()


def test_a_store_that_was_closed_and_changed_its_size_since_was_not_killed(state: Path) -> None:
    leave_as_killed(state)
    open_store(state, OPTIONS).close()
    with (state / "store" / "data.mdb").open("ab") as file:
        file.write(bytes(4096))
    look = first_look.begin(state)
    assert look is not None
    assert not look.report().has_more
    look.close()


@pytest.mark.skipif(not first_look._BOOT.exists(), reason="only Linux tells boots apart")
def test_a_kill_before_all_was_looked_at_has_the_next_start_do_it(state: Path) -> None:
    opened = open_store(state, OPTIONS)
    manifest_there = (state / manifest.NAME).read_bytes()
    opened.close()
    (state / manifest.NAME).write_bytes(manifest_there)
    again = open_store(state, OPTIONS)
    assert again.poll_look() is None, "all was looked at before"
    again.close()


def test_a_look_ends_with_the_store(state: Path) -> None:
    look = first_look.begin(state)
    assert look is not None
    child = look._child
    assert child is not None
    open_store(state, OPTIONS, look=look).close()
    assert child.returncode is not None
    assert look.report().verdict == "unfinished"


@pytest.mark.parametrize("what", ["nothing", "no store", "condemned"])
def test_there_is_nothing_to_look_at_where_no_store_is_to_be_used(state: Path, what: str) -> None:
    if what == "condemned":
        known = manifest.read(state)
        assert known is not None
        manifest.write(state, msgspec.structs.replace(known, is_condemned=True))
    else:
        shutil.rmtree(state / "store")
    if what == "nothing":
        os.unlink(state / manifest.NAME)
    assert first_look.begin(state) is None


def test_what_is_needed_is_touched_on_a_system_without_files_in_memory(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_name: str) -> int:
        raise OSError

    monkeypatch.setattr(os, "memfd_create", refuse, raising=False)
    environment = Environment(state / "store", map_bytes=1 << 26)
    environment.open_databases()
    walk.touch(environment)
    environment.close()


@pytest.mark.parametrize("name", [b"next_sequence", b"store_id", b"/many"])
def test_a_value_that_the_start_needs_is_mended_before_it(state: Path, name: bytes) -> None:
    def damage(page: bytes) -> bytes:
        flipped = bytearray(page)
        # Behind a name its value's checksum and body; of a root the path itself.
        flipped[page.index(name) + (len(name) + 5 if name[:1] != b"/" else 1)] ^= 1
        return bytes(flipped)

    change_page(state, name, damage)
    opened = open_store(state, OPTIONS)
    assert [path.name for path in state.glob("store.bad-*")] == []
    with opened.store.read() as reader:
        assert "/many" in [root.path for root in reader.roots()]
        assert len(reader.rows()) == MANY + 3
    assert any("damaged" in notice.cause for notice in opened.notices)
    opened.close()
    again = open_store(state, OPTIONS)
    assert again.notices == []
    again.close()
