"""The library: folders, progress, failures, the limit and the model."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.site import Site, await_done, choose, found
from tests.e2e import scenes

MakeSite = Callable[..., Site]


def test_the_state_of_the_index_is_shown(shared_site: Site) -> None:
    page = shared_site.open("library")
    page.locator(".root").wait_for()

    assert page.locator(".root-path").inner_text() == str(shared_site.folder)
    assert page.locator(".number.indexed strong").inner_text() == "11"
    assert page.locator(".number.failed strong").inner_text() == "1"
    page.locator(".model-list li").first.wait_for()
    assert shared_site.is_sound()


def test_a_folder_is_added_and_removed(new_site: MakeSite) -> None:
    site = new_site()
    other = site.home.pictures("other")
    scenes.save(40, other / "another.png")
    page = site.open("library")
    page.get_by_label("Path of a folder").fill(str(other))
    page.get_by_role("button", name="Add folder").click()
    page.locator(".root", has_text=str(other)).wait_for()
    # It is indexed while the page looks on.
    page.locator(".number.indexed strong", has_text="12").wait_for()
    page.get_by_role("button", name=f"Remove {other}").click()
    dialog = page.get_by_role("dialog")
    assert "not touched" in dialog.inner_text()
    dialog.get_by_role("button", name="Remove").click()
    page.locator(".root", has_text=str(other)).wait_for(state="detached")

    assert (other / "another.png").exists()
    assert site.is_sound()


def test_a_folder_is_paused_and_goes_on(new_site: MakeSite) -> None:
    site = new_site()
    page = site.open("library")
    page.get_by_role("button", name=f"Pause {site.folder}").click()
    page.locator(".root.paused .state", has_text="paused").wait_for()
    assert "“Go on” finds what has changed" in page.locator(".root").inner_text()
    assert "pspc resume" not in page.locator(".root").inner_text()
    page.locator(".progress-line", has_text="1 folder is paused").wait_for()
    # Whoever paused goes on by the same key.
    assert "Go on with" in page.evaluate("document.activeElement.ariaLabel")
    new = scenes.save(41, site.folder / "new.png")
    site.home.pspc("sync")

    search = site.tab(page.context)
    choose(search, new)
    await_done(search)
    assert found(search) == set()
    notes = search.locator(".fresh-notes li", has_text=f"{site.folder} is paused")
    assert "known as they were" in notes.inner_text()
    page.bring_to_front()
    assert page.locator(".number.indexed strong").inner_text() == "11"
    page.get_by_role("button", name=f"Go on with {site.folder}").click()
    page.locator(".number.indexed strong", has_text="12").wait_for()
    page.locator(".root .state.watching").wait_for()
    assert site.is_sound()


def test_a_folder_that_is_none_is_refused_with_a_sentence(shared_site: Site) -> None:
    page = shared_site.open("library")
    page.get_by_label("Path of a folder").fill("/nowhere/at/all")
    page.keyboard.press("Enter")
    page.locator(".folders .error:not([hidden])").wait_for()

    assert "/nowhere/at/all" in page.locator(".folders .error").inner_text()


def test_failures_are_listed_with_their_reasons(shared_site: Site) -> None:
    page = shared_site.open("library")
    page.locator(".failures summary").click()
    page.locator(".failure").first.wait_for()

    assert page.locator(".failure").count() == 1
    assert "torn.jpg" in page.locator(".failure").inner_text()
    page.get_by_label("leave out files that are no pictures").uncheck()
    page.locator(".failure").nth(1).wait_for()
    assert "no picture" in page.locator(".failure", has_text="notes.txt").inner_text()
    assert shared_site.is_sound()


def test_the_limit_of_a_person_holds_for_searches(shared_site: Site) -> None:
    page = shared_site.open("library")
    page.locator(".limit-words", has_text="At most").wait_for()
    field = page.locator(".limit-card input[type=range]")
    field.fill("10")
    page.get_by_role("button", name="Use for searches on this page").click()

    assert page.evaluate("localStorage.getItem('psp.distance')") == "10"
    page.get_by_role("button", name="As the daemon has it").click()
    assert page.evaluate("localStorage.getItem('psp.distance')") is None


def test_describing_is_paused_and_goes_on(shared_site: Site) -> None:
    page = shared_site.open("library")
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Pause", exact=True).wait_for()
    assert shared_site.is_sound()
