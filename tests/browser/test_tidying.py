"""Duplicates: rules, marks, the plan, what it does to files, and taking it back."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from examples import make_samples
from tests.browser.site import Site
from tests.e2e import scenes
from tests.waiting import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

MakeSite = Callable[..., Site]

AFTER = re.compile(r"&after=p(\d+)")


def everything(folder: Path) -> dict[str, str]:
    """Return the digest of each file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.blake2b(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def opened(site: Site) -> Page:
    page = site.open("duplicates")
    page.locator(".groups .tile").first.wait_for()
    return page


def tile(page: Page, name: str) -> Locator:
    return page.locator(".groups .tile").filter(has=page.get_by_text(name, exact=True))


def verbs(page: Page) -> dict[str, str]:
    """Return what is to become of each file that is shown."""
    names = page.locator(".groups .tile .path-name").all_inner_texts()
    words = page.locator(".groups .tile .do-band").all_inner_texts()
    return {name: word.strip() for name, word in zip(names, words, strict=True)}


def apply(page: Page) -> None:
    page.get_by_role("button", name="Review the plan").click()
    page.get_by_role("dialog").locator(".apply").click()
    page.locator(".outcome").wait_for()


def turn_over(page: Page, *pages: str) -> list[int]:
    """Answer with these pages: on each, the library's group once for each letter, as if elsewhere.

    Returns the numbers of the pages that were asked for, one after the other.
    """
    asked: list[int] = []

    def elsewhere(group: dict[str, Any], letter: str) -> dict[str, Any]:
        files = [
            {**file, "path": f"{file['path']}/{letter}", "key": f"{file['key']}{letter}"}
            for file in group["files"]
        ]
        return {**group, "files": files}

    def answer(route: Route) -> None:
        found = AFTER.search(route.request.url)
        number = int(found[1]) if found else 0
        asked.append(number)
        response = route.fetch(url=AFTER.sub("", route.request.url))
        document = response.json()
        document["groups"] = [
            elsewhere(group, letter) for group in document["groups"] for letter in pages[number]
        ]
        document["next"] = f"p{number + 1}" if number + 1 < len(pages) else None
        route.fulfill(response=response, json=document)

    page.route("**/api/v1/duplicates?*", answer)
    return asked


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


def test_other_rules_keep_another_file_at_once(shared_site: Site) -> None:
    page = opened(shared_site)
    assert verbs(page)["equal.bmp"] == "Keep: more bytes"
    page.get_by_label("Add a rule").select_option("path:")
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator(".rule-path input").fill(f"{shared_site.folder}/best*")
    page.keyboard.press("Enter")
    page.locator(".do-keep", has_text="best.png").wait_for()

    assert verbs(page)["equal.bmp"] == "To the trash"
    page.get_by_role("button", name="As usual").click()
    page.locator(".do-keep", has_text="equal.bmp").wait_for()
    assert shared_site.is_sound()


def test_rules_are_moved_by_keys(shared_site: Site) -> None:
    page = opened(shared_site)
    names = page.locator(".rule-name")
    assert names.first.inner_text() == "more pixels"
    page.get_by_role("button", name="more pixels: later").focus()
    page.keyboard.press("Enter")

    assert names.nth(1).inner_text() == "more pixels"
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused == "more pixels: later"


def test_a_file_is_marked_by_a_click_and_the_last_one_stays(shared_site: Site) -> None:
    page = opened(shared_site)
    group = page.locator(".groups .tile")
    count = group.count()
    for index in range(count):
        if "To the trash" not in group.nth(index).inner_text():
            group.nth(index).locator(".tile-open").click()

    page.locator(".notice", has_text="One file of each group stays.").wait_for()
    left = [verb for verb in verbs(page).values() if verb != "To the trash"]
    assert len(left) == 1


def test_a_group_is_left_out_of_the_plan(shared_site: Site) -> None:
    page = opened(shared_site)
    page.get_by_label("Group is part of the plan").uncheck()

    assert "0 files" in page.locator(".plan-count").inner_text()
    assert page.get_by_role("button", name="Review the plan").is_disabled()


def test_everything_is_done_by_keys(shared_site: Site) -> None:
    page = opened(shared_site)
    page.keyboard.press("j")
    for _ in range(8):
        if "small.jpg" in page.evaluate("document.activeElement.getAttribute('aria-label')"):
            break
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.locator(".do-trash", has_text="small.jpg").wait_for()
    page.keyboard.press("c")
    page.locator(".compare-why h2").wait_for()
    page.keyboard.press("Escape")
    page.locator(".do-trash", has_text="small.jpg").wait_for()
    page.keyboard.press("a")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    assert shared_site.is_sound()


def test_what_is_no_copy_is_said_and_taken_back(new_site: MakeSite) -> None:
    def pictures(folder: Path) -> None:
        scenes.scene(1).save(folder / "one.png")
        scenes.scene(1).resize((200, 150)).save(folder / "two.png")

    site = new_site(pictures)
    page = opened(site)
    page.get_by_role("button", name="Not copies").click()
    page.locator(".nothing").wait_for()
    page.reload()
    page.locator(".nothing").wait_for()
    page.get_by_role("button", name="Told apart").click()
    dialog = page.get_by_role("dialog")
    assert "one.png" in dialog.locator(".pair").inner_text()
    dialog.get_by_role("button", name="Forget").click()
    page.keyboard.press("Escape")
    tile(page, "one.png").wait_for()
    assert site.is_sound()


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


def test_the_list_says_that_the_library_changed(new_site: MakeSite) -> None:
    site = new_site()
    page = opened(site)
    scenes.save(50, site.folder / "new.png")
    page.locator(".notice-line", has_text="The library has changed").wait_for()
    page.get_by_role("button", name="Refresh").click()
    page.locator(".notice-line", has_text="The library has changed").wait_for(state="hidden")


def test_a_group_that_was_left_out_stays_out_by_other_rules(shared_site: Site) -> None:
    page = opened(shared_site)
    page.get_by_label("Group is part of the plan").uncheck()
    page.get_by_label("May go").select_option("copy")
    page.locator(".do-trash", has_text="small.jpg").wait_for()

    assert not page.get_by_label("Group is part of the plan").is_checked()
    assert page.get_by_role("button", name="Review the plan").is_disabled()


def test_all_groups_off_holds_for_pages_to_come(shared_site: Site) -> None:
    page = shared_site.open()
    asked = turn_over(page, "abcdefghijkl", "z")
    page.goto(f"{shared_site.gateway.base}/#/duplicates")
    page.locator(".groups .tile").first.wait_for()
    page.get_by_label("All groups").uncheck()
    assert asked == [0]
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.locator(".groups .path-name", has_text=re.compile("^z$")).first.wait_for()

    assert "0 files" in page.locator(".plan-count").inner_text()
    assert not page.get_by_label("All groups").is_checked()


def test_each_page_is_asked_for_once(shared_site: Site) -> None:
    page = shared_site.open()
    asked = turn_over(page, "a", "b", "c")
    page.goto(f"{shared_site.gateway.base}/#/duplicates")
    page.locator(".group-head").nth(2).wait_for()

    assert asked == [0, 1, 2]


def test_a_page_without_groups_is_not_the_end(shared_site: Site) -> None:
    page = shared_site.open()
    asked = turn_over(page, "", "", "a")
    page.goto(f"{shared_site.gateway.base}/#/duplicates")
    page.locator(".groups .tile").first.wait_for()

    assert asked == [0, 1, 2]
    assert page.locator(".nothing").is_hidden()


def test_a_group_of_which_nothing_would_stay_is_no_part_of_the_plan(shared_site: Site) -> None:
    page = opened(shared_site)
    tile(page, "equal.bmp").locator(".tile-open").click()
    page.get_by_label("May go").select_option("copy")
    page.locator(".group-bare").wait_for()
    assert "0 files" in page.locator(".plan-count").inner_text()
    assert page.get_by_role("button", name="Review the plan").is_disabled()
    tile(page, "small.jpg").locator(".tile-open").click()
    page.locator(".group-bare").wait_for(state="detached")

    assert "4 files" in page.locator(".plan-count").inner_text()


def test_a_mark_is_about_a_content_and_can_be_forgotten(new_site: MakeSite) -> None:
    site = new_site()
    page = opened(site)
    tile(page, "small.jpg").locator(".tile-open").click()
    tile(page, "turned.jpg").locator(".tile-open").click()
    page.get_by_role("button", name="Forget my 2 marks").wait_for()
    other = make_samples.landscape(0).resize((200, 150))
    other.save(site.folder / "web" / "small.jpg", quality=70)
    site.home.pspc("sync")
    site.home.pspc("duplicates", "--wait", expect=None)
    page.get_by_role("button", name="Refresh").click()
    page.locator(".do-stay", has_text="small.jpg").wait_for()

    assert verbs(page)["turned.jpg"] == "To the trash"
    page.get_by_role("button", name="Forget my 1 mark").click()
    page.locator(".do-stay", has_text="turned.jpg").wait_for()


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
    page.get_by_role("dialog").locator(".plan-foot").get_by_role("button", name="Close").click()
    tile(page, "best.png").wait_for()
    assert verbs(page) == before


def test_a_double_click_takes_back_one_act_only(new_site: MakeSite) -> None:
    site = new_site()
    page = opened(site)
    apply(page)
    page.get_by_role("dialog").locator(".plan-foot").get_by_role("button", name="Close").click()
    after_one = everything(site.folder)
    site.home.pspc("sync")
    page.get_by_label("May go").select_option("copy")
    page.locator(".do-trash", has_text="small.jpg").wait_for()
    apply(page)
    page.get_by_role("dialog").locator(".plan-foot").get_by_role("button", name="Close").click()
    assert everything(site.folder) != after_one
    page.get_by_role("button", name="Undo the last").dblclick()
    page.locator(".notice", has_text="back where they were").wait_for()
    page.locator('[data-focus="undo"]:not([disabled])').wait_for()

    assert everything(site.folder) == after_one


def test_an_arrow_key_adds_no_rule(shared_site: Site) -> None:
    page = opened(shared_site)
    count = page.locator(".rule").count()
    page.get_by_label("Add a rule").focus()
    page.keyboard.press("ArrowDown")
    assert page.locator(".rule").count() == count
    page.get_by_label("Add a rule").select_option(index=1)
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator(".rule").nth(count).wait_for()


def test_what_is_done_with_a_file_is_reached_by_touch(shared_site: Site) -> None:
    page = shared_site.open("duplicates", width=360, height=740, has_touch=True, is_mobile=True)
    small = tile(page, "small.jpg")
    small.get_by_role("button", name="Keep this one only").tap()
    page.locator(".do-keep", has_text="small.jpg").wait_for()
    small.get_by_role("button", name="Details").tap()
    page.get_by_role("dialog").wait_for()
