"""The encoder as the daemon sees it: views in, descriptors out, whatever becomes of its process.

    nothing ──encode──> starting ──Ready──> ready ──idle for long, or lost──> nothing

It is started when it is first needed. One that was idle for long has ended by itself, which costs
the next caller its start; one that dies is started again, later each time.
"""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pspd.core.backoff import Backoff
from pspd.core.view import CHANNELS, LONGEST_VIEW
from pspd.errors import EncodingFailed, EncodingLate, ModelMissing, ModelUnusable, PspError
from pspd.learned.catalogue import OpenModel
from pspd.learned.encoder_life import START_SECONDS, EncoderLife, Options
from pspd.learned.preprocessing import Pixels
from pspd.log import get_logger
from pspd.rpc.wire import printable
from pspd.workers.channel import ChannelClosedError, NonsenseError
from pspd.workers.messages import Protection

COMMAND: Final = (sys.executable, "-P", "-m", "pspd.learned.encoder_process")
"""Starts an encoder; the number of its socket's descriptor is appended."""

MOST_PICTURES: Final = 16
"""Pictures that are sent at once; more are several batches, and a deadline is seen between them."""

_log = get_logger(__name__)


class Encoder:
    """Encodes pictures by one model; any thread may ask, one is served at a time.

    Args:
        open_model: Opens the model's file; called at each start. It may raise a ModelError.
        options: How.
        command: What to execute.
    """

    def __init__(
        self,
        open_model: Callable[[], OpenModel],
        options: Options,
        *,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._open_model = open_model
        self._options = options
        self._command = command
        self._lock = threading.Lock()
        self._life: EncoderLife | None = None
        self._backoff = Backoff(most=None)
        self._not_before = -math.inf
        self._last_error: PspError | None = None
        self._is_closed = False

    @property
    def protection(self) -> Protection:
        """What of its sandbox is in force, by its own word; nothing while it does not run."""
        life = self._life
        return Protection() if life is None else life.protection

    def encode(self, views: Sequence[Pixels], deadline: float) -> NDArray[np.float32]:
        """Return the descriptors of pictures.

        Args:
            views: Each height × width × 3, of 8 bits: red, green, blue.
            deadline: When to give up, by `time.monotonic`, in seconds. An encoder that is being
                started goes on, and what it is doing is not lost for who comes next.

        Returns:
            N × D, each row of unit length.

        Raises:
            ModelMissing: the model or ONNX Runtime is not installed.
            ModelUnusable: its file is not what it should be.
            EncodingLate: not by the deadline.
            EncodingFailed: the process died, or the model gave nothing of use.
            ValueError: a view is none.
        """
        for view in views:
            _require_view(view)
        if not self._lock.acquire(timeout=_seconds_until(deadline)):
            raise EncodingLate("others are served first; ask again, or allow more time")
        try:
            life = self._started(deadline)
            batches = range(0, len(views), MOST_PICTURES)
            rows = [self._encode(views[at : at + MOST_PICTURES], deadline) for at in batches]
            return np.concatenate([np.empty((0, life.dimension), np.float32), *rows])
        finally:
            self._lock.release()

    def end(self) -> None:
        """End the process, and forget what went wrong; the next picture starts another."""
        with self._lock:
            self._drop()
            self._backoff.succeeded()
            self._last_error = None

    def close(self) -> None:
        """End the process for good; whoever waits for it is told.

        Any thread may call it, and it does not wait for whom it interrupts.
        """
        self._is_closed = True
        life = self._life
        if life is not None:
            life.child.kill()
        with self._lock:
            self._drop()

    def _encode(self, views: Sequence[Pixels], deadline: float) -> NDArray[np.float32]:
        """Have one batch encoded; under the lock."""
        life = self._started(deadline)
        try:
            try:
                rows = life.encode(views, deadline)
            except ChannelClosedError:
                if not life.has_ended_well():
                    raise
                # It had been idle for long, at this very moment.
                self._drop()
                life = self._started(deadline)
                rows = life.encode(views, deadline)
        except ChannelClosedError:
            raise self._lost(life.how_it_ended()) from None
        except NonsenseError as error:
            raise self._lost(f"it answered nonsense: {printable(str(error))}") from error
        self._backoff.succeeded()
        return rows

    def _started(self, deadline: float) -> EncoderLife:
        """Return a process that is ready; under the lock."""
        if self._life is not None and self._life.is_over():
            # The usual end, of an idle one; of any other nobody has lost anything.
            self._drop()
        if self._life is None:
            self._start()
        life = self._life
        assert life is not None
        try:
            life.wait_until_ready(deadline)
        except EncodingLate:
            if life.may_start_longer():
                raise
            raise self._lost(f"it was not ready after {START_SECONDS:g} s") from None
        except (ModelMissing, ModelUnusable, EncodingFailed) as error:
            self._note_failure(error)
            raise
        except ChannelClosedError:
            raise self._lost(life.how_it_ended()) from None
        except NonsenseError as error:
            raise self._lost(f"it answered nonsense: {printable(str(error))}") from error
        return life

    def _start(self) -> None:
        if self._is_closed:
            raise EncodingFailed("the daemon is about to end")
        wait = self._not_before - time.monotonic()
        if wait > 0 and self._last_error is not None:
            raise type(self._last_error)(str(self._last_error))
        model = self._open_model()
        try:
            life = self._life = EncoderLife(self._command, model, self._options)
        except OSError as error:
            failure = EncodingFailed(f"the encoder cannot be started: {error.strerror}")
            self._note_failure(failure)
            raise failure from error
        finally:
            os.close(model.descriptor)
        if self._is_closed:
            life.child.kill()

    def _lost(self, why: str) -> EncodingFailed:
        """Note that the process is of no use any more; return what to raise."""
        error = EncodingFailed(f"the encoder of learned descriptors was lost: {why}")
        self._note_failure(error)
        return error

    def _note_failure(self, error: PspError) -> None:
        self._drop()
        self._last_error = error
        delay = self._backoff.failed(time.monotonic())
        self._not_before = time.monotonic() + (delay or 0.0)
        _log.warning("an encoder failed", error=error, again_after_seconds=delay)

    def _drop(self) -> None:
        if self._life is not None:
            self._life.end()
            self._life = None


def _require_view(view: Pixels) -> None:
    is_picture = view.ndim == len("HWC") and view.shape[2] == CHANNELS and view.size > 0
    if not is_picture or view.dtype != np.uint8:
        raise ValueError(f"no view: {view.dtype} of the shape {view.shape}")
    if view.size > CHANNELS * LONGEST_VIEW**2:
        raise ValueError(f"a view of {view.shape[1]} × {view.shape[0]} pixels is too large")


def _seconds_until(deadline: float) -> float:
    """Return the seconds until then, at least 0; -1 for ever, as `acquire` has it."""
    return -1.0 if math.isinf(deadline) else max(0.0, deadline - time.monotonic())
