"""Reads pictures again and compares them with what the store has of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pspd.core.model import ImageNumber
from pspd.features.extract import FEATURES_VERSION
from pspd.rpc.wire import quoted
from pspd.store import keys
from pspd.store.checking import Finding, Progress

if TYPE_CHECKING:
    from pspd.reading import FileReader
    from pspd.store.reader import Reader
    from pspd.store.store import Store

_PAGE = 256


def picture_problems(  # noqa: PLR0913 - each by its name
    store: Store,
    files: FileReader,
    progress: Progress,
    *,
    part: int,
    parts: int,
    is_stopping: Callable[[], bool],
) -> Iterator[Finding]:
    """Yield what differs between pictures and the store.

    A picture that is gone or changed by its stamp is the watcher's matter, and no finding.

    Args:
        store: An open store.
        files: Reads pictures.
        progress: Kept up to date.
        part: Which part of the pictures, from 1; by content, so that it is always the same.
        parts: How many parts there are.
        is_stopping: Asked now and then whether to break off.
    """
    with store.read() as reader:
        progress.done, progress.total = 0, reader.entries("images")
    after: bytes | None = None
    while not is_stopping():
        with store.read() as reader:
            page = _page_of(reader, after)
        if not page:
            return
        for number in page:
            after = keys.number_key(number)
            progress.done += 1
            if is_stopping():
                return
            yield from _problems_of(store, files, number, part=part, parts=parts)


def _page_of(reader: Reader, after: bytes | None) -> list[ImageNumber]:
    found: list[ImageNumber] = []
    for key, _ in reader.raw_items("images", after):
        found.append(ImageNumber(keys.number_from_key(key)))
        if len(found) == _PAGE:
            break
    return found


def _problems_of(
    store: Store, files: FileReader, number: ImageNumber, *, part: int, parts: int
) -> Iterator[Finding]:
    with store.read() as reader:
        image = reader.image(number)
        if image is None or int.from_bytes(image.image_id[:8]) % parts != part - 1:
            return
        links = [(key, reader.file(key), reader.file_path(key)) for key in reader.links(number)]
    is_compared = image.version != FEATURES_VERSION
    for key, record, path in links:
        read = files.compare(key)
        if read is None or record is None or path is None or read[0] != record.stamp:
            continue
        outcome = read[1]
        if outcome.image_id != image.image_id:
            text = f"{quoted(path)} has another content than was indexed, and the same stamp"
            yield Finding("content", text, number)
        elif not is_compared and outcome.features is not None:
            is_compared = True
            with store.read() as reader:
                if not reader.agrees(number, outcome.features):
                    yield Finding("content", f"the features of {quoted(path)} are wrong", number)
