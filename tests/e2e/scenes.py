"""Pictures for end-to-end tests: each seed another scene, with structure for the hashes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def scene(seed: int, width: int = 320, height: int = 240) -> Image.Image:
    """Return a colour picture like a landscape in its spectrum, the same for the same seed."""
    random = np.random.default_rng(seed)
    pixels = np.zeros((height, width, 3))
    for octave in range(2, 7):
        small = random.normal(size=(2**octave, 2**octave, 3)) / octave**1.5
        for channel in range(3):
            layer = Image.fromarray(small[:, :, channel].astype(np.float32))
            pixels[:, :, channel] += np.asarray(
                layer.resize((width, height), Image.Resampling.BICUBIC)
            )
    low, high = pixels.min(), pixels.max()
    return Image.fromarray(((pixels - low) / (high - low) * 255).astype(np.uint8))


def save(seed: int, path: Path, **options: Any) -> Path:
    """Save a scene in the format that the path's suffix names."""
    scene(seed).save(path, **options)
    return path
