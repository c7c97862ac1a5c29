"""Queries from a URL, by a real HTTP server on the loopback."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from pspc import fetch, sources
from pspc.errors import SourceError


class _Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        match self.path:
            case "/image.jpg":
                self._answer(200, b"an image")
            case "/moved":
                self._answer(302, b"", location="/image.jpg")
            case "/to-file":
                self._answer(302, b"", location="file:///etc/passwd")
            case "/to-ftp":
                self._answer(302, b"", location="ftp://127.0.0.1/x")
            case "/empty":
                self._answer(200, b"")
            case "/drip":
                self._drip()
            case _:
                self._answer(404, b"no")

    def _answer(self, status: int, body: bytes, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
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


def test_a_redirect_leads_to_http_only(site: str) -> None:
    assert "not allowed" in _failing(f"{site}/to-file")
    assert "neither http nor https" in _failing(f"{site}/to-ftp")


def test_a_refusal_is_told(site: str) -> None:
    assert _failing(f"{site}/nothing") == "the server answered 404 Not Found"
    assert _failing(f"{site}/empty") == "it is empty"


def test_an_endless_answer_ends_by_the_clock(site: str) -> None:
    assert "within 0.3 s" in _failing(f"{site}/drip", seconds=0.3)


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
