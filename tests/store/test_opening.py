"""The daemon's store opens whatever happened to it, keeps its roots, and says what was done."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from pspd.core.model import FileKey
from pspd.errors import StoreTooNew, StoreUnusable
from pspd.store import (
    backups,
    batch,
    checksum,
    codec,
    file_system,
    keys,
    manifest,
    migrations,
    opening,
    preflight,
)
from pspd.store.manifest import Unchecked
from pspd.store.opened_store import OpenedStore
from pspd.store.opening import Options, open_store
from pspd.store.store import Store
from tests.store.records import add_root, features, image_id, stamp

OPTIONS = Options(1 << 26)
GOLDEN = Path(__file__).with_name("golden_store_1.mdb.gz")


def fill(opened: OpenedStore, path: str = "/pictures", content: int = 7) -> None:
    root = add_root(opened.store, path)
    key = FileKey(root.directory, "a.png")
    [(sequence, _)] = opened.store.apply([batch.FileSeen(key, stamp())]).queued
    opened.store.apply(
        [batch.FileIndexed(key, sequence, stamp(), False, image_id(content), features(content))]
    )


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory with a store in it, closed in order."""
    opened = open_store(tmp_path, OPTIONS)
    fill(opened)
    opened.close()
    return tmp_path


def paths_of(opened: OpenedStore, content: int = 7) -> list[str | None]:
    with opened.store.read() as reader:
        number = reader.number_of(image_id(content))
        return [] if number is None else [reader.file_path(key) for key in reader.links(number)]


def roots_of(opened: OpenedStore) -> list[str]:
    with opened.store.read() as reader:
        return [root.path for root in reader.roots() if not root.removing]


def test_a_store_closed_in_order_opens_with_nothing_to_tell(state: Path) -> None:
    known = manifest.read(state)
    assert known is not None
    assert known.is_clean
    assert (known.images, known.files, known.format) == (1, 1, migrations.FORMAT_VERSION)
    opened = open_store(state, OPTIONS)
    assert (opened.notices, opened.unchecked) == ([], "nothing")
    assert paths_of(opened) == ["/pictures/a.png"]
    unclean = manifest.read(state)
    assert unclean is not None
    assert not unclean.is_clean
    assert unclean.store_id == known.store_id
    opened.close()


@pytest.mark.parametrize("unchecked", ["entries", "all"])
def test_what_is_unchecked_stays_so_over_an_orderly_end_until_it_was_checked(
    state: Path, unchecked: Unchecked
) -> None:
    opened = open_store(state, OPTIONS)
    opened.unchecked = unchecked
    opened.close()
    opened = open_store(state, OPTIONS)
    assert opened.unchecked == unchecked
    opened.close()
    opened = open_store(state, OPTIONS)
    assert opened.unchecked == unchecked
    opened.unchecked = "nothing"
    opened.close()
    opened = open_store(state, OPTIONS)
    assert opened.unchecked == "nothing"
    opened.close()


def test_a_store_that_was_built_anew_has_nothing_unchecked(state: Path) -> None:
    opened = open_store(state, OPTIONS)
    opened.unchecked = "all"
    opened.close()
    zeros(state / "store" / "data.mdb")
    for _ in range(2):
        opened = open_store(state, OPTIONS)
        assert opened.unchecked == "nothing"
        opened.close()


def test_a_manifest_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    kept = manifest.KeptRoot("/pictures", root_id=1, directory=2)
    document = msgspec.to_builtins(manifest.Manifest(7, 1, roots=(kept,), is_clean=True))
    del document["unchecked"]
    del document["roots"][0]["paused"]
    (tmp_path / manifest.NAME).write_bytes(msgspec.json.encode(document))
    known = manifest.read(tmp_path)
    assert known is not None
    assert (known.store_id, known.unchecked, known.roots) == (7, "nothing", (kept,))


def empty(data: Path) -> None:
    data.write_bytes(b"")


def zeros(data: Path) -> None:
    data.write_bytes(bytes(data.stat().st_size))


def text(data: Path) -> None:
    data.write_text("this is no store\n" * 5000)


def cut(data: Path) -> None:
    os.truncate(data, 3 * 4096)


def gone(data: Path) -> None:
    data.unlink()


def all_gone(data: Path) -> None:
    shutil.rmtree(data.parent)


def another(data: Path) -> None:
    shutil.rmtree(data.parent)
    Store(data.parent).close()
    os.truncate(data, 0)


@pytest.mark.parametrize("harm", [empty, zeros, text, cut, gone, all_gone, another])
def test_a_ruined_store_gives_way_to_an_empty_one_with_the_same_roots(
    state: Path, harm: Callable[[Path], None]
) -> None:
    harm(state / "store" / "data.mdb")
    opened = open_store(state, OPTIONS)
    assert roots_of(opened) == ["/pictures"]
    assert paths_of(opened) == []
    assert any("an empty store took its place" in notice.cause for notice in opened.notices)
    opened.close()
    again = open_store(state, OPTIONS)
    assert again.notices == []
    again.close()


@pytest.mark.parametrize("harm", [empty, zeros, text, cut, gone])
def test_a_ruined_store_is_put_aside_and_the_newest_sound_backup_takes_its_place(
    state: Path, harm: Callable[[Path], None]
) -> None:
    opened = open_store(state, OPTIONS)
    backups.make(opened.store, state / backups.FOLDER, 1e9)
    fill(opened, "/later", 8)
    torn = backups.make(opened.store, state / backups.FOLDER, 2e9)
    os.truncate(torn / "data.mdb", 4 * 4096)
    opened.close()
    harm(state / "store" / "data.mdb")
    opened = open_store(state, OPTIONS)
    assert paths_of(opened) == ["/pictures/a.png"]
    assert roots_of(opened) == ["/pictures", "/later"]
    [aside] = state.glob("store.bad-*")
    assert [notice.path for notice in opened.notices] == [str(aside), ""]
    opened.close()


def test_a_root_that_was_removed_after_the_backup_does_not_come_back(state: Path) -> None:
    opened = open_store(state, OPTIONS)
    fill(opened, "/removed", 8)
    backups.make(opened.store, state / backups.FOLDER, 1e9)
    with opened.store.read() as reader:
        [root] = [root for root in reader.roots() if root.path == "/removed"]
    opened.store.apply([batch.ForgetRoot(root)])
    opened.close()
    zeros(state / "store" / "data.mdb")
    opened = open_store(state, OPTIONS)
    assert roots_of(opened) == ["/pictures"]
    opened.close()


@pytest.mark.parametrize("harm", [zeros, all_gone])
def test_a_root_stays_paused_whatever_becomes_of_the_store(
    state: Path, harm: Callable[[Path], None]
) -> None:
    opened = open_store(state, OPTIONS)
    backups.make(opened.store, state / backups.FOLDER, 1e9)
    with opened.store.read() as reader:
        [root] = reader.roots()
    opened.store.apply([batch.PutRoot(replace(root, paused=True))])
    opened.close()
    harm(state / "store" / "data.mdb")
    opened = open_store(state, OPTIONS)
    with opened.store.read() as reader:
        assert reader.roots() == [replace(root, paused=True)]
    opened.close()


def test_a_root_is_paused_beside_its_record_and_what_is_lost_there_stands_in_the_manifest(
    state: Path,
) -> None:
    opened = open_store(state, OPTIONS)
    with opened.store.read() as reader:
        [root] = reader.roots()
    opened.store.apply([batch.PutRoot(replace(root, paused=True))])
    opened.close()
    opened = open_store(state, OPTIONS)
    with opened.store.read() as reader:
        body = reader.get("roots", keys.root_key(root.root_id))
    assert body == codec.encode_root(root), "as earlier versions have it, which pass over the rest"
    opened.close()
    key = keys.paused_key(root.root_id)
    data = state / "store" / "data.mdb"
    value = checksum.seal(key, codec.encode_number(1))
    data.write_bytes(data.read_bytes().replace(key + value, key + bytes(len(value))))
    opened = open_store(state, OPTIONS)
    assert any("dropped" in notice.cause for notice in opened.notices)
    with opened.store.read() as reader:
        assert reader.roots() == [replace(root, paused=True)]
    opened.store.apply([batch.ForgetRoot(root)])
    with opened.store.read() as reader:
        assert reader.get("meta", key) is None
    opened.close()


def test_an_old_copy_in_the_stores_place_keeps_the_roots_of_the_manifest(
    state: Path, tmp_path: Path
) -> None:
    old = (state / "store" / "data.mdb").read_bytes()
    opened = open_store(state, OPTIONS)
    fill(opened, "/later", 8)
    opened.close()
    (state / "store" / "data.mdb").write_bytes(old)
    opened = open_store(state, OPTIONS)
    assert roots_of(opened) == ["/pictures", "/later"]
    opened.close()


def test_a_damaged_value_is_dropped_and_the_rest_stays(state: Path) -> None:
    data = state / "store" / "data.mdb"
    raw = bytearray(data.read_bytes())
    at = raw.rindex(b"PNG")  # the format's name, at the end of the image's record
    raw[at] ^= 1
    data.write_bytes(raw)
    opened = open_store(state, OPTIONS)
    assert [("dropped" in notice.cause) for notice in opened.notices] == [True]
    assert paths_of(opened) == []
    with opened.store.read() as reader:
        assert [key.name for _, key in reader.queued(0, 10)] == ["a.png"]
    opened.close()


def test_rebuilding_again_and_again_ends_with_a_sentence_and_pspd_repair_goes_on(
    state: Path,
) -> None:
    data = state / "store" / "data.mdb"
    for _ in range(opening.MOST_REBUILDS):
        zeros(data)
        open_store(state, OPTIONS).close()
    zeros(data)
    with pytest.raises(StoreUnusable, match="pspd --repair") as caught:
        open_store(state, OPTIONS)
    assert caught.value.exit_status == 78
    environ = {**os.environ, "PSP_HOME": str(state)}
    done = subprocess.run(
        [sys.executable, "-m", "pspd", "--repair"], env=environ, capture_output=True, check=True
    )
    assert b"was put aside" in done.stdout
    opened = open_store(state, OPTIONS)
    assert roots_of(opened) == ["/pictures"]
    opened.close()


def test_a_condemned_store_is_built_anew(state: Path) -> None:
    opened = open_store(state, OPTIONS)
    opened.condemn()
    opened.close()
    opened = open_store(state, OPTIONS)
    assert paths_of(opened) == []
    assert roots_of(opened) == ["/pictures"]
    opened.close()


def test_a_manifest_that_cannot_be_read_costs_nothing(state: Path) -> None:
    (state / manifest.NAME).write_text("{")
    opened = open_store(state, OPTIONS)
    assert paths_of(opened) == ["/pictures/a.png"]
    assert opened.notices == []
    opened.close()


def test_roots_with_names_that_are_no_text_survive_the_manifest(tmp_path: Path) -> None:
    kept = manifest.KeptRoot("/caf\udce9", ("*.jpg",), ("图",), hidden=True)
    made = manifest.Manifest(manifest.new_store_id(), 1, roots=(kept,))
    manifest.write(tmp_path, made)
    assert manifest.read(tmp_path) == made


def test_a_first_start_that_was_killed_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "data.mdb").touch()
    opened = open_store(tmp_path, OPTIONS)
    assert opened.notices == []
    opened.close()


def test_a_newer_store_is_refused_by_the_daemon_and_left_untouched(state: Path) -> None:
    store = Store(state / "store")
    store.set_meta("format", migrations.FORMAT_VERSION + 1)
    store.close()
    before = (state / "store" / "data.mdb").read_bytes()
    with pytest.raises(StoreTooNew):
        open_store(state, OPTIONS)
    assert (state / "store" / "data.mdb").read_bytes() == before
    environ = {**os.environ, "PSP_HOME": str(state)}
    done = subprocess.run(
        [sys.executable, "-m", "pspd"], env=environ, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 78
    assert done.stderr.count(b"\n") == 1
    assert b"upgrade PSP" in done.stderr


def test_the_golden_store_of_format_1_opens_and_answers(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "data.mdb").write_bytes(gzip.decompress(GOLDEN.read_bytes()))
    opened = open_store(tmp_path, OPTIONS)
    assert opened.notices == []
    assert paths_of(opened) == ["/pictures/a.png"]
    assert roots_of(opened) == ["/pictures"]
    with opened.store.read() as reader:
        assert reader.agrees(reader.number_of(image_id(7)) or 0, features(7))  # type: ignore[arg-type]
    opened.close()


def test_wide_permissions_are_taken_back(state: Path) -> None:
    (state / "store").chmod(0o755)
    (state / "store" / "data.mdb").chmod(0o644)
    open_store(state, OPTIONS).close()
    assert (state / "store").stat().st_mode & 0o777 == 0o700
    assert (state / "store" / "data.mdb").stat().st_mode & 0o777 == 0o600


def test_a_variable_of_py_lmdb_does_not_change_the_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMDB_DEFAULT_LIB_VERSION", "1")
    open_store(tmp_path, OPTIONS).close()
    assert (tmp_path / "store" / "data.mdb").read_bytes()[16:24] == (
        0xBEEFC0DE.to_bytes(4, "little") + (1).to_bytes(4, "little")
    )


@pytest.mark.skipif(sys.platform != "linux", reason="statfs's magic numbers are Linux's")
def test_network_file_systems_are_refused_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    magic = file_system.magic_of(tmp_path)
    assert magic
    monkeypatch.setattr(file_system, "REFUSED", {magic: "NFS"})
    with pytest.raises(StoreUnusable, match=r"store\.file_systems"):
        open_store(tmp_path, OPTIONS)
    open_store(tmp_path, Options(1 << 26, any_file_system=True)).close()


def test_a_backup_that_is_not_sound_is_not_kept(state: Path) -> None:
    opened = open_store(state, OPTIONS)
    place = backups.make(opened.store, state / "elsewhere", 1e9)
    assert preflight.examine(place, seconds=5.0, mends=False).verdict == "sound"
    assert [path.name for path in (state / "elsewhere").iterdir()] == [place.name]
    opened.close()


def test_only_the_newest_backups_are_kept(state: Path) -> None:
    opened = open_store(state, OPTIONS)
    made = [backups.make(opened.store, state / backups.FOLDER, 1e9 + day) for day in range(3)]
    backups.thin_out(state, 2)
    assert backups.find(state) == [made[2], made[1]]
    opened.close()
