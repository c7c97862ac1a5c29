"""Small ONNX models, made here: real files for the real runtime, each odd in one way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pspd.learned.catalogue import Interface, LocalFile, ModelSpec, Preprocessing

OPSET = 17
DIMENSION = 8
SIDE = 16

INTERFACE = Interface(
    Preprocessing(SIDE, layout="nhwc", dtype="uint8"),
    input="image",
    output="embedding",
    dimension=DIMENSION,
)
"""What `model()` is."""

TOKENS = replace(INTERFACE, output="tokens", pool="class")

SPEC = ModelSpec("made", LocalFile("/nowhere/made.onnx"), INTERFACE)

Shape = Sequence[int | str | None]

IMAGE: Shape = ("batch", "height", "width", 3)

WEIGHTS: NDArray[np.float32] = (
    np.random.default_rng(1).normal(size=(3, DIMENSION)).astype(np.float32)
)


def model(
    *,
    input: str = "image",
    input_type: int = TensorProto.UINT8,
    input_shape: Shape = IMAGE,
    output: str = "embedding",
    output_type: int = TensorProto.FLOAT,
    output_shape: Shape = ("batch", DIMENSION),
    axes: Sequence[int] = (1, 2),
    nodes: Sequence[Any] = (),
    further_inputs: Sequence[Any] = (),
    weights: NDArray[np.float32] = WEIGHTS,
) -> bytes:
    """Make a model that gives (mean of red, green, blue, as levels - 100) × `weights`.

    Args:
        input: Its name.
        input_type: Of its numbers.
        input_shape: What it says of its axes.
        output: Its name.
        output_type: Of its numbers.
        output_shape: What it says of its axes.
        axes: Those of height and width.
        nodes: What is done with "product", the usual result; one of them makes `output`.
        further_inputs: Beside the picture.
        weights: 3 × D.
    """
    last = [helper.make_node("Identity", ["product"], [output])]
    graph = helper.make_graph(
        [
            helper.make_node("Cast", [input], ["levels"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["levels"], ["mean"], axes=list(axes), keepdims=0),
            helper.make_node("Sub", ["mean", "middle"], ["centred"]),
            helper.make_node("MatMul", ["centred", "weights"], ["product"]),
            *(nodes or last),
        ],
        "made",
        [helper.make_tensor_value_info(input, input_type, list(input_shape)), *further_inputs],
        [helper.make_tensor_value_info(output, output_type, list(output_shape))],
        [
            _constant(np.float32(100.0), "middle"),
            numpy_helper.from_array(weights, "weights"),
            _constant(np.float32(0.0), "zero"),
            numpy_helper.from_array(np.array([1], np.int64), "first_axis"),
            numpy_helper.from_array(np.array([1, 5, 1], np.int64), "five_tokens"),
            numpy_helper.from_array(np.array([30_000, 30_000], np.int64), "huge"),
            _constant(np.int64(1 << 40), "for_ever"),
        ],
    )
    made = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="made"
    )
    return bytes(made.SerializeToString())


def _constant(value: np.generic, name: str) -> Any:
    return numpy_helper.from_array(np.asarray(value), name)


def tokens() -> bytes:
    """Make a model whose output has five equal tokens for each picture."""
    nodes = [
        helper.make_node("Unsqueeze", ["product", "first_axis"], ["single"]),
        helper.make_node("Tile", ["single", "five_tokens"], ["tokens"]),
    ]
    return model(output="tokens", output_shape=("batch", "tokens", DIMENSION), nodes=nodes)


def without_number() -> bytes:
    """Make a model that divides zero by zero when a picture is gray at 100."""
    nodes = [helper.make_node("Div", ["product", "product"], ["embedding"])]
    return model(nodes=nodes)


def without_direction() -> bytes:
    """Make a model that gives nothing but zeros."""
    return model(nodes=[helper.make_node("Mul", ["product", "zero"], ["embedding"])])


def insatiable() -> bytes:
    """Make a model that wants 3.6 GB to encode a picture."""
    nodes = [
        helper.make_node("ReduceSum", ["product"], ["total"], keepdims=0),
        helper.make_node("Expand", ["total", "huge"], ["plain"]),
        helper.make_node("Exp", ["plain"], ["powers"]),
        helper.make_node("ReduceMean", ["powers"], ["one"], keepdims=0),
        helper.make_node("Add", ["product", "one"], ["embedding"]),
    ]
    return model(nodes=nodes)


def endless() -> bytes:
    """Make a model that goes on for days once a picture's mean is not that of the trial's."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["goes"]),
            helper.make_node("Sin", ["before"], ["after"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("goes", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, None),
        ],
    )
    nodes = [
        # Only what is red without any blue has this.
        helper.make_node("Slice", ["mean", "two", "three", "one"], ["blue"]),
        helper.make_node("ReduceMax", ["blue"], ["most_blue"], keepdims=0),
        helper.make_node("Equal", ["most_blue", "zero"], ["is_red"]),
        helper.make_node("Loop", ["for_ever", "is_red", "product"], ["embedding"], body=body),
    ]
    made = model(nodes=nodes)
    return _with_constants(made, {"one": [1], "two": [2], "three": [3]})


def _with_constants(model: bytes, values: dict[str, list[int]]) -> bytes:
    from onnx import ModelProto  # noqa: PLC0415 - of no use to the others

    proto = ModelProto.FromString(model)
    for name, value in values.items():
        proto.graph.initializer.append(numpy_helper.from_array(np.array(value, np.int64), name))
    return bytes(proto.SerializeToString())
