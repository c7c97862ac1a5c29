"""Comparing closely: what is seen of both pictures is their pixels, each in its place."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from examples import make_samples
from tests.browser.site import Site, await_done, await_pictures, choose
from tests.waiting import expect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Browser, Page, Route

Pixels = npt.NDArray[np.uint8]
Map = npt.NDArray[np.float64]

WIDTH, HEIGHT = 2600, 1950
MODES = ("beside", "slider", "flicker", "difference")


def board(phase: int, width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Draw a landscape whose every other pixel is dark; smaller, each phase looks the same."""
    picture = np.asarray(make_samples.landscape(0).resize((width, height)).convert("RGB"))
    rows, columns = np.mgrid[0:height, 0:width]
    is_dark = (rows + columns) % 2 == phase
    return Image.fromarray(np.where(is_dark[..., None], picture // 4, picture).astype(np.uint8))


def draw(folder: Path) -> None:
    """Make one picture, and copies that no preview can tell from it."""
    first = board(0)
    first.save(folder / "first.png", compress_level=1)
    first.save(folder / "equal.bmp")
    board(1).save(folder / "second.png", compress_level=1)
    exif = Image.Exif()
    exif[0x0112] = 6
    board(1).transpose(Image.Transpose.ROTATE_90).save(
        folder / "stored-turned.png", compress_level=1, exif=exif
    )
    board(1).transpose(Image.Transpose.ROTATE_90).save(folder / "turned.png", compress_level=1)
    board(0, 1600, 1200).save(folder / "smaller.jpg", quality=95)
    board(0, 200, 150).save(folder / "tiny.png")


@pytest.fixture(scope="module")
def module_site(browser: Browser) -> Iterator[Site]:
    with Site(browser, draw) as made:
        yield made


def digest(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=32).hexdigest()


def upright(path: Path) -> Pixels:
    with Image.open(path) as image:
        is_turned = image.getexif().get(0x0112) == 6
        plain = image.convert("RGB")
    return np.asarray(plain.transpose(Image.Transpose.ROTATE_270) if is_turned else plain)


class Compared:
    """Two pictures that are compared, and what is seen of them."""

    def __init__(self, page: Page, paths: list[Path]) -> None:
        self.page = page
        self.paths = paths
        self.pictures = [upright(path) for path in paths]
        page.locator(".compare-why h2").wait_for()
        await_pictures(page)

    def settle(self) -> str:
        """Wait until nothing more is to come; return how it is."""
        self.page.evaluate("new Promise((resolve) => requestAnimationFrame(resolve))")
        self.page.locator('.stage:not([data-sharp="coming"])').wait_for()
        state = self.page.locator(".stage").get_attribute("data-sharp")
        assert state is not None
        return state

    def zoom(self, notches: int, x: float = 0.5, y: float = 0.4) -> None:
        """Turn the wheel at a place of the first pane."""
        box = self.page.locator(".pane.first").bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        for _ in range(abs(notches)):
            self.page.mouse.wheel(0, -300 if notches > 0 else 300)

    def maps(self) -> list[Map]:
        """Return what takes each picture's pixels to those of its pane, by its preview."""
        values = self.page.eval_on_selector_all(
            ".stage-picture",
            """(all) => all.map((each) => [
              ...new DOMMatrix(getComputedStyle(each).transform).toFloat64Array(),
              each.naturalWidth, each.naturalHeight])""",
        )
        found = []
        for (*matrix, width, height), picture in zip(values, self.pictures, strict=True):
            columns = np.array(matrix).reshape(4, 4)
            flat = columns[np.ix_([0, 1, 3], [0, 1, 3])].T
            scale = (width / picture.shape[1], height / picture.shape[0], 1.0)
            found.append(flat @ np.diag(scale))
        return found

    def seen(self, pane: str, left: float = 0.3, right: float = 0.7) -> tuple[Map, Pixels]:
        """Return places in the middle of a pane, and the colours that are seen there."""
        # A pane may begin between two pixels of the screen.
        x, y, width, height = self.page.eval_on_selector(
            pane,
            "(each) => { const r = each.getBoundingClientRect(); "
            "return [r.x, r.y, r.width, r.height]; }",
        )
        screen = np.asarray(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB"))
        rows, columns = np.mgrid[
            int(y + 0.3 * height) : int(y + 0.7 * height),
            int(x + left * width) : int(x + right * width),
        ]
        rows, columns = rows.ravel(), columns.ravel()
        return np.column_stack([columns + 0.5 - x, rows + 0.5 - y]), screen[rows, columns]

    def at(self, index: int, points: Map) -> tuple[Pixels, npt.NDArray[np.bool_]]:
        """Return the pixels of a picture at points of its pane, and which of these are no edges."""
        back = np.linalg.inv(self.maps()[index])
        x, y, weight = back @ np.vstack([points.T, np.ones(len(points))])
        across, down = x / weight, y / weight
        height, width = self.pictures[index].shape[:2]
        inside = (across >= 0) & (across < width) & (down >= 0) & (down < height)
        far = 0.3
        clear = (
            (across % 1 > far) & (across % 1 < 1 - far) & (down % 1 > far) & (down % 1 < 1 - far)
        )
        rows = np.clip(down.astype(int), 0, height - 1)
        columns = np.clip(across.astype(int), 0, width - 1)
        return self.pictures[index][rows, columns], inside & clear


def compared_at(site: Site, first: str, second: str, turn: str = "", **wishes: Any) -> Compared:
    """Compare two pictures of the library."""
    paths = [site.folder / first, site.folder / second]
    place = f"compare/{'/'.join(map(digest, paths))}"
    return Compared(site.open(f"{place}?turn={turn}" if turn else place, **wishes), paths)


def held_back(page: Page, pattern: str) -> list[Route]:
    """Have requests wait; return those that do."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(pattern, hold)
    return held


def await_count(page: Page, heard: Sequence[object], count: int) -> None:
    """Wait until so much was heard; events come while something is asked of the page."""
    expect(lambda: bool(page.title()) and len(heard) == count)


def assert_same(seen: Pixels, expected: Pixels, clear: npt.NDArray[np.bool_]) -> None:
    assert clear.sum() > 500
    difference = np.abs(seen.astype(int) - expected)[clear]
    assert difference.max() <= 4, (difference.mean(), difference.max())


PAIRS = [
    ("first.png", "second.png", ""),
    ("first.png", "stored-turned.png", ""),
    ("first.png", "turned.png", "rotate_90"),
    ("smaller.jpg", "first.png", ""),
    ("tiny.png", "second.png", ""),
]


@pytest.mark.parametrize(("first", "second", "turn"), PAIRS)
def test_the_pixels_of_both_are_seen_in_their_places(
    shared_site: Site, first: str, second: str, turn: str
) -> None:
    compared = compared_at(shared_site, first, second, turn)
    compared.zoom(6)
    assert compared.settle() == "there"
    for index, pane in enumerate((".pane.first", ".pane.second")):
        points, seen = compared.seen(pane)
        expected, clear = compared.at(index, points)
        assert_same(seen, expected, clear)


@pytest.mark.parametrize("mode", MODES[1:])
def test_each_way_of_comparing_shows_pixels(shared_site: Site, mode: str) -> None:
    compared = compared_at(shared_site, "first.png", "second.png")
    page = compared.page
    page.keyboard.press(str(MODES.index(mode) + 1))
    if mode == "difference":
        page.locator(".gain select").select_option("1")
    compared.zoom(6)
    assert compared.settle() == "there"
    if mode == "difference":
        points, seen = compared.seen(".pane.first")
        (one, clear), (other, as_clear) = (compared.at(index, points) for index in range(2))
        apart = np.abs(one.astype(int) - other).astype(np.uint8)
        assert_same(seen, apart, clear & as_clear)
        assert apart[clear].max() > 60
        return
    for index in range(2):
        if mode == "slider":
            sides = ((0.1, 0.45), (0.55, 0.9))[index]
            points, seen = compared.seen(".pane.first", *sides)
        else:
            points, seen = compared.seen(".pane.first")
            page.keyboard.press(" ")
            page.evaluate("new Promise((resolve) => requestAnimationFrame(resolve))")
        expected, clear = compared.at(index, points)
        assert_same(seen, expected, clear)


def test_a_wide_window_shows_several_parts_without_a_seam(shared_site: Site) -> None:
    compared = compared_at(shared_site, "first.png", "second.png", width=1900, height=1000)
    compared.page.keyboard.press("3")
    compared.zoom(2, y=0.5)
    compared.page.mouse.wheel(0, -60)
    assert compared.settle() == "there"
    assert compared.page.locator(".pane.first .stage-detail").count() == 2
    points, seen = compared.seen(".pane.first")
    expected, clear = compared.at(0, points)
    assert_same(seen, expected, clear)


def test_equal_pixels_leave_no_difference_however_closely_one_looks(shared_site: Site) -> None:
    compared = compared_at(shared_site, "first.png", "equal.bmp")
    compared.page.keyboard.press("4")
    compared.page.locator(".gain select").select_option("16")
    compared.zoom(5)
    assert compared.settle() == "there"
    assert compared.seen(".pane.first")[1].max() == 0


def test_on_a_fine_screen_its_own_pixels_count(shared_site: Site) -> None:
    compared = compared_at(shared_site, "first.png", "second.png", device_scale_factor=2)
    asked: list[str] = []
    compared.page.on("request", lambda request: asked.append(request.url))
    compared.zoom(3)
    assert compared.settle() == "there"
    # A pixel of the picture takes less than one of the page, and more than one of the screen.
    size = compared.maps()[0][0, 0]
    assert 0.5 < size < 1
    assert compared.page.locator(".stage-detail.squares").count() > 0
    assert all("/detail?part=" in each for each in asked)


def test_a_query_that_is_not_in_the_index_is_seen_as_closely(
    shared_site: Site, tmp_path: Path
) -> None:
    path = tmp_path / "query.png"
    board(1, 1301, 975).save(path)
    page = shared_site.open()
    choose(page, path)
    await_done(page)
    page.locator(".tile", has_text="first.png").locator(".tile-open").focus()
    page.keyboard.press("c")
    compared = Compared(page, [path, shared_site.folder / "first.png"])
    compared.zoom(6)
    assert compared.settle() == "there"
    sources = page.eval_on_selector_all(
        ".pane.first .stage-detail", "(all) => all.map((each) => each.src)"
    )
    assert sources
    assert all(f"/queries/{digest(path)}/detail" in each for each in sources)
    for index, pane in enumerate((".pane.first", ".pane.second")):
        points, seen = compared.seen(pane)
        expected, clear = compared.at(index, points)
        assert_same(seen, expected, clear)


def test_at_first_the_previews_are_enough_and_a_small_move_asks_for_nothing(
    shared_site: Site,
) -> None:
    compared = compared_at(shared_site, "first.png", "second.png")
    assert compared.settle() == "none"
    assert compared.page.locator(".stage-detail").count() == 0
    compared.zoom(7)
    assert compared.settle() == "there"
    asked: list[str] = []
    compared.page.on("request", lambda request: asked.append(request.url))
    for key in ("ArrowLeft", "ArrowUp", "+"):
        compared.page.keyboard.press(key)
        assert compared.settle() == "there"
    assert asked == []
    compared.page.keyboard.press("0")
    assert compared.settle() == "none"
    assert compared.page.locator(".stage-detail").count() == 0


def test_who_zooms_about_waits_for_the_last_place_alone(shared_site: Site) -> None:
    compared = compared_at(shared_site, "first.png", "second.png")
    page = compared.page
    held = held_back(page, "**/detail?*")
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    for count in (2, 4, 6):
        compared.zoom(4)
        # One of each picture is on its way at a time.
        await_count(page, held, count)
        page.keyboard.press("0")
        await_count(page, failed, count)
    page.unroute("**/detail?*")
    compared.zoom(6)
    assert compared.settle() == "there"
    points, seen = compared.seen(".pane.second")
    expected, clear = compared.at(1, points)
    assert_same(seen, expected, clear)


def test_the_difference_waits_for_both(shared_site: Site) -> None:
    compared = compared_at(shared_site, "first.png", "equal.bmp")
    page = compared.page
    page.keyboard.press("4")
    held = held_back(page, f"**/{digest(compared.paths[1])}/detail?*")
    compared.zoom(6)
    page.locator(".pane.first .stage-detail").wait_for(state="attached")
    await_count(page, held, 1)
    assert page.locator(".pane.first .details").is_hidden()
    assert page.locator(".stage").get_attribute("data-sharp") == "coming"
    for route in held:
        route.continue_()
    assert compared.settle() == "there"
    assert compared.seen(".pane.first")[1].max() == 0


def test_pixels_that_cannot_be_had_are_told_and_tried_again(shared_site: Site) -> None:
    compared = compared_at(shared_site, "first.png", "second.png")
    page = compared.page
    page.route("**/detail?*", lambda route: route.abort())
    compared.zoom(6)
    assert compared.settle() == "failed"
    notice = page.locator(".compare .error")
    assert notice.inner_text().startswith("The pixels could not be loaded")
    assert page.locator(".stage-detail").count() == 0
    page.unroute("**/detail?*")
    page.keyboard.press("ArrowLeft")
    assert compared.settle() == "there"
    assert notice.is_hidden()
