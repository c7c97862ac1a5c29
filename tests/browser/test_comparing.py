"""Comparing two pictures: every way of it, by hand and by keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples import make_samples
from tests.browser.site import Site, await_done, await_pictures, choose
from tests.waiting import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

LIGHT = """async () => {
  const stage = document.querySelector(".stage");
  const [first, second] = stage.querySelectorAll("img");
  const canvas = new OffscreenCanvas(64, 48);
  const pen = canvas.getContext("2d");
  pen.drawImage(first, 0, 0, 64, 48);
  pen.globalCompositeOperation = "difference";
  pen.drawImage(second, 0, 0, 64, 48);
  return Math.max(...pen.getImageData(0, 0, 64, 48).data.filter((_, at) => at % 4 < 3));
}"""


def compared(site: Site, path: Path, name: str) -> Page:
    """Search with a picture, and compare it with a hit."""
    page = site.open()
    choose(page, path)
    await_done(page)
    tile = page.locator(".tile", has_text=name)
    tile.locator(".tile-open").focus()
    page.keyboard.press("c")
    page.locator(".compare-why h2").wait_for()
    await_pictures(page)
    return page


def mode(page: Page) -> str | None:
    return page.locator(".stage").get_attribute("data-mode")


@pytest.fixture
def page(shared_site: Site) -> Page:
    return compared(shared_site, shared_site.folder / "best.png", "small.jpg")


def test_the_verdict_and_the_facts_are_shown(page: Page, shared_site: Site) -> None:
    assert page.locator(".compare-why h2").inner_text() == "A copy"
    differing = page.locator(".fact-table tr.differs th").all_inner_texts()
    assert any(text.startswith("Pixels") for text in differing)
    assert any(text.startswith("Format") for text in differing)
    row = page.locator(".fact-table tr", has_text="Pixels")
    assert row.locator("td.better").inner_text() == "640\u202f×\u202f480"
    assert page.locator(".reasons li.says-joins").count() > 0
    assert shared_site.is_sound()


def test_each_way_of_comparing_has_a_key(page: Page, shared_site: Site) -> None:
    for key, wanted in (("2", "slider"), ("3", "flicker"), ("4", "difference"), ("1", "beside")):
        page.keyboard.press(key)
        page.locator(f'.stage[data-mode="{wanted}"]').wait_for()
        pressed = page.locator('.segments [aria-pressed="true"]')
        assert pressed.get_attribute("data-mode") == wanted
    assert shared_site.is_sound()


def test_the_slider_is_moved_by_keys_and_by_hand(page: Page) -> None:
    page.keyboard.press("2")
    divider = page.get_by_role("slider", name="Line between the pictures")
    divider.focus()
    page.keyboard.press("ArrowRight")
    expect(lambda: divider.get_attribute("aria-valuenow") == "52")
    box, stage = divider.bounding_box(), page.locator(".stage").bounding_box()
    assert box is not None
    assert stage is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(stage["x"] + 0.25 * stage["width"], box["y"] + 20, steps=4)
    page.mouse.up()
    expect(lambda: divider.get_attribute("aria-valuenow") == "25")


def test_flicker_shows_one_at_a_time(page: Page) -> None:
    page.keyboard.press("3")
    page.locator(".pane.second.covered").wait_for(state="attached")
    page.keyboard.press(" ")
    page.locator(".pane.first.covered").wait_for(state="attached")
    assert page.locator(".pane.second.covered").count() == 0


def test_both_are_zoomed_and_moved_together(page: Page) -> None:
    def places() -> list[str]:
        page.evaluate("new Promise((resolve) => requestAnimationFrame(resolve))")
        styles: list[str] = page.eval_on_selector_all(
            ".stage-picture", "(all) => all.map((each) => each.style.transform)"
        )
        return styles

    before = places()
    page.locator(".stage").hover()
    page.mouse.wheel(0, -300)
    zoomed = places()
    assert all(one != other for one, other in zip(before, zoomed, strict=True))
    page.keyboard.press("ArrowRight")
    moved = places()
    assert all(one != other for one, other in zip(zoomed, moved, strict=True))
    page.keyboard.press("0")
    assert places() == before


def test_a_turned_copy_is_laid_right(shared_site: Site) -> None:
    page = compared(shared_site, shared_site.folder / "best.png", "turned.jpg")
    page.keyboard.press("2")
    boxes = [page.locator(f".pane.{name} img").bounding_box() for name in ("first", "second")]
    first, second = boxes
    assert first is not None
    assert second is not None
    for side in ("x", "y", "width", "height"):
        assert first[side] == pytest.approx(second[side], abs=3.0)


def test_the_place_of_a_part_is_drawn(shared_site: Site, tmp_path: Path) -> None:
    part = tmp_path / "part.png"
    make_samples.landscape(0).crop((160, 96, 480, 336)).save(part)
    page = compared(shared_site, part, "best.png")
    page.locator(".pane.second .place:not(.unseen) polygon").wait_for()
    corners = page.locator(".pane.second polygon").get_attribute("points")
    picture = page.locator(".pane.second img").bounding_box()
    pane = page.locator(".pane.second").bounding_box()
    assert corners is not None
    assert picture is not None
    assert pane is not None
    x, y = (float(each) for each in corners.split(" ")[0].split(","))
    assert (pane["x"] + x - picture["x"]) / picture["width"] == pytest.approx(160 / 640, abs=0.02)
    assert (pane["y"] + y - picture["y"]) / picture["height"] == pytest.approx(96 / 480, abs=0.02)
    assert page.get_by_role("button", name="Lay on each other").get_attribute("aria-pressed") == (
        "false"
    )
    assert shared_site.is_sound()


def test_equal_pixels_leave_no_difference(shared_site: Site) -> None:
    page = compared(shared_site, shared_site.folder / "best.png", "equal.bmp")
    page.keyboard.press("4")
    page.locator('.stage[data-mode="difference"]').wait_for()
    assert page.evaluate(LIGHT) <= 8


def test_one_pair_after_the_other_and_back(page: Page) -> None:
    page.locator(".compare-series").wait_for()
    first = page.url
    page.keyboard.press("[")
    page.wait_for_url(lambda url: url != first)
    page.keyboard.press("]")
    page.wait_for_url(first)
    page.keyboard.press("Escape")
    page.locator(".headline").wait_for()
    assert page.locator(".tile").count() > 0


def test_swapping_changes_sides(page: Page) -> None:
    before = page.locator(".pane.first img").get_attribute("src")
    page.keyboard.press("x")
    expect(lambda: page.locator(".pane.first img").get_attribute("src") != before)
