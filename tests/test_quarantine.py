"""A content that kills workers costs two of them, under whatever names and however often."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from pspd.core.model import FailureReason, ImageId
from pspd.errors import FileFailure
from pspd.quarantine import MOST_DEATHS, Quarantine, QuarantinedError
from pspd.store import batch
from pspd.store.store import Store
from pspd.workers.handle import WorkerLostError
from pspd.workers.messages import Order
from pspd.workers.pool import WorkerPool
from tests.waiting import PATIENCE, expect
from tests.workers.test_workers import QUICK, file_of, misbehaving


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "store", map_bytes=1 << 24)) as store:
        yield store


def touch(quarantine: Quarantine, pool: WorkerPool, data: bytes) -> str:
    """Have a file read; return the class of what came of it."""
    with file_of(data) as descriptor:
        try:
            quarantine.run(pool, descriptor, Order(), path="/a/poison.png")
        except FileFailure as failure:
            return type(failure).__name__
        return "read"


def test_those_who_want_one_content_and_all_workers_do_not_wait_for_each_other(
    store: Store,
) -> None:
    """One has the worker, one waits for it with a file, and one with the same file as a query."""
    go = threading.Event()
    data = b"asked good"
    image_id = ImageId(hashlib.blake2b(data, digest_size=32).digest())
    quarantine = Quarantine(store, "this one")

    def search() -> str:
        with file_of(data) as descriptor:
            quarantine.run_known(pool, descriptor, Order(), image_id)
        return "read"

    def occupy() -> str:
        with file_of(b"asked good too") as descriptor:
            quarantine.run(pool, descriptor, Order(), is_known=lambda *_: not go.wait(PATIENCE))
        return "read"

    with misbehaving(size=1) as pool, ThreadPoolExecutor(3) as threads:
        first = threads.submit(occupy)
        expect(lambda: pool.free == 0)
        others = [threads.submit(touch, quarantine, pool, data)]
        expect(lambda: pool.waiting == 1)
        others.append(threads.submit(search))
        expect(lambda: pool.waiting == 2)
        go.set()
        assert [each.result(PATIENCE) for each in (first, *others)] == ["read"] * 3


@pytest.mark.parametrize("deed", [b"asked SIGSEGV", b"asked exit", b"asked hang"])
def test_a_poison_touched_a_hundred_times_costs_two_workers(store: Store, deed: bytes) -> None:
    with misbehaving(size=4) as pool, ThreadPoolExecutor(8) as threads:
        quarantine = Quarantine(store, "this one")
        results = list(threads.map(lambda _: touch(quarantine, pool, deed), range(100)))
        assert pool.deaths == MOST_DEATHS
        assert touch(quarantine, pool, b"asked good") == "read"
    assert results.count("WorkerLostError") == 1
    assert results.count("QuarantinedError") == 99


def test_a_restart_forgets_nothing_and_says_what_happened(store: Store) -> None:
    with misbehaving() as pool:
        for _ in range(3):
            touch(Quarantine(store, "this one"), pool, b"asked SIGSEGV")
        assert pool.deaths == MOST_DEATHS
    with store.read() as reader:
        ((image_id, entry),) = reader.quarantine()
    assert image_id == hashlib.blake2b(b"asked SIGSEGV", digest_size=32).digest()
    assert (entry.reason, entry.deaths) == (FailureReason.CRASHED, 2)
    assert (entry.path, entry.decoder) == ("/a/poison.png", "this one")
    assert "SIGSEGV" in entry.message


def test_another_decoder_tries_again(store: Store) -> None:
    with misbehaving() as pool:
        for _ in range(3):
            touch(Quarantine(store, "this one"), pool, b"asked exit")
        assert touch(Quarantine(store, "a newer one"), pool, b"asked exit") == "WorkerLostError"
        assert pool.deaths == MOST_DEATHS + 1


def test_what_is_let_out_is_tried_again(store: Store) -> None:
    quarantine = Quarantine(store, "this one")
    with misbehaving() as pool, file_of(b"asked exit") as descriptor:
        with pytest.raises(WorkerLostError):
            quarantine.run(pool, descriptor, Order())
        for _ in range(2):
            with pytest.raises(QuarantinedError, match="status 7"):
                quarantine.run(pool, descriptor, Order())
        digest = hashlib.blake2b(b"asked exit", digest_size=32).digest()
        store.apply([batch.DropQuarantine(ImageId(digest))])
        with pytest.raises(WorkerLostError):
            quarantine.run(pool, descriptor, Order())
    assert QUICK.max_seconds < 1
