"""Gives each image a learned descriptor, in the background, when nothing else is to be done.

    images without one ──a page──▶ views, by workers ──▶ encoder ──one batch──▶ store, index

What is stored says how far this is, so that a restart goes on there. When another model is chosen,
all are described anew, while the old descriptors answer; those are dropped once it is through.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pspd.core.model import ImageNumber, RootId
from pspd.core.pausing import Pause, unhindered
from pspd.errors import EncodingFailed, EncodingLate, ModelError, ModelMissing, NoWorker, StoreError
from pspd.features.views import pixels_of
from pspd.host import seconds_left
from pspd.log import get_logger
from pspd.model_in_use import Model, ModelInUse
from pspd.noticeboard import Area, Notice
from pspd.search.quantising import quantised
from pspd.store import batch, descriptors
from pspd.supervision import ThreadMaker, unsupervised
from pspd.undescribed import Page, Undescribed
from pspd.workers.messages import Order

if TYPE_CHECKING:
    from pspd.core.view import View
    from pspd.descriptor_tier import DescriptorTier
    from pspd.encoders import Encoders
    from pspd.image_reading import ImageReader
    from pspd.indexer import Indexer
    from pspd.learned.encoder import Encoder
    from pspd.learned.installed import Models
    from pspd.noticeboard import NoticeBoard
    from pspd.store.store import Store

VIEW_SIDE: Final = 384
"""Pixels of the longer side of what a model sees: more than any takes."""

BATCH_IMAGES: Final = 8
"""Images that are encoded at once, while the next ones are decoded."""

BATCH_SECONDS: Final = 60.0
"""How long a batch may take on a machine that has something else to do."""

PAUSE_SECONDS: Final = 1.0
"""How often it is asked whether there is something to describe."""

RETRY_SECONDS: Final = 60.0
"""When it is tried again after a model failed or none was there."""

DROP_DESCRIPTORS: Final = 1000
"""Descriptors of a model that is no longer used, dropped in one transaction."""

CLOSE_SECONDS: Final = 1.0
"""How long `close` waits for the page at hand, which is described again."""

PAUSED: Final = "it is paused; to go on: pspc model resume"

_AREA: Final[Area] = "learned"

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is."""

    model: str = ""
    """Name of the model in use; empty when there is none."""
    described: int = 0
    """Images that have a descriptor of it."""
    describable: int = 0
    """Images that shall have one, and can be read."""
    problem: str = ""
    """Why it does not go on; empty when all is well."""


class Describer:
    """A thread that works only while the indexer is idle.

    Args:
        store: The truth.
        indexer: Through which it is changed.
        images: Reads indexed pictures.
        tier: Told which model answers.
        models: Says which model is in use.
        encoders: Describe.
        board: Where to say that a model cannot be used.
        threads: That have pictures decoded.
        pause: Called between two pieces of work; those who search may be let pass.
        resting: Says which watch roots are not there, or paused.
        make_thread: Makes the thread.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it works with
        self,
        store: Store,
        indexer: Indexer,
        images: ImageReader,
        tier: DescriptorTier,
        models: Models,
        encoders: Encoders,
        board: NoticeBoard,
        *,
        threads: int,
        pause: Pause = unhindered,
        resting: Callable[[], AbstractSet[RootId]] = frozenset,
        make_thread: ThreadMaker = unsupervised,
    ) -> None:
        self._store = store
        self._indexer = indexer
        self._images = images
        self._tier = tier
        self._models = models
        self._encoders = encoders
        self._board = board
        self._pause = pause
        self._executor = ThreadPoolExecutor(threads, "pspd-view")
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._in_use = ModelInUse(store, models, tier, encoders, self._executor, pause)
        self._problem = ""
        """Why the model in use describes nothing."""
        self._undescribed = Undescribed(store, resting)
        self._thread = make_thread("describer", self._run)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def retire(self) -> None:
        """Stop after the batch at hand."""
        self._stopping.set()
        self._woken.set()

    def close(self, deadline: float = math.inf) -> None:
        """Stop, and wait for it up to `deadline` of `time.monotonic()`."""
        self.retire()
        if self._thread.is_alive():
            self._thread.join(seconds_left(deadline, CLOSE_SECONDS))
        self._executor.shutdown(wait=False, cancel_futures=True)

    def look_again(self) -> None:
        """Look at once which model is in use: it was changed."""
        self._woken.set()

    def progress(self) -> Progress:
        """Say how far it is."""
        model = self._in_use.model
        if model is None:
            return Progress(problem=self._in_use.problem)
        with self._store.read() as reader:
            known = descriptors.known(reader, model.key)
            pictures = reader.meta("pictures")
        described = 0 if known is None else known.described
        describable = max(described, pictures - self._undescribed.unread)
        problem = PAUSED if self._models.is_paused() else self._problem
        return Progress(model.name, described, describable, problem)

    def step(self) -> bool:
        """Describe a page of images; returns whether there is more to do now.

        Raises:
            ModelError: The model cannot be used.
            EncodingFailed: It made nothing of some images. When that is tried again, it is asked
                for one at a time, and those of which it makes nothing are left out.
            NoWorker: No worker can be had.
            StoreError: What was made is not stored; it is made again.
        """
        if self._in_use.look():
            self._undescribed.begin_anew()
        model = self._in_use.model
        if model is None or not self._indexer.is_idle:
            return False
        if self._models.is_paused():
            return self._tier.settle()
        page = self._undescribed.next_page(model.key)
        if page.numbers:
            return self._describe(model, page)
        if page.last >= 0:
            self._undescribed.pass_over(page)
            self._pause()
            return True
        self._in_use.see_who_answers(is_through=True)
        return self._drop_others() or self._tier.settle()

    def _drop_others(self) -> bool:
        """Drop descriptors of models that are no longer used; returns whether there may be more."""
        other = self._in_use.other()
        if other is None:
            return False
        self._indexer.apply([batch.DropDescriptors(other, DROP_DESCRIPTORS)])
        return True

    # --- describing

    def _describe(self, model: Model, page: Page) -> bool:
        """Describe a page; returns whether there may be more."""
        numbers, undescribed = page.numbers, self._undescribed
        encoder = self._encoders.of(model.key, model.name).background
        views = [self._executor.submit(self._view, number) for number in numbers]
        # After a failure one by one, so that an image of which a model makes nothing costs itself.
        size = 1 if numbers[0] <= undescribed.suspect else BATCH_IMAGES
        found: list[batch.Operation] = []
        done, unread = 0, 0
        try:
            for at in range(0, len(numbers), size):
                if self._stopping.is_set() or not self._indexer.is_idle:
                    break
                self._pause()
                some = numbers[at : at + size]
                seen = _seen(some, views[at : at + size])
                try:
                    found += self._described(model, encoder, seen)
                except EncodingFailed as error:
                    if size == 1 and not isinstance(error, EncodingLate):
                        done, unread = at + 1, unread + 1
                    undescribed.suspect = some[-1]
                    raise
                done, unread = at + len(some), unread + len(some) - len(seen)
        finally:
            for view in views:
                view.cancel()
            if found:
                self._indexer.apply(found)
            # Not before it is stored: what is not is made again.
            undescribed.note(page, numbers[:done], unread)
        self._board.withdraw(_AREA, _AREA)
        self._problem = ""
        self._in_use.see_who_answers()
        return True

    def _described(
        self, model: Model, encoder: Encoder, seen: Mapping[ImageNumber, View]
    ) -> list[batch.DescriptorsKnown]:
        if not seen:
            return []
        pixels = [pixels_of(view) for view in seen.values()]
        vectors = encoder.encode(pixels, time.monotonic() + BATCH_SECONDS)
        return [
            batch.DescriptorsKnown(model.key, number, vector.tobytes())
            for number, vector in zip(seen, quantised(vectors), strict=True)
        ]

    def _view(self, number: ImageNumber) -> View | None:
        if self._stopping.is_set():
            return None
        with self._store.read() as reader:
            image = reader.image(number)
        if image is None:
            return None
        order = Order(features=False, view=VIEW_SIDE)
        outcome = self._images.read(number, image.image_id, order)
        return None if outcome is None else outcome.view

    # --- the thread

    def _run(self) -> None:
        wait = 0.0
        while not self._stopping.is_set():
            self._woken.wait(wait)
            self._woken.clear()
            try:
                wait = 0.0 if self.step() else PAUSE_SECONDS
            except ModelMissing as error:
                self._problem = str(error)
                wait = RETRY_SECONDS
            except (ModelError, EncodingFailed) as error:
                self._problem = str(error)
                self._board.post(_AREA, Notice(_AREA, f"nothing is described: {error}"))
                wait = RETRY_SECONDS
            except (StoreError, NoWorker) as error:
                _log.error("describing is put off", error=error)
                wait = RETRY_SECONDS


def _seen(
    numbers: Sequence[ImageNumber], views: Sequence[Future[View | None]]
) -> dict[ImageNumber, View]:
    """Wait for views; those that cannot be had are left out."""
    found = ((number, view.result()) for number, view in zip(numbers, views, strict=True))
    return {number: view for number, view in found if view is not None}
