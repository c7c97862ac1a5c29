"""Comparing two pictures: every way of it, by hand and by keys."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from examples import make_samples
from tests.browser.site import Site, await_done, await_pictures, choose
from tests.waiting import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


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


def difference(page: Page) -> int:
    """Return the brightest value that is seen of the difference."""
    page.keyboard.press("4")
    page.locator('.stage[data-mode="difference"]').wait_for()
    shot = Image.open(io.BytesIO(page.locator(".stage").screenshot())).convert("RGB")
    # Without the round corners, behind which is the page.
    inner = shot.crop((20, 20, shot.width - 20, shot.height - 20))
    return max(inner.tobytes())


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
    boxes = [
        page.locator(f".pane.{name} .stage-picture").bounding_box() for name in ("first", "second")
    ]
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
    picture = page.locator(".pane.second .stage-picture").bounding_box()
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
    assert difference(page) <= 8


def test_other_pixels_leave_a_difference(page: Page) -> None:
    assert difference(page) > 64


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
    before = page.locator(".pane.first .stage-picture").get_attribute("src")
    page.keyboard.press("x")
    expect(lambda: page.locator(".pane.first .stage-picture").get_attribute("src") != before)


def test_a_pair_that_cannot_be_shown_does_not_look_like_the_one_before(
    page: Page, shared_site: Site
) -> None:
    sentence = "none of its files can be read"

    def refuse(route: Route) -> None:
        error = {"code": "bad_request", "message": sentence, "reason": ""}
        route.fulfill(status=400, json={"error": error})

    page.route("**/api/v1/compare?*", refuse)
    page.route("**/api/v1/pictures/*", refuse)
    page.keyboard.press("[")
    page.locator(".compare-below .error").wait_for()

    assert page.locator(".stage-picture[src]").count() == 0
    assert page.locator(".fact-table").count() == 0
    page.keyboard.press("r")
    page.keyboard.press("m")
    assert shared_site.is_sound()


def test_what_is_told_later_leaves_zoom_and_focus(page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/v1/compare?*", hold)
    page.reload()
    page.locator(".stage-picture[src]").nth(1).wait_for()
    await_pictures(page)
    page.get_by_role("button", name="Zoom in").click()
    page.evaluate("new Promise((resolve) => requestAnimationFrame(resolve))")
    place = "document.querySelector('.pane.first .stage-picture').style.transform"
    before = page.evaluate(place)
    held[0].continue_()
    page.locator(".compare-why h2").wait_for()

    assert page.evaluate(place) == before
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Zoom in"


def test_back_leads_to_the_search_where_there_is_no_way_back(page: Page) -> None:
    tab = page.context.new_page()
    tab.goto(page.url)
    tab.locator(".compare-why h2").wait_for()
    tab.keyboard.press("Escape")
    tab.locator(".welcome h1").wait_for()
