"""A model in memory, checked before it is used: pictures in, unit vectors out.

    bytes ─▶ session ─▶ inputs and outputs as they should be? ─▶ trial ─▶ encode …

What ONNX Runtime raises becomes an error of PSP here.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from pspd.errors import EncodingFailed, ModelUnusable
from pspd.learned.preprocessing import Pixels, model_input
from pspd.learned.runtime import import_runtime
from pspd.rpc.wire import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pspd.learned.catalogue import Interface

BATCH: Final = 4
"""Pictures that a session is given at once; see docs/performance/learned.md."""

MOST_DIMENSIONS: Final = 4096
"""Largest dimension of a descriptor; the largest DINOv2 has 1536."""

_TYPES: Final = {"uint8": "uint8", "float32": "float", "float16": "float16"}
"""NumPy's names → those in the types of ONNX Runtime, such as "tensor(float)"."""

_RANKS: Final = {"none": 2, "class": 3, "mean": 3}
"""Axes of the output, by how it is pooled."""

_WANTS_OF_MEMORY: Final = ("bad_alloc", "failed to allocate memory", "cannot allocate memory")
_LONGEST_REASON: Final = 300


class OnnxEncoder:
    """Runs one model; for one thread.

    Args:
        model: The file's bytes.
        interface: What it has to be.
        threads: How many threads compute one batch, from 1.
        batch: Pictures that the session is given at once, from 1; fewer where the model says so.

    Raises:
        ModelMissing: ONNX Runtime is not installed.
        ModelUnusable: The bytes are no such model.
        EncodingFailed: There is not enough memory for it.
    """

    def __init__(
        self, model: bytes, interface: Interface, *, threads: int = 1, batch: int = BATCH
    ) -> None:
        self._interface = interface
        self._session = _session(import_runtime(), model, threads)
        self._input, fixed = self._checked_input()
        self._batch = fixed or batch
        self._output = self._checked_output()
        self.dimension = interface.dimension
        """Of a descriptor."""
        self.dimension = self._try()

    def encode(self, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
        """Return the descriptors of pictures.

        Args:
            pictures: At least one.

        Returns:
            N × D, each row of unit length.

        Raises:
            EncodingFailed: The model gave no usable descriptor, or there is not enough memory.
        """
        parts = range(0, len(pictures), self._batch)
        rows = [self._run(pictures[at : at + self._batch]) for at in parts]
        return np.concatenate(rows)

    def _run(self, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
        values = model_input(pictures, self._interface.preprocessing)
        with _translated(EncodingFailed, "the model failed"):
            (output,) = self._session.run([self._output], {self._input: values})
        return self._unit_vectors(np.asarray(output), len(pictures))

    def _unit_vectors(self, output: NDArray[Any], count: int) -> NDArray[np.float32]:
        if output.ndim != _RANKS[self._interface.pool] or len(output) != count or not output.size:
            raise EncodingFailed(
                f"the model gave an output of the shape {output.shape} for {count} pictures"
            )
        # Twice the precision: the sum of squares of half floats overflows.
        vectors = _pooled(output, self._interface.pool).astype(np.float64)
        if self.dimension and vectors.shape[1] != self.dimension:
            raise EncodingFailed(
                f"the model gave descriptors of {vectors.shape[1]} numbers, not {self.dimension}"
            )
        if not np.isfinite(vectors).all():
            raise EncodingFailed("the model gave a descriptor that holds infinity or no number")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths) & (lengths > 0)).all():
            raise EncodingFailed("the model gave a descriptor without a direction")
        rows: NDArray[np.float32] = (vectors / lengths).astype(np.float32)
        return rows

    def _checked_input(self) -> tuple[str, int]:
        """Return the name of the input, and how many pictures it takes; 0 for any number."""
        found = self._chosen("input", self._session.get_inputs(), self._interface.input)
        preparing = self._interface.preprocessing
        wanted = f"tensor({_TYPES[preparing.dtype]})"
        if found.type != wanted:
            raise self._other(f"its input {quoted(found.name)} is a {found.type}, not a {wanted}")
        side = preparing.side
        nhwc = preparing.layout == "nhwc"
        axes = (side, side, 3) if nhwc else (3, side, side)
        fits = len(found.shape) == 1 + len(axes) and all(
            length == wanted or not isinstance(length, int)
            for length, wanted in zip(found.shape[1:], axes, strict=True)
        )
        if not fits:
            raise self._other(
                f"its input {quoted(found.name)} has the shape {_shape(found.shape)}, "
                f"not {_shape(['N', *axes])}"
            )
        batch = found.shape[0]
        if isinstance(batch, int) and batch != 1:
            raise self._other(f"it takes {batch} pictures at once, and not any number, nor one")
        return found.name, batch if isinstance(batch, int) else 0

    def _checked_output(self) -> str:
        """Return the name of the output."""
        found = self._chosen("output", self._session.get_outputs(), self._interface.output)
        if found.type not in {"tensor(float)", "tensor(float16)", "tensor(double)"}:
            raise self._other(f"its output {quoted(found.name)} is a {found.type}, not floats")
        shape, rank = found.shape, _RANKS[self._interface.pool]
        if shape and len(shape) != rank:
            raise self._other(
                f"its output {quoted(found.name)} has the shape {_shape(shape)}, which has not the "
                f"{rank} axes of pool = {quoted(self._interface.pool)}"
            )
        dimension = shape[-1] if shape else None
        if self._interface.dimension and isinstance(dimension, int):
            self._require_dimension(dimension)
        return str(found.name)

    def _chosen(self, noun: str, found: Sequence[Any], name: str) -> Any:
        """Return the input or output of a name, or the only one there is."""
        if noun == "input" and len(found) != 1:
            raise self._other(f"it wants {len(found)} inputs, {_names(found)}, and not one picture")
        if not name and len(found) == 1:
            return found[0]
        for each in found:
            if each.name == name:
                return each
        wanted = f"no {noun} {quoted(name)}" if name else f"no single {noun}"
        raise self._other(f"it has {wanted}; there is {_names(found)}")

    def _try(self) -> int:
        """Encode a picture; return the dimension of its descriptor."""
        ramp = np.arange(64, dtype=np.uint8) * 4
        picture = np.stack(np.broadcast_arrays(ramp, ramp[:, None], ramp[::-1]), axis=-1)
        try:
            dimension = int(self._run([picture]).shape[1])
        except EncodingFailed as error:
            if _is_want_of_memory(str(error)):
                raise
            raise ModelUnusable(f"it is of no use: {error}; {_CURE}") from error
        if dimension > MOST_DIMENSIONS:
            raise self._other(f"its descriptors have {dimension} numbers; PSP takes up to 4096")
        self._require_dimension(dimension)
        return dimension

    def _require_dimension(self, dimension: int) -> None:
        if self._interface.dimension not in {0, dimension}:
            raise self._other(
                f"its descriptors have {dimension} numbers, not {self._interface.dimension}"
            )

    def _other(self, what: str) -> ModelUnusable:
        return ModelUnusable(f"it is another model than is described: {what}; {_CURE}")


_CURE: Final = "get the file anew, or another one, and add it again"


def _session(runtime: Any, model: bytes, threads: int) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads would burn the time of others for nothing measurable.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    with _translated(ModelUnusable, "it cannot be loaded"):
        return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@contextmanager
def _translated(kind: type[EncodingFailed | ModelUnusable], what: str) -> Iterator[None]:
    """Raise an error of PSP instead of whatever ONNX Runtime raises, which has no common base."""
    try:
        yield
    except MemoryError as error:
        raise EncodingFailed(_TOO_LARGE) from error
    except Exception as error:  # the border: pybind11 maps C++ exceptions to nearly any
        reason = printable(" ".join(str(error).split()))[:_LONGEST_REASON]
        if _is_want_of_memory(reason):
            raise EncodingFailed(_TOO_LARGE) from error
        if any(words in reason for words in _NO_MODEL):
            what = "it is no ONNX model, or was cut short"
        cure = f"; {_CURE}" if kind is ModelUnusable else ""
        raise kind(f"{what} (ONNX Runtime: {reason}){cure}") from error


_NO_MODEL: Final = ("INVALID_PROTOBUF", "does not have a graph", "No graph was found")
_TOO_LARGE: Final = (
    "not enough memory for this model: failed to allocate memory; a smaller one needs less"
)


def _is_want_of_memory(reason: str) -> bool:
    return any(words in reason.lower() for words in _WANTS_OF_MEMORY)


def _pooled(output: NDArray[Any], pool: str) -> NDArray[Any]:
    pooled = output
    match pool:
        case "class":
            pooled = output[:, 0]
        case "mean":
            pooled = output.mean(axis=1, dtype=np.float64)
    return pooled


def _shape(shape: Sequence[object]) -> str:
    return " × ".join("any" if each is None else printable(str(each)) for each in shape)


def _names(found: Sequence[Any]) -> str:
    return ", ".join(quoted(each.name) for each in found) or "none"
