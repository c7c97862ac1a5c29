"""What a worker says → an `Outcome` that can be trusted to be well-formed.

A worker may have been taken over by a file it read. It can then lie about that file and those it
reads until it is replaced, but nothing it says may break the store, the index or a terminal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pspd.core.model import Features, ImageId, Limits, PixelDigest, Turn, TurnedHashes
from pspd.core.view import CHANNELS, LONGEST_VIEW, View
from pspd.features.extract import FEATURES_VERSION
from pspd.features.inner_pictures import MAX_PARTS, InnerHashes
from pspd.features.tags import LONGEST_NAME, LONGEST_TAG, MOST_TAGS
from pspd.verify.pixels import PIXELS_VERSION
from pspd.workers.channel import NonsenseError
from pspd.workers.messages import Done, Order

_DIGEST_BYTES = 32
_MAX_TEXT = 300
"""Longest message of a failure, in characters: a sentence, not a dump."""
_MAX_FORMAT = 16
_MAX_COUNT = 2**31
"""Above any number of frames."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker made of one file."""

    image_id: ImageId
    features: Features | None
    """None if they were not ordered, or the image is known already."""
    turns: tuple[TurnedHashes, ...]
    pixels: PixelDigest | None
    view: View | None = None
    inner: tuple[InnerHashes, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    """Names and texts of what its EXIF says."""


def printable(text: str) -> str:
    """Return a message fit for a log, a terminal and the wire: short, one line, no controls."""
    return "".join(each if each.isprintable() else " " for each in text[:_MAX_TEXT]).strip()


def check_digest(image_id: bytes) -> None:
    """Raise NonsenseError unless this is as long as a content digest."""
    _require(len(image_id) == _DIGEST_BYTES, "a digest of another length")


def checked_outcome(done: Done, order: Order, limits: Limits, known_as: ImageId | None) -> Outcome:
    """Turn a worker's reply into an outcome.

    Args:
        done: As decoded, so that its types are right.
        order: What was asked; with features it must be answered.
        limits: What sizes may be.
        known_as: The digest that the worker gave before it decoded, if it was asked.

    Raises:
        NonsenseError: the reply does not answer the order, or a value in it is impossible.
    """
    check_digest(done.image_id)
    _require(known_as in {None, done.image_id}, "another digest than before")
    wants_features = order.features or order.turns
    _require((done.features is not None) == wants_features, "features")
    _require(bool(done.turns) == order.turns, "turns")
    _require((done.pixels is not None) == order.pixels, "a pixel digest")
    if done.features is not None:
        _check_features(done.features, done.image_id, limits)
    _require(len({each.turn for each in done.turns}) == len(done.turns), "a turn given twice")
    for turned in done.turns:
        _check_hashes(turned)
    if done.pixels is not None:
        _require(done.pixels.version == PIXELS_VERSION, "version")
        check_digest(done.pixels.digest)
    _require((done.view is not None) == (order.view > 0), "a view")
    if done.view is not None:
        _check_view(done.view, order, limits)
    _require(len(done.inner) <= (MAX_PARTS if order.inner else 0), "inner pictures")
    for each in done.inner:
        _check_inner(each)
    _require(len(done.tags) <= (MOST_TAGS if order.tags else 0), "tags")
    for name, text in done.tags:
        _require(1 <= len(name) <= LONGEST_NAME and name.isprintable(), "a tag's name")
        _require(len(text) <= LONGEST_TAG and text.isprintable(), "a tag's text")
    return Outcome(
        done.image_id,
        done.features,
        done.turns,
        done.pixels,
        done.view,
        done.inner,
        done.tags,
    )


def _check_features(features: Features, image_id: ImageId, limits: Limits) -> None:
    _require(features.image_id == image_id, "features of another image")
    _require(features.version == FEATURES_VERSION, "version")
    _require(1 <= len(features.format) <= _MAX_FORMAT, "format")
    _require(features.format.isascii() and features.format.isprintable(), "format")
    _require(1 <= features.width <= limits.max_side, "width")
    _require(1 <= features.height <= limits.max_side, "height")
    _require(features.width * features.height <= limits.max_pixels, "pixels")
    _require(features.channels in range(1, 5), "channels")
    _require(1 <= features.size <= limits.max_bytes, "size")
    _require(1 <= features.frames < _MAX_COUNT, "frames")
    _require(features.orientation in range(1, 9), "orientation")
    _require(features.quality in range(101), "quality")
    for mean in features.mean:
        _require(math.isfinite(mean) and 0 <= mean <= 255, "mean")  # noqa: PLR2004 - 8 bits
    _check_hashes(features)


def _check_view(view: View, order: Order, limits: Limits) -> None:
    _require(min(view.width, view.height) >= 1, "a view without pixels")
    _require(max(view.width, view.height) <= order.view, "a view larger than ordered")
    _require(len(view.pixels) == CHANNELS * view.width * view.height, "a view's pixels")
    _require(view.width <= view.full_width <= limits.max_side, "width")
    _require(view.height <= view.full_height <= limits.max_side, "height")
    part = order.within
    if part is not None:
        _require(view.width <= part.width and view.height <= part.height, "a part enlarged")
        _require(part.left + part.width <= view.full_width, "a part outside")
        _require(part.top + part.height <= view.full_height, "a part outside")


def _check_inner(inner: InnerHashes) -> None:
    _require(inner.quality in range(101), "quality")
    _require(len({each.turn for each in inner.turned}) == len(Turn), "a turn given twice")
    _require(len(inner.turned) == len(Turn), "turns")
    for turned in inner.turned:
        _check_hashes(turned)
    for place in (value for corner in inner.where.corners for value in corner):
        _require(abs(place) <= 2 * LONGEST_VIEW, "a corner")


def _check_hashes(hashed: Features | TurnedHashes) -> None:
    _require(len(hashed.phash64) == 64 // 8 and len(hashed.phash256) == 256 // 8, "a hash")


def _require(is_so: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not is_so:
        raise NonsenseError(f"an impossible value: {what}")
