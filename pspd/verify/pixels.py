"""All pixels of a picture → one digest; two pictures of equal digest look the same to the bit.

The digest is BLAKE2b over a canonical form of the upright pixels of every frame:

- the size of each frame, so that 2 × 3 pixels never equal 3 × 2;
- red, green, blue and alpha of each pixel, row by row from the top. Gray, 1-bit and palette are
  expanded, missing alpha is opaque. What a container can hold beside that does not count: metadata,
  colour profile, durations, compression;
- 8 bits a value; 16 where a 16-bit picture has a value that 8 bits cannot hold (v ≠ 257 × byte);
- the colour of a pixel of alpha 0 is taken as 0: nobody sees it, and libwebp's lossless mode does
  not keep it unless told to;
- colour models that are not RGB (CMYK, LAB, YCbCr, floats) go in as they are, under their name, so
  that they equal only their like.

Where Pillow cannot decode all there is (10-bit AVIF, a RAW's sensor data), the file's own content
digest goes in too: such a picture equals no other file, for nothing could prove that it does.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from pspd.core.model import FailureReason, Limits, PixelDigest
from pspd.errors import FileFailure
from pspd.features.decode import OpenPicture, check_size, open_picture
from pspd.features.upright import strips, upright_size
from pspd.verify import deep

PIXELS_VERSION: int = 1
"""Of the canonical form; digests of different versions are not comparable."""

FRAMES_BUDGET: Final = 5
"""Pixels of all frames together may be so many times `Limits.max_pixels`."""

_FRAME_COST: Final = 1 << 16
"""Pixels that a frame counts for at least: seeking costs about as much as so many pixels."""

_RGB_MODES: Final = frozenset({"1", "L", "P", "PA", "LA", "RGB", "RGBA"})
_DEEP_GRAY_MODES: Final = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})

Canonical: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
"""Rows × columns × (red, green, blue, alpha)."""


def pixel_digest(data: bytes, limits: Limits, loaded: OpenPicture | None = None) -> PixelDigest:
    """Digest the upright pixels of all frames, in memory for about two of them.

    Args:
        data: The whole file.
        limits: What it may cost; time and memory are the worker's to limit.
        loaded: The same picture, as it was loaded for its features: of most formats that was all of
            it, and it is not decoded again.

    Raises:
        FileFailure: It cannot be read within the limits, whole.
    """
    digest = hashlib.blake2b(digest_size=32, person=b"PSP pixels")
    if loaded is not None and deep.is_whole(loaded.image, loaded.format, loaded.frames, data):
        _update(digest, loaded.image, None, loaded.load())
        frames = 1
    else:
        frames = _update_all(digest, data, limits)
    digest.update(struct.pack("<Q", frames))
    return PixelDigest(PIXELS_VERSION, digest.digest())


def _update_all(digest: hashlib.blake2b, data: bytes, limits: Limits) -> int:
    """Digest each frame; returns how many there are."""
    frames = 0
    with open_picture(data, limits) as picture:
        for _ in _frames(picture, limits):
            # Asked of each frame: the pages of a TIFF may differ in depth.
            if deep.is_beyond_decoder(picture.image, picture.format, data):
                digest.update(hashlib.blake2b(data, digest_size=32).digest())
            low = deep.low_bytes(picture.image, picture.format, data)
            orientation = picture.load()
            _update(digest, picture.image, low, orientation)
            frames += 1
    return frames


def _frames(picture: OpenPicture, limits: Limits) -> Iterator[None]:
    """Step a picture through its frames, not loaded, within the limits.

    Raises:
        FileFailure: `too_big`.
    """
    budget = FRAMES_BUDGET * limits.max_pixels
    for frame in range(picture.frames):
        if frame > 0:
            try:
                picture.image.seek(frame)
            except EOFError:
                # The count is an upper bound.
                return
            check_size(picture.image.size, limits)
        left = picture.frames - frame
        if left * max(_FRAME_COST, picture.image.width * picture.image.height) > budget:
            raise FileFailure(
                FailureReason.TOO_BIG,
                f"{picture.frames} frames have more than {FRAMES_BUDGET} times the limit of "
                f"{limits.max_pixels} pixels (max_pixels)",
            )
        budget -= max(_FRAME_COST, picture.image.width * picture.image.height)
        yield


def _update(
    digest: hashlib.blake2b, image: Image.Image, low: Image.Image | None, orientation: int
) -> None:
    """Digest one loaded frame."""
    is_deep = low is not None or image.mode in _DEEP_GRAY_MODES
    keeps_depth = is_deep and any(
        bool((strip % 257).any()) for strip in _deep_strips(image, low, orientation)
    )
    model = "RGBA" if is_deep or image.mode in _RGB_MODES else image.mode
    width, height = upright_size(image.size, orientation)
    digest.update(struct.pack("<8sBQQ", model.encode(), 16 if keeps_depth else 8, width, height))
    if is_deep:
        for strip in _deep_strips(image, low, orientation):
            visible = _without_hidden_colour(strip)
            digest.update(visible.tobytes() if keeps_depth else (visible // 257).astype("u1").data)
    elif model == "RGBA":
        for part in strips(image, orientation):
            digest.update(np.ascontiguousarray(_without_hidden_colour(_rgba(part))).data)
    else:
        for part in strips(image, orientation):
            digest.update(part.tobytes())


def _rgba(strip: Image.Image) -> Canonical:
    """Expand a strip of an RGB-like mode to 8 bits a value."""
    return np.asarray(strip if strip.mode == "RGBA" else strip.convert("RGBA"), np.uint8)


def _deep_strips(
    image: Image.Image, low: Image.Image | None, orientation: int
) -> Iterator[Canonical]:
    """Expand a 16-bit picture to strips of 16 bits a value, little-endian."""
    if low is None:
        transparent = image.info.get("transparency")
        for part in strips(image, orientation):
            yield _from_deep_gray(np.asarray(part).astype("<u2"), transparent)
        return
    for part, low_part in zip(strips(image, orientation), strips(low, orientation), strict=True):
        yield (_rgba(part).astype("<u2") << 8 | _rgba(low_part)).astype("<u2", copy=False)


def _from_deep_gray(gray: npt.NDArray[np.uint16], transparent: object) -> Canonical:
    alpha = np.full_like(gray, 0xFFFF)
    if isinstance(transparent, int):
        alpha[gray == transparent] = 0
    return np.stack((gray, gray, gray, alpha), axis=-1)


def _without_hidden_colour(pixels: Canonical) -> Canonical:
    """Zero the colour of pixels whose alpha is 0."""
    hidden = pixels[..., 3] == 0
    if not hidden.any():
        return pixels
    return np.where(hidden[..., None], pixels.dtype.type(0), pixels)
