"""Translates what the daemon knows into messages: paths as bytes, times as text, digests as hex."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from pspd.core import verdict as verdicts
from pspd.core.disposition import disposition_of
from pspd.core.model import FailureReason, ImageId, Verdict
from pspd.core.view import Box
from pspd.found import Wishes
from pspd.learned.catalogue import Download, LocalFile, Package
from pspd.rpc import wire
from pspd.verify.drawing import png

if TYPE_CHECKING:
    from pspd.core.model import QuarantineEntry
    from pspd.core.proof import Proof
    from pspd.details import Detail
    from pspd.explaining import Explanation
    from pspd.found import Found, Hit
    from pspd.grouping import FileGroup
    from pspd.learned.installed import ModelState
    from pspd.noticeboard import Notice
    from pspd.previews import Preview
    from pspd.protection import Finding
    from pspd.store_care import Job

_GROUP_VERDICTS: Final[
    dict[Verdict | None, Literal["best", "same_file", "same_pixels", "copy"]]
] = {
    None: "best",
    Verdict.SAME_FILE: "same_file",
    Verdict.SAME_PIXELS: "same_pixels",
    Verdict.COPY: "copy",
}

MAX_FINDINGS = 1000
"""Largest page of a job's findings."""


def explanation(found: Explanation) -> wire.WhyReply:
    """Say what joins or parts two images."""
    return wire.WhyReply(
        verdict="" if found.verdict is None else found.verdict.value,
        reasons=[
            wire.Reason(each.tier, each.says, each.text, each.value, each.threshold, each.setting)
            for each in found.reasons
        ],
        proof=None if found.proof is None else proof(found.proof),
        picture=b"" if found.drawing is None else png(found.drawing),
    )


def image_id(digest: str) -> ImageId:
    """Read a content digest; the wire has seen to its form."""
    return ImageId(bytes.fromhex(digest))


def picture(found: Preview) -> wire.PictureReply:
    """Show a picture, and say what is known of it."""
    return wire.PictureReply(
        picture=found.shown.content,
        width=found.shown.width,
        height=found.shown.height,
        size=found.size,
        format=found.format,
        image=found.image_id.hex(),
        frames=found.frames,
        channels=found.channels,
        orientation=found.orientation,
        paths=[os.fsencode(path) for path in found.paths],
        tags=list(found.shown.tags),
    )


def detail(found: Detail) -> wire.DetailReply:
    """Show a part of a picture."""
    return wire.DetailReply(found.content, found.width, found.height)


def box(part: wire.Rectangle) -> Box:
    """Read a part of a picture."""
    return Box(part.left, part.top, part.width, part.height)


def restriction(finding: Finding) -> wire.Restriction:
    """Say whether one of the unit's restrictions holds."""
    return wire.Restriction(finding.setting, finding.holds, finding.is_promised)


def notice(posted: Notice) -> wire.Notice:
    """Say what is on the notice board."""
    return wire.Notice(posted.area, posted.cause, posted.cure, os.fsencode(posted.path))


def failure(path: str, reason: str, message: str) -> wire.FailureEntry:
    """Say why a file could not be indexed, and what is to be expected of that."""
    disposition = disposition_of(FailureReason(reason))
    return wire.FailureEntry(os.fsencode(path), reason, message, disposition)


def quarantined(image_id: ImageId, entry: QuarantineEntry) -> wire.QuarantineEntry:
    """Say what is in quarantine."""
    when = datetime.fromtimestamp(entry.when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return wire.QuarantineEntry(
        path=os.fsencode(entry.path),
        reason=entry.reason,
        message=entry.message,
        when=when,
        deaths=entry.deaths,
        decoder=entry.decoder,
        image=image_id.hex(),
    )


def job_reply(job: Job, after: int) -> wire.JobReply:
    """Say how far a job is, with the findings that follow the first `after`."""
    is_finished = job.is_finished  # before the rest is read, which no longer changes then
    return wire.JobReply(
        job=job.number,
        step=job.progress.step,
        done=job.progress.done,
        total=job.progress.total,
        finished=is_finished,
        findings=[
            wire.Finding(finding.level, finding.text)
            for finding in job.findings[after : after + MAX_FINDINGS]
        ],
        found=job.found,
        summary=job.summary,
        restart=job.needs_restart,
        error="" if job.error is None else str(job.error),
    )


def group(found: FileGroup) -> wire.Group:
    """Say which files are copies of a best one."""
    return wire.Group(
        files=[
            wire.GroupFile(
                path=os.fsencode(file.path),
                verdict=_GROUP_VERDICTS[file.verdict],
                distance=file.distance,
                turn=file.turn,
                width=file.image.width,
                height=file.image.height,
                size=file.image.size,
                format=file.image.format,
                image=file.image.image_id.hex(),
            )
            for file in found.files
        ],
        waste=found.waste,
        total=found.total,
        first=found.first,
    )


def wishes(request: wire.SearchRequest, distance: int | None) -> Wishes:
    """Say what a search is to find, within this distance."""
    part = request.part
    return Wishes(
        mode=request.mode,
        distance=distance,
        part=None if part is None else box(part),
        effort=request.effort,
        wants_alike=request.alike,
        seconds=None if request.budget_ms is None else request.budget_ms / 1000,
    )


def query(found: Found) -> wire.QueryInfo:
    """Say what the query is."""
    query = found.query
    return wire.QueryInfo(
        width=query.width,
        height=query.height,
        size=query.size,
        format=query.format,
        image=query.image_id.hex(),
        frames=query.frames,
        orientation=query.orientation,
        quality=query.quality,
        flat=query.quality < verdicts.FLAT_QUALITY,
    )


def hit(hit: Hit, found: Found) -> wire.Hit:
    """Say what was found, as seen from the query."""
    image = hit.found.image
    return wire.Hit(
        path=os.fsencode(hit.path),
        verdict=hit.found.verdict.value,
        distance=hit.found.distance,
        turn=hit.found.turn,
        width=image.width,
        height=image.height,
        size=image.size,
        format=image.format,
        image=image.image_id.hex(),
        frames=image.frames,
        channels=image.channels,
        orientation=image.orientation,
        upright=image.orientation != found.query.orientation,
        quality=image.quality,
        likeness=hit.found.likeness,
        proof=None if hit.found.proof is None else proof(hit.found.proof),
    )


def proof(found: Proof) -> wire.Proof:
    """Say where one picture lies in the other."""
    return wire.Proof(
        transform=list(found.transform),
        quadrilateral=list(found.quadrilateral),
        query_quadrilateral=list(found.query_quadrilateral),
        query_share=found.query_share,
        indexed_share=found.indexed_share,
        angle=found.angle,
        mirrored=found.mirrored,
        inliers=found.inliers,
        agreement=found.agreement,
        colour=found.colour,
    )


def model(state: ModelState) -> wire.ModelStatus:
    """Say how it is with a model of learned descriptors."""
    source, origin, size, sha256 = _origin(state)
    return wire.ModelStatus(
        name=state.spec.name,
        chosen=state.is_chosen,
        usable=not state.problem,
        problem=state.problem,
        key=state.key or "",
        dimension=state.dimension,
        source=source,
        origin=origin,
        size=state.size or size,
        sha256=state.sha256 or sha256,
        licence=state.spec.licence,
    )


def _origin(state: ModelState) -> tuple[Literal["package", "download", "file"], bytes, int, str]:
    """Return the kind of a model's source, what it is, and size and digest of what lies there."""
    match state.spec.source:
        case Package(name):
            return "package", name.encode(), 0, state.spec.sha256
        case Download(url, size, sha256):
            return "download", url.encode(), size, sha256
        case LocalFile(path):
            return "file", os.fsencode(path), 0, ""
