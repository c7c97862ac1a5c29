"""Pins every figure of the features; what moves one raises `FEATURES_VERSION`.

The pictures that this test makes are raw (PNG, BMP, GIF by its own code or lossless), so no encoder
can move them; the files under golden/ are from encoders that lose something, kept as they are.
`python -m tests.features.test_golden` writes the figures anew.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pspd.features.extract import FEATURES_VERSION, extract
from pspd.verify.pixels import PIXELS_VERSION, pixel_digest
from tests.features.samples import LIMITS, encode, png, scene, with_orientation

FOLDER = Path(__file__).with_name("golden")
FIGURES = FOLDER / "features.json"

LOSSY = ("small.jpg", "turned.jpg", "progressive.jpg", "small.webp", "small.avif", "moving.gif")


def _made() -> dict[str, bytes]:
    rows, columns = np.mgrid[0:90, 0:120]
    alpha = ((rows + columns) % 256).astype(np.uint8)
    checks = (((rows // 7 + columns // 9) % 2) * 255).astype(np.uint8)
    small = scene(120, 90, 7)
    return {
        "colour.png": png(small),
        "gray.png": png(small[..., :1]),
        "alpha.png": png(np.dstack((small, alpha))),
        "gray-alpha.png": png(np.dstack((small[..., :1], alpha[..., None]))),
        "deep.png": png(small[..., :1].astype("u2") * 200 + 31),
        "deep-colour.png": png(small.astype("u2") * 200 + 31),
        "checks.png": png(checks[..., None]),
        "blank.png": png(np.full((40, 50, 3), 200, np.uint8)),
        "colour.bmp": encode(small, "BMP"),
        "one-bit.bmp": encode(Image.fromarray(checks).convert("1"), "BMP"),
        "colour.tiff": encode(small, "TIFF"),
        "turned.tiff": encode(small, "TIFF", exif=with_orientation(6)),
        "large.bmp": encode(scene(1300, 900, 3), "BMP"),
    }


def _files() -> dict[str, bytes]:
    return _made() | {name: (FOLDER / name).read_bytes() for name in LOSSY}


def _figures(data: bytes) -> dict[str, Any]:
    features = asdict(extract(data, LIMITS))
    # The bytes of a file made here may vary with Pillow; what is seen may not.
    for name in ("image_id", "size", "version"):
        del features[name]
    features["phash64"] = features["phash64"].hex()
    features["phash256"] = features["phash256"].hex()
    features["mean"] = [round(mean, 3) for mean in features["mean"]]
    features["pixels"] = pixel_digest(data, LIMITS).digest.hex()
    return features


def _pinned() -> dict[str, Any]:
    pinned: dict[str, Any] = json.loads(FIGURES.read_text())
    return pinned


def test_the_pinned_figures_are_of_this_version() -> None:
    assert _pinned()["features_version"] == FEATURES_VERSION
    assert _pinned()["pixels_version"] == PIXELS_VERSION
    assert set(_pinned()["files"]) == set(_files())


@pytest.mark.parametrize("name", [*_made(), *LOSSY])
def test_features_are_the_pinned_ones(name: str) -> None:
    assert _figures(_files()[name]) == _pinned()["files"][name], (
        f"the features of {name} moved: if that is meant, raise FEATURES_VERSION (PIXELS_VERSION "
        "for `pixels`) and run: python -m tests.features.test_golden"
    )


def _write() -> None:
    files = {name: _figures(data) for name, data in _files().items()}
    versions = {"features_version": FEATURES_VERSION, "pixels_version": PIXELS_VERSION}
    FIGURES.write_text(json.dumps(versions | {"files": files}, indent=1) + "\n")


if __name__ == "__main__":
    _write()
