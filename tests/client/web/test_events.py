"""The stream of events, with a daemon that comes and goes."""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.client.web.conftest import Library
from tests.client.web.running import Gateway
from tests.e2e import scenes

Event = tuple[str, Any]


class Listener:
    """Reads a stream in a thread."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def expect(self, condition: Callable[[str, Any], bool]) -> Any:
        """Return the first event for which a condition holds."""
        while (event := self._events.get(timeout=60)) is not None:
            if condition(*event):
                return event[1]
        raise AssertionError("the stream ended")

    def has_ended(self) -> bool:
        """Wait for the stream's end."""
        while self._events.get(timeout=60) is not None:
            continue
        self._thread.join()
        return True

    def _read(self) -> None:
        kind = ""
        try:
            with self._client.stream("GET", "/api/v1/events") as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                for line in answer.iter_lines():
                    if line.startswith("event: "):
                        kind = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        self._events.put((kind, json.loads(line.removeprefix("data: "))))
        except httpx.HTTPError:
            pass  # the gateway cut it at its end
        finally:
            self._events.put(None)


@contextmanager
def _listening(gateway: Gateway) -> Iterator[Listener]:
    """Yield a listener; the gateway's end is its end."""
    with gateway.script() as client:
        listener = Listener(client)
        try:
            yield listener
        finally:
            if gateway.process.poll() is None:
                gateway.stop()
            assert listener.has_ended()


def test_a_tab_is_told_what_happens(library: Library) -> None:
    with _listening(library.gateway) as listener:
        assert listener.expect(lambda kind, _: kind == "daemon") == {"state": "up", "message": ""}
        assert listener.expect(lambda kind, _: kind == "progress")["indexed"] == 6
        added = scenes.save(7, library.folder / "新 <b>.png")
        change = listener.expect(lambda kind, _: kind == "change")
        assert change == {"kind": "indexed", "path": str(added)}


def test_tabs_are_told_when_the_daemon_goes_and_comes_back(library: Library) -> None:
    with _listening(library.gateway) as listener:
        listener.expect(lambda kind, _: kind == "daemon")
        library.home.pspc("stop")
        down = listener.expect(lambda kind, _: kind == "daemon")
        assert down["state"] == "down"
        assert down["message"]
        answer = library.script.get("/api/v1/status")
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "daemon"
        assert answer.headers["retry-after"] == "1"
        # It is somebody's wish that it is stopped: asking does not start it.
        assert library.home.run("pspc", "--no-start", "status").returncode == 2
        started = library.script.post("/api/v1/daemon/start", json={})
        assert started.json() == {"state": "up", "started": True}
        assert listener.expect(lambda kind, _: kind == "daemon")["state"] == "up"
        assert library.script.get("/api/v1/status").status_code == 200
        again = library.script.post("/api/v1/daemon/start", json={})
        assert again.json() == {"state": "up", "started": False}


def test_a_daemon_that_is_killed_is_noticed(library: Library) -> None:
    with _listening(library.gateway) as listener:
        listener.expect(lambda kind, _: kind == "daemon")
        os.kill(library.home.pid(), signal.SIGKILL)
        assert listener.expect(lambda kind, _: kind == "daemon")["state"] == "down"
        library.home.pspc("start")
        assert listener.expect(lambda kind, _: kind == "daemon")["state"] == "up"


def test_ten_tabs_hear_the_same(library: Library) -> None:
    clients = [
        httpx.Client(base_url=library.gateway.base, headers=library.script.headers)
        for _ in range(10)
    ]
    listeners = [Listener(client) for client in clients]
    for listener in listeners:
        listener.expect(lambda kind, _: kind == "progress")
    scenes.save(8, library.folder / "eight.png")
    for listener in listeners:
        assert listener.expect(lambda kind, _: kind == "change")["path"].endswith("eight.png")
    assert library.gateway.stop()[0] == 130
    for listener, client in zip(listeners, clients, strict=True):
        assert listener.has_ended()
        client.close()


def test_without_a_daemon_a_tab_is_told_so(lonely: Gateway) -> None:
    with lonely.script() as client:
        with client.stream("GET", "/api/v1/events") as answer:
            lines = answer.iter_lines()
            line = next(line for line in lines if line.startswith("data: "))
        assert json.loads(line.removeprefix("data: "))["state"] == "down"
