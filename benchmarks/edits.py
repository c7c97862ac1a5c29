"""The edits of the threshold measurement: a picture → the bytes of an edited copy."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

TURN = Image.Transpose


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit, by the name the table shows."""

    name: str
    change: Callable[[Image.Image], Image.Image]
    format: str = "JPEG"
    quality: int = 90

    def apply(self, image: Image.Image) -> bytes:
        """Edit a picture; the file's bytes, opaque, on white where it was transparent."""
        return encode(self.change(on_white(image)), self.format, quality=self.quality)


def encode(image: Image.Image, format: str, **options: Any) -> bytes:
    """Encode a picture without its metadata."""
    buffer = io.BytesIO()
    bare = image.copy()
    bare.info = {key: bare.info[key] for key in ("transparency",) if key in bare.info}
    bare.save(buffer, format, **options)
    return buffer.getvalue()


def on_white(image: Image.Image) -> Image.Image:
    """Put a picture on white, as 8-bit RGB."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def same(image: Image.Image) -> Image.Image:
    """Change nothing but what encoding does."""
    return image


def scaled(horizontal: float, vertical: float) -> Callable[[Image.Image], Image.Image]:
    """Resize by two factors."""

    def change(image: Image.Image) -> Image.Image:
        size = (max(1, round(image.width * horizontal)), max(1, round(image.height * vertical)))
        return image.resize(size, Image.Resampling.BICUBIC)

    return change


def cropped(share: float) -> Callable[[Image.Image], Image.Image]:
    """Keep the middle: `share` of each side."""

    def change(image: Image.Image) -> Image.Image:
        left = round(image.width * (1 - share) / 2)
        top = round(image.height * (1 - share) / 2)
        return image.crop((left, top, image.width - left, image.height - top))

    return change


def noisy(image: Image.Image) -> Image.Image:
    """Add Gaussian noise of a deviation of 12 levels."""
    noise = np.random.default_rng(5).normal(0, 12, (image.height, image.width, 3))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


def watermarked(image: Image.Image) -> Image.Image:
    """Write a line of half-transparent text over the lower right."""
    layer = image.convert("RGBA")
    mark = Image.new("RGBA", image.size)
    draw = ImageDraw.Draw(mark)
    size = max(8, image.width // 14)
    where = (image.width * 0.55, image.height * 0.85)
    draw.text(where, "© sample", fill=(255, 255, 255, 150), font_size=size, stroke_width=1)
    return Image.alpha_composite(layer, mark).convert("RGB")


def turned(method: Image.Transpose) -> Callable[[Image.Image], Image.Image]:
    """Turn or mirror."""
    return lambda image: image.transpose(method)


def enhanced(
    kind: Callable[[Image.Image], ImageEnhance._Enhance], factor: float
) -> Callable[..., Image.Image]:
    """Change brightness, contrast or saturation by a factor."""
    return lambda image: kind(image).enhance(factor)


EDITS = (
    Edit("resize 50 %", scaled(0.5, 0.5)),
    Edit("resize 25 %", scaled(0.25, 0.25)),
    Edit("jpeg 50", same, quality=50),
    Edit("jpeg 30", same, quality=30),
    Edit("jpeg 10", same, quality=10),
    Edit("webp 40", same, "WEBP", 40),
    Edit("gray", lambda image: image.convert("L")),
    Edit("blur", lambda image: image.filter(ImageFilter.GaussianBlur(image.width / 200))),
    Edit("noise", noisy),
    Edit("brightness 1.2", enhanced(ImageEnhance.Brightness, 1.2)),
    Edit("brightness 1.4", enhanced(ImageEnhance.Brightness, 1.4)),
    Edit("brightness 0.6", enhanced(ImageEnhance.Brightness, 0.6)),
    Edit("contrast 1.4", enhanced(ImageEnhance.Contrast, 1.4)),
    Edit("saturation 1.6", enhanced(ImageEnhance.Color, 1.6)),
    Edit("squeeze to 3/4", scaled(1.0, 0.75)),
    Edit("crop 98 %", cropped(0.98)),
    Edit("crop 95 %", cropped(0.95)),
    Edit("watermark", watermarked),
    Edit("quarter turn", turned(TURN.ROTATE_90)),
    Edit("mirror", turned(TURN.FLIP_LEFT_RIGHT)),
)
