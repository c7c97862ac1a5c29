"""Sees whether a model's file can be loaded and encodes a picture, in a process of its own."""

from __future__ import annotations

import os
import time
from dataclasses import replace

from pspd.learned.catalogue import OpenModel
from pspd.learned.encoder import Encoder
from pspd.learned.encoder_life import START_SECONDS, Options


def try_model(model: OpenModel, options: Options | None = None) -> int:
    """Load a model; return the dimension of its descriptors.

    Args:
        model: Its descriptor stays open.
        options: How the encoder runs.

    Raises:
        ModelMissing: ONNX Runtime is not installed.
        ModelUnusable: the file is not what it should be.
        EncodingFailed: there is not enough memory for it, or it took too long.
    """

    def open_model() -> OpenModel:
        return replace(model, descriptor=os.dup(model.descriptor))

    encoder = Encoder(open_model, options or Options())
    try:
        # The process itself encodes a picture before it says that it is ready.
        return int(encoder.encode([], time.monotonic() + START_SECONDS).shape[1])
    finally:
        encoder.close()
