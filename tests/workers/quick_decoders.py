"""A worker that decodes within its sandbox, and ends with what its quick decoders said."""

from __future__ import annotations

import io
import os

import numpy as np
from PIL import Image

from pspd.core.model import Limits
from pspd.features import rust_png, still_webp
from pspd.workers.process import prepare_decoders
from pspd.workers.sandbox import enter_sandbox


def main() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (300, 400, 4), np.uint8)
    whole = Image.fromarray(noise)
    files = {}
    for mode in ("L", "LA", "RGB", "RGBA"):
        files["PNG", mode] = _file(whole.convert(mode), "PNG")
    files["WEBP", "RGB"] = _file(whole.convert("RGB"), "WEBP")
    files["WEBP", "RGBA"] = _file(whole, "WEBP")
    prepare_decoders()
    enter_sandbox(Limits())
    failed = 0
    for (kind, _), data in files.items():
        image = Image.open(io.BytesIO(data), formats=[kind])
        if kind == "WEBP":
            failed += still_webp.load(image, data) is None
        elif rust_png.module() is not None:
            failed += not rust_png.load(image, data)
    # Nothing can be written any more.
    os._exit(failed)


def _file(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
