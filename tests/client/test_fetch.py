"""Queries from a URL, by a real HTTP server on the loopback."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from pspc import fetch, sources
from pspc.addresses import encoded
from pspc.console import Console
from pspc.errors import SourceError
from tests.client.conftest import Screen


class _Site(http.server.BaseHTTPRequestHandler):
    ANSWERS: ClassVar[dict[str, tuple[Any, ...]]] = {
        "/image.jpg": (200, b"an image"),
        "/moved": (302, b"", "/image.jpg"),
        "/endless": (302, b"x" * (1 << 20), "/image.jpg", 1 << 40),
        "/to-file": (302, b"", "file:///etc/passwd"),
        "/to-ftp": (302, b"", "ftp://127.0.0.1/x"),
        "/loop": (302, b"", "/loop"),
        "/empty": (200, b""),
        "/short": (200, b"an im", "", 100),
        "/%E5%9B%BE%20a%2fb.jpg?q=%C3%A9&r=[1]": (200, b"escaped"),
    }

    def do_GET(self) -> None:
        match self.path:
            case "/garbage":
                self.wfile.write(b"what?\r\n\r\n")
            case "/silent":
                self.close_connection = True
            case "/drip":
                self._drip()
            case path:
                self._answer(*self.ANSWERS.get(path, (404, b"no")))

    def _answer(self, status: int, body: bytes, location: str = "", length: int = 0) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        # Each byte comes well before a timeout on one read; the reader's end ends it.
        try:
            while not self.server.is_ending.wait(0.02):  # type: ignore[attr-defined]
                self.wfile.write(b"x")
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "*")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        server.is_ending = threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.is_ending.set()  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


def _failing(url: str, seconds: float = 10.0) -> str:
    with pytest.raises(SourceError) as caught:
        fetch.fetch(url, seconds=seconds)
    return str(caught.value)


def test_an_image_is_fetched_also_after_a_redirect(site: str) -> None:
    assert sources.read(f"{site}/image.jpg") == b"an image"
    assert sources.read(f"{site}/moved") == b"an image"
    # What comes with the redirect is not waited for, nor read.
    assert sources.read(f"{site}/endless") == b"an image"


def test_a_redirect_leads_to_http_only(site: str) -> None:
    assert "neither http nor https" in _failing(f"{site}/to-file")
    assert "neither http nor https" in _failing(f"{site}/to-ftp")


def test_an_address_may_be_written_as_people_do(site: str) -> None:
    assert sources.read(f" {site}/图 a%2fb.jpg?q=é&r=[1]#part ") == b"escaped"
    assert encoded("http://bücher.example:8080/a b") == "http://xn--bcher-kva.example:8080/a%20b"
    assert encoded("https://[::1]:443/x") == "https://[::1]:443/x"
    assert encoded("HTTP://EXAMPLE.org") == "http://example.org"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/loop", "the server redirects in a circle"),
        ("/short", "the download ended early: the server closed the connection"),
        ("/garbage", "the server's answer is not HTTP"),
        ("/silent", "the server closed the connection without an answer"),
    ],
)
def test_a_server_that_answers_wrongly_is_told_in_plain_words(
    site: str, path: str, words: str
) -> None:
    assert _failing(f"{site}{path}") == words


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "data:image/png;base64,AA"])
def test_other_schemes_are_refused_by_name(url: str) -> None:
    with pytest.raises(SourceError, match="only http and https addresses"):
        sources.read(url)


def test_a_long_download_is_shown_on_a_terminal(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_SILENT_SECONDS", 0.0)
    terminal, pipe = Screen(is_terminal=True), Screen()
    for errors in (terminal, pipe):
        with pytest.raises(SourceError):
            fetch.fetch(f"{site}/drip", seconds=0.5, console=Console(Screen(), errors))
    assert "downloading: " in terminal.text()
    assert terminal.text().endswith("\r\x1b[K")
    assert pipe.text() == ""


def test_a_refusal_is_told(site: str) -> None:
    assert _failing(f"{site}/nothing") == "the server answered 404 Not Found"
    assert _failing(f"{site}/empty") == "it is empty"


def test_an_endless_answer_ends_by_the_clock(site: str) -> None:
    assert _failing(f"{site}/drip", seconds=0.3).startswith(
        "the download was not complete after 0.3 s"
    )


def test_a_server_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        assert "answer" in _failing(f"http://127.0.0.1:{port}/", seconds=0.2)
    assert "Connection refused" in _failing(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("url", ["http://", "http://[", "http://a b/", "http://127.0.0.1:99999/"])
def test_what_is_no_url_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    assert _failing(url)
