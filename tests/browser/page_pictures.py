"""Makes the pictures of the page that stand in the READMEs, in a real browser.

    python -m tests.browser.page_pictures

The library is that of the tests; shown is what a person sees who searches with a small copy, and
who compares a part of a picture with what it was found in.
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from examples import make_samples
from examples.demo import CROP, CROPPED
from tests.browser.conftest import NAMES, draw
from tests.browser.site import Site, await_done, await_pictures

if TYPE_CHECKING:
    from playwright.sync_api import Page

DOCUMENTS = Path(__file__).resolve().parents[2] / "docs"
LOOKS = {"en": ("en-GB", "light"), "zh-CN": ("zh-CN", "dark")}
WIDTH, HEIGHT = 1120, 660
QUALITY = 82


def draw_all(folder: Path) -> None:
    """Make the library of the tests, and a landscape of which a part is searched with."""
    draw(folder)
    make_samples.landscape(CROPPED).save(folder / "mountains.jpg", quality=92)


def searched(site: Site, page: Page) -> None:
    """Search with a copy that is in the library."""
    with page.expect_file_chooser() as chooser:
        page.locator(".choose").click()
    chooser.value.set_files(str(site.folder / "web" / "small.jpg"))
    await_done(page)
    page.locator(".hits .thumbnail.shown").nth(2).wait_for()


def compared(site: Site, page: Page) -> None:
    """Compare a part of a picture with the whole one."""
    part = site.home.folder / "part.png"
    make_samples.landscape(CROPPED).crop(CROP).save(part)
    with page.expect_file_chooser() as chooser:
        page.locator(".choose").click()
    chooser.value.set_files(str(part))
    await_done(page)
    page.locator(".tile", has_text="mountains.jpg").locator(".tile-open").focus()
    page.keyboard.press("c")
    page.locator(".compare-why h2").wait_for()
    await_pictures(page)


VIEWS = {"search": searched, "compare": compared}


def main() -> None:
    """Make them all."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - of the tests alone

    path = next(filter(None, map(shutil.which, NAMES)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        with Site(browser, draw_all, "[search]\nbudget_seconds = 20.0\n") as site:
            for language, (locale, scheme) in LOOKS.items():
                for name, view in VIEWS.items():
                    page = site.open(width=WIDTH, height=HEIGHT, locale=locale, color_scheme=scheme)
                    view(site, page)
                    shot = Image.open(io.BytesIO(page.screenshot()))
                    place = DOCUMENTS / f"page-{name}.{language}.webp"
                    shot.convert("RGB").save(place, quality=QUALITY, method=6)
        browser.close()


if __name__ == "__main__":
    main()
