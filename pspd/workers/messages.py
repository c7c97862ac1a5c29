"""What the pool and its worker processes say to each other, by `pspd.workers.channel`.

    parent                                        worker
      Setup (limits, nice)            ──>           imports, then puts itself into its sandbox
                                      <──         Ready
      Job (order) + descriptor        ──>           reads the file, computes its digest
                                      <──         Digest      only if the job asks first
      Proceed (or not)                ──>
                                      <──         Done | Failed
      Proceed (or not)                ──>           only if the job shows features first
                                      <──         Done | Failed     with the pixels, if wanted

    parent                                        template
      Fork + descriptor               ──>           forks; the new worker gets the descriptor
                                      <──         Forked

A worker parses files of strangers, so that nothing it says is believed: replies are small, decoded
to these types and no others, and then checked by `pspd.workers.replies`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from pspd.core.model import FailureReason, Features, ImageId, Limits, PixelDigest, TurnedHashes
from pspd.core.view import Box, View
from pspd.features.inner_pictures import InnerHashes


class Order(msgspec.Struct, frozen=True):
    """What is wanted of one file."""

    features: bool = True
    turns: bool = False
    """Also the hashes of the eight turns; implies `features`."""
    pixels: bool = False
    """The pixel digest, which costs a full decode."""
    view: int = 0
    """A view with so many pixels on its longer side, at most; 0 for none."""
    inner: bool = False
    """The hashes of the parts that may be whole pictures."""
    tags: bool = False
    """What its EXIF says."""
    part: Box | None = None
    """Only this part of the upright picture, as if that were the file, by its digest too; None for
    all of it. Whoever asks for a part is not told the file's digest first."""
    within: Box | None = None
    """The view is of this part of the upright picture alone, pixel for pixel if it is no larger."""


ONLY_PIXELS = Order(features=False, pixels=True)


class Setup(msgspec.Struct, frozen=True):
    """The first message a worker gets."""

    limits: Limits
    nice: int


class Protection(msgspec.Struct, frozen=True):
    """What of the sandbox is in force, by the worker's word: read back, not what was asked for."""

    landlock: int = 0
    """ABI of the kernel's Landlock under which the worker cannot open any path; 0 when it can."""
    seccomp: bool = False
    """Whether all but a few system calls are refused."""
    no_new_privileges: bool = False
    limits: bool = False
    """Whether memory and written bytes are limited."""
    missing: str = ""
    """Why something is not in force; empty when all is."""

    @property
    def is_full(self) -> bool:
        """Whether all of it is in force."""
        return self.landlock > 0 and self.seccomp and self.no_new_privileges and self.limits

    def __str__(self) -> str:
        """Return it as `pspc status` shows it."""
        parts = (
            f"landlock abi {self.landlock}" if self.landlock else "",
            "seccomp" if self.seccomp else "",
            "no new privileges" if self.no_new_privileges else "",
            "limits" if self.limits else "",
        )
        return ", ".join(part for part in parts if part) or "none"


class Job(msgspec.Struct, frozen=True):
    """One file, whose descriptor comes along."""

    order: Order
    asks_first: bool
    """Whether the worker sends the digest and waits before it decodes."""
    size: int
    """Bytes of the file a moment ago; in its sandbox a worker cannot ask."""
    shows_first: bool = False
    """Whether the worker says all but the pixels, and waits before it decodes for those."""


class Proceed(msgspec.Struct, frozen=True):
    """The answer to a digest, or to what was shown first."""

    is_wanted: bool


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The worker has all its imports and is in its sandbox."""

    protection: Protection = Protection()


class Digest(msgspec.Struct, frozen=True, tag="digest"):
    """What the file's bytes amount to."""

    image_id: ImageId


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The file was read; what was not ordered, or not wanted, is absent."""

    image_id: ImageId
    features: Features | None = None
    turns: tuple[TurnedHashes, ...] = ()
    pixels: PixelDigest | None = None
    view: View | None = None
    inner: tuple[InnerHashes, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The file could not be read; the worker is alive."""

    reason: FailureReason
    message: str
    is_spent: bool
    """Whether what happened may have left the worker in a bad state."""


class Fork(msgspec.Struct, frozen=True, tag="fork"):
    """A worker is wanted; its end of the conversation comes along."""


class Forked(msgspec.Struct, frozen=True, tag="forked"):
    """There is a worker, which says so itself."""

    pid: Annotated[int, msgspec.Meta(gt=0)]


Reply = Ready | Digest | Done | Failed
