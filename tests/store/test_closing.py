"""A store is closed under nobody: who still uses it at the deadline finds it open."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from pspd.store import batch
from pspd.store.opened_store import OpenedStore
from pspd.store.opening import Options, open_store
from pspd.store.store import Store
from tests.store.records import add_root

OPTIONS = Options(1 << 26)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenedStore]:
    made = open_store(tmp_path, OPTIONS)
    add_root(made.store)
    yield made
    made.store.close()


def reading(store: Store) -> AbstractContextManager[object]:
    return store.read()


def writing(store: Store) -> AbstractContextManager[object]:
    return store.writes_paused()


@pytest.mark.parametrize("using", [reading, writing])
def test_a_store_in_use_stays_open_and_counts_as_not_closed(
    opened: OpenedStore, tmp_path: Path, using: Callable[[Store], AbstractContextManager[object]]
) -> None:
    is_used, is_closed = threading.Event(), threading.Event()

    def use() -> None:
        with using(opened.store):
            is_used.set()
            is_closed.wait()

    user = threading.Thread(target=use)
    user.start()
    assert is_used.wait(30)
    opened.close(time.monotonic() + 0.05)
    is_closed.set()
    user.join()
    # It goes on for whoever is left, and the next start will look at all of it.
    with opened.store.read() as reader:
        assert len(reader.roots()) == 1
    opened.store.apply([batch.ForgetOrphans(0, 1)])
    opened.store.close()
    again = open_store(tmp_path, OPTIONS)
    assert again.unchecked == "entries"
    again.close()


def test_a_store_that_nobody_uses_is_closed_in_order(tmp_path: Path) -> None:
    opened = open_store(tmp_path, OPTIONS)
    opened.close(time.monotonic() + 30.0)
    again = open_store(tmp_path, OPTIONS)
    assert again.unchecked == "nothing"
    again.close()
