"""Which model's descriptors are made, and whose answer meanwhile.

chosen, and there ──▶ is described with ──▶ answers, once it has as many as the one before
└──▶ the one before is dropped, once it is through
"""

from __future__ import annotations

import time
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pspd.core.model import ModelKey
from pspd.core.pausing import Pause, unhindered
from pspd.core.view import CHANNELS
from pspd.errors import EncodingFailed, ModelError
from pspd.log import get_logger
from pspd.store import descriptors

if TYPE_CHECKING:
    from pspd.descriptor_tier import DescriptorTier
    from pspd.encoders import Encoders
    from pspd.learned.encoder import Encoder
    from pspd.learned.installed import Models
    from pspd.store.store import Store

START_SECONDS: Final = 60.0
"""How long an encoder may take to be ready for the first query."""

_SPECK: Final = np.zeros((1, 1, CHANNELS), np.uint8)

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Model:
    """A model that is there."""

    name: str
    key: ModelKey


class ModelInUse:
    """Follows the choice of a model; used by one thread.

    Args:
        store: The truth.
        models: Says which model is chosen.
        tier: Told which model answers.
        encoders: Of the models.
        executor: Has an encoder started before somebody waits for it.
        pause: Called while descriptors are brought into memory.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it works with
        self,
        store: Store,
        models: Models,
        tier: DescriptorTier,
        encoders: Encoders,
        executor: Executor,
        pause: Pause = unhindered,
    ) -> None:
        self._store = store
        self._models = models
        self._tier = tier
        self._encoders = encoders
        self._executor = executor
        self._pause = pause
        self._has_begun = False
        self.model: Model | None = None
        """The one that is described with; None while the chosen one is not there."""
        self.problem = ""
        """Why it is not there; empty when it is."""

    def look(self) -> bool:
        """See which model is chosen; returns whether that is another one than before.

        Raises:
            ModelError: The models cannot be looked at.
        """
        state = self._models.state(self._models.chosen())
        model = None if state.key is None else Model(state.spec.name, state.key)
        is_other = model != self.model
        self.model, self.problem = model, state.problem
        if is_other or not self._has_begun:
            self._has_begun = True
            self._answer_with_most()
        return is_other

    def see_who_answers(self, *, is_through: bool = False) -> None:
        """Have the model answer once it has described as much as the one that does.

        Args:
            is_through: Whether there is nothing left that it could describe.
        """
        model, answering = self.model, self._tier.answering()
        if model is None or (answering is not None and answering.model == model.key):
            return
        with self._store.read() as reader:
            own = descriptors.known(reader, model.key)
            other = None if answering is None else descriptors.known(reader, answering.model)
        if own is None:
            return
        if is_through or other is None or own.described >= other.described:
            self._tier.load(own, self._pause)
            self._answer_with(model)

    def other(self) -> ModelKey | None:
        """Return a model whose descriptors nobody needs any more; None when there is none."""
        if self.model is None:
            return None
        with self._store.read() as reader:
            known = [each.key for each in descriptors.models(reader)]
        others = [key for key in known if key != self.model.key]
        if others:
            self._encoders.keep_only(self.model.key)
        return next(iter(others), None)

    def _answer_with_most(self) -> None:
        """Have the model answer that is there and has described most."""
        names = {
            state.key: state.spec.name for state in self._models.states() if state.key is not None
        }
        with self._store.read() as reader:
            known = [each for each in descriptors.models(reader) if each.key in names]
        if known:
            best = max(known, key=lambda each: each.described)
            self._tier.load(best, self._pause)
            self._answer_with(Model(names[best.key], best.key))

    def _answer_with(self, model: Model) -> None:
        encoder = self._encoders.of(model.key, model.name).queries
        self._tier.answer_with(model.key, encoder.encode)
        self._executor.submit(_warm_up, encoder)
        _log.info("learned descriptors answer", model=model.name)


def _warm_up(encoder: Encoder) -> None:
    """Start an encoder, so that no search has to wait for that."""
    with suppress(ModelError, EncodingFailed):
        encoder.encode([_SPECK], time.monotonic() + START_SECONDS)
