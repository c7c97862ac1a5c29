"""Replies about how a library is kept → JSON documents: folders, state, failures, checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from pspc.documents import path_base64, path_text
from pspc.render import state_word
from pspc.schema import (
    BackupDocument,
    CheckDocument,
    FailureDocument,
    FailuresDocument,
    FindingDocument,
    ModelDocument,
    ModelsDocument,
    NoticeDocument,
    QuarantineDocument,
    QuarantineEntryDocument,
    RestrictionDocument,
    RootDocument,
    RootsDocument,
    StatusDocument,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pspd.rpc import wire


def root(status: wire.RootStatus) -> RootDocument:
    """Make the document of a watch root."""
    return RootDocument(
        path=path_text(status.path),
        path_base64=path_base64(status.path),
        state=state_word(status),
        indexed=status.indexed,
        pending=status.pending,
        failed=status.failed,
        include=status.include,
        exclude=status.exclude,
        hidden=status.hidden,
        problem=status.problem,
    )


def roots(statuses: Iterable[wire.RootStatus]) -> RootsDocument:
    """Make the document of all watch roots."""
    return RootsDocument(roots=[root(one) for one in statuses])


def status(reply: wire.StatusReply) -> StatusDocument:
    """Make the document of the daemon's state."""
    return StatusDocument(
        pid=reply.pid,
        version=reply.version,
        protocol=reply.protocol,
        since=reply.since,
        roots=[root(one) for one in reply.roots],
        indexed=reply.indexed,
        pictures=reply.pictures,
        pending=reply.pending,
        failed=reply.failed,
        not_pictures=reply.not_pictures,
        stale=reply.stale,
        extracted=reply.extracted,
        rate=reply.rate,
        store_bytes=reply.store_bytes,
        features_version=reply.features_version,
        notifier=reply.notifier,
        problem=reply.problem,
        notices=[
            NoticeDocument(
                area=notice.area,
                cause=notice.cause,
                cure=notice.cure,
                path=path_text(notice.path),
                path_base64=path_base64(notice.path),
            )
            for notice in reply.notices
        ],
        counters=reply.counters,
        sandbox=reply.sandbox,
        protection=[
            RestrictionDocument(setting=each.setting, holds=each.holds, promised=each.promised)
            for each in reply.protection
        ],
        uncompared=reply.uncompared,
        model=reply.model,
        described=reply.described,
        describable=reply.describable,
        undescribed_because=reply.undescribed_because,
        threshold=reply.threshold,
        expected=UNSET if reply.expected is None else reply.expected,
    )


def failures(entries: Iterable[wire.FailureEntry]) -> FailuresDocument:
    """Make the document of the files that could not be indexed."""
    return FailuresDocument(
        failures=[
            FailureDocument(
                path=path_text(entry.path),
                path_base64=path_base64(entry.path),
                reason=entry.reason,
                message=entry.message,
                disposition=entry.disposition,
            )
            for entry in entries
        ]
    )


def quarantine(entries: Iterable[wire.QuarantineEntry]) -> QuarantineDocument:
    """Make the document of what is in quarantine."""
    return QuarantineDocument(
        quarantine=[
            QuarantineEntryDocument(
                path=path_text(entry.path),
                path_base64=path_base64(entry.path),
                reason=entry.reason,
                message=entry.message,
                when=entry.when,
                deaths=entry.deaths,
                decoder=entry.decoder,
                image=entry.image,
            )
            for entry in entries
        ]
    )


def check(findings: Iterable[wire.Finding], reply: wire.JobReply) -> CheckDocument:
    """Make the document of what a check or a repair found and did."""
    return CheckDocument(
        found=reply.found,
        findings=[
            FindingDocument(level=finding.level, text=path_text(finding.text))
            for finding in findings
        ],
        summary=reply.summary,
        restart=reply.restart,
    )


def models(statuses: Iterable[wire.ModelStatus]) -> ModelsDocument:
    """Make the document of the models."""
    return ModelsDocument(
        models=[
            ModelDocument(
                name=status.name,
                chosen=status.chosen,
                usable=status.usable,
                problem=path_text(status.problem),
                key=status.key,
                dimension=status.dimension,
                source=status.source,
                origin=path_text(status.origin),
                bytes=status.size,
                sha256=status.sha256,
                licence=status.licence,
            )
            for status in statuses
        ]
    )


def backup(reply: wire.JobReply) -> BackupDocument:
    """Make the document of a backup."""
    path = reply.summary.encode("utf-8", "surrogateescape")
    return BackupDocument(path=path_text(path), path_base64=path_base64(path))
