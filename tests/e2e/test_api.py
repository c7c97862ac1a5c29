"""The Python API and the events, against the real daemon."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pspc import Connection
from pspc.errors import DaemonError
from pspd.rpc import wire
from tests.e2e.home import Home
from tests.e2e.scenes import save


def test_a_program_can_add_sync_and_search(home: Home) -> None:
    folder = home.pictures()
    path = save(1, folder / "a.png")
    with Connection(home.path, start=True) as connection:
        connection.add(folder)
        connection.sync(timeout=30)
        reply = connection.search(path)
        by_bytes = connection.search(path.read_bytes(), mode="original")

    assert [hit.verdict for hit in reply.hits] == ["same_file"]
    assert [os.fsdecode(hit.path) for hit in by_bytes.hits] == [str(path)]
    assert reply.freshness.pending == 0


def test_a_query_that_is_no_picture_names_the_reason(home: Home) -> None:
    with (
        Connection(home.path, start=True) as connection,
        pytest.raises(DaemonError) as caught,
    ):
        connection.search(b"this is a text")

    assert (caught.value.code, caught.value.reason) == ("bad_query", "not_a_picture")


def test_subscribers_hear_of_every_change_and_of_progress(home: Home) -> None:
    folder = home.pictures()
    home.pspc("add", folder, "--wait")
    heard: list[wire.Event] = []
    subscribed, done = threading.Event(), threading.Event()

    def listen() -> None:
        with Connection(home.path) as connection:
            for event in connection.events():
                heard.append(event)
                subscribed.set()
                if isinstance(event, wire.ChangeEvent) and event.kind == "removed":
                    done.set()
                    return

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    # Who subscribes hears only what comes after; until the first event is heard, make some.
    number = 0
    while not subscribed.is_set():
        save(number, folder / f"early-{number}.png")
        home.pspc("sync")
        number += 1
    path = save(99, folder / "a.png")
    home.pspc("sync")
    moved = path.rename(folder / "b.png")
    home.pspc("sync")
    moved.unlink()
    home.pspc("sync")

    assert done.wait(30)
    changes = [
        (event.kind, Path(os.fsdecode(event.path)).name)
        for event in heard
        if isinstance(event, wire.ChangeEvent)
        and not event.path.rpartition(b"/")[2].startswith(b"early")
    ]
    assert changes == [("indexed", "a.png"), ("moved", "b.png"), ("removed", "b.png")]


def test_a_connection_that_nobody_closes_holds_up_no_program(home: Home) -> None:
    home.pspc("start")
    program = """
import gc
import itertools
import sys
import threading

from pspc import Connection

Connection().status()
gc.collect()
inside = [Connection()]
inside[0].status()
inside.append(inside)
del inside
gc.collect()
heard = threading.Event()
def stir():
    with Connection() as other:
        other.add(sys.argv[1])
        for number in itertools.count():
            if heard.is_set():
                return
            open(f"{sys.argv[1]}/{number}", "w").close()
            other.sync()
stirring = threading.Thread(target=stir)
stirring.start()
listening = [Connection().events()]
next(listening[0])
heard.set()
stirring.join()
listening.append(listening)
del listening
gc.collect()
print("on it goes")
"""
    done = subprocess.run(
        [sys.executable, "-c", program, home.pictures()],
        env=home.environ,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == b"on it goes\n"
