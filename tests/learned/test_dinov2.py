"""DINOv2 is loaded and fed as its reference does it; see `make_dinov2`."""

from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pspd.errors import ModelUnusable
from pspd.learned.catalogue import CATALOGUE, LocalFile, ModelSpec
from pspd.learned.encoder import Encoder
from pspd.learned.encoder_life import Options
from pspd.learned.installed import Models
from pspd.learned.onnx_encoder import OnnxEncoder
from pspd.learned.preprocessing import model_input
from pspd.learned.trial import try_model
from tests.learned.pictures import noise

GOLDEN = Path(__file__).parent / "golden"
MODEL = GOLDEN / "dinov2.onnx"
EXPECTED: dict[str, Any] = json.loads((GOLDEN / "dinov2.json").read_text())
PICTURES = [
    noise(number, width=width, height=height)
    for number, (width, height) in enumerate(EXPECTED["sizes"])
]
SMALL = replace(CATALOGUE["dinov2-small"].interface, dimension=32)

LEVEL = 1 / (255 * 0.224)
"""What one level of 255 is after the normalisation."""


def unit(rows: Any) -> Any:
    rows = np.asarray(rows, np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("number", range(len(PICTURES)), ids=lambda at: str(PICTURES[at].shape))
def test_pictures_are_prepared_as_the_reference_prepares_them(number: int) -> None:
    step = EXPECTED["step"]
    (values,) = model_input([PICTURES[number]], SMALL.preprocessing)
    expected = np.array(EXPECTED["pixel_values"][number])
    np.testing.assert_allclose(values[:, ::step, ::step], expected, atol=LEVEL / 100)


def test_descriptors_are_the_class_tokens_of_the_reference() -> None:
    rows = OnnxEncoder(MODEL.read_bytes(), SMALL).encode(PICTURES)
    expected = unit(EXPECTED["class_tokens"])
    assert np.sum(rows * expected, axis=1).min() > 0.9999
    # It is not that all pictures look the same to it.
    between = expected @ expected.T
    assert between[~np.eye(len(between), dtype=bool)].max() < 0.999


def test_a_local_file_of_dinov2_is_added_and_used(tmp_path: Path) -> None:
    spec = ModelSpec("small", LocalFile(os.fspath(MODEL)), SMALL)
    models = Models(tmp_path / "models", [spec])
    assert models.add("small", None, try_model).dimension == 32
    encoder = Encoder(lambda: models.open("small"), Options())
    rows = encoder.encode(PICTURES, math.inf)
    encoder.close()
    assert np.sum(rows * unit(EXPECTED["class_tokens"]), axis=1).min() > 0.9999


def test_another_width_than_the_catalogues_is_not_that_model(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="have 32 numbers, not 384"):
        Models(tmp_path / "models").add("dinov2-small", MODEL, try_model)
