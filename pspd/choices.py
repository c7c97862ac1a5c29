"""What the configuration chooses: the options of each part, and which implementations there are.

The composition root builds the parts; here stands what it tells each of them, so that a key of the
configuration is turned into an option in one place.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pspd.committing import Options as IndexerOptions
from pspd.core import verdict as verdicts
from pspd.features.extras import decoder_versions
from pspd.host import usable_cores
from pspd.searcher import Options as SearchOptions
from pspd.store.opening import Options as StoreOptions
from pspd.store_rounds import Options as StorekeeperOptions
from pspd.watcher.inotify_notifier import InotifyNotifier
from pspd.watcher.keeper import Options as WatcherOptions
from pspd.watcher.notify import NoNotifier, Notifier
from pspd.watcher.watchdog_notifier import WatchdogNotifier
from pspd.workers.pool import WorkerPool
from pspd.workers.template import Template

if TYPE_CHECKING:
    from pspd.config import Config
    from pspd.noticeboard import NoticeBoard


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
    )
