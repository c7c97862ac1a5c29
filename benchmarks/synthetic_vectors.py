"""Vectors like the learned descriptors of a library, without pictures and without a model.

Real descriptors are not spread evenly over the sphere. Of 1,765 different ones, of photographs,
drawings and crops of them, by SSCD's distilled model, half of the variance lies in 44 directions
of 512 and a tenth in the last 300 (`_deviations`), and two of them have a cosine of 0.06 ± 0.10. A
library has topics (a holiday, a theme of wallpapers), in them scenes (a burst, variants of one
drawing), and pictures in those: so each vector is a sum of three, drawn with these variances and
turned into all dimensions, as a model's are.

A query is a picture's own vector, moved as edits were seen to move it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pspd.search.quantising import directions, quantised
from pspd.search.vector_index import VectorRows

PICTURES_A_SCENE: Final = 6
SCENES_A_TOPIC: Final = 60
PART_TOPICS: Final = 45
PART_ROWS: Final = PICTURES_A_SCENE * SCENES_A_TOPIC * PART_TOPICS

SHARES: Final = (0.15, 0.45, 0.4)
"""Of the variance: of topics, of scenes in a topic, of pictures in a scene. So the cosine of two
pictures of a scene is 0.6 on average, of a topic 0.15."""

STRENGTHS: Final = (0.29, 0.7, 1.6)
"""How far edits move a vector, in its own lengths: to cosines of 0.96, 0.82 and 0.53. Those are the
medians of a mirrored picture, of one cropped to 70 % of its sides, and to 40 %."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the vectors are drawn by."""

    count: int
    dimensions: int = 512
    seed: int = 1

    def parts(self) -> Iterator[VectorRows]:
        """Yield all rows, numbered from 0; the pictures of a scene come one after the other."""
        mould = self._mould()
        for part, first in enumerate(range(0, self.count, PART_ROWS)):
            random = np.random.default_rng([self.seed, part])
            topics = _normal(random, (PART_TOPICS, self.dimensions))
            scenes = _normal(random, (PART_TOPICS * SCENES_A_TOPIC, self.dimensions))
            pictures = _normal(random, (PART_ROWS, self.dimensions))
            of_topics, of_scenes, of_pictures = (np.float32(share**0.5) for share in SHARES)
            scenes = of_scenes * scenes + of_topics * np.repeat(topics, SCENES_A_TOPIC, axis=0)
            pictures *= of_pictures
            pictures += np.repeat(scenes, PICTURES_A_SCENE, axis=0)
            count = min(PART_ROWS, self.count - first)
            yield VectorRows(np.arange(first, first + count), quantised(pictures[:count] @ mould))

    def moved(self, vectors: NDArray[np.int8], strength: float, seed: int) -> NDArray[np.float32]:
        """Return vectors as after an edit.

        Args:
            vectors: Of pictures.
            strength: How far they move, in their own lengths.
            seed: Of where to.
        """
        there = directions(vectors)
        shift = _normal(np.random.default_rng(seed), there.shape) @ self._mould()
        lengths: NDArray[np.float32] = np.linalg.norm(shift, axis=1, keepdims=True)
        there += np.float32(strength) * shift / lengths
        return there

    def _mould(self) -> NDArray[np.float32]:
        """Return what gives even numbers the variances of real ones, and turns them."""
        random = np.random.default_rng(self.seed + 1_000_003)
        turn, _ = np.linalg.qr(random.standard_normal((self.dimensions, self.dimensions)))
        mould: NDArray[np.float32] = (_deviations(self.dimensions)[:, np.newaxis] * turn).astype(
            np.float32
        )
        return mould


def _deviations(dimensions: int) -> NDArray[np.float64]:
    """Return the deviation in each principal direction, the largest first.

    Variances that were measured in the 1st, 9th, 33rd, 129th, 257th and 401st of 512, as shares of
    the first: 1, 0.36, 0.14, 0.044, 0.014, 0.0045; these are 1, 0.37, 0.14, 0.040, 0.017, 0.0071.
    """
    places = np.arange(dimensions) * 512 / dimensions
    variances: NDArray[np.float64] = (1 + places / 4) ** -0.9 * np.exp(-(places**2) / 200_000)
    return np.sqrt(variances)


def _normal(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return random.standard_normal(shape, dtype=np.float32)
