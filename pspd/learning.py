"""Puts together what finds copies beyond hashes: models, descriptors, proofs.

Models ──▶ Encoders ──▶ Describer ──▶ store ──▶ DescriptorTier ──▶ DeepSearch ──▶ ProofSearch
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pspd.deep_search import DeepSearch
from pspd.describing import Describer
from pspd.encoders import Encoders
from pspd.image_reading import ImageReader
from pspd.proof_search import ProofSearch

if TYPE_CHECKING:
    from pspd.core.pausing import Pause
    from pspd.descriptor_tier import DescriptorTier
    from pspd.indexer import Indexer
    from pspd.learned.installed import Models
    from pspd.noticeboard import NoticeBoard
    from pspd.quarantine import Quarantine
    from pspd.query_reading import QueryReader
    from pspd.store.store import Store
    from pspd.supervision import ThreadMaker
    from pspd.workers.pool import WorkerPool


@dataclass(frozen=True, slots=True)
class Learning:
    """The parts, started and ended together."""

    describer: Describer
    deep: DeepSearch
    encoders: Encoders
    proofs: ProofSearch
    tier: DescriptorTier

    def retire(self) -> None:
        """Begin nothing more."""
        self.describer.retire()

    def close(self, deadline: float) -> None:
        """End the processes, then the thread that may wait for one, up to `deadline`."""
        self.encoders.close()
        self.proofs.close()
        self.tier.close()
        self.describer.close(deadline)


def learning(  # noqa: PLR0913, PLR0917 - what the parts are made of
    store: Store,
    indexer: Indexer,
    tier: DescriptorTier,
    models: Models,
    queries: QueryReader,
    quarantine: Quarantine,
    *,
    indexing_pool: WorkerPool,
    query_pool: WorkerPool,
    threads: int,
    needs_sandbox: bool,
    board: NoticeBoard,
    pause: Pause,
    make_thread: ThreadMaker,
) -> Learning:
    """Make the parts; the describer is not started."""
    encoders = Encoders(models, threads, needs_sandbox=needs_sandbox)
    proofs = ProofSearch(ImageReader(store, query_pool, quarantine), threads)
    describer = Describer(
        store,
        indexer,
        ImageReader(store, indexing_pool, quarantine, pause),
        tier,
        models,
        encoders,
        board,
        threads=threads,
        pause=pause,
        make_thread=make_thread,
    )
    return Learning(describer, DeepSearch(store, tier, queries, proofs), encoders, proofs, tier)
