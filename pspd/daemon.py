"""The composition root: builds the daemon bottom-up, runs it, stops it in reverse.

claim (locks, fronts) → store → index → workers → reader → indexer → watcher → upkeep →
comparer → searcher → service → rpc
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pspd import __version__, choices
from pspd.claim import Claim
from pspd.comparing import Comparer
from pspd.config import Config
from pspd.copy_search import CopySearch
from pspd.core import verdict as verdicts
from pspd.descriptor_tier import DescriptorTier
from pspd.distinctions import Distinctions
from pspd.ending import (
    BATCH_SECONDS,
    HANDS_SECONDS,
    SERVER_SECONDS,
    STORE_SECONDS,
    WORKERS_SECONDS,
    Ending,
    guard_end,
)
from pspd.errors import PartDied, SocketGone, StartBrokenOff, StoreError
from pspd.grouping import Grouping
from pspd.host import StopSignal, prepare_process, watched_threads
from pspd.indexer import Indexer
from pspd.log import get_logger
from pspd.noticeboard import NoticeBoard
from pspd.notify_service import ServiceNotifier
from pspd.precedence import Precedence
from pspd.protection import Finding, inspect, notice_of
from pspd.quarantine import Quarantine
from pspd.reading import FileReader
from pspd.roots import Roots
from pspd.rpc import wire
from pspd.rpc.server import RpcServer
from pspd.search.index import Index
from pspd.search.multi_index import MultiIndex
from pspd.searching import searching
from pspd.service import Service
from pspd.spare_memory import SpareMemory
from pspd.store.batch import PathChange
from pspd.store.opened_store import OpenedStore
from pspd.store.opening import open_store
from pspd.storekeeper import Storekeeper
from pspd.supervision import Supervisor
from pspd.telling_apart import TellingApart
from pspd.upkeep import Upkeep
from pspd.watcher.roots import inode_of
from pspd.watcher.watcher import Watcher

PROGRESS_SECONDS = 0.5
"""How often subscribers are told how far indexing is, while it is under way."""

UNREADABLE_SECONDS = 10.0
"""How long the store may be unreadable before the daemon ends; its successor opens it anew."""

_log = get_logger(__name__)


def run(config: Config, environ: Mapping[str, str], claim: Claim) -> None:
    """Run until told to stop.

    Raises:
        StoreError: The store cannot be opened.
        AddressError: The sockets cannot be made.
        SocketGone: They are where nobody finds them any more.
        PartDied: A part of the daemon died.
    """
    stop = StopSignal()
    prepare_process(stop)
    notifier = ServiceNotifier(environ)
    deaths: list[str] = []
    guard_end(stop, lambda: PartDied.exit_status if deaths else 0)
    with watched_threads(stop, deaths), Ending() as ending:
        try:
            opened, index = _open_store(config, ending, stop, claim)
            end = _End(stop, deaths)
            service, server = _start_parts(config, ending, opened, index, end, claim)
            # What is there by now stays; to look through it for cycles held up searches for 10 ms.
            gc.freeze()
            notifier.ready()
            _log.info("ready", version=__version__, pid=os.getpid(), state=config.paths.state)
            _stay(service, server, notifier, stop)
        except StartBrokenOff as error:
            _log.info("the start is broken off", reason=error)
        except BaseException:
            deaths.append("main")
            raise
        finally:
            stop.set()
        _log.info("stopping")
        notifier.stopping()
    if deaths:
        raise PartDied(f"a part of the daemon died: {deaths[0]}; its log has the details")
    _log.info("stopped")


@dataclass(frozen=True, slots=True)
class _End:
    """How parts end the daemon: because somebody asked, or because one of them is dead."""

    stop: StopSignal
    deaths: list[str]

    def for_want_of(self, part: str) -> None:
        """End it because a part cannot be kept alive."""
        self.deaths.append(part)
        self.stop.set()


def _open_store(
    config: Config, ending: Ending, stop: StopSignal, claim: Claim
) -> tuple[OpenedStore, Index]:
    """Open the store and read the index out of its columns."""
    opened = open_store(
        config.paths.state,
        choices.store_options(config),
        is_stopping=lambda: stop.wait(0.0),
        look=claim.look,
    )
    ending.add("store", opened.close, seconds=STORE_SECONDS)
    index = MultiIndex(flat_quality=verdicts.FLAT_QUALITY)
    opened.fill(index)
    return opened, index


def _start_parts(  # noqa: PLR0913, PLR0917 - what the parts are made of
    config: Config,
    ending: Ending,
    opened: OpenedStore,
    index: Index,
    end: _End,
    claim: Claim,
) -> tuple[Service, RpcServer]:
    """Start every part, each after those it needs; they are ended in reverse."""
    store = opened.store
    board = claim.board
    pools = choices.pools(config, board)
    if pools.template is not None:
        ending.add("template", pools.template.close, seconds=WORKERS_SECONDS)
    for pool in (pools.indexing, pools.queries):
        ending.add("workers", pool.close, seconds=WORKERS_SECONDS)
        pool.start()
    folders = (config.paths.state, config.paths.runtime)
    own = [inode for folder in folders if (inode := inode_of(os.fspath(folder))) is not None]
    quarantine = Quarantine(store, choices.decoder(config))
    precedence = Precedence()
    file_reader = FileReader(
        store,
        pools.indexing,
        quarantine,
        quiet_seconds=config.watch.quiet_seconds,
        max_delay_seconds=config.watch.max_delay_seconds,
        incomplete_seconds=config.watch.incomplete_seconds,
        pause=precedence.pause,
    )
    tier = DescriptorTier(store, choices.vector_index(config, store, precedence.pause))
    audience = _Audience()
    supervisor = Supervisor(board, end.for_want_of)
    indexer = Indexer(
        store,
        index,
        file_reader,
        choices.indexer_options(config, pools.threads),
        audience,
        make_thread=supervisor,
        pause=precedence.pause,
        follower=tier,
    )
    watcher = Watcher(
        store,
        lambda: choices.notifier(config),
        indexer,
        choices.watcher_options(config),
        board,
        own=own,
        folder=config.paths.state / "heartbeat",
        make_thread=supervisor,
        pause=precedence.pause,
    )
    upkeep = Upkeep(
        store,
        indexer,
        file_reader,
        limits=config.limits,
        keep_removed_days=config.store.keep_removed_days,
        make_thread=supervisor,
    )
    storekeeper = Storekeeper(
        opened=opened,
        indexer=indexer,
        reader=file_reader,
        rescan=watcher.scan_all,
        board=board,
        stop=end.stop.set,
        give_up=end.for_want_of,
        options=choices.storekeeper_options(config),
        make_thread=supervisor,
        pause=precedence.pause,
    )
    options = choices.search_options(config)
    how_alike = options.copy_distance, options.mean_difference
    # Somebody waits for a list of groups, and nobody for what compares each picture.
    distinctions = Distinctions(config.paths.state)
    grouping = Grouping(store, CopySearch(store, index, *how_alike), distinctions)
    models = choices.models(config)
    found_by = searching(
        store=store,
        index=index,
        indexer=indexer,
        tier=tier,
        models=models,
        quarantine=quarantine,
        pools=pools,
        options=options,
        max_hits=config.search.max_hits,
        needs_sandbox=config.workers.sandbox == "require",
        board=board,
        precedence=precedence,
        resting=watcher.resting,
        make_thread=supervisor,
    )

    spare_memory = SpareMemory()

    def at_leisure() -> None:
        grouping.forget_unused()
        found_by.distances.refresh()
        spare_memory.give_back()

    comparer = Comparer(
        store,
        indexer,
        CopySearch(store, index, *how_alike, precedence.pause),
        pause=precedence.pause,
        make_thread=supervisor,
        at_leisure=at_leisure,
    )
    service = Service(
        store=store,
        roots=Roots(store, watcher, indexer.apply, own),
        watcher=watcher,
        indexer=indexer,
        reader=file_reader,
        upkeep=upkeep,
        storekeeper=storekeeper,
        answering=found_by.answering,
        models=models,
        grouping=grouping,
        previews=found_by.previews,
        details=found_by.details,
        telling_apart=TellingApart(store, distinctions),
        board=board,
        protection=_protection(board),
        keep=config.duplicates.keep,
        stop=end.stop.set,
    )
    audience.watcher = watcher
    server = audience.server = _start_server(config, ending, service, claim)
    indexer.start()
    ending.add("indexer", indexer.close, seconds=BATCH_SECONDS, tell=indexer.retire)
    hands: dict[str, Watcher | Upkeep | Storekeeper | Comparer] = {
        "watcher": watcher,
        "upkeep": upkeep,
        "storekeeper": storekeeper,
        "comparer": comparer,
    }
    for name, part in hands.items():
        part.start()
        ending.add(name, part.close, seconds=HANDS_SECONDS, tell=part.retire)
    found_by.start()
    ending.add("describer", found_by.close, seconds=HANDS_SECONDS, tell=found_by.retire)
    ending.add("supervisor", lambda _: None, seconds=0.0, tell=supervisor.close)
    return service, server


def _protection(board: NoticeBoard) -> list[Finding]:
    """See which of the unit's restrictions hold, and tell of those that do not."""
    findings = inspect(os.environ)
    notice = notice_of(findings)
    if notice is not None:
        _log.warning("the service is not as protected as its unit says", cause=notice.cause)
        board.post("protection", notice)
    return findings


def _start_server(config: Config, ending: Ending, service: Service, claim: Claim) -> RpcServer:
    server = RpcServer(claim.fronts, service, threads=config.search.threads)
    server.start()
    ending.add("server", server.close, seconds=SERVER_SECONDS, tell=server.retire)
    return server


def _stay(service: Service, server: RpcServer, notifier: ServiceNotifier, stop: StopSignal) -> None:
    """Wait for the end; tell subscribers and systemd that all is well meanwhile.

    Raises:
        SocketGone: Nobody can reach the daemon any more.
        StoreError: The store has been unreadable for too long.
    """
    last: wire.ProgressEvent | None = None
    readable_at = time.monotonic()
    interval = min(PROGRESS_SECONDS, notifier.liveness_interval() or PROGRESS_SECONDS)
    while not stop.wait(interval):
        notifier.alive()
        if not server.is_reachable():
            raise SocketGone(
                "the daemon's sockets were removed or replaced, so that nobody can reach it any "
                "more; start it again"
            )
        try:
            progress = service.progress()
        except StoreError as error:
            _log.error("the store cannot be read", error=error)
            if time.monotonic() - readable_at > UNREADABLE_SECONDS:
                raise
            continue
        readable_at = time.monotonic()
        if progress != last:
            server.publish(progress)
            last = progress


class _Audience:
    """Passes on what the indexer tells, once there is somebody to tell it to."""

    def __init__(self) -> None:
        self.server: RpcServer | None = None
        self.watcher: Watcher | None = None

    def announce(self, changes: Sequence[PathChange]) -> None:
        if self.server is None or not self.server.is_heard:
            return
        for change in changes:
            old_path = None if change.old_path is None else os.fsencode(change.old_path)
            self.server.publish(wire.ChangeEvent(change.kind, os.fsencode(change.path), old_path))

    def look_at(self, path: str, seconds: float = 0.0) -> None:
        if self.watcher is not None:
            self.watcher.look_at(path, seconds)
