"""One process of an encoder, from its start to its end, and the conversation with it.

It is not believed: a reply that makes no sense costs it its life.
"""

from __future__ import annotations

import math
import os
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from pspd.errors import EncodingFailed, EncodingLate, ModelMissing, ModelUnusable
from pspd.learned.catalogue import OpenModel
from pspd.learned.messages import Encoded, Failed, Picture, Ready, Refused, Setup
from pspd.learned.onnx_encoder import MOST_DIMENSIONS
from pspd.learned.preprocessing import Pixels
from pspd.rpc.wire import printable
from pspd.workers.channel import Channel, NonsenseError
from pspd.workers.child import Child
from pspd.workers.messages import Protection

START_SECONDS: Final = 120.0
"""How long an encoder may take to load its model: 0.2 s for the smallest on an idle machine, more
by far for hundreds of megabytes on a disk that is busy."""

MEMORY_BASE: Final = 768 << 20
MEMORY_FACTOR: Final = 5
"""Address space of an encoder, above what Python starts with: so much, and so many times the
model's file. See docs/performance/learned.md."""

_LENGTH_TOLERANCE: Final = 1e-3

_readiness = msgspec.msgpack.Decoder(Ready | Refused)
_outcome = msgspec.msgpack.Decoder(Encoded | Failed)


@dataclass(frozen=True, slots=True)
class Options:
    """How an encoder runs."""

    threads: int = 1
    """Threads that compute one batch."""
    nice: int = 0
    """Added to its niceness, 0 to 19; 19 yields to everything."""
    max_memory: int | None = None
    """Address space above what it starts with, in bytes; None for what suits the model."""
    idle_seconds: float = 60.0
    """It ends when it was asked nothing for so long."""
    batch_seconds: float = 120.0
    """How long a batch may take before the process counts as hung. Callers are told by their own
    deadlines; this one only decides whether the process is worth keeping."""
    needs_sandbox: bool = sys.platform == "linux"
    """Whether it must not load a model without all of its sandbox."""


class EncoderLife:
    """One process, from its start to its end; used by one thread at a time, but for `child.kill`.

    Args:
        command: What to execute.
        model: What it loads; its descriptor stays open here.
        options: How it runs.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, command: Sequence[str], model: OpenModel, options: Options) -> None:
        size = os.fstat(model.descriptor).st_size
        max_memory = options.max_memory or MEMORY_BASE + MEMORY_FACTOR * size
        setup = Setup(
            model.spec.interface,
            model.sha256,
            size,
            options.threads,
            options.nice,
            max_memory,
            options.idle_seconds,
            START_SECONDS,
            options.batch_seconds,
            options.needs_sandbox,
        )
        self.dimension = 0
        self.protection = Protection()
        self._needs_sandbox = options.needs_sandbox
        self._batch_seconds = options.batch_seconds
        self._owed: int | None = None
        """How many descriptors it still has to send that nobody waits for; None when none."""
        self._late_at = time.monotonic() + START_SECONDS
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        with theirs:
            try:
                # Nothing else is in the socket's buffer, so that this waits for nobody.
                self._channel.send(setup, descriptor=model.descriptor, deadline=math.inf)
                self.child = Child(command, theirs.fileno())
            except BaseException:
                self._channel.close()
                raise

    def wait_until_ready(self, deadline: float) -> None:
        """Wait until the model is loaded.

        Raises:
            ModelMissing: As it says.
            ModelUnusable: As it says.
            EncodingFailed: There is not enough memory for the model, or no sandbox.
            EncodingLate: The deadline passed.
            ChannelClosedError: It died.
            NonsenseError: It says what makes no sense.
        """
        if self.dimension:
            return
        try:
            reply = self._channel.receive(_readiness, deadline=min(deadline, self._late_at))
        except TimeoutError as error:
            raise EncodingLate("the encoder is still being started; ask again") from error
        if isinstance(reply, Refused):
            kinds = {"missing": ModelMissing, "unusable": ModelUnusable, "failed": EncodingFailed}
            raise kinds[reply.kind](printable(reply.message))
        if not 0 < reply.dimension <= MOST_DIMENSIONS:
            raise NonsenseError(f"descriptors of {reply.dimension} numbers")
        if self._needs_sandbox and not reply.protection.is_full:
            raise NonsenseError("a model that was loaded without the sandbox")
        self.protection = reply.protection
        self.child.forget_words()
        self.dimension = reply.dimension

    def may_start_longer(self) -> bool:
        """Tell whether it may take its time to get ready."""
        return time.monotonic() < self._late_at

    def is_over(self) -> bool:
        """Tell whether it has ended, where it owes nothing."""
        return bool(self.dimension) and self._owed is None and not self._channel.is_silent()

    def encode(self, views: Sequence[Pixels], deadline: float) -> NDArray[np.float32]:
        """Have a batch encoded.

        Raises:
            EncodingFailed: It says why.
            EncodingLate: The deadline passed.
            ChannelClosedError: It died.
            NonsenseError: It says what makes no sense, or hangs.
        """
        try:
            if self._owed is not None:
                self._receive(deadline)
        except EncodingFailed as error:
            if isinstance(error, EncodingLate):
                raise
        # Once the first is sent, all are: a batch cut short would never be answered.
        if time.monotonic() >= deadline:
            raise EncodingLate("there was no time left for the learned descriptors")
        self._late_at = time.monotonic() + self._batch_seconds
        for number, view in enumerate(views, start=1):
            height, width, _ = view.shape
            picture = Picture(height, width, view.tobytes(), number == len(views))
            try:
                self._channel.send(picture, deadline=self._late_at)
            except TimeoutError as error:
                raise NonsenseError("it does not listen") from error
        self._owed = len(views)
        return self._receive(deadline)

    def _receive(self, deadline: float) -> NDArray[np.float32]:
        """Receive what it owes."""
        assert self._owed is not None
        try:
            reply = self._channel.receive(_outcome, deadline=min(deadline, self._late_at))
        except TimeoutError as error:
            if time.monotonic() >= self._late_at:
                raise NonsenseError(f"nothing within {self._batch_seconds:g} s") from error
            raise EncodingLate("the learned descriptors were not ready in time") from error
        count, self._owed = self._owed, None
        if isinstance(reply, Failed):
            raise EncodingFailed(printable(reply.message))
        if len(reply.descriptors) != 4 * count * self.dimension:
            raise NonsenseError(f"{len(reply.descriptors)} bytes for {count} pictures")
        rows = np.frombuffer(reply.descriptors, "<f4").reshape(count, self.dimension)
        # No number is greater or smaller than what is none, so that it fails as well.
        lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
        if not (np.abs(lengths - 1.0) <= _LENGTH_TOLERANCE).all():
            raise NonsenseError("a descriptor that is no unit vector")
        return rows.astype(np.float32)

    def has_ended_well(self) -> bool:
        """Tell whether it ended by itself, because it was idle."""
        return self.child.end_status() == 0

    def how_it_ended(self) -> str:
        """Say how it died."""
        status = self.child.end_status()
        words = printable(self.child.last_words())
        if status is None:
            return "it hung up"
        how = f"it was killed by signal {-status}" if status < 0 else f"it exited with {status}"
        return f"{how}: {words}" if words else how

    def end(self) -> None:
        """End the process and the conversation."""
        # It has nothing to put away, and a kill is over sooner than an interpreter's farewell.
        self.child.kill()
        self._channel.close()
        self.child.forget_words()
