"""Threads that ask the daemon: how many, what is dropped, and what a lost connection becomes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pspc.connection import Connection
from pspc.errors import DaemonError, NotRunning
from pspc.web.workers import Workers
from tests.client.conftest import SEARCH_REPLY
from tests.rpc.peers import TableHandler, serving


class Made:
    """Makes connections, and counts them."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.count = 0

    def __call__(self) -> Connection:
        self.count += 1
        return Connection(self._home)


@pytest.fixture
def made(home: Path) -> Made:
    return Made(home)


@pytest.fixture
def workers(made: Made) -> Iterator[Workers]:
    workers = Workers(made, 2)
    yield workers
    workers.close()


def _status(connection: Connection) -> int:
    return connection.status().pid


def test_a_thread_keeps_its_connection(home: Path, handler: TableHandler, made: Made) -> None:
    async def scene(workers: Workers) -> None:
        for _ in range(10):
            await workers.ask(_status)

    with serving(home, handler):
        workers = Workers(made, 1)
        asyncio.run(scene(workers))
        workers.close()
    assert made.count == 1


def test_there_are_so_many_connections_and_no_more(
    home: Path, handler: TableHandler, made: Made, workers: Workers
) -> None:
    async def scene() -> None:
        await asyncio.gather(*(workers.ask(_status) for _ in range(50)))

    with serving(home, handler):
        asyncio.run(scene())
    assert made.count <= 2


def test_a_refusal_leaves_the_connection_as_it_is(
    home: Path, handler: TableHandler, made: Made
) -> None:
    async def scene(workers: Workers) -> None:
        with pytest.raises(DaemonError):
            await workers.ask(lambda connection: connection.picture("0" * 64))
        await workers.ask(_status)

    handler.answers.pop(type(SEARCH_REPLY), None)
    with serving(home, handler):
        workers = Workers(made, 1)
        asyncio.run(scene(workers))
        workers.close()
    assert made.count == 1


def test_a_lost_connection_is_replaced_once_the_daemon_is_back(
    home: Path, handler: TableHandler, made: Made
) -> None:
    async def scene() -> None:
        workers = Workers(made, 1)
        with pytest.raises(NotRunning):
            await workers.ask(_status)
        with serving(home, handler):
            await workers.ask(_status)
        with pytest.raises(NotRunning):
            await workers.ask(_status)
        workers.close()

    asyncio.run(scene())
    assert made.count == 2


def test_what_nobody_waits_for_any_more_is_not_begun(made: Made, workers: Workers) -> None:
    """And what has begun is finished, whoever has gone."""
    gate, begun, ended, done = (
        threading.Event(), threading.Semaphore(0), threading.Semaphore(0), []
    )  # fmt: skip

    def wait(number: int) -> None:
        begun.release()
        assert gate.wait(60)
        done.append(number)
        ended.release()

    async def scene() -> None:
        asked = [
            asyncio.ensure_future(workers.ask(lambda _, number=number: wait(number)))  # type: ignore[misc]
            for number in range(5)
        ]
        for _ in range(2):
            assert await asyncio.to_thread(begun.acquire, timeout=60)
        for each in asked:
            each.cancel()
        await asyncio.wait(asked)
        gate.set()
        for _ in range(2):
            assert await asyncio.to_thread(ended.acquire, timeout=60)

    asyncio.run(scene())
    assert sorted(done) == [0, 1]
