"""A server with a hand-written handler, and a bare DEALER that speaks to it."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

import zmq

from pspd.errors import RequestError
from pspd.host import seconds_left
from pspd.lock import only_daemon
from pspd.noticeboard import NoticeBoard
from pspd.rpc import link, wire
from pspd.rpc.front import Front
from pspd.rpc.front_keeper import FrontKeeper
from pspd.rpc.server import RpcServer

Answer = wire.Reply | Future[wire.Reply]

_T = TypeVar("_T", bound=wire.Message)


@dataclass
class Call:
    """What the handler was asked."""

    request: wire.Request
    image: bytes | None
    deadline: float


@dataclass
class TableHandler:
    """Answers each kind of request by the function registered for it, and keeps the calls."""

    answers: dict[type[wire.Message], Callable[[Call], Answer]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def on(self, kind: type[wire.Message], answer: Answer | Callable[[Call], Answer]) -> Self:
        """Answer requests of `kind` so."""
        self.answers[kind] = answer if callable(answer) else lambda _call: answer
        return self

    def handle(self, request: wire.Request, image: bytes | None, deadline: float) -> Answer:
        """Look the answer up."""
        call = Call(request, image, deadline)
        self.calls.append(call)
        answer = self.answers.get(type(request))
        if answer is None:
            raise RequestError("bad_request", f"this test answers no {type(request).__name__}")
        return answer(call)


class Gate:
    """Holds the threads that come through until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self._opened = threading.Event()

    def pass_through(self) -> None:
        """Wait for `open`; a test that forgets it fails by the assertion, not by a hang."""
        self.entered.release()
        assert self._opened.wait(30)

    def before(self, reply: wire.Reply) -> Callable[[Call], Answer]:
        """Return an answer for `TableHandler.on`: the reply, to those who are through."""

        def answer(_call: Call) -> Answer:
            self.pass_through()
            return reply

        return answer

    def open(self) -> None:
        """Let everybody through, now and later."""
        self._opened.set()


@contextmanager
def short_directory() -> Iterator[Path]:
    """Make a private directory whose name leaves room for a socket's; `tmp_path` may not."""
    directory = tempfile.mkdtemp(prefix="psp-")
    try:
        yield Path(directory)
    finally:
        shutil.rmtree(directory)


def addresses(directory: Path) -> tuple[str, str]:
    """Return the request address and the events address below `directory`."""
    path, events_path = wire.socket_paths({"PSP_HOME": os.fspath(directory)})
    return wire.socket_address(path), wire.socket_address(events_path)


LAST_WORD_SECONDS = 5.0
"""A server that closes as soon as it has begun may not be heard."""


class FrontThread:
    """A front in this process: the tests of all that is not about its death take 0.1 s less."""

    def __init__(self, settings: link.Settings) -> None:
        self.settings = settings
        self._front = Front(settings, most_files=65_536)
        self._lifetime = os.pipe()

    def open(self) -> None:
        """Bind, and relay from then on."""
        self._endpoints = self._front.open()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def is_reachable(self) -> bool:
        """Say whether the sockets are in place."""
        return all(endpoint.is_in_place() for endpoint in self._endpoints)

    def retire(self) -> None:
        """Expect it to end."""

    def close(self, deadline: float = math.inf) -> None:
        """Wait for it, and end its lifetime when the server's last word did not reach it."""
        reader, writer = self._lifetime
        if hasattr(self, "_thread"):
            self._thread.join(seconds_left(deadline, LAST_WORD_SECONDS))
        os.close(writer)
        if hasattr(self, "_thread"):
            self._thread.join()
        os.close(reader)

    def _serve(self) -> None:
        self._front.serve(self._lifetime[0], lambda _: None)
        self._front.close(is_last_word=True)


def local_settings(directory: Path) -> link.Settings:
    """Return the settings of a front below `directory`."""
    path = wire.socket_address(os.fspath(directory / "pspd-front.sock"))
    return link.Settings(path, *addresses(directory))


@contextmanager
def serving(directory: Path, handler: TableHandler, *, threads: int = 4) -> Iterator[RpcServer]:
    """Run a server below `directory`, its front in a thread."""
    server = RpcServer([FrontThread(local_settings(directory))], handler, threads=threads)
    server.start()
    try:
        yield server
    finally:
        server.close()


@contextmanager
def serving_by_process(
    directory: Path, handler: TableHandler, board: NoticeBoard | None = None
) -> Iterator[FrontKeeper]:
    """Run a server below `directory` as the daemon does, its front in a process."""
    keeper = FrontKeeper("front", local_settings(directory), board or NoticeBoard())
    server = RpcServer([keeper], handler)
    with only_daemon(directory):
        server.start()
        try:
            yield keeper
        finally:
            server.close()


class Dealer:
    """A client with no protections: sends any frames, reads any reply."""

    def __init__(self, directory: Path) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = self._context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RCVTIMEO, 30_000)
        self.socket.connect(addresses(directory)[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.socket.close()
        self._context.term()

    def send(
        self,
        request: wire.Request,
        *,
        id: int = 1,
        deadline_ms: int = 30_000,
        image: bytes | None = None,
    ) -> None:
        """Send a well-formed request."""
        frames = [wire.encode_request(request, id=id, deadline_ms=deadline_ms)]
        self.socket.send_multipart(frames if image is None else [*frames, image])

    def receive(self) -> tuple[int, wire.Reply]:
        """Return the next reply and the id it carries."""
        return wire.decode_reply(self.socket.recv())

    def ask(
        self, request: wire.Request, kind: type[_T], *, id: int = 1, image: bytes | None = None
    ) -> _T:
        """Send a request and return its reply, which must be of `kind`."""
        self.send(request, id=id, image=image)
        seen, reply = self.receive()
        assert seen == id
        assert isinstance(reply, kind), reply
        return reply

    def error(self, frames: list[bytes]) -> tuple[int, str]:
        """Send raw frames; returns the id and the code of the error reply."""
        self.socket.send_multipart(frames)
        seen, reply = self.receive()
        assert isinstance(reply, wire.ErrorReply), reply
        return seen, reply.code
