"""The daemon's encoders: of each model in use one for queries, and one that yields to everything.

A search must not wait for what the background is at, so that each has a process of its own; both
end by themselves when they are idle.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pspd.errors import ModelUnusable
from pspd.learned.encoder import Encoder
from pspd.learned.encoder_life import Options

if TYPE_CHECKING:
    from pspd.core.model import ModelKey
    from pspd.learned.catalogue import OpenModel
    from pspd.learned.installed import Models

IDLE_SECONDS: Final = 600.0
"""So long after the last query the process stays that sees queries: to start another one takes a
good part of what a search may take."""

_YIELDING: Final = 19
"""Niceness of what is done in the background."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The encoders of one model."""

    queries: Encoder
    background: Encoder


class Encoders:
    """Makes encoders as they are needed; for any thread.

    Args:
        models: Knows the models' files.
        threads: That compute one query's batch.
        needs_sandbox: Whether no model may be loaded without all of the sandbox.
    """

    def __init__(self, models: Models, threads: int, *, needs_sandbox: bool = False) -> None:
        self._models = models
        self._queries = Options(
            threads=threads, idle_seconds=IDLE_SECONDS, needs_sandbox=needs_sandbox
        )
        # One thread: a second brings nothing, and pictures are decoded meanwhile.
        self._background = Options(nice=_YIELDING, needs_sandbox=needs_sandbox)
        self._lock = threading.Lock()
        self._pairs: dict[ModelKey, Pair] = {}

    def of(self, model: ModelKey, name: str) -> Pair:
        """Return the encoders of a model."""
        with self._lock:
            pair = self._pairs.get(model)
            if pair is None:
                pair = self._pairs[model] = Pair(
                    self._encoder(model, name, self._queries),
                    self._encoder(model, name, self._background),
                )
            return pair

    def keep_only(self, model: ModelKey) -> None:
        """End the encoders of all other models."""
        with self._lock:
            others = [self._pairs.pop(key) for key in list(self._pairs) if key != model]
        for pair in others:
            _close(pair)

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            pairs, self._pairs = list(self._pairs.values()), {}
        for pair in pairs:
            _close(pair)

    def _encoder(self, model: ModelKey, name: str, options: Options) -> Encoder:
        def open_model() -> OpenModel:
            opened = self._models.open(name)
            if opened.key != model:
                os.close(opened.descriptor)
                raise ModelUnusable(f"the model {name} is another one by now")
            return opened

        return Encoder(open_model, options)


def _close(pair: Pair) -> None:
    pair.queries.close()
    pair.background.close()
