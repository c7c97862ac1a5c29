"""Puts together what answers searches, and what follows in the background for them.

QueryReader ─▶ Searcher ─▶ PixelSearch, DeepSearch ─▶ ProofSearch
Models ─▶ Encoders ─▶ Describer ─▶ store ─▶ DescriptorTier ─▶ DeepSearch
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pspd.answering import Answering
from pspd.deep_search import DeepSearch
from pspd.describing import Describer
from pspd.details import Details
from pspd.encoders import Encoders
from pspd.explaining import Explainer
from pspd.foreign_distances import ForeignDistances
from pspd.image_reading import ImageReader
from pspd.pixel_search import PixelSearch
from pspd.previews import Previews
from pspd.proof_search import ProofSearch
from pspd.query_reading import QueryReader
from pspd.searcher import Options, Searcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from pspd.choices import Pools
    from pspd.core.model import RootId
    from pspd.descriptor_tier import DescriptorTier
    from pspd.indexer import Indexer
    from pspd.learned.installed import Models
    from pspd.noticeboard import NoticeBoard
    from pspd.precedence import Precedence
    from pspd.quarantine import Quarantine
    from pspd.search.index import Index
    from pspd.store.store import Store
    from pspd.supervision import ThreadMaker


@dataclass(frozen=True, slots=True)
class Searching:
    """The parts; those that run are started and ended together."""

    answering: Answering
    distances: ForeignDistances
    """To be brought up to date at leisure."""
    describer: Describer
    encoders: Encoders
    proofs: ProofSearch
    tier: DescriptorTier
    previews: Previews
    details: Details

    def start(self) -> None:
        """Begin to describe."""
        self.describer.start()

    def retire(self) -> None:
        """Begin nothing more."""
        self.describer.retire()

    def close(self, deadline: float) -> None:
        """End the processes, then the thread that may wait for one, up to `deadline`."""
        self.describer.retire()
        self.encoders.close()
        self.proofs.close()
        self.describer.close(deadline)
        self.tier.close()


def searching(  # noqa: PLR0913 - every part by its name
    *,
    store: Store,
    index: Index,
    indexer: Indexer,
    tier: DescriptorTier,
    models: Models,
    quarantine: Quarantine,
    pools: Pools,
    options: Options,
    max_hits: int,
    needs_sandbox: bool,
    board: NoticeBoard,
    precedence: Precedence,
    resting: Callable[[], AbstractSet[RootId]],
    make_thread: ThreadMaker,
) -> Searching:
    """Make the parts; nothing is started."""
    queries = QueryReader(pools.queries, quarantine)
    encoders = Encoders(models, pools.threads, needs_sandbox=needs_sandbox)
    asked_for = ImageReader(store, pools.queries, quarantine)
    proofs = ProofSearch(asked_for, pools.threads)
    pixels = PixelSearch(
        store,
        index,
        pools.queries,
        quarantine,
        most=options.pixel_comparisons,
        remember=indexer.remember,
    )
    deep = DeepSearch(store, tier, queries, proofs)
    describer = Describer(
        store,
        indexer,
        ImageReader(store, pools.indexing, quarantine, precedence.pause, heeds_pauses=True),
        tier,
        models,
        encoders,
        board,
        threads=pools.threads,
        pause=precedence.pause,
        resting=resting,
        make_thread=make_thread,
    )
    distances = ForeignDistances(store, precedence.pause)
    answering = Answering(
        store=store,
        searcher=Searcher(store, index, queries, pixels, options, precedence, deep),
        explainer=Explainer(queries, tier, options),
        describer=describer,
        distances=distances,
        precedence=precedence,
        copy_distance=options.copy_distance,
        max_hits=max_hits,
    )
    previews = Previews(store, asked_for, queries)
    details = Details(store, asked_for, queries)
    return Searching(answering, distances, describer, encoders, proofs, tier, previews, details)
