"""The page shows what went wrong, loads nothing, and obeys no name."""

from __future__ import annotations

import base64
import io
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from random import Random

from PIL import Image

from pspc.selftest import page
from pspc.selftest.edits import encode
from pspc.selftest.made_pictures import scene
from pspc.selftest.trial import Miss, Outcome, Results

PICTURE = encode(scene(Random(4), (400, 300)), "PNG")
EVIL = '"><script>alert(1)</script>\x1b[2J\u202e.png'


class Tags(HTMLParser):
    """Every tag, every address, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.text += data


def outcome(path: bytes, *foreign: bytes, found: bool = False, error: str = "") -> Outcome:
    return Outcome(path, "crop-10", "hashes", found, False, foreign, None, 12.0, error)


def parsed(results: Results) -> Tags:
    tags = Tags()
    tags.feed("".join(page.page_of(results, 3)))
    return tags


def results_of(*outcomes: Outcome, query: bytes = PICTURE) -> Results:
    return Results(list(outcomes), [Miss(each, query) for each in outcomes], len(outcomes))


def test_a_miss_is_shown_with_the_query_the_original_and_the_others(tmp_path: Path) -> None:
    original, other = tmp_path / "original.png", tmp_path / "other.png"
    for path in (original, other):
        path.write_bytes(PICTURE)
    tags = parsed(results_of(outcome(os.fsencode(original), os.fsencode(other))))
    assert len(tags.addresses) == 3
    for address in tags.addresses:
        data = base64.b64decode(address.removeprefix("data:image/jpeg;base64,"), validate=True)
        assert max(Image.open(io.BytesIO(data)).size) == 200
    assert "crop-10, hashes: not found, 1 others called copies" in tags.text
    assert f"original: {original}" in tags.text


def test_names_are_text_and_nothing_is_loaded_or_run(tmp_path: Path) -> None:
    path = tmp_path / EVIL.replace("/", "_")
    path.write_bytes(PICTURE)
    tags = parsed(results_of(outcome(os.fsencode(path), b"/gone/\xff.png")))
    assert "script" not in tags.tags
    assert all(address.startswith("data:image/jpeg;base64,") for address in tags.addresses)
    assert "\x1b" not in tags.text
    assert "\u202e" not in tags.text
    assert r"other: /gone/\xff.png: No such file or directory" in tags.text


def test_a_query_that_was_refused_says_why() -> None:
    tags = parsed(results_of(outcome(b"/gone", error="it is <broken>"), query=b"no picture"))
    assert "refused: it is <broken>" in tags.text
    assert tags.addresses == []


def test_the_figures_are_in_the_page() -> None:
    tags = parsed(Results([outcome(b"/a", found=True)], [], 1))
    assert re.search(r"crop-10\s*hashes\s*1\s*100.0 %\s*0.0 %", tags.text)
    assert "1 pictures, seed 3." in tags.text
