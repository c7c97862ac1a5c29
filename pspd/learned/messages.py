"""What an encoder's handle and its process say to each other, over a channel of the workers'.

    handle                                        encoder
      Setup + the model's descriptor  ──>           imports, enters its sandbox, loads and tries it
                                      <──         Ready | Refused
      Picture                         ──>
      … Picture (is_last)             ──>           encodes all of them
                                      <──         Encoded | Failed

Neither speaks before it is its turn. The process is not believed: the handle checks every number.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from pspd.learned.catalogue import Interface
from pspd.workers.messages import Protection


class Setup(msgspec.Struct, frozen=True):
    """The first message; the open file of the model comes along."""

    interface: Interface
    sha256: str
    """Of the file, in hexadecimal."""
    size: int
    """Of the file, in bytes."""
    threads: int
    nice: int
    max_memory: int
    """Address space that may be used above what the process starts with, in bytes."""
    idle_seconds: float
    """It ends by itself when it was asked nothing for so long."""
    load_seconds: float
    """How long it may take to get ready before it counts as hung."""
    batch_seconds: float
    """How long a batch may take before it counts as hung."""
    needs_sandbox: bool
    """Whether it must not look at the model without all of its sandbox."""


class Picture(msgspec.Struct, frozen=True):
    """One picture of a batch."""

    height: int
    width: int
    pixels: bytes
    """Red, green, blue of each, row by row."""
    is_last: bool


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The model is loaded, and gave a descriptor of a picture."""

    dimension: int
    protection: Protection = Protection()


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The model cannot be used; the process ends."""

    kind: Literal["missing", "unusable", "failed"]
    message: str


class Encoded(msgspec.Struct, frozen=True, tag="encoded"):
    """The descriptors of a batch."""

    descriptors: bytes
    """N × D numbers of 32 bits, little-endian."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The batch could not be encoded."""

    message: str
