"""Searching by hand: every way in, what comes out, and what is done with it."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples import make_samples
from tests.browser.site import PART, Site, await_done, choose, drop, found
from tests.e2e import scenes

if TYPE_CHECKING:
    from playwright.sync_api import Route

ALL = {"best.png", "twin.png", "equal.bmp", "small.jpg", "turned.jpg"}

PASTE = """async (data) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const blob = new Blob([bytes], {type: "image/png"});
  await navigator.clipboard.write([new ClipboardItem({"image/png": blob})]);
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a picture lies in the web, which is this test."""
    picture = scenes.save(3, tmp_path_factory.mktemp("web") / "picture.png").read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(picture)))
            self.end_headers()
            self.wfile.write(picture)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/picture.png"
        server.shutdown()


def test_a_chosen_picture_is_found_with_all_its_copies(shared_site: Site) -> None:
    page = shared_site.open()
    choose(page, shared_site.folder / "best.png")
    await_done(page)

    assert found(page) == ALL
    assert page.locator(".headline").inner_text() == "You have this very file."
    heads = page.locator(".verdict-head h2").all_inner_texts()
    assert heads == ["Same file", "Same pixels", "Copy"]
    assert "turned left" in page.locator(".hits").inner_text()
    page.locator(".thumbnail.shown").first.wait_for()
    assert shared_site.is_sound()


def test_a_dropped_picture_is_searched_for(shared_site: Site, tmp_path: Path) -> None:
    page = shared_site.open()
    drop(page, scenes.save(4, tmp_path / "mine.png"))
    await_done(page)

    assert found(page) == {"scene-4.png"}
    assert page.locator(".query-facts .path-name").inner_text() == "mine.png"
    assert shared_site.is_sound()


def test_what_is_dropped_on_another_view_is_searched_for(shared_site: Site) -> None:
    page = shared_site.open("library")
    drop(page, shared_site.folder / "scene-5.png")
    await_done(page)

    assert found(page) == {"scene-5.png"}
    assert "#/search/" in page.url


def test_a_picture_of_the_clipboard_is_searched_for(shared_site: Site, tmp_path: Path) -> None:
    page = shared_site.open(permissions=["clipboard-read", "clipboard-write"])
    data = scenes.save(6, tmp_path / "copied.png").read_bytes()
    page.evaluate(PASTE, base64.b64encode(data).decode())
    page.locator("h1").first.click()
    page.keyboard.press("Control+V")
    await_done(page)

    assert found(page) == {"scene-6.png"}
    assert shared_site.is_sound()


def test_an_address_is_searched_for(shared_site: Site, address: str) -> None:
    page = shared_site.open()
    page.get_by_label("Address of a picture").fill(address)
    page.keyboard.press("Enter")
    await_done(page)

    assert found(page) == {"scene-3.png"}


def test_what_is_no_address_is_told(shared_site: Site) -> None:
    page = shared_site.open()
    page.get_by_label("Address of a picture").fill("picture.png")
    page.keyboard.press("Enter")

    page.locator(".notice.error").wait_for()
    assert "http://" in page.locator(".notice.error").inner_text()


def test_results_grow_from_fast_to_full(shared_site: Site, tmp_path: Path) -> None:
    make_samples.landscape(0).crop(PART).save(tmp_path / "part.png")
    page = shared_site.open()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/search?*effort=full*", hold)
    choose(page, tmp_path / "part.png")
    page.locator(".headline", has_text="Nothing at first sight").wait_for()
    assert page.locator(".closer").is_visible()
    assert found(page) == set()
    held[0].continue_()
    await_done(page)

    assert "best.png" in found(page)
    assert page.locator(".chip.part").count() > 0
    assert page.locator(".chip.later").count() > 0


def test_several_pictures_are_searched_for_one_after_the_other(shared_site: Site) -> None:
    page = shared_site.open()
    choose(page, *(shared_site.folder / f"scene-{seed}.png" for seed in (2, 3, 4)))
    page.locator(".recent-query .badge.found").nth(2).wait_for()

    assert page.locator(".recent-query").count() == 3
    page.locator(".recent-query").nth(2).click()
    await_done(page)
    assert len(found(page)) == 1
    assert shared_site.is_sound()


def test_a_picture_that_is_not_there_is_said_not_to_be(shared_site: Site, tmp_path: Path) -> None:
    page = shared_site.open()
    choose(page, scenes.save(99, tmp_path / "stranger.png"))
    await_done(page)

    assert page.locator(".headline").inner_text() == "You do not have it."
    assert found(page) == set()


def test_details_lead_on(shared_site: Site) -> None:
    page = shared_site.open()
    choose(page, shared_site.folder / "best.png")
    await_done(page)
    page.locator(".tile", has_text="turned.jpg").locator(".tile-open").click()
    dialog = page.get_by_role("dialog")
    dialog.locator(".detail-files h3").wait_for()

    assert str(shared_site.folder / "web" / "turned.jpg") in dialog.inner_text()
    dialog.get_by_role("button", name="Search with this one").click()
    await_done(page)
    assert page.locator(".query-facts .path-name").inner_text() == "turned.jpg"
    assert found(page) == ALL
    page.go_back()
    await_done(page)
    assert page.locator(".query-facts .path-name").inner_text() == "best.png"
    assert shared_site.is_sound()


def test_a_path_is_copied(shared_site: Site) -> None:
    page = shared_site.open(permissions=["clipboard-read", "clipboard-write"])
    choose(page, shared_site.folder / "scene-2.png")
    await_done(page)
    page.locator(".tile-open").first.focus()
    page.keyboard.press("y")
    page.locator(".notice").wait_for()

    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == str(shared_site.folder / "scene-2.png")


def test_loading_again_shows_the_same_search(shared_site: Site) -> None:
    page = shared_site.open()
    choose(page, shared_site.folder / "best.png")
    await_done(page)
    page.reload()
    await_done(page)

    assert found(page) == ALL


def test_only_originals_are_found_when_that_is_wanted(shared_site: Site) -> None:
    page = shared_site.open()
    choose(page, shared_site.folder / "best.png")
    await_done(page)
    page.locator(".wishes summary").click()
    page.get_by_label("originals only").check()
    page.locator(".verdict-head.copy").wait_for(state="detached")
    await_done(page)

    assert found(page) == {"best.png", "twin.png", "equal.bmp"}
