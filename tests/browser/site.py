"""A gateway before a daemon with pictures, and pages of a browser that show it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.client.web.running import Gateway
from tests.e2e.home import Home
from tests.waiting import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PATIENCE = 30_000.0
"""Milliseconds after which what is waited for does not come."""

PART = (160, 96, 480, 336)
"""Left, top, right and bottom of a part of the best picture, half as wide and half as high."""


class Site:
    """Everything that a test of the page needs.

    Args:
        browser: Shows it.
        draw: Makes pictures in the folder that is watched.
        settings: The daemon's configuration.
    """

    def __init__(self, browser: Browser, draw: Callable[[Path], None], settings: str = "") -> None:
        self.browser = browser
        self.home = Home()
        self.home.environ["XDG_DATA_HOME"] = str(self.home.folder / "data")
        self.home.configure(settings)
        self.folder = self.home.pictures()
        draw(self.folder)
        self.home.pspc("add", self.folder, "--wait")
        self.home.pspc("sync", "--learned")
        self.home.pspc("duplicates", "--wait", expect=None)
        self.gateway = Gateway(self.home.environ, "--allow-private-urls")
        self.contexts: list[BrowserContext] = []
        self.problems: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pages, the gateway and the daemon."""
        self.close_pages()
        self.gateway.__exit__()
        self.home.close()

    def close_pages(self) -> None:
        """Close all pages, for each profile keeps connections and the gateway has so many."""
        for context in self.contexts:
            context.close()
        self.contexts.clear()

    def open(self, place: str = "", *, width: int = 1280, height: int = 800, **wishes: Any) -> Page:
        """Open a page in a profile of its own; `place` is what follows the #."""
        wishes = {"locale": "en-GB", "reduced_motion": "reduce", **wishes}
        context = self.browser.new_context(viewport={"width": width, "height": height}, **wishes)
        context.set_default_timeout(PATIENCE)
        self.contexts.append(context)
        return self.tab(context, place)

    def tab(self, context: BrowserContext, place: str = "") -> Page:
        """Open one more page in a profile."""
        page = context.new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("dialog", lambda dialog: self.problems.append(f"a dialog: {dialog.message}"))
        page.goto(f"{self.gateway.base}/?key={self.gateway.new_key()}")
        if place:
            page.goto(f"{self.gateway.base}/#/{place}")
        page.locator("main .view:not([hidden])").wait_for()
        return page

    def _hear(self, kind: str, text: str) -> None:
        # Answers that are errors are told by the browser too; tests look at what the page makes of
        # them.
        if kind == "error" and not text.startswith("Failed to load resource"):
            self.problems.append(text)

    def is_sound(self) -> bool:
        """Say whether no script failed, and nothing was refused by the policy."""
        found, self.problems = self.problems, []
        assert found == []
        return True


def choose(page: Page, *paths: Path) -> None:
    """Choose pictures by the button."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose pictures").click()
    chooser.value.set_files([str(path) for path in paths])


def drop(page: Page, path: Path) -> None:
    """Drag a file from elsewhere onto the page."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        event = {"type": kind, "x": 600, "y": 400, "data": data}
        session.send("Input.dispatchDragEvent", event)


def found(page: Page) -> set[str]:
    """Return the names of the files that are shown as found."""
    return set(page.locator(".hits .tile .path-name").all_inner_texts())


def await_done(page: Page) -> None:
    """Wait until a search has told all that it will."""
    page.locator(".results:not(.busy) .scope:not(:empty)").wait_for()
    page.locator(".closer").wait_for(state="hidden")


def await_pictures(page: Page) -> None:
    """Wait until both pictures of a comparison are there."""
    # Playwright's own waiting for a condition evaluates text, which the page's policy forbids.
    there = "[...document.querySelectorAll('.stage-picture')].every((each) => each.naturalWidth)"
    expect(lambda: bool(page.evaluate(there)))
