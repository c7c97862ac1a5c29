"""Strange names, files that are none, a daemon that goes, very long lists, many tabs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.browser.site import Site, await_done, choose, drop, found
from tests.e2e import scenes

MakeSite = Callable[..., Site]

HOSTILE = [
    b"<script>alert(1)<script>.png",
    b'"><img src=x onerror=alert(1)>.png',
    "photo\u202egnp.exe.png".encode(),
    b"line\nbreak\ttab\x1b[31m.png",
    b"no \xff\xfe text.png",
    "很长的名字".encode() * 16 + b".png",
    b"{count} ${1+1} %s.png",
    "e\u0301\u200b\ufeff\u2066.png".encode(),
]


def hostile(folder: Path) -> None:
    picture = scenes.save(1, folder / "plain.png").read_bytes()
    for name in HOSTILE:
        descriptor = os.open(os.fsencode(folder) + b"/" + name, os.O_CREAT | os.O_WRONLY)
        os.write(descriptor, picture)
        os.close(descriptor)


def test_hostile_names_are_shown_as_text(new_site: MakeSite) -> None:
    site = new_site(hostile)
    page = site.open()
    choose(page, site.folder / "plain.png")
    await_done(page)
    names = found(page)

    assert len(names) == len(HOSTILE) + 1
    assert "<script>alert(1)<script>.png" in names
    assert "photo\\u202egnp.exe.png" in names
    assert "line\\u000abreak\\u0009tab\\u001b[31m.png" in names
    assert "no \\xff\\xfe text.png" in names
    assert "{count} ${1+1} %s.png" in names
    assert page.locator("img[src=x], main script").count() == 0
    page.locator(".tile-open").nth(1).click()
    page.locator(".detail-files h3").wait_for()
    assert page.locator(".detail-file").count() == len(HOSTILE) + 1
    page.keyboard.press("Escape")
    page.goto(f"{site.gateway.base}/#/duplicates")
    page.locator(".groups .tile").first.wait_for()
    assert site.is_sound()


def test_a_text_file_is_told_to_be_no_picture(shared_site: Site) -> None:
    page = shared_site.open()
    drop(page, shared_site.folder / "notes.txt")
    page.locator(".headline.bad").wait_for()

    assert "This file is not a picture." in page.locator(".results .error").inner_text()
    choose(page, shared_site.folder / "best.png")
    await_done(page)
    assert "best.png" in found(page)
    assert shared_site.is_sound()


def test_a_torn_picture_is_told_to_be_damaged(shared_site: Site, tmp_path: Path) -> None:
    whole = scenes.save(1, tmp_path / "whole.png").read_bytes()
    (tmp_path / "torn.png").write_bytes(whole[: len(whole) // 2])
    page = shared_site.open()
    choose(page, tmp_path / "torn.png")
    page.locator(".headline.bad").wait_for()

    assert "ends too early" in page.locator(".results .error").inner_text()


def test_a_daemon_that_stops_is_told_and_comes_back(new_site: MakeSite) -> None:
    site = new_site()
    page = site.open()
    choose(page, site.folder / "best.png")
    await_done(page)
    site.home.pspc("stop")
    page.locator(".banner", has_text="The daemon is not running.").wait_for()
    site.home.pspc("start")
    page.locator(".banner").wait_for(state="hidden")
    # What is asked from then on is answered.
    choose(page, site.folder / "scene-2.png")
    await_done(page)
    assert found(page) == {"scene-2.png"}
    site.home.pspc("stop")
    page.get_by_role("button", name="Start it").click()
    page.locator(".banner").wait_for(state="hidden")
    assert site.home.status()["indexed"] == 11


def test_without_locks_a_daemon_that_comes_back_is_seen(new_site: MakeSite) -> None:
    site = new_site()
    page = site.open("library")
    page.context.add_init_script(NO_LOCKS)
    page.reload()
    page.locator(".root").first.wait_for()
    site.home.pspc("stop")
    page.locator(".banner", has_text="The daemon is not running.").wait_for()
    site.home.pspc("start")
    page.locator(".banner").wait_for(state="hidden")


def test_duplicates_that_were_opened_without_a_daemon_come_with_it(new_site: MakeSite) -> None:
    site = new_site()
    site.home.pspc("stop")
    page = site.open("duplicates")
    page.locator(".banner", has_text="The daemon is not running.").wait_for()
    site.home.pspc("start")
    page.locator(".groups .tile").first.wait_for()
    page.locator(".rule").first.wait_for()


def test_an_answer_that_is_cut_off_is_told(shared_site: Site) -> None:
    page = shared_site.open()
    page.route("**/api/v1/search?*", lambda route: route.fulfill(body='{"query": {'))
    choose(page, shared_site.folder / "best.png")
    page.locator(".headline.bad").wait_for()


def test_a_gateway_that_ends_is_told(new_site: MakeSite) -> None:
    site = new_site()
    page = site.open("library")
    page.locator(".root").first.wait_for()
    site.gateway.stop()
    page.get_by_role("link", name="Duplicates").click()
    page.locator(".banner", has_text="lost its server").wait_for()


def test_ten_tabs_work_at_once(new_site: MakeSite) -> None:
    site = new_site()
    first = site.open("library")
    pages = [first, *(site.tab(first.context, "library") for _ in range(9))]
    for page in pages:
        page.locator(".number.indexed strong", has_text="11").wait_for()
    scenes.save(60, site.folder / "one more.png")
    # One of them hears of it, and tells the others.
    for page in pages:
        page.locator(".number.indexed strong", has_text="12").wait_for()
    for page in pages:
        page.goto(f"{site.gateway.base}/#/search")
        choose(page, site.folder / "best.png")
    for page in pages:
        await_done(page)
        assert "best.png" in found(page)
    assert site.is_sound()


def test_when_the_tab_that_listens_is_closed_another_one_does(new_site: MakeSite) -> None:
    site = new_site()
    first = site.open("library")
    second = site.tab(first.context, "library")
    second.locator(".number.indexed strong", has_text="11").wait_for()
    first.close()
    scenes.save(61, site.folder / "one more.png")
    second.locator(".number.indexed strong", has_text="12").wait_for()


def test_a_hundred_thousand_results_stay_smooth(shared_site: Site) -> None:
    page = shared_site.open()
    # The server's answer with its hits multiplied: no library of this size is made for a test.
    page.route("**/api/v1/*search*", lambda route: multiply(route, 100_000))
    page.route("**/api/v1/queries/*/search*", lambda route: multiply(route, 100_000))
    choose(page, shared_site.folder / "best.png")
    page.locator(".hits .tile").first.wait_for()

    assert page.locator(".hits .tile").count() < 100
    page.keyboard.press("j")
    page.keyboard.press("End")
    page.locator('.tile[data-item="99999"]').wait_for()
    longest = page.evaluate(SCROLL)
    assert page.locator(".hits .tile").count() < 100
    # A frame of a machine that is busy with tests as well may take its time.
    assert longest < 200
    page.keyboard.press("Home")
    page.locator('.tile[data-item="0"]').wait_for()


NO_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', {get: () => undefined})"

SCROLL = """async () => {
  let longest = 0;
  for (let step = 0; step < 40; step += 1) {
    const before = performance.now();
    scrollTo(0, (document.documentElement.scrollHeight * ((step * 7) % 40)) / 40);
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    longest = Math.max(longest, performance.now() - before);
  }
  return longest;
}"""


def multiply(route: Any, count: int) -> None:
    """Answer with so many hits."""
    answer = route.fetch()
    document = answer.json()
    if "hits" in document:
        (hit, *_) = document["hits"]
        hits = [{**hit, "verdict": "copy", "key": f"{hit['key']}-{n}"} for n in range(count)]
        document |= {"hits": hits, "total": count}
    route.fulfill(response=answer, json=document)
