"""A picture being edited, which knows at every step where the original sits in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Final, Self, TypeAlias

import numpy as np
from PIL import Image

from pspc.selftest import geometry
from pspc.selftest.geometry import Points, Transform

WHITE: Final = (255, 255, 255)

_METHOD = Image.Transpose


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """An edited picture, with its ground truth."""

    image: Image.Image
    """"RGB", or "L" where the edit made it gray."""
    transform: Transform
    """From pixels of the original to pixels of `image`; see `pspc.selftest.geometry`."""
    seen: Points
    """The part of the original that `image` shows, covered or not, in the original's pixels."""

    @classmethod
    def of(cls, image: Image.Image, full_size: tuple[int, int]) -> Self:
        """Begin with the original itself.

        Args:
            image: "RGB"; the original, or the original made smaller.
            full_size: Width and height of the original.
        """
        factors = (image.width / full_size[0], image.height / full_size[1])
        return cls(image, geometry.scale(*factors), geometry.frame(full_size))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height now, in pixels."""
        return self.image.size

    def repainted(self, image: Image.Image) -> Canvas:
        """Change colours: `image` is this picture pixel by pixel."""
        assert image.size == self.size, "each pixel stays where it is"
        return replace(self, image=image)

    def resized(self, width: float, height: float) -> Canvas:
        """Bring it to a size, rounded, of a pixel at least."""
        size = (max(1, round(width)), max(1, round(height)))
        factors = geometry.scale(size[0] / self.image.width, size[1] / self.image.height)
        image = self.image.resize(size, Image.Resampling.BICUBIC)
        return replace(self, image=image, transform=factors @ self.transform)

    def cropped(self, left: int, top: int, right: int, bottom: int) -> Canvas:
        """Keep a rectangle, given by its edges."""
        window = geometry.rectangle(left, top, right, bottom)
        return replace(
            self,
            image=self.image.crop((left, top, right, bottom)),
            transform=geometry.shift(-left, -top) @ self.transform,
            seen=_seen_within(self, window),
        )

    def transposed(self, method: Image.Transpose) -> Canvas:
        """Mirror it, or turn it by quarters."""
        width, height = self.size
        places = {
            _METHOD.FLIP_LEFT_RIGHT: geometry.rectangle(width, 0, 0, height),
            _METHOD.FLIP_TOP_BOTTOM: geometry.rectangle(0, height, width, 0),
            _METHOD.ROTATE_180: geometry.rectangle(width, height, 0, 0),
            # Counter-clockwise, as Pillow counts: the upper left corner comes to lie below left.
            _METHOD.ROTATE_90: np.roll(geometry.frame((height, width)), 1, axis=0),
            _METHOD.ROTATE_270: np.roll(geometry.frame((height, width)), -1, axis=0),
        }
        moving = geometry.onto(geometry.frame(self.size), places[method])
        return replace(self, image=self.image.transpose(method), transform=moving @ self.transform)

    def warped(
        self, moving: Transform, size: tuple[int, int], ground: tuple[int, int, int]
    ) -> Canvas:
        """Draw it through a transform.

        Args:
            moving: From its pixels to those of the result.
            size: Of the result.
            ground: Red, green and blue where nothing is drawn.
        """
        back = np.linalg.inv(moving)
        image = self.image.transform(
            size,
            Image.Transform.PERSPECTIVE,
            (back / back[2, 2]).ravel()[:8].tolist(),
            Image.Resampling.BICUBIC,
            fillcolor=ground,
        )
        drawn = replace(self, image=image, transform=moving @ self.transform)
        return replace(drawn, seen=_seen_within(drawn, geometry.frame(size)))

    def placed(self, ground: Image.Image, left: int, top: int) -> Canvas:
        """Paste it upon another picture, with its upper left corner there; it must fit."""
        picture = ground.copy()
        picture.paste(self.image, (left, top))
        moving = geometry.shift(left, top)
        return replace(self, image=picture, transform=moving @ self.transform)


Change: TypeAlias = Callable[[Canvas, Random], Canvas]
"""What an edit does; what it leaves to chance it draws from the second argument."""


def _seen_within(canvas: Canvas, window: Points) -> Points:
    """Return what of the original is seen in a part of the picture."""
    back = np.asarray(np.linalg.inv(canvas.transform), np.float64)
    return geometry.clipped(canvas.seen, geometry.moved(window, back))
