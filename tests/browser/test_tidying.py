"""Duplicates: rules, marks, what is no copy, and what is in the plan."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from examples import make_samples
from tests.browser.site import Site
from tests.browser.tidying import opened, tile, turn_over, verbs
from tests.client.deciding.groups import shot
from tests.e2e import scenes

MakeSite = Callable[..., Site]


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


def test_the_list_says_that_the_library_changed(new_site: MakeSite) -> None:
    site = new_site()
    page = opened(site)
    scenes.save(50, site.folder / "new.png")
    page.locator(".notice-line", has_text="The library has changed").wait_for()
    page.get_by_role("button", name="Refresh").click()
    page.locator(".notice-line", has_text="The library has changed").wait_for(state="hidden")


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


def test_other_shots_are_left_out_until_they_are_asked_for(new_site: MakeSite) -> None:
    def pictures(folder: Path) -> None:
        shot(scenes.scene(1), folder / "first.jpg", "10:00:01", quality=95)
        shot(scenes.scene(1), folder / "second.jpg", "10:00:02", quality=90)
        scenes.scene(2).save(folder / "IMG_1.CR2", "jpeg", quality=95)
        scenes.scene(2).save(folder / "IMG_1.JPG", quality=80)
        scenes.save(3, folder / "one.png")
        scenes.scene(3).resize((200, 150)).save(folder / "two.png")

    site = new_site(pictures)
    page = opened(site)
    assert set(verbs(page)) == {"one.png", "two.png"}
    assert page.locator(".duplicates-sum").inner_text().startswith("1 group of copies, ")
    page.get_by_text("4 files are not listed: they are other shots").wait_for()
    page.get_by_label("other shots and raw halves too").check()
    tile(page, "IMG_1.CR2").wait_for()
    assert len(verbs(page)) == 6
    assert page.locator(".duplicates-sum").inner_text().startswith("3 groups of copies, ")
    assert page.locator(".duplicates .fresh-notes").inner_text() == ""
    page.get_by_label("May go").select_option("copy")
    page.locator(".do-trash", has_text="two.png").wait_for()
    assert list(verbs(page).values()).count("To the trash") == 1
    assert site.is_sound()
