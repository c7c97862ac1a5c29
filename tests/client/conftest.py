"""A server in a thread at $PSP_HOME, and the command line called in this process."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from pspc.cli import main
from pspc.console import Console
from pspd.rpc import wire
from tests.rpc import samples
from tests.rpc.peers import TableHandler, serving, short_directory

SEARCH_REPLY = wire.SearchReply(
    query=samples.QUERY,
    hits=[samples.HIT],
    freshness=wire.Freshness(indexed=5, pending=0, failed=0),
    total=1,
    elapsed_ms=1.5,
)


class Screen(io.TextIOWrapper):
    """A stream that may say it is a terminal."""

    def __init__(self, *, is_terminal: bool = False) -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding="utf-8")
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def text(self) -> str:
        self.flush()
        return self.bytes.getvalue().decode()


@dataclass
class Finished:
    """What a command left behind."""

    status: int
    output: str
    errors: str
    raw: bytes
    """The output before it is decoded."""


Run = Callable[..., Finished]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with short_directory() as directory:
        monkeypatch.setenv("PSP_HOME", os.fspath(directory))
        yield directory


@pytest.fixture
def handler() -> TableHandler:
    replies = {type(reply): reply for reply in samples.REPLIES}
    return (
        TableHandler()
        .on(wire.Hello, replies[wire.Welcome])
        .on(wire.StatusRequest, replies[wire.StatusReply])
        .on(wire.RootsRequest, replies[wire.RootsReply])
        .on(wire.AddRoot, replies[wire.RootReply])
        .on(wire.RemoveRoot, replies[wire.RootReply])
        .on(wire.ConfirmRoot, replies[wire.RootReply])
        .on(wire.PauseRoot, replies[wire.RootReply])
        .on(wire.SearchRequest, SEARCH_REPLY)
        .on(wire.SyncRequest, wire.SyncReply(SEARCH_REPLY.freshness))
        .on(wire.FailuresRequest, wire.FailuresReply([]))
        .on(
            wire.DuplicatesRequest,
            msgspec.structs.replace(replies[wire.DuplicatesReply], next=None),
        )
    )


@pytest.fixture
def daemon(home: Path, handler: TableHandler) -> Iterator[TableHandler]:
    """Serve at $PSP_HOME; the test changes the answers."""
    with serving(home, handler):
        yield handler


@pytest.fixture
def run() -> Run:
    """Call a command: `run("search", "img.jpg", is_terminal=True)`."""

    def call(*arguments: str, is_terminal: bool = False, may_start: bool = False) -> Finished:
        output, errors = Screen(is_terminal=is_terminal), Screen(is_terminal=is_terminal)
        words = arguments if may_start else ("--no-start", *arguments)
        status = main(words, Console(output, errors))
        output.flush()
        raw = output.bytes.getvalue()
        return Finished(status, raw.decode("utf-8", "replace"), errors.text(), raw)

    return call


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / "query.jpg"
    path.write_bytes(b"an image")
    return os.fspath(path)
