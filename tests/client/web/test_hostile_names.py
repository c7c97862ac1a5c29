"""Files whose names were made to be taken for markup, paths or commands: they stay names."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.web.conftest import Library, library_of
from tests.e2e import scenes

MARKUP = [
    b"<script>alert(1)<\\script>.png",
    b"<img src=x onerror=alert(1)>.png",
    b'"><svg onload=alert(1)>.png',
    b"'-alert(1)-'.png",
    b"javascript:alert(1).png",
    b"__PSP_TOKEN__.png",
    b"{{7*7}}${7*7}<%= 7*7 %>.png",
    b"&lt;b&gt;&#x3c;.png",
    b"</title><\\textarea><script>.png".replace(b"/", b"\\"),
    b"\xe2\x80\xaegnp.exe.png",
    b"line\nbreak\r\nSet-Cookie: a=b.png",
    b"event: daemon\ndata: {}\n\n.png",
    b"\x1b]0;title\x07.png",
    b"\xff\xfe\x80.png",
    b"%2e%2e%2f..%5c.png",
    b" leading and trailing .png ",
    "😀🏽‍👩‍👧.png".encode(),
    "\uff41\u202e\u2066\u200b.png".encode(),
    b"'; DROP TABLE images; --.png",
    b"$(touch pwned)`id`.png",
]
"""As a file's name can have them: without a slash and NUL."""

COUNT = 500


def _names() -> list[bytes]:
    return [b"%d %s" % (number, MARKUP[number % len(MARKUP)]) for number in range(COUNT)]


@pytest.fixture(scope="module")
def hostile() -> Iterator[Library]:
    """A library of one picture under five hundred names."""

    def draw(folder: Path) -> None:
        data = scenes.save(1, folder / "first.png").read_bytes()
        for name in _names():
            with open(os.path.join(os.fsencode(folder), name), "wb") as file:
                file.write(data)

    yield from library_of(draw)


def _path(file: dict[str, str], folder: bytes) -> bytes:
    exact = file.get("path_base64")
    path = base64.b64decode(exact) if exact else file["path"].encode()
    assert os.path.dirname(path) == folder
    return os.path.basename(path)


def test_hostile_names_come_as_they_are_and_as_nothing_else(hostile: Library) -> None:
    folder = os.fsencode(hostile.folder)
    data = (hostile.folder / "first.png").read_bytes()
    found = hostile.script.post(
        "/api/v1/search", content=data, headers={"Content-Type": "image/png"}
    )
    hits = found.json()["hits"]
    assert {_path(hit, folder) for hit in hits} == {*_names(), b"first.png"}
    image = found.json()["query"]["image"]
    details = hostile.script.get(f"/api/v1/pictures/{image}")
    groups = hostile.script.get("/api/v1/duplicates", params={"limit": 1000})
    assert {_path(file, folder) for file in details.json()["files"]} == {*_names(), b"first.png"}
    (group,) = groups.json()["groups"]
    assert len(group["files"]) == COUNT + 1
    for answer in (found, details, groups):
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
    with hostile.gateway.browser() as browser:
        page = browser.get("/").text
        assert "alert(1)" not in page


def test_an_event_has_no_line_break_of_a_name(hostile: Library) -> None:
    with hostile.script.stream("GET", "/api/v1/events") as stream:
        lines = stream.iter_lines()
        next(line for line in lines if line == "event: progress")
        name = b"new event: daemon\ndata: {}\n\n.png"
        scenes.save(2, hostile.folder / "second.png")
        os.rename(hostile.folder / "second.png", os.path.join(os.fsencode(hostile.folder), name))
        seen = next(line for line in lines if "new event" in line)
        assert seen.startswith('data: {"path":')
        assert "\\n" in seen
