"""A real gateway as a process, and clients that speak to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx

SECONDS = 60.0


class Gateway:
    """`pspc web` at a free port of loopback.

    Args:
        environ: Its environment, with a PSP_HOME.
        arguments: More of its command line.
        program: What Python is to run, as `pspc`.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *arguments: str,
        program: Sequence[str] = ("-m", "pspc"),
    ) -> None:
        self.home = Path(environ["PSP_HOME"])
        self.process = subprocess.Popen(
            [sys.executable, *program, "web", "--no-browser", "--port", "0", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().decode().strip()
        if not self.address:
            _, errors = self.process.communicate(timeout=SECONDS)
            raise AssertionError(f"no address: {errors.decode()}")
        self.url = httpx.URL(self.address)
        assert self.url.port is not None
        self.port = self.url.port
        self.base = f"http://127.0.0.1:{self.port}"
        self.token = (self.home / "web-token").read_text().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self.process.poll() is None:
            self.stop()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def stop(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """End it; returns its exit status and what it wrote to standard error."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, errors.decode()

    @contextmanager
    def script(self) -> Iterator[httpx.Client]:
        """Yield a client that has the permanent token."""
        with httpx.Client(
            base_url=self.base, headers={"X-PSP-Token": self.token}, timeout=SECONDS
        ) as client:
            yield client

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """Yield a client that came by a key, as a browser does, and has read the page's token."""
        with httpx.Client(base_url=self.base, timeout=SECONDS) as client:
            arrived = client.get("/", params={"key": self.new_key()})
            assert arrived.status_code == 303
            page = client.get("/").text
            client.headers["X-PSP-Token"] = page_token(page)
            yield client

    def new_key(self) -> str:
        """Have it make a key."""
        with self.script() as script:
            key: str = script.post("/api/v1/keys", json={}).json()["key"]
            return key

    def raw(self, sent: bytes, *, port: int | None = None) -> bytes:
        """Send bytes, and return all that comes until the connection ends."""
        with self.connection(port) as line:
            line.sendall(sent)
            return read_all(line)

    @contextmanager
    def connection(self, port: int | None = None) -> Iterator[socket.socket]:
        """Yield a bare connection."""
        with socket.create_connection(("127.0.0.1", port or self.port), SECONDS) as line:
            yield line


def read_all(line: socket.socket) -> bytes:
    """Return what comes until the other side ends the connection."""
    received = b""
    try:
        while part := line.recv(1 << 16):
            received += part
    except ConnectionResetError:
        pass  # it was cut off while we sent
    return received


def read_answer(line: socket.socket) -> bytes:
    """Return one answer, of a connection that goes on."""
    with line.makefile("rb") as file:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += file.readline()
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        return head + file.read(length)


def status_of(answer: bytes) -> int:
    """Return the status of an answer; 0 where there is none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def body_of(answer: bytes) -> Any:
    """Return the document in an answer."""
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def page_token(page: str) -> str:
    """Return the token that the page has."""
    return page.partition('name="psp-token" content="')[2].partition('"')[0]


def environ_of(home: os.PathLike[str]) -> dict[str, str]:
    """Return an environment in which everything lies under a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PSP_")}
    return {**kept, "PSP_HOME": os.fspath(home), "LC_ALL": "C.UTF-8"}
