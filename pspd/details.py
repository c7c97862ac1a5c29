"""Parts of pictures as people look at them closely: pixel for pixel, upright, a PNG of the pixels.

    content digest, part ─▶ kept? ─▶ its record, its files ─▶ a worker: view ─▶ PNG ─▶ kept
    bytes of a query, part ─▶ kept? ────────────────────────▶ a worker: view ─▶ PNG ─▶ kept

As `pspd.previews`, but without loss, for two copies are compared by their pixels.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final, NamedTuple

from PIL import Image

from pspd.core.view import LONGEST_VIEW, Box
from pspd.errors import RequestError
from pspd.features.details import is_inside, outside
from pspd.indexed_pictures import known_picture, see
from pspd.kept_pictures import KeptPictures
from pspd.workers.messages import Order

if TYPE_CHECKING:
    from pspd.core.model import ImageId
    from pspd.core.view import View
    from pspd.image_reading import ImageReader
    from pspd.query_reading import QueryReader
    from pspd.store.store import Store

MOST_KEPT_BYTES: Final = 24 << 20
"""Of details that are kept: some 12, what two pictures show in a large window."""

_QUICKLY: Final = 1
"""How much zlib shall try: of a noisy photograph's pixels 6, its usual, makes 1 % less in four
times as long."""


class Detail(NamedTuple):
    """A part of a picture to look at."""

    content: bytes
    """A PNG file."""
    width: int
    """Of the whole upright picture; likewise the height."""
    height: int


class _What(NamedTuple):
    image_id: ImageId
    part: Box


class Details:
    """Shows parts of pictures, to any thread.

    Args:
        store: Knows the indexed ones.
        images: Reads those.
        queries: Reads those that are not.
    """

    def __init__(self, store: Store, images: ImageReader, queries: QueryReader) -> None:
        self._store = store
        self._images = images
        self._queries = queries
        self._kept: KeptPictures[_What, Detail] = KeptPictures(MOST_KEPT_BYTES)

    def of_image(self, image_id: ImageId, part: Box) -> Detail:
        """Show a part of an indexed picture.

        Args:
            image_id: The picture's content digest.
            part: In pixels of the upright picture; one of more than `LONGEST_VIEW` a side is scaled
                down.

        Raises:
            RequestError: There is none with this content, none of its files can be read, or the
                part does not lie in it.
        """
        with self._store.read() as reader:
            record = known_picture(reader, image_id)
        _check_inside(part, record.width, record.height)
        what = _What(image_id, part)
        kept = self._kept.get(what)
        if kept is not None:
            return kept
        order = Order(features=False, view=LONGEST_VIEW, within=part)
        return self._keep(what, see(self._images, record, order).view)

    def of_query(self, image: bytes, part: Box) -> Detail:
        """Show a part of a picture that need not be indexed.

        Args:
            image: The bytes of its file.
            part: As for `of_image`.

        Raises:
            FileFailure: It cannot be read as a picture.
            RequestError: The part does not lie in it.
        """
        features = self._queries.read(image, None, wants_turns=False).features
        _check_inside(part, features.width, features.height)
        what = _What(features.image_id, part)
        return self._kept.get(what) or self._keep(what, self._queries.detail(image, part))

    def _keep(self, what: _What, view: View) -> Detail:
        detail = Detail(_png(view), view.full_width, view.full_height)
        self._kept.put(what, detail)
        return detail


def _check_inside(part: Box, width: int, height: int) -> None:
    if not is_inside(part, (width, height)):
        raise RequestError("bad_request", outside((width, height)))


def _png(view: View) -> bytes:
    file = io.BytesIO()
    image = Image.frombytes("RGB", (view.width, view.height), view.pixels)
    image.save(file, "PNG", compress_level=_QUICKLY)
    return file.getvalue()
