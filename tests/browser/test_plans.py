"""Plans: what they do to files, what is told of it, and taking them back."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.site import Site
from tests.browser.tidying import apply, everything, opened, tile, verbs
from tests.waiting import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

MakeSite = Callable[..., Site]


def shut(page: Page) -> None:
    """Close the dialog by the button of its foot."""
    page.get_by_role("dialog").locator(".plan-foot").get_by_role("button", name="Close").click()


def test_a_plan_is_applied_and_taken_back(new_site: MakeSite) -> None:
    site = new_site()
    before = everything(site.folder)
    page = opened(site)
    assert verbs(page)["small.jpg"] == "Stays"
    going = {name for name, verb in verbs(page).items() if verb == "To the trash"}
    assert len(going) == 2
    assert "2 files to the trash" in page.locator(".plan-count").inner_text()

    page.get_by_role("button", name="Review the plan").click()
    dialog = page.get_by_role("dialog")
    assert dialog.locator(".plan-lines li").count() == 2
    dialog.get_by_role("button", name="Only check").click()
    page.locator(".outcome").wait_for()
    assert everything(site.folder) == before

    dialog.get_by_role("button", name="Move 2 files").click()
    page.locator(".outcome .good").wait_for()
    left = everything(site.folder)
    assert set(before) - set(left) == going
    dialog.get_by_role("button", name="Undo").click()
    page.locator(".notice", has_text="back where they were").wait_for()
    assert everything(site.folder) == before
    tile(page, "best.png").wait_for()
    assert site.is_sound()


def test_what_was_done_can_be_taken_back_after_loading_again(new_site: MakeSite) -> None:
    site = new_site()
    before = everything(site.folder)
    page = opened(site)
    apply(page)
    assert everything(site.folder) != before
    page.reload()
    page.get_by_role("button", name="Undo the last").click()
    page.locator(".notice", has_text="back where they were").wait_for()

    assert everything(site.folder) == before


def test_a_file_that_is_gone_before_the_plan_stays_told(new_site: MakeSite) -> None:
    site = new_site()
    page = opened(site)
    going = [name for name, verb in verbs(page).items() if verb == "To the trash"]
    site.home.pspc("stop")
    (site.folder / going[0]).unlink()
    before = everything(site.folder)
    apply(page)

    outcome = page.locator(".outcome")
    assert "1 file stays" in outcome.inner_text()
    assert going[0] in outcome.locator(".failed-list").inner_text()
    assert set(before) - set(everything(site.folder)) == {going[1]}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(new_site: MakeSite) -> None:
    site = new_site()
    page = opened(site)
    before = everything(site.folder)
    mode = site.folder.stat().st_mode
    site.folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        apply(page)
        assert "2 files stay" in page.locator(".outcome").inner_text()
        assert everything(site.folder) == before
    finally:
        site.folder.chmod(mode)


def test_equal_files_become_links_when_that_is_wanted(new_site: MakeSite) -> None:
    site = new_site()
    page = opened(site)
    page.get_by_label("May go").select_option("same_file")
    page.get_by_label("hard links in place of equal files").check()
    page.locator(".do-link").first.wait_for()
    assert "1 becomes a link" in page.locator(".plan-count").inner_text()
    assert "trash" not in page.locator(".plan-count").inner_text()
    before = everything(site.folder)
    apply(page)

    assert "1 file is a link now" in page.locator(".outcome").inner_text()
    expect(lambda: (site.folder / "twin.png").stat().st_nlink == 2)
    assert everything(site.folder).keys() == before.keys()


def test_an_act_is_watched_though_the_gateway_is_silent_at_times(new_site: MakeSite) -> None:
    site = new_site()
    page = opened(site)
    silences = [1, 2]

    def cut(route: Route) -> None:
        if silences:
            silences.pop()
            route.abort()
        else:
            route.continue_()

    page.route(re.compile(r"/api/v1/acts/\d+$"), cut)
    apply(page)

    assert "2 files are in the trash" in page.locator(".outcome").inner_text()
    assert page.get_by_role("dialog").get_by_role("button", name="Undo").is_visible()


def test_after_an_act_that_broke_off_what_was_not_touched_is_still_listed(
    shared_site: Site,
) -> None:
    page = opened(shared_site)
    before = verbs(page)
    message = "the journal cannot be written"

    def begin(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=202, json={"act": 99})
        else:
            route.continue_()

    def tell(route: Route) -> None:
        numbers = {"total": 2, "done": 0, "bytes": 0, "failures": 0}
        state = {"act": 99, "kind": "apply", "state": "failed", "message": message}
        rest = {"failed": [], "dry_run": False, "can_undo": False}
        route.fulfill(json={**numbers, **state, **rest})

    page.route("**/api/v1/acts", begin)
    page.route("**/api/v1/acts/99", tell)
    apply(page)

    assert message in page.locator(".outcome").inner_text()
    shut(page)
    tile(page, "best.png").wait_for()
    assert verbs(page) == before


def test_a_double_click_takes_back_one_act_only(new_site: MakeSite) -> None:
    site = new_site()
    page = opened(site)
    apply(page)
    shut(page)
    after_one = everything(site.folder)
    site.home.pspc("sync")
    page.get_by_label("May go").select_option("copy")
    page.locator(".do-trash", has_text="small.jpg").wait_for()
    apply(page)
    shut(page)
    assert everything(site.folder) != after_one
    page.get_by_role("button", name="Undo the last").dblclick()
    page.locator(".notice", has_text="back where they were").wait_for()
    page.locator('[data-focus="undo"]:not([disabled])').wait_for()

    assert everything(site.folder) == after_one
