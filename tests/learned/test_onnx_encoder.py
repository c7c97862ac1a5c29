"""A model is used only when it is what is described, and why it is not is a clear word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from pspd.errors import EncodingFailed, ModelUnusable
from pspd.learned.catalogue import Interface
from pspd.learned.onnx_encoder import BATCH, OnnxEncoder
from tests.learned import made_models as made
from tests.learned.pictures import noise, plain


def expected(red: int, green: int, blue: int) -> Any:
    """Compute what a made model gives for a picture of one colour."""
    vector = (np.array([red, green, blue], np.float64) - 100.0) @ made.WEIGHTS
    return vector / np.linalg.norm(vector)


def test_descriptors_are_what_the_model_computes_at_unit_length() -> None:
    encoder = OnnxEncoder(made.model(), made.INTERFACE)
    colours = [(255, 0, 0), (1, 2, 3), (40, 90, 200)]
    rows = encoder.encode([plain(*colour) for colour in colours])
    assert rows.dtype == np.dtype(np.float32)
    assert rows.shape == (3, made.DIMENSION)
    np.testing.assert_allclose(rows, [expected(*colour) for colour in colours], atol=1e-6)


def test_more_pictures_than_a_batch_come_back_in_order() -> None:
    encoder = OnnxEncoder(made.model(), made.INTERFACE)
    pictures = [noise(seed) for seed in range(3 * BATCH + 1)]
    together = encoder.encode(pictures)
    alone = np.concatenate([encoder.encode([picture]) for picture in pictures])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_a_model_that_takes_one_picture_at_a_time_gets_one() -> None:
    encoder = OnnxEncoder(made.model(input_shape=(1, 16, 16, 3)), made.INTERFACE)
    rows = encoder.encode([plain(9, 9, 9), plain(255, 0, 0)])
    np.testing.assert_allclose(rows[1], expected(255, 0, 0), atol=1e-6)


def test_the_dimension_is_the_models_where_that_is_left_open() -> None:
    encoder = OnnxEncoder(made.model(), replace(made.INTERFACE, dimension=0, input="", output=""))
    assert encoder.dimension == made.DIMENSION


@pytest.mark.parametrize("pool", ["class", "mean"])
def test_tokens_are_pooled(pool: Any) -> None:
    encoder = OnnxEncoder(made.tokens(), replace(made.TOKENS, pool=pool))
    np.testing.assert_allclose(
        encoder.encode([plain(255, 0, 0)])[0], expected(255, 0, 0), atol=1e-6
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 384), (384, 1), (384, 384)])
def test_a_picture_of_any_shape_is_encoded(size: tuple[int, int]) -> None:
    width, height = size
    for resize in ("squash", "crop"):
        preparing = replace(made.INTERFACE.preprocessing, resize=resize)
        encoder = OnnxEncoder(made.model(), replace(made.INTERFACE, preprocessing=preparing))
        rows = encoder.encode([plain(255, 0, 0, width=width, height=height)])
        np.testing.assert_allclose(rows[0], expected(255, 0, 0), atol=1e-6)


NOT_A_MODEL = {
    "empty": b"",
    "text": b"This is not the model you are looking for.\n" * 100,
    "cut short": made.model()[:-100],
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(1000),
}


@pytest.mark.parametrize("data", NOT_A_MODEL.values(), ids=NOT_A_MODEL.keys())
def test_what_is_no_model_is_refused(data: bytes) -> None:
    with pytest.raises(ModelUnusable, match="no ONNX model, or was cut short"):
        OnnxEncoder(data, made.INTERFACE)


OTHER: dict[str, tuple[bytes, Interface, str]] = {
    "input name": (made.model(input="pixels"), made.INTERFACE, "no input 'image'; there is 'pix"),
    "input type": (
        made.model(input_type=TensorProto.FLOAT),
        made.INTERFACE,
        r"tensor\(float\), not a tensor\(uint8\)",
    ),
    "layout": (
        made.model(input_shape=("n", 3, 16, 16), axes=(2, 3)),
        made.INTERFACE,
        "not N × 16 × 16 × 3",
    ),
    "side": (made.model(input_shape=("n", 32, 32, 3)), made.INTERFACE, "shape n × 32 × 32 × 3"),
    "axes": (made.model(input_shape=("n", "a", 3), axes=(1,)), made.INTERFACE, "16 × 16 × 3"),
    "batch": (made.model(input_shape=(4, 16, 16, 3)), made.INTERFACE, "takes 4 pictures at once"),
    "two inputs": (
        made.model(
            further_inputs=[helper.make_tensor_value_info("text", TensorProto.INT64, ["n"])]
        ),
        made.INTERFACE,
        "wants 2 inputs",
    ),
    "output name": (made.model(output="logits"), made.INTERFACE, "no output 'embedding'; there"),
    "output axes": (made.tokens(), replace(made.TOKENS, pool="none"), "has not the 2 axes"),
    "no tokens": (made.model(), replace(made.INTERFACE, pool="class"), "has not the 3 axes"),
    "output type": (
        made.model(
            output_type=TensorProto.INT64,
            nodes=[helper.make_node("Cast", ["product"], ["embedding"], to=TensorProto.INT64)],
        ),
        made.INTERFACE,
        "not floats",
    ),
    "dimension": (made.model(), replace(made.INTERFACE, dimension=512), "have 8 numbers, not 512"),
    "undeclared dimension": (
        made.model(output_shape=("n", "d")),
        replace(made.INTERFACE, dimension=512),
        "8 numbers, not 512",
    ),
    "huge dimension": (
        made.model(
            weights=np.ones((3, 5000), np.float32), output_shape=("n", 5000)
        ),
        replace(made.INTERFACE, dimension=0),
        "5000 numbers; PSP takes up to 4096",
    ),
    "zeros": (made.without_direction(), made.INTERFACE, "without a direction"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "interface", "said"), OTHER.values(), ids=OTHER.keys())
def test_another_model_than_is_described_is_refused(
    data: bytes, interface: Interface, said: str
) -> None:
    with pytest.raises(ModelUnusable, match=said):
        OnnxEncoder(data, interface)


def test_a_descriptor_without_numbers_is_an_error_and_the_next_picture_is_encoded() -> None:
    encoder = OnnxEncoder(made.without_number(), made.INTERFACE)
    with pytest.raises(EncodingFailed, match="no number"):
        encoder.encode([plain(100, 100, 100)])
    assert encoder.encode([plain(1, 2, 3)]).shape == (1, made.DIMENSION)


@pytest.mark.parametrize("level", [0, 255])
def test_a_blank_picture_has_a_descriptor_like_any_other(level: int) -> None:
    rows = OnnxEncoder(made.model(), made.INTERFACE).encode([plain(level, level, level)])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)
