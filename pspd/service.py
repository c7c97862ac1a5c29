"""Every verb a frontend may call, each a few lines of delegation."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pspd import __version__, translation
from pspd.errors import PspError, RequestError
from pspd.features.extract import FEATURES_VERSION
from pspd.learned.trial import try_model
from pspd.rpc import wire
from pspd.store import batch, copies

if TYPE_CHECKING:
    from pspd.answering import Answering
    from pspd.details import Details
    from pspd.grouping import Grouping
    from pspd.indexer import Indexer
    from pspd.learned.installed import Models
    from pspd.noticeboard import NoticeBoard
    from pspd.previews import Previews
    from pspd.protection import Finding
    from pspd.reading import FileReader
    from pspd.roots import Roots
    from pspd.store.store import Store
    from pspd.store_care import Job
    from pspd.storekeeper import Storekeeper
    from pspd.telling_apart import TellingApart
    from pspd.upkeep import Upkeep
    from pspd.watcher.watcher import Watcher

MAX_FAILURES = 10_000
"""Largest page of failures."""


class Service:
    """Serves requests from any thread; everything it needs is given by the composition root."""

    def __init__(  # noqa: PLR0913 - every part by its name
        self,
        *,
        store: Store,
        roots: Roots,
        watcher: Watcher,
        indexer: Indexer,
        reader: FileReader,
        upkeep: Upkeep,
        storekeeper: Storekeeper,
        answering: Answering,
        models: Models,
        grouping: Grouping,
        previews: Previews,
        details: Details,
        telling_apart: TellingApart,
        board: NoticeBoard,
        protection: Sequence[Finding],
        keep: str,
        stop: Callable[[], None],
    ) -> None:
        self._store = store
        self._roots = roots
        self._watcher = watcher
        self._indexer = indexer
        self._reader = reader
        self._upkeep = upkeep
        self._storekeeper = storekeeper
        self._answering = answering
        self._models = models
        self._grouping = grouping
        self._previews = previews
        self._details = details
        self._telling_apart = telling_apart
        self._board = board
        self._protection = [translation.restriction(finding) for finding in protection]
        self._keep = keep
        self._stop = stop
        self._since = datetime.now(UTC).isoformat(timespec="seconds")

    def handle(  # noqa: C901, PLR0912 - one line a verb
        self, request: wire.Request, image: bytes | None, deadline: float
    ) -> wire.Reply | Future[wire.Reply]:
        """Serve one request.

        Raises:
            PspError: It cannot be served; the error has a code for the wire.
        """
        match request:
            case wire.Hello():
                return wire.Welcome("pspd", __version__, wire.PROTOCOL_VERSION, os.getpid())
            case wire.StatusRequest():
                return self._status()
            case wire.RootsRequest():
                return wire.RootsReply(self._roots.statuses())
            case wire.AddRoot():
                return wire.RootReply(self._roots.add(request))
            case wire.RemoveRoot():
                return wire.RootReply(self._roots.remove(request))
            case wire.ConfirmRoot():
                return wire.RootReply(self._roots.confirm(request))
            case wire.PauseRoot():
                return wire.RootReply(self._roots.pause(request))
            case wire.SearchRequest():
                return self._answering.search(request, image, deadline, self._freshness)
            case wire.WhyRequest():
                return self._answering.why(request, image)
            case wire.PictureRequest(image_id, longest, tags):
                digest = translation.image_id(image_id)
                found = self._previews.of_image(digest, longest, wants_tags=tags)
                return translation.picture(found)
            case wire.PreviewRequest(longest, tags):
                if not image:
                    raise RequestError("bad_request", "the image is wanted in a second frame")
                found = self._previews.of_query(image, longest, wants_tags=tags)
                return translation.picture(found)
            case wire.DetailRequest(image_id, part):
                digest = translation.image_id(image_id)
                return translation.detail(self._details.of_image(digest, translation.box(part)))
            case wire.PreviewDetailRequest(part):
                if not image:
                    raise RequestError("bad_request", "the image is wanted in a second frame")
                return translation.detail(self._details.of_query(image, translation.box(part)))
            case wire.SyncRequest():
                return self._sync()
            case wire.FailuresRequest(after, limit):
                return self._failures(after, limit)
            case wire.QuarantineRequest(retry, path):
                return self._quarantine(path, retry=retry)
            case wire.DuplicatesRequest():
                return self._duplicates(request)
            case wire.DistinctRequest():
                return self._telling_apart.answer(request)
            case wire.DistancesRequest():
                return wire.DistancesReply(self._answering.expected_hits())
            case wire.StartJob():
                return translation.job_reply(self._start_job(request), 0)
            case wire.JobRequest(number, after):
                return translation.job_reply(self._storekeeper.job(number), after)
            case wire.ModelsRequest():
                return self._model_states()
            case wire.ModelChange():
                return self._change_model(request)
            case wire.StopRequest():
                self._stop()
                return wire.Stopping(os.getpid())

    def progress(self) -> wire.ProgressEvent:
        """Return how far indexing is."""
        freshness = self._roots.freshness()
        return wire.ProgressEvent(
            freshness.indexed, freshness.pending, freshness.failed, self._indexer.rate
        )

    def _status(self) -> wire.StatusReply:
        roots = self._roots.statuses()
        kept = [root for root in roots if root.state != "removing"]
        learned = self._answering.describer.progress()
        with self._store.read() as reader:
            pictures = reader.meta("pictures")
            not_pictures = sum(counts.not_pictures for counts in reader.counts().values())
            uncompared = copies.count_uncompared(reader)
        return wire.StatusReply(
            pid=os.getpid(),
            version=__version__,
            protocol=wire.PROTOCOL_VERSION,
            roots=roots,
            indexed=sum(root.indexed for root in kept),
            pictures=pictures,
            pending=sum(root.pending for root in kept),
            failed=sum(root.failed for root in kept),
            not_pictures=not_pictures,
            stale=self._upkeep.stale,
            extracted=self._reader.extracted,
            rate=round(self._indexer.rate, 1),
            store_bytes=self._store.used_bytes(),
            since=self._since,
            features_version=FEATURES_VERSION,
            notifier=self._watcher.notifier_name,
            problem=self._indexer.problem,
            notices=[translation.notice(each) for each in self._board.notices()],
            counters=self._board.counters(),
            sandbox=self._reader.sandbox,
            protection=self._protection,
            uncompared=uncompared,
            model=learned.model,
            described=learned.described,
            describable=learned.describable,
            undescribed_because=learned.problem,
            threshold=self._answering.copy_distance,
            expected=self._answering.foreign_hits(),
            keep=self._keep,
        )

    def _sync(self) -> Future[wire.Reply]:
        """Scan every root, then wait until all that was queued by then was read."""
        reply: Future[wire.Reply] = Future()

        def scanned(scan: Future[None]) -> None:
            with _told_by(reply):
                _raise_when_stopping(scan)
                self._indexer.barrier().add_done_callback(served)

        def served(queue: Future[None]) -> None:
            with _told_by(reply):
                _raise_when_stopping(queue)
                reply.set_result(wire.SyncReply(self._freshness()))

        self._watcher.scan_all().add_done_callback(scanned)
        return reply

    def _model_states(self) -> wire.ModelsReply:
        return wire.ModelsReply([translation.model(state) for state in self._models.states()])

    def _change_model(self, request: wire.ModelChange) -> wire.ModelsReply:
        match request.action:
            case "add":
                file = None if request.path is None else Path(os.fsdecode(request.path))
                self._models.add(request.name, file, try_model, sha256=request.sha256)
            case "use":
                self._models.choose(request.name)
            case "remove":
                self._models.remove(request.name)
            case "pause" | "resume":
                self._models.pause(is_paused=request.action == "pause")
        self._answering.describer.look_again()
        return self._model_states()

    def _freshness(self, unverified: int = 0) -> wire.Freshness:
        return self._roots.freshness(
            stale=self._upkeep.stale, unverified=unverified, problem=self._indexer.problem
        )

    def _quarantine(self, path: bytes | None, *, retry: bool) -> wire.QuarantineReply:
        """List what is in quarantine; with `retry`, let it out and have its files read again.

        Raises:
            RequestError: Nothing was met at `path`.
        """
        with self._store.read() as reader:
            found = [
                (image_id, entry)
                for image_id, entry in reader.quarantine()
                if path in {None, os.fsencode(entry.path)}
            ]
        if path is not None and not found:
            raise RequestError(
                "bad_request",
                f"{wire.quoted(path)} is not in quarantine; see pspc quarantine",
            )
        if retry and found:
            self._indexer.apply([batch.DropQuarantine(image_id) for image_id, _ in found])
            # Those that are still in quarantine cost nothing but a look at their bytes.
            self._upkeep.retry_failures({entry.reason for _, entry in found})
        return wire.QuarantineReply([translation.quarantined(*each) for each in found])

    def _duplicates(self, request: wire.DuplicatesRequest) -> wire.DuplicatesReply:
        folders = self._roots.watched_places(request.paths)
        page = self._grouping.page(request.after, request.limit, folders)
        with self._store.read() as reader:
            uncompared = copies.count_uncompared(reader)
        return wire.DuplicatesReply(
            groups=[translation.group(group) for group in page.groups],
            total=page.total,
            waste=page.waste,
            uncompared=uncompared,
            freshness=self._freshness(),
            next=page.following,
        )

    def _start_job(self, request: wire.StartJob) -> Job:
        folder = None if request.path is None else Path(os.fsdecode(request.path))
        if folder is not None and not folder.is_absolute():
            raise RequestError("bad_request", "a backup's folder must be an absolute path")
        return self._storekeeper.begin(
            request.verb,
            is_deep=request.deep,
            part=request.part,
            parts=request.parts,
            folder=folder,
        )

    def _failures(self, after: bytes | None, limit: int) -> wire.FailuresReply:
        with self._store.read() as reader:
            page, following = reader.failures(after, max(1, min(limit, MAX_FAILURES)))
        return wire.FailuresReply([translation.failure(*each) for each in page], following)


@contextmanager
def _told_by(reply: Future[wire.Reply]) -> Iterator[None]:
    """Pass an error on to whoever waits: a future's callback that raises is only logged."""
    try:
        yield
    except PspError as error:
        reply.set_exception(error)


def _raise_when_stopping(future: Future[None]) -> None:
    if future.cancelled():
        raise RequestError("stopping", "the daemon is stopping")
