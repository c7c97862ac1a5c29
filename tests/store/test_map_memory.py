"""What was read of the store's file can be given back, and is read again like before."""

from __future__ import annotations

import mmap
import sys
import threading
from pathlib import Path

import pytest

from pspd.store import batch, map_memory
from pspd.store import store as stores
from pspd.store.store import Store
from tests.store.records import add_everything, add_root, image_id

SIZE = 32 << 20

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is given back")


def test_pages_that_were_touched_are_given_back_and_read_again(tmp_path: Path) -> None:
    file = tmp_path / "data.mdb"
    file.write_bytes(b"x" * SIZE)
    with open(file, "rb") as opened, mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        before = map_memory.file_bytes()
        assert mapped[:: mmap.PAGESIZE].count(b"x") == SIZE // mmap.PAGESIZE
        assert map_memory.file_bytes() - before > SIZE // 2
        map_memory.forget_pages(file)
        assert map_memory.file_bytes() - before < SIZE // 2
        assert mapped[:: mmap.PAGESIZE].count(b"x") == SIZE // mmap.PAGESIZE


def test_other_maps_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "data.mdb"
    file.write_bytes(b"x" * SIZE)
    with open(file, "r+b") as opened, mmap.mmap(opened.fileno(), 0, mmap.MAP_PRIVATE) as private:
        private[0:1] = b"y"
        map_memory.forget_pages(file)
        assert private[0:1] == b"y"


def test_a_file_that_is_gone_or_not_mapped_is_no_error(tmp_path: Path) -> None:
    map_memory.forget_pages(tmp_path / "data.mdb")
    (tmp_path / "data.mdb").touch()
    map_memory.forget_pages(tmp_path / "data.mdb")


def test_a_store_is_read_and_written_while_its_pages_are_given_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", map_bytes=1 << 20)
    add_everything(store)
    with store.read() as reader:
        roots = reader.roots()
        store._environment.forget_pages()
        assert reader.roots() == roots
        assert reader.number_of(image_id(0)) == 0
    for number in range(300):
        add_root(store, f"/{number}/" + "x" * 3000)
        store._environment.forget_pages()
    store.apply([batch.PutRoot(roots[0])])
    with store.read() as reader:
        assert len(reader.roots()) == 301
    assert len(store.read_columns().rows()) == 3
    store.close()


def test_a_store_that_is_gone_through_takes_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store", map_bytes=1 << 26)
    add_everything(store)
    monkeypatch.setattr(stores, "MOST_FILE_BYTES", 0)
    forgotten: list[Path] = []
    monkeypatch.setattr(map_memory, "forget_pages", forgotten.append)
    store.bound_memory()
    monkeypatch.setattr(stores, "MOST_FILE_BYTES", 1 << 40)
    store.bound_memory()
    assert forgotten == [tmp_path / "store" / "data.mdb"]
    store.close()


def test_who_goes_through_a_store_gives_its_pages_back_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(map_memory, "FORGET_SECONDS", 0.001)
    times: list[int] = []
    enough = threading.Event()

    def forget() -> None:
        times.append(len(times))
        if len(times) > 3:
            enough.set()

    with map_memory.forgetting(forget):
        assert enough.wait(60)
