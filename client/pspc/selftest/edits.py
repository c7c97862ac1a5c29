"""The edits that people make of pictures, each with the truth of where the original sits in it.

    Source ──Edit.apply──▶ Edited: a file's bytes, a transform, the part of the original seen

The one list of them: the selftest, the benchmark of quality and that of the thresholds use it. An
edit is the same for the same picture and seed, as long as Pillow and numpy are.
"""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import numpy as np
from PIL import Image, ImageEnhance, ImageOps, UnidentifiedImageError

from pspc.selftest import framing, recolouring
from pspc.selftest.canvas import Canvas, Change
from pspc.selftest.geometry import Points, Transform

SOURCE_SIDE: Final = 1024
"""A picture is brought to at most this side before it is edited, as most are that people pass on:
an edit of one of 24 megapixels would take seconds."""

_FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
"""What is opened: the files are the user's, but not all of Pillow's decoders are as well tried."""

_FAST: Final[dict[str, dict[str, Any]]] = {"PNG": {"compress_level": 1}, "AVIF": {"speed": 8}}
"""What encoders are told so that a trial does not wait for them; the pixels are hardly others."""

_DEEP_WHITE: Final = 65_535
_TURN = Image.Transpose


class Unreadable(Exception):
    """A picture that is not edited; the sentence says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """An original to be edited: upright, on white, 8-bit "RGB", of a side at most."""

    image: Image.Image
    full_size: tuple[int, int]
    """Width and height of the upright original."""


@dataclass(frozen=True, slots=True, eq=False)
class Edited:
    """An edited copy, with its ground truth."""

    data: bytes
    """A file."""
    size: tuple[int, int]
    """Width and height, in pixels."""
    transform: Transform
    """From the original's upright pixels to the edited picture's: `pspc.selftest.geometry`."""
    seen: Points
    """The part of the original that it shows, covered or not, in the original's upright pixels."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit."""

    name: str
    """What `--edits` and tables call it."""
    description: str
    change: Change
    format: str = "JPEG"
    quality: int = 90

    def apply(self, source: Source, seed: int) -> Edited:
        """Edit a picture.

        Args:
            source: The picture.
            seed: Decides, with the picture, what the edit leaves to chance: places and colours.
        """
        digest = zlib.crc32(source.image.tobytes())
        canvas = Canvas.of(source.image, source.full_size)
        random = Random(f"{self.name} {seed} {digest}")  # noqa: S311 - to be drawn again
        edited = self.change(canvas, random)
        options = _FAST.get(self.format, {})
        data = encode(edited.image, self.format, quality=self.quality, **options)
        return Edited(data, edited.size, edited.transform, edited.seen)


def read_source(data: bytes, side: int = SOURCE_SIDE) -> Source:
    """Open a picture for editing.

    Args:
        data: A file: JPEG, PNG, WebP, GIF, BMP or AVIF; of an animation the first frame counts.
        side: Most pixels of its longer side; larger ones are scaled down.

    Raises:
        Unreadable: it is none of these, damaged, or larger than Pillow thinks safe.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                return _source(image, side)
    except UnidentifiedImageError as error:
        raise Unreadable("it is in no format that is edited") from error
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        raise Unreadable(" ".join(str(error).split()) or type(error).__name__) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unreadable("it is too large") from error


def encode(image: Image.Image, format: str, **options: Any) -> bytes:
    """Encode a picture without its metadata."""
    buffer = io.BytesIO()
    bare = image.copy()
    bare.info = {key: bare.info[key] for key in ("transparency",) if key in bare.info}
    bare.save(buffer, format, **options)
    return buffer.getvalue()


def chosen(names: Sequence[str]) -> tuple[Edit, ...]:
    """Return the edits of these names, in their order; all where there are none.

    Raises:
        KeyError: there is no edit of this name.
    """
    known = {edit.name: edit for edit in EDITS}
    return tuple(known[name] for name in names) if names else EDITS


def _source(image: Image.Image, side: int) -> Source:
    width, height = image.size
    # Of a JPEG, decodes a fraction of the pixels, at least twice the side.
    image.draft(None, (2 * side, 2 * side))
    upright = ImageOps.exif_transpose(image)
    if upright.size != image.size:
        width, height = height, width
    picture = _on_white(upright)
    picture.thumbnail((side, side), Image.Resampling.BICUBIC)
    return Source(picture, (width, height))


def _on_white(image: Image.Image) -> Image.Image:
    """Put a picture on white, as 8-bit RGB."""
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale gray of 16 bits to 8; Pillow's own conversion cuts it off."""
    scaled = np.rint(np.clip(np.asarray(image, np.float64), 0, _DEEP_WHITE) * (255 / _DEEP_WHITE))
    return Image.fromarray(scaled.astype(np.uint8))


def _unchanged(canvas: Canvas, _random: Random) -> Canvas:
    return canvas


def _recoded(name: str, format: str, quality: int) -> Edit:
    word = {"WEBP": "WebP"}.get(format, format)
    what = f"saved as {word}" + (f" of quality {quality}" if quality else "")
    return Edit(name, what, _unchanged, format, quality)


def _crop(percent: int) -> Edit:
    what = f"cropped to {percent} % of its area, somewhere"
    return Edit(f"crop-{percent}", what, framing.cropped(percent / 100))


_ENHANCE = recolouring.enhanced

EDITS: Final = (
    Edit("resize-50", "half as wide and high", framing.scaled(0.5, 0.5)),
    Edit("resize-25", "a quarter as wide and high", framing.scaled(0.25, 0.25)),
    _recoded("jpeg-50", "JPEG", 50),
    _recoded("jpeg-30", "JPEG", 30),
    _recoded("jpeg-10", "JPEG", 10),
    _recoded("webp-40", "WEBP", 40),
    _recoded("avif-50", "AVIF", 50),
    _recoded("png", "PNG", 0),
    Edit("gray", "without colours", recolouring.gray),
    Edit("blur", "blurred", recolouring.blurred),
    Edit("noise", "with noise of 12 levels", recolouring.noisy),
    Edit("brightness-60", "darkened to 60 %", _ENHANCE(ImageEnhance.Brightness, 0.6)),
    Edit("brightness-120", "brightened to 120 %", _ENHANCE(ImageEnhance.Brightness, 1.2)),
    Edit("brightness-140", "brightened to 140 %", _ENHANCE(ImageEnhance.Brightness, 1.4)),
    Edit("contrast-140", "contrast at 140 %", _ENHANCE(ImageEnhance.Contrast, 1.4)),
    Edit("saturation-160", "saturation at 160 %", _ENHANCE(ImageEnhance.Color, 1.6)),
    Edit("hue-40", "hue turned by 40°", recolouring.hue_turned(40)),
    Edit("squeeze", "squeezed to 3/4 of its height", framing.scaled(1.0, 0.75)),
    _crop(95),
    _crop(90),
    _crop(70),
    _crop(50),
    _crop(25),
    _crop(10),
    Edit("mirror", "mirrored", framing.transposed(_TURN.FLIP_LEFT_RIGHT)),
    Edit("quarter-turn", "turned by 90°", framing.transposed(_TURN.ROTATE_90)),
    Edit("half-turn", "turned by 180°", framing.transposed(_TURN.ROTATE_180)),
    Edit("turn-3", "turned by 3°, corners white", framing.turned(3, is_cut=False)),
    Edit("turn-3-cut", "turned by 3°, cut to a rectangle", framing.turned(3, is_cut=True)),
    Edit("turn-25", "turned by 25°, corners white", framing.turned(25, is_cut=False)),
    Edit("turn-25-cut", "turned by 25°, cut to a rectangle", framing.turned(25, is_cut=True)),
    Edit("border", "with a border of one colour", framing.bordered),
    Edit("letterbox", "between black bars", framing.letterboxed),
    Edit("screenshot", "in a window on a desktop", framing.on_screen, "PNG"),
    Edit("photo", "photographed from a screen", framing.photographed),
    Edit("caption", "under and over a caption", framing.captioned),
    Edit("watermark", "with a watermark", recolouring.watermarked(1, 1)),
    Edit("watermarks", "with six watermarks", recolouring.watermarked(2, 3)),
    Edit("logo", "with a logo over 30 % of it", recolouring.covered(0.3)),
    Edit("collage-half", "one of two pictures side by side", framing.half_of_collage),
    Edit("collage-cut", "its middle, one of two side by side", framing.cut_half_of_collage),
    Edit("collage-quarter", "one of four pictures", framing.quarter_of_collage),
)
"""In the order of tables."""
