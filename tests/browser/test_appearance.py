"""How the page looks and whom it is for: languages, themes, widths, keys, screen readers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import draw
from tests.browser.site import Site, await_done, await_pictures, choose

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

FORBIDDEN = {"serious", "critical"}


@pytest.fixture(scope="module")
def module_site(browser: Browser) -> Iterator[Site]:
    """A library whose searches end soon: what is looked at here is there by then."""
    with Site(browser, draw, "[search]\nbudget_seconds = 0.2\n") as site:
        yield site


def searched(site: Site, page: Page) -> None:
    with page.expect_file_chooser() as chooser:
        page.locator(".choose").click()
    chooser.value.set_files(str(site.folder / "best.png"))
    await_done(page)
    page.locator(".hits .thumbnail.shown").nth(2).wait_for()


def compared(site: Site, page: Page) -> None:
    searched(site, page)
    page.locator(".tile", has_text="small.jpg").locator(".tile-open").focus()
    page.keyboard.press("c")
    page.locator(".compare-why h2").wait_for()
    await_pictures(page)


def detailed(site: Site, page: Page) -> None:
    searched(site, page)
    page.locator(".tile", has_text="turned.jpg").locator(".tile-open").click()
    page.locator(".detail-files h3").wait_for()
    page.locator(".detail-picture .thumbnail.shown").wait_for()


def tidied(site: Site, page: Page) -> None:
    page.goto(f"{site.gateway.base}/#/duplicates")
    page.locator(".groups .thumbnail.shown").nth(2).wait_for()


def planned(site: Site, page: Page) -> None:
    tidied(site, page)
    page.locator(".plan-bar .button.primary").click()
    page.locator(".plan-lines li").first.wait_for()


def stocked(site: Site, page: Page) -> None:
    page.goto(f"{site.gateway.base}/#/library")
    page.locator(".model-list li").first.wait_for()
    page.locator(".failures summary").click()
    page.locator(".failure").first.wait_for()


def begun(_site: Site, page: Page) -> None:
    page.locator(".welcome h1").wait_for()


def helped(_site: Site, page: Page) -> None:
    page.keyboard.press("?")
    page.locator(".key-groups").wait_for()


VIEWS: dict[str, Callable[[Site, Page], None]] = {
    "begun": begun,
    "searched": searched,
    "detailed": detailed,
    "compared": compared,
    "tidied": tidied,
    "planned": planned,
    "stocked": stocked,
    "helped": helped,
}

LOOKS: dict[str, dict[str, Any]] = {
    "light-en": {"color_scheme": "light", "locale": "en-GB"},
    "dark-zh": {"color_scheme": "dark", "locale": "zh-CN"},
    "narrow-light-zh": {"color_scheme": "light", "locale": "zh-CN", "width": 360, "height": 740},
    "narrow-dark-en": {"color_scheme": "dark", "locale": "en-GB", "width": 360, "height": 740},
}


def axe_findings(page: Page) -> list[str]:
    """Return what axe-core finds that is serious."""
    axe = pytest.importorskip(
        "axe_playwright_python", reason="no axe here; to run it: pip install axe-playwright-python"
    )
    page.evaluate(resources.files(axe).joinpath("axe.min.js").read_text())
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{found['id']}: {node['html'][:200]} {node['failureSummary']}"
        for found in result["violations"]
        if found["impact"] in FORBIDDEN
        for node in found["nodes"]
    ]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("view", VIEWS)
def test_each_view_is_for_everybody(
    shared_site: Site, view: str, look: str, tmp_path: Path
) -> None:
    page = shared_site.open(**LOOKS[look])
    VIEWS[view](shared_site, page)
    folder = Path(os.environ.get("PSP_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{view}-{look}.png")

    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
    assert axe_findings(page) == []
    assert shared_site.is_sound()


def test_the_language_is_switched_without_losing_anything(shared_site: Site) -> None:
    page = shared_site.open()
    searched(shared_site, page)
    assert page.locator(".headline").inner_text() == "You have this very file."
    page.get_by_label("Language").select_option("zh-CN")
    page.locator(".headline", has_text="有，就是这个文件。").wait_for()

    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert page.locator(".verdict-head h2").first.inner_text() == "同一文件"
    assert page.title() == "找图 · PSP"
    page.reload()
    page.locator(".headline", has_text="有").wait_for()


def test_what_is_put_aside_changes_its_language_too(shared_site: Site) -> None:
    page = shared_site.open()
    searched(shared_site, page)
    page.keyboard.press("p")
    page.locator(".crop-numbers label", has_text="Width").wait_for()
    page.keyboard.press("Escape")
    page.locator(".crop-numbers").wait_for(state="detached")
    page.get_by_label("Language").select_option("zh-CN")
    page.locator(".headline", has_text="有，就是这个文件。").wait_for()
    page.get_by_role("button", name="用局部去找").click()

    assert page.locator(".crop-numbers label").nth(2).inner_text() == "宽"


def test_the_language_that_was_chosen_last_wins(shared_site: Site) -> None:
    page = shared_site.open()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/static/texts/zh-CN.json", hold)
    choice = page.get_by_label("Language")
    with page.expect_request("**/static/texts/zh-CN.json"):
        choice.select_option("zh-CN")
    with page.expect_response("**/static/texts/en.json"):
        choice.select_option("en")
    with page.expect_response("**/static/texts/zh-CN.json"):
        held[0].continue_()
    page.evaluate("new Promise((resolve) => setTimeout(resolve))")
    assert page.locator(".welcome h1").inner_text() == "Do I have this picture?"


def test_a_language_that_does_not_come_is_told(shared_site: Site) -> None:
    page = shared_site.open()
    page.route("**/static/texts/*.json", lambda route: route.abort())
    page.get_by_label("Language").select_option("zh-CN")
    page.locator(".notice.error").wait_for()
    assert page.get_by_label("Language").input_value() == "en"
    page.reload()
    page.locator("body", has_text="could not be loaded").wait_for()


def test_a_chinese_browser_is_spoken_to_in_chinese(shared_site: Site) -> None:
    page = shared_site.open(locale="zh-TW")
    assert page.locator(".welcome h1").inner_text() == "这张图，我是不是已经有了？"


def test_the_theme_follows_the_system_or_the_person(shared_site: Site) -> None:
    def ground(page: Page) -> int:
        level: int = page.evaluate(
            "Number(/\\d+/.exec(getComputedStyle(document.documentElement).backgroundColor)[0])"
        )
        return level

    page = shared_site.open(color_scheme="dark")
    assert ground(page) < 60
    button = page.get_by_role("button", name="Theme")
    button.click()
    assert ground(page) > 200
    page.reload()
    page.locator(".welcome h1").wait_for()
    assert ground(page) > 200
    button.click()
    assert ground(page) < 60


def test_the_page_is_gone_through_by_keys_alone(shared_site: Site) -> None:
    page = shared_site.open()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    choose(page, shared_site.folder / "best.png")
    await_done(page)
    page.keyboard.press("j")
    first = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("ArrowRight")
    second = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert first != second
    assert "Same file" in first
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == second
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.locator(".groups .tile").first.wait_for()
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.locator(".root").first.wait_for()
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.locator(".headline").wait_for()
    assert page.locator(".tile").count() > 0


def test_single_keys_can_be_switched_off(shared_site: Site) -> None:
    page = shared_site.open()
    page.keyboard.press("?")
    page.get_by_label("Single keys do something").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.keyboard.press("?")

    assert page.get_by_role("dialog").count() == 0
    assert "duplicates" not in page.url
