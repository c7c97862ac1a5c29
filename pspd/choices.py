"""What the configuration chooses: the options of each part, and which implementations there are.

The composition root builds the parts; here stands what it tells each of them, so that a key of the
configuration is turned into an option in one place.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pspd.committing import Options as IndexerOptions
from pspd.core import verdict as verdicts
from pspd.engines import usearch_graph
from pspd.engines.graph_vectors import GraphVectors
from pspd.features.extras import decoder_versions
from pspd.host import usable_cores
from pspd.learned.catalogue import Interface, LocalFile, ModelSpec, Preprocessing
from pspd.learned.installed import Models
from pspd.search.exact_vectors import ExactVectors
from pspd.searcher import Options as SearchOptions
from pspd.store import descriptors
from pspd.store.opening import Options as StoreOptions
from pspd.store_rounds import Options as StorekeeperOptions
from pspd.watcher.inotify_notifier import InotifyNotifier
from pspd.watcher.keeper import Options as WatcherOptions
from pspd.watcher.notify import NoNotifier, Notifier
from pspd.watcher.watchdog_notifier import WatchdogNotifier
from pspd.workers.pool import WorkerPool
from pspd.workers.template import Template

if TYPE_CHECKING:
    from collections.abc import Callable

    from pspd.config import Config, ModelFile
    from pspd.core.model import ModelKey
    from pspd.core.pausing import Pause
    from pspd.noticeboard import NoticeBoard
    from pspd.search.vector_index import VectorIndex
    from pspd.store.store import Store


@dataclass(frozen=True, slots=True)
class Pools:
    """Worker processes, for indexing and for queries; a query never waits behind indexing."""

    indexing: WorkerPool
    queries: WorkerPool
    threads: int
    """As many as the first has processes."""
    template: Template | None
    """Forks the workers of both; None where a process that has loaded libraries should not fork."""


def pools(config: Config, board: NoticeBoard) -> Pools:
    """Make the pools; they are not started."""
    threads = config.workers.processes or usable_cores()
    needs_sandbox = config.workers.sandbox == "require"
    # Elsewhere libraries of the system do not live through a fork.
    template = Template() if sys.platform == "linux" else None
    return Pools(
        WorkerPool(
            threads,
            config.limits,
            name="indexing",
            nice=config.workers.nice,
            needs_sandbox=needs_sandbox,
            board=board,
            template=template,
        ),
        WorkerPool(
            config.workers.query_processes,
            config.limits,
            name="query",
            needs_sandbox=needs_sandbox,
            board=board,
            template=template,
        ),
        threads,
        template,
    )


def models(config: Config) -> Models:
    """Say where models of learned descriptors are."""
    return Models(config.paths.state / "models", map(_described, config.models))


def _described(model: ModelFile) -> ModelSpec:
    """Say what a model of the user's own has to be."""
    preprocessing = Preprocessing(
        side=model.side,
        resize=model.resize,
        layout=model.layout,
        dtype=model.dtype,
        mean=model.mean,
        deviation=model.deviation,
    )
    interface = Interface(preprocessing, input=model.input, output=model.output, pool=model.pool)
    return ModelSpec(model.name, LocalFile(os.fspath(model.file)), interface)


def vector_index(
    config: Config, store: Store, pause: Pause
) -> Callable[[ModelKey, int], VectorIndex]:
    """Say how learned descriptors are searched: by a graph on disk, once there are many."""
    folder = config.paths.state / "vectors"
    with store.read() as reader:
        owner = str(reader.meta("store_id"))
        known = {each.key for each in descriptors.models(reader)}
    # Of models that nobody uses any more.
    for left in set(os.listdir(folder) if folder.is_dir() else ()) - known:
        shutil.rmtree(folder / left, ignore_errors=True)

    def make(model: ModelKey, dimensions: int) -> VectorIndex:
        if not usearch_graph.is_installed():
            return ExactVectors(dimensions)
        return GraphVectors(
            folder / model, model=model, owner=owner, dimensions=dimensions, pause=pause
        )

    return make


def notifier(config: Config) -> Notifier:
    """Make the source of hints."""
    if config.watch.notifier == "none":
        return NoNotifier()
    if config.watch.notifier in {"auto", "inotify"} and sys.platform == "linux":
        return InotifyNotifier()
    return WatchdogNotifier(
        polling=config.watch.notifier == "polling", poll_seconds=config.watch.poll_seconds
    )


def decoder(config: Config) -> str:
    """Name what reads pictures: a file that killed another one may be fine with it."""
    limits = config.limits
    return (
        f"{decoder_versions()}, {limits.max_seconds:g} s, {limits.max_memory >> 20} MiB, "
        f"{limits.max_pixels} pixels"
    )


def store_options(config: Config) -> StoreOptions:
    """Say how the store is opened."""
    return StoreOptions(config.store.map_bytes, config.store.file_systems == "any")


def storekeeper_options(config: Config) -> StorekeeperOptions:
    """Say how the store is kept."""
    return StorekeeperOptions(
        state=config.paths.state,
        backup_days=config.store.backup_days,
        backups_kept=config.store.backups_kept,
    )


def indexer_options(config: Config, threads: int) -> IndexerOptions:
    """Say how files are read and stored, by so many threads."""
    return IndexerOptions(
        threads=threads,
        quiet_seconds=config.watch.quiet_seconds,
        batch_files=config.store.batch_files,
        batch_seconds=config.store.batch_seconds,
        min_free_bytes=config.store.min_free_bytes,
    )


def watcher_options(config: Config) -> WatcherOptions:
    """Say when the watcher looks."""
    return WatcherOptions(
        coalesce_seconds=config.watch.coalesce_seconds,
        rescan_seconds=config.watch.rescan_seconds,
        poll_seconds=config.watch.poll_seconds,
        blind_poll_seconds=config.watch.blind_poll_seconds,
        blind_poll_longest_seconds=config.watch.blind_poll_longest_seconds,
        confirm_seconds=config.watch.confirm_seconds,
        heartbeat_seconds=config.watch.heartbeat_seconds,
    )


def search_options(config: Config) -> SearchOptions:
    """Say how sure a hit has to be, and what a search may cost."""
    return SearchOptions(
        copy_distance=(
            verdicts.COPY_DISTANCE
            if config.search.copy_distance is None
            else config.search.copy_distance
        ),
        mean_difference=(
            verdicts.MEAN_DIFFERENCE
            if config.search.mean_difference is None
            else config.search.mean_difference
        ),
        pixel_comparisons=config.search.pixel_comparisons,
        verify_seconds=config.search.verify_seconds,
        budget_seconds=config.search.budget_seconds,
    )
