"""A worker that decodes within its sandbox, and ends with what its quick decoders said.

With what they lacked in the warm-up before, too: what it runs through for the first time there is
not opened, nor taken from the memory meant for files.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from types import FrameType

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
    _require_warm()
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


def _require_warm() -> None:
    """Prepare, and end this process unless each quick decoder has filled a picture meanwhile."""
    called = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.add((Path(frame.f_code.co_filename).stem, frame.f_code.co_name))

    sys.setprofile(note)
    prepare_decoders()
    sys.setprofile(None)
    due = {("still_webp", "_picture")}
    if rust_png.module() is not None:
        due.add(("rust_png", "_fill"))
    if missing := due - called:
        sys.exit(f"not run by the warm-up: {missing}")


def _file(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
