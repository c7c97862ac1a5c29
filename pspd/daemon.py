"""The composition root: builds the daemon bottom-up, runs it, stops it in reverse.

lock → store → index → workers → reader → indexer → watcher → upkeep → searcher → service → rpc
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from traceback import format_exception

from pspd import __version__
from pspd.config import Config
from pspd.core import verdict as verdicts
from pspd.errors import AddressError, PartDied
from pspd.indexer import Indexer
from pspd.indexer import Options as IndexerOptions
from pspd.lock import only_daemon
from pspd.log import get_logger
from pspd.notify_service import ServiceNotifier
from pspd.reading import FileReader
from pspd.roots import Roots
from pspd.rpc import wire
from pspd.rpc.server import RpcServer
from pspd.rpc.wire import quoted
from pspd.search.linear import LinearIndex
from pspd.searcher import Options as SearchOptions
from pspd.searcher import Searcher
from pspd.service import Service
from pspd.store.batch import PathChange
from pspd.store.store import Store
from pspd.upkeep import Upkeep
from pspd.watcher.notify import NoNotifier, Notifier
from pspd.watcher.roots import inode_of
from pspd.watcher.watchdog_notifier import WatchdogNotifier
from pspd.watcher.watcher import Options as WatcherOptions
from pspd.watcher.watcher import Watcher
from pspd.workers.pool import WorkerPool

PROGRESS_SECONDS = 0.5
"""How often subscribers are told how far indexing is, while it is under way."""

SWITCH_SECONDS = 5e-5
"""How long a thread of pure Python keeps the interpreter from others that wait for it."""

OPEN_FILES = 65_536
"""Descriptors the daemon asks for: libzmq ends the process when an ipc listener has none left."""

_log = get_logger(__name__)


def run(config: Config, environ: Mapping[str, str]) -> None:
    """Run until told to stop.

    Raises:
        AlreadyRunning: Another daemon has the store.
        StoreError: The store cannot be opened.
        AddressError: The sockets cannot be made.
    """
    stopping = threading.Event()
    _prepare_process(stopping)
    notifier = ServiceNotifier(environ)
    with ExitStack() as stack:
        deaths = stack.enter_context(_watched_threads(stopping))
        service, server = _build(config, stack, stopping)
        notifier.ready()
        _log.info("ready", version=__version__, pid=os.getpid(), state=config.paths.state)
        _stay(service, server, notifier, stopping)
        _log.info("stopping")
        notifier.stopping()
    if deaths:
        raise PartDied(f"a part of the daemon died: {deaths[0]}; its log has the details")
    _log.info("stopped")


def _build(
    config: Config, stack: ExitStack, stopping: threading.Event
) -> tuple[Service, RpcServer]:
    """Start every part, each after those it needs; the stack stops them in reverse."""
    state, runtime = config.paths.state, config.paths.runtime
    for folder in (state, runtime):
        _make_private(folder)
    stack.enter_context(only_daemon(state))
    store = Store(state / "store", map_bytes=config.store.map_bytes)
    stack.callback(store.close)
    index = LinearIndex(flat_quality=verdicts.FLAT_QUALITY)
    with store.read() as store_reader:
        index.put(store_reader.rows())

    threads = config.workers.processes or len(_usable_cores())
    pool = WorkerPool(threads, config.limits, name="indexing", nice=config.workers.nice)
    query_pool = WorkerPool(config.workers.query_processes, config.limits, name="query")
    for each in (pool, query_pool):
        stack.callback(each.close)
        each.start()
    file_reader = FileReader(
        store,
        pool,
        quiet_seconds=config.watch.quiet_seconds,
        max_delay_seconds=config.watch.max_delay_seconds,
    )
    announcer = _Announcer()
    indexer = Indexer(
        store, index, file_reader, _indexer_options(config, threads), announcer.announce
    )
    watcher = Watcher(
        store,
        lambda: _notifier(config),
        indexer.hand_on,
        _watcher_options(config),
        own=[inode for folder in (state, runtime) if (inode := inode_of(os.fspath(folder)))],
    )
    upkeep = Upkeep(store, indexer, file_reader, keep_removed_days=config.store.keep_removed_days)
    searcher = Searcher(store, index, query_pool, _search_options(config), indexer.apply)
    service = Service(
        store=store,
        roots=Roots(store, watcher, indexer.apply),
        watcher=watcher,
        indexer=indexer,
        reader=file_reader,
        upkeep=upkeep,
        searcher=searcher,
        max_hits=config.search.max_hits,
        stop=stopping.set,
    )
    server = RpcServer(
        f"ipc://{runtime / wire.SOCKET_NAME}",
        f"ipc://{runtime / wire.EVENTS_SOCKET_NAME}",
        service,
        threads=config.search.threads,
    )
    server.start()
    stack.callback(server.close)
    announcer.server = server
    for part in (indexer, watcher, upkeep):
        part.start()
        stack.callback(part.close)
    return service, server


@contextmanager
def _watched_threads(stopping: threading.Event) -> Iterator[list[str]]:
    """End the daemon when one of its own threads dies: a part alone would only hang its clients.

    Yields the names of those that did. A notifier's threads are not the daemon's own: the watcher
    replaces them.
    """
    deaths: list[str] = []
    previous = threading.excepthook

    def note(arguments: threading.ExceptHookArgs) -> None:
        name = arguments.thread.name if arguments.thread is not None else "?"
        error = arguments.exc_value
        _log.error("a thread died", thread=name, traceback="".join(format_exception(error)))
        if name.startswith(("pspd-", "rpc-")):
            deaths.append(name)
            stopping.set()

    threading.excepthook = note
    try:
        yield deaths
    finally:
        threading.excepthook = previous


def _stay(
    service: Service, server: RpcServer, notifier: ServiceNotifier, stopping: threading.Event
) -> None:
    """Wait for the end; tell subscribers and systemd that all is well meanwhile."""
    last: wire.ProgressEvent | None = None
    interval = min(PROGRESS_SECONDS, notifier.liveness_interval() or PROGRESS_SECONDS)
    while not stopping.wait(interval):
        notifier.alive()
        progress = service.progress()
        if progress != last:
            server.publish(progress)
            last = progress


class _Announcer:
    """Passes changes to the server once there is one."""

    def __init__(self) -> None:
        self.server: RpcServer | None = None

    def announce(self, changes: Sequence[PathChange]) -> None:
        if self.server is None:
            return
        for change in changes:
            old_path = None if change.old_path is None else os.fsencode(change.old_path)
            self.server.publish(wire.ChangeEvent(change.kind, os.fsencode(change.path), old_path))


def _notifier(config: Config) -> Notifier:
    if config.watch.notifier == "none":
        return NoNotifier()
    return WatchdogNotifier(
        polling=config.watch.notifier == "polling", poll_seconds=config.watch.poll_seconds
    )


def _indexer_options(config: Config, threads: int) -> IndexerOptions:
    return IndexerOptions(
        threads=threads,
        quiet_seconds=config.watch.quiet_seconds,
        batch_files=config.store.batch_files,
        batch_seconds=config.store.batch_seconds,
    )


def _watcher_options(config: Config) -> WatcherOptions:
    return WatcherOptions(
        coalesce_seconds=config.watch.coalesce_seconds,
        rescan_seconds=config.watch.rescan_seconds,
        poll_seconds=config.watch.poll_seconds,
    )


def _search_options(config: Config) -> SearchOptions:
    return SearchOptions(
        copy_distance=config.search.copy_distance,
        pixel_comparisons=config.search.pixel_comparisons,
        verify_seconds=config.search.verify_seconds,
    )


def _prepare_process(stopping: threading.Event) -> None:
    """Set what holds for the whole process: signals, umask, descriptors."""
    os.umask(0o077)
    # numpy gives the interpreter up in every call and gets it back only after this time when a
    # thread of pure Python is busy: a scan over a million hashes took 246 ms so at the default of
    # 5 ms, and takes 6 ms at this (alone: 0.7 ms).
    sys.setswitchinterval(SWITCH_SECONDS)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    # A broken lease is told by SIGIO, which ends a process that does not expect it.
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _make_private(folder: Path) -> None:
    """Make a folder for the user alone, or see that nobody else can put anything into it.

    Raises:
        AddressError: Others can: they could put their own socket or store there.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise AddressError(
            f"{quoted(str(folder))} belongs to another user or can be written by others; "
            f"choose another folder by PSP_HOME, or: chmod go-w {quoted(str(folder))}"
        )


def _usable_cores() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))
