"""What tests of the duplicates do over and over, and pages of groups that no library has."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.browser.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

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
