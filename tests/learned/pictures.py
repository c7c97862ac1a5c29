"""Pictures for encoders."""

from __future__ import annotations

import numpy as np

from pspd.learned.preprocessing import Pixels


def plain(red: int, green: int, blue: int, *, width: int = 20, height: int = 10) -> Pixels:
    """Make a picture of one colour."""
    return np.full((height, width, 3), (red, green, blue), np.uint8)


def noise(seed: int, *, width: int = 48, height: int = 32) -> Pixels:
    """Make a picture of random pixels, smooth enough to be one."""
    small = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    rows = np.arange(height) * 8 // height
    columns = np.arange(width) * 8 // width
    return np.ascontiguousarray(small[rows][:, columns])
