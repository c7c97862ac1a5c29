"""Pictures that look alike and are no copies: families made on the spot, the same on every run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

FAMILY: Final = 12
"""Pictures of one family."""

_WORDS: Final = (  # noqa: SIM905
    "the of and to in is that for it as was with be by on not he his but at are this have from or "
    "had an they which one you were all her she there would their we him been has when who will no "
    "more if out so up said what its about than into them can only other time new some could these "
    "two may first then do any like my now over such our man me even most made after also did many"
).split()


def _logo(generator: np.random.Generator) -> Image.Image:
    """Draw a logo of few shapes on a ground that all share, with a line that all share."""
    ramp = np.linspace(30, 90, 480)[:, None] + np.linspace(0, 40, 640)
    image = Image.fromarray(np.dstack((ramp * 0.5, ramp * 0.8, ramp * 1.4)).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(int(generator.integers(3, 7))):
        x, y = generator.integers(220, 420), generator.integers(130, 290)
        radius = int(generator.integers(20, 70))
        colour = tuple(int(v) for v in generator.integers(120, 256, 3))
        corners = int(generator.integers(3, 9))
        turn = float(generator.uniform(0, 360))
        draw.regular_polygon((int(x), int(y), radius), corners, turn, fill=colour)
    draw.text((230, 400), "Operating System", fill="white", font_size=24)
    return image


def _textured_logo(generator: np.random.Generator) -> Image.Image:
    """Draw a logo on a ground with structure of its own, which all share."""
    ground = _terrain(np.random.default_rng(99))
    logo = _logo(generator).crop((200, 110, 440, 330))
    ground.paste(logo, (200, 130))
    return ground


def _page(generator: np.random.Generator) -> Image.Image:
    """Set a page of text."""
    image = Image.new("RGB", (600, 800), "white")
    draw = ImageDraw.Draw(image)
    draw.text((40, 30), "Annual report", fill="black", font_size=32)
    for line in range(26):
        words = " ".join(generator.choice(_WORDS, 9))
        draw.text((40, 90 + 26 * line), words[:58], fill="black", font_size=19)
    return image


def _slide(generator: np.random.Generator) -> Image.Image:
    """Set a slide of one design: bar, mark, title, points."""
    image = Image.new("RGB", (800, 600), "#f4f4f0")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 800, 90), fill="#224488")
    draw.ellipse((700, 15, 760, 75), fill="#ffcc00")
    draw.text((715, 30), "Ab", fill="#224488", font_size=28)
    draw.text((30, 26), " ".join(generator.choice(_WORDS, 4)), fill="white", font_size=36)
    for line in range(6):
        draw.ellipse((50, 150 + 65 * line, 62, 162 + 65 * line), fill="#224488")
        draw.text((80, 140 + 65 * line), " ".join(generator.choice(_WORDS, 6)), fill="black",
                  font_size=26)  # fmt: skip
    draw.text((30, 565), "confidential", fill="#888888", font_size=16)
    return image


def _calendar(generator: np.random.Generator) -> Image.Image:
    """Draw a month's sheet."""
    image = Image.new("RGB", (700, 560), "white")
    draw = ImageDraw.Draw(image)
    names = ("January", "February", "March", "April", "May", "June", "July", "August")
    draw.text((250, 10), str(generator.choice(names)), fill="#aa2222", font_size=40)
    first, days = int(generator.integers(0, 7)), int(generator.integers(28, 32))
    for column, day in enumerate(("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")):
        draw.text((30 + 95 * column, 65), day, fill="black", font_size=24)
    for row in range(6):
        for column in range(7):
            left, top = 20 + 95 * column, 100 + 75 * row
            draw.rectangle((left, top, left + 95, top + 75), outline="#444444", width=2)
            number = row * 7 + column - first + 1
            if 1 <= number <= days:
                draw.text((left + 8, top + 6), str(number), fill="black", font_size=28)
    return image


def _keyboard(generator: np.random.Generator) -> Image.Image:
    """Draw a keyboard with its letters in some order."""
    image = Image.new("RGB", (760, 280), "#bbbbbb")
    draw = ImageDraw.Draw(image)
    letters = generator.permutation(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
    for number, letter in enumerate(letters):
        row, column = divmod(number, 12)
        left, top = 20 + 58 * column + 14 * row, 30 + 76 * row
        draw.rounded_rectangle((left, top, left + 50, top + 62), 8, fill="#eeeeee", outline="black")
        draw.text((left + 14, top + 12), str(letter), fill="black", font_size=28)
    return image


def _button(generator: np.random.Generator) -> Image.Image:
    """Draw a button of one style with another sign on it."""
    image = Image.new("RGB", (256, 256), "white")
    draw = ImageDraw.Draw(image)
    for ring in range(24):
        shade = 90 + 6 * ring
        draw.ellipse((16 + ring, 16 + ring, 240 - ring, 240 - ring), fill=(40, shade // 2, shade))
    sign = str(generator.choice(list("ABCDEFGHKLMNPRSTUVXYZ23456789&%?!+")))
    draw.text((90, 60), sign, fill="white", font_size=110)
    return image


def _card(generator: np.random.Generator) -> Image.Image:
    """Draw a playing card of one layout."""
    image = Image.new("RGB", (240, 340), "white")
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((4, 4, 235, 335), 14, outline="black", width=3)
    number = int(generator.integers(2, 11))
    sides = int(generator.integers(3, 7))
    colour = "#cc1111" if generator.random() < 0.5 else "#111111"
    places = [(70, 70), (170, 270), (70, 270), (170, 70), (120, 170), (70, 170), (170, 170),
              (120, 110), (120, 230), (120, 60)]  # fmt: skip
    for x, y in places[:number]:
        draw.regular_polygon((x, y, 20), sides, fill=colour)
    draw.text((14, 12), str(number), fill=colour, font_size=30)
    draw.text((200, 296), str(number), fill=colour, font_size=30)
    return image


def _map(generator: np.random.Generator) -> Image.Image:
    """Draw a street map of one style, with the same legend."""
    image = Image.new("RGB", (640, 640), "#f2efe9")
    draw = ImageDraw.Draw(image)
    for _ in range(14):
        x, y = generator.integers(0, 640, 2)
        draw.regular_polygon((int(x), int(y), int(generator.integers(20, 60))), 4,
                             float(generator.uniform(0, 90)), fill="#cdebb0")  # fmt: skip
    for _ in range(26):
        start, end = generator.integers(0, 640, (2, 2)).tolist()
        width = int(generator.choice([4, 7, 11]))
        draw.line((*start, *end), fill="#999999", width=width + 2)
        draw.line((*start, *end), fill="white", width=width)
    for _ in range(16):
        x, y = generator.integers(20, 600, 2).tolist()
        draw.text(
            (x, y), str(generator.choice(_WORDS)).title() + " St", fill="#444444", font_size=15
        )
    draw.rectangle((10, 560, 190, 630), fill="white", outline="black")
    draw.text((20, 565), "200 m", fill="black", font_size=18)
    draw.line((20, 610, 170, 610), fill="black", width=4)
    return image


def _terrain(generator: np.random.Generator) -> Image.Image:
    """Make a picture whose energy falls with frequency, as a photograph's does."""
    rows, columns = np.fft.fftfreq(480)[:, None], np.fft.rfftfreq(640)
    spectrum = 1 / np.maximum(np.hypot(rows, columns), 1 / 640) ** 1.4
    planes = []
    for _ in range(3):
        noise = generator.normal(size=(480, 640))
        values = np.fft.irfft2(np.fft.rfft2(noise) * spectrum, (480, 640))
        planes.append(127 + 48 * (values - values.mean()) / values.std())
    mixed = np.dstack([0.7 * planes[0] + 0.3 * plane for plane in planes])
    return Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8))


def _with_icons(generator: np.random.Generator) -> Image.Image:
    """Put the same small icons on pictures that have nothing else in common."""
    image = _terrain(generator)
    draw = ImageDraw.Draw(image)
    for number in range(4):
        left = 20 + 60 * number
        draw.rounded_rectangle((left, 20, left + 48, 68), 10, fill="#3060c0", outline="white")
        draw.text((left + 12, 26), "PSPC"[number], fill="white", font_size=30)
    return image


def _window(generator: np.random.Generator) -> Image.Image:
    """Take a screenshot of one program with another picture in it."""
    image = Image.new("RGB", (900, 600), "#e8e8e8")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 900, 34), fill="#303848")
    draw.text((12, 6), "File   Edit   View   Go   Help", fill="white", font_size=18)
    for row in range(9):
        draw.rectangle((12, 50 + 58 * row, 56, 94 + 58 * row), fill=(60, 25 * row, 200 - 20 * row))
        draw.text((66, 60 + 58 * row), f"Folder {row}", fill="black", font_size=17)
    image.paste(_terrain(generator).resize((560, 420)), (260, 90))
    return image


def _scene_frame(generator: np.random.Generator) -> Image.Image:
    """Take a frame of one scene: another place to stand, other things in front."""
    far = _terrain(np.random.default_rng(5)).resize((960, 720))
    left, top = generator.integers(0, 200, 2).tolist()
    image = far.crop((left, top, left + 640, top + 480))
    near = _terrain(np.random.default_rng(6))
    for _ in range(5):
        x, y = generator.integers(0, 500, 2).tolist()
        side = int(generator.integers(90, 220))
        image.paste(near.crop((x // 4, y // 4, x // 4 + side, y // 4 + side)), (x, y))
    return image


def _chart(generator: np.random.Generator) -> Image.Image:
    """Plot a curve on the same axes."""
    image = Image.new("RGB", (640, 420), "white")
    draw = ImageDraw.Draw(image)
    for tick in range(11):
        draw.line((60 + 54 * tick, 30, 60 + 54 * tick, 370), fill="#dddddd")
        draw.line((60, 30 + 34 * tick, 600, 30 + 34 * tick), fill="#dddddd")
        draw.text((52 + 54 * tick, 378), str(10 * tick), fill="black", font_size=15)
        draw.text((18, 362 - 34 * tick), str(5 * tick), fill="black", font_size=15)
    draw.rectangle((60, 30, 600, 370), outline="black", width=2)
    values = np.cumsum(generator.normal(0, 12, 55))
    places = [(60 + 10 * i, 200 - float(value)) for i, value in enumerate(values)]
    draw.line(places, fill="#cc2222", width=3)
    return image


FAMILIES: dict[str, Callable[[np.random.Generator], Image.Image]] = {
    "logos on one ground": _logo,
    "logos on one textured ground": _textured_logo,
    "pages of text": _page,
    "slides of one design": _slide,
    "calendars": _calendar,
    "keyboards": _keyboard,
    "buttons": _button,
    "cards": _card,
    "maps": _map,
    "charts": _chart,
    "unrelated, same icons": _with_icons,
    "screenshots of one program": _window,
    "frames of one scene": _scene_frame,
    "unrelated": _terrain,
}
"""By what their pictures have in common. No two of one family are copies, but of a logo on a
textured ground and of frames of one scene a person might say so."""


def family(name: str, size: int = FAMILY) -> list[Image.Image]:
    """Make the pictures of a family, no two the same."""
    number = list(FAMILIES).index(name)
    made: list[Image.Image] = []
    seen: set[bytes] = set()
    for seed in range(100 * size):
        image = FAMILIES[name](np.random.default_rng((number, seed)))
        content = image.tobytes()
        if content not in seen:
            seen.add(content)
            made.append(image)
        if len(made) == size:
            break
    return made
