"""Queries from an address, as a web page may give them: from the internet alone, and bounded."""

from __future__ import annotations

import functools
import http.server
import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pspc.errors import SourceError
from pspc.fetch import fetch
from pspc.web.public_hosts import connect
from tests.client.web.conftest import Library
from tests.client.web.running import Gateway
from tests.e2e import scenes
from tests.waiting import expect


class _Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/scene.png":
                stream = io.BytesIO()
                scenes.scene(0).save(stream, "PNG")
                self._send(stream.getvalue())
            case "/text":
                self._send(b"just some text\n" * 100)
            case "/moved":
                self.send_response(302)
                self.send_header("Location", self.path.partition("?")[2])
                self.end_headers()
            case "/large":
                self.send_response(200)
                self.send_header("Content-Length", str(65 << 20))
                self.end_headers()
            case "/endless":
                self._send_endlessly(b"x" * (1 << 20))
            case "/drip":
                self._send_endlessly(b"x")
            case "/slow-head":
                self._send_head_endlessly()
            case _:
                self.send_error(404)

    def _send(self, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _send_endlessly(self, part: bytes) -> None:
        self.send_response(200)
        self.end_headers()
        self._repeat(part, 0.0 if len(part) > 1 else 0.02)

    def _send_head_endlessly(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        self._repeat(b"X: y\r\n", 0.05)

    def _repeat(self, part: bytes, pause: float) -> None:
        site: Any = self.server
        try:
            while not site.is_ending.wait(pause):
                self.wfile.write(part)
        except OSError:
            site.cut += 1

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def _site() -> Iterator[Any]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        server.is_ending = threading.Event()  # type: ignore[attr-defined]
        server.cut = 0  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.is_ending.set()  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def site() -> Iterator[Any]:
    with _site() as server:
        yield server


def _base(site: Any) -> str:
    return f"http://127.0.0.1:{site.server_port}"


def test_a_page_reaches_nothing_that_is_near(shared_library: Library, site: Any) -> None:
    port = site.server_port
    for url in (
        f"http://127.0.0.1:{port}/scene.png", f"http://localhost:{port}/scene.png",
        f"http://127.1:{port}/scene.png", f"http://[::1]:{port}/scene.png",
        f"http://[::ffff:127.0.0.1]:{port}/scene.png", f"http://2130706433:{port}/scene.png",
        f"http://0.0.0.0:{port}/scene.png", f"http://user@127.0.0.1:{port}/scene.png",
        "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/",
        "file:///etc/passwd", "ftp://127.0.0.1/x", "data:image/png;base64,AA", "gopher://x",
        "http://93.184.216.34:22/", "http://93.184.216.34:631/", "http://", "nothing", "//x/y",
    ):  # fmt: skip
        answer = shared_library.script.post("/api/v1/search/url", json={"url": url})
        assert answer.status_code == 422, (url, answer.text)
        assert answer.json()["error"]["code"] == "source"


def test_who_allows_it_reaches_what_is_near(shared_library: Library, site: Any) -> None:
    base = _base(site)
    with (
        Gateway(shared_library.home.environ, "--allow-private-urls") as gateway,
        gateway.script() as script,
    ):
        for path in ("/scene.png", "/moved?/scene.png"):
            url = base + path
            found = script.post("/api/v1/search/url", json={"url": url}, params={"effort": "fast"})
            assert found.status_code == 200, found.text
            assert found.json()["query"]["source"] == url
            assert found.json()["hits"]
        for path, said in (
            ("/none", "404"), ("/large", "larger than the limit of 64 MiB"),
            ("/moved?ftp://x/y", "neither http nor https"), ("/moved?file:///etc", "neither"),
        ):  # fmt: skip
            answer = script.post("/api/v1/search/url", json={"url": base + path})
            assert answer.status_code == 422
            assert said in answer.json()["error"]["message"]
        text = script.post("/api/v1/search/url", json={"url": f"{base}/text"})
        assert (text.status_code, text.json()["error"]["code"]) == (422, "bad_query")


@pytest.mark.parametrize("path", ["/endless", "/drip", "/slow-head"])
def test_an_endless_answer_is_cut_off(site: Any, path: str) -> None:
    """Also for the server, and for the thread that reads: a gateway lives long."""
    before, cut = threading.active_count(), site.cut
    with pytest.raises(SourceError):
        fetch(_base(site) + path, seconds=0.5, most_bytes=8 << 20, connect=_trusting)
    expect(lambda: site.cut > cut)
    expect(lambda: threading.active_count() <= before)


def _trusting(
    address: tuple[str, int], timeout: float | None, source: tuple[str, int] | None
) -> socket.socket:
    return socket.create_connection(address, timeout, source)


def test_a_redirect_into_what_is_near_is_refused(site: Any) -> None:
    """The first server is public as far as its name tells; where it leads is looked at as well."""
    with _site() as near:
        for target in (
            f"http://127.0.0.1:{near.server_port}/scene.png",
            f"http://localhost:{near.server_port}/scene.png",
            f"http://user@public.example:{site.server_port}/scene.png",
            "http://169.254.169.254/latest/meta-data/",
        ):
            url = f"http://public.example:{site.server_port}/moved?{target}"
            with pytest.raises(SourceError):
                fetch(url, seconds=10.0, connect=functools.partial(_named, site.server_port))
        url = f"http://public.example:{site.server_port}/moved?/scene.png"
        assert fetch(url, seconds=10.0, connect=functools.partial(_named, site.server_port))


def _named(
    port: int,
    address: tuple[str, int],
    timeout: float | None,
    source: tuple[str, int] | None,
) -> socket.socket:
    """Connect as the gateway does, but for one name, which is taken to be public."""
    if address[0] == "public.example":
        return socket.create_connection(("127.0.0.1", port), timeout)
    return connect(address, timeout, source)


def test_a_proxy_of_the_environment_is_not_asked(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would look names up by itself, where it stands."""
    monkeypatch.setenv("http_proxy", _base(site))
    with pytest.raises(SourceError, match="private network"):
        fetch("http://10.0.0.1/scene.png", seconds=5.0, connect=connect)
