"""What is searched with: a part of a picture, several at once, and by a person's own wishes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from examples import make_samples
from tests.browser.site import PART, Site, await_done, choose, drop, found
from tests.e2e import scenes

if TYPE_CHECKING:
    from playwright.sync_api import Route


def test_a_part_is_drawn_and_searched_with(shared_site: Site) -> None:
    page = shared_site.open()
    choose(page, shared_site.folder / "best.png")
    await_done(page)
    page.locator(".query-frame.shown").wait_for()
    box = page.locator(".crop-layer").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.7 * box["height"], steps=5)
    page.mouse.up()
    page.get_by_role("button", name="Search with this part").click()
    page.wait_for_url("**crop=**")
    await_done(page)

    left, top, width, height = (
        int(page.locator(f'.crop-numbers input[data-side="{side}"]').input_value())
        for side in ("left", "top", "width", "height")
    )
    assert abs(left - 128) < 20
    assert abs(top - 96) < 20
    assert abs(width - 320) < 20
    assert abs(height - 240) < 20
    assert f"crop={left}%2C{top}%2C{width}%2C{height}" in page.url
    assert "best.png" in found(page)
    assert page.locator(".chip.part").count() > 0
    page.get_by_role("button", name="Whole picture").click()
    page.locator(".verdict-head.same_file").wait_for()
    assert shared_site.is_sound()


def test_a_part_is_chosen_by_keys(shared_site: Site) -> None:
    page = shared_site.open()
    choose(page, shared_site.folder / "best.png")
    await_done(page)
    page.keyboard.press("p")
    width = page.locator('.crop-numbers input[data-side="width"]')
    before = int(width.input_value())
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowLeft")

    assert int(width.input_value()) > before
    page.keyboard.press("Enter")
    page.wait_for_url("**crop=**")
    await_done(page)
    assert "best.png" in found(page)


def test_a_part_leaves_the_query_what_it_is(shared_site: Site) -> None:
    page = shared_site.open()
    choose(page, shared_site.folder / "best.png")
    await_done(page)
    whole = page.url
    page.keyboard.press("p")
    page.keyboard.press("Enter")
    page.wait_for_url("**crop=**")
    await_done(page)
    assert page.url.partition("?")[0] == whole
    assert "640\u202f×\u202f480" in page.locator(".query-facts").inner_text()
    page.reload()
    await_done(page)

    assert page.locator('.crop-numbers input[data-side="width"]').input_value() == "320"
    assert "640\u202f×\u202f480" in page.locator(".query-facts").inner_text()
    page.get_by_role("button", name="Whole picture").click()
    page.locator(".verdict-head.same_file").wait_for()
    assert page.url == whole


def test_what_is_dropped_meanwhile_takes_the_place_and_keeps_it(shared_site: Site) -> None:
    page = shared_site.open()
    choose(page, shared_site.folder / "best.png")
    await_done(page)
    held: list[Route] = []
    is_held = True

    def hold(route: Route) -> None:
        if is_held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/search?*effort=full*", hold)
    page.reload()
    # What is kept is shown before all is found.
    page.locator(".headline.same_file").wait_for()
    assert page.locator(".closer").is_visible()
    choose(page, shared_site.folder / "scene-2.png")
    page.locator(".query-facts", has_text="scene-2.png").wait_for()
    page.locator(".tile", has_text="scene-2.png").wait_for()
    is_held = False
    for route in held:
        route.continue_()
    await_done(page)

    assert found(page) == {"scene-2.png"}


def test_more_pictures_than_are_kept_are_told(shared_site: Site) -> None:
    page = shared_site.open()
    names = [f"scene-{seed}.png" for seed in range(2, 8)]
    choose(page, *(shared_site.folder / name for name in [*names, "best.png", "twin.png"]))
    assert page.locator(".notice").count() == 0
    page.locator(".recent-query .badge.found").nth(7).wait_for()
    every = [*names, "best.png", "twin.png", "equal.bmp"]
    choose(page, *(shared_site.folder / name for name in every))

    page.locator(".notice", has_text="Only the first 8 pictures").wait_for()
    assert page.locator(".recent-query").count() == 8
    await_done(page)
    assert page.locator(".query-facts .path-name").inner_text() == "scene-2.png"


def test_nothing_is_dropped_behind_a_dialog(shared_site: Site) -> None:
    page = shared_site.open()
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    drop(page, shared_site.folder / "scene-5.png")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")

    assert page.locator(".welcome h1").is_visible()
    assert "#/search/" not in page.url


def test_with_originals_only_nothing_is_said_of_copies(shared_site: Site) -> None:
    page = shared_site.open()
    page.locator(".wishes summary").click()
    page.get_by_label("originals only").check()
    choose(page, shared_site.folder / "web" / "small.jpg")
    await_done(page)
    assert page.locator(".fresh-notes", has_text="Only originals were looked for").is_visible()
    part = shared_site.home.folder / "part of it.png"
    make_samples.landscape(0).crop(PART).save(part)
    choose(page, part)
    page.locator(".headline", has_text="No file has exactly these pixels.").wait_for()


def test_a_limit_of_ones_own_is_the_same_everywhere(shared_site: Site, tmp_path: Path) -> None:
    page = shared_site.open()
    choose(page, scenes.save(98, tmp_path / "stranger.png"))
    await_done(page)
    page.get_by_role("link", name="Library", exact=True).click()
    page.locator(".limit-words", has_text="At most").wait_for()
    page.locator(".limit-card input[type=range]").fill("10")
    page.get_by_role("button", name="Use for searches on this page").click()
    page.get_by_role("link", name="Search", exact=True).click()
    page.locator(".headline", has_text="Nothing within your own limit.").wait_for()

    assert page.locator(".fresh-notes", has_text="limit of 10 bits").is_visible()
    page.locator(".wishes summary").click()
    assert page.get_by_label("a limit of my own").is_checked()
    assert page.locator(".wishes input[type=range]").input_value() == "10"
    page.get_by_label("a limit of my own").uncheck()
    page.locator(".fresh-notes", has_text="limit of 10 bits").wait_for(state="detached")
