"""Replies → the JSON documents of `--json`, whose shape is in `pspc.schema`."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

from pspc.schema import (
    DuplicatesDocument,
    ErrorDocument,
    FailedQueryDocument,
    FailedResultDocument,
    FreshnessDocument,
    GroupDocument,
    GroupFileDocument,
    HitDocument,
    ProofDocument,
    QueryDocument,
    ReasonDocument,
    ResultDocument,
    ResultsDocument,
    WhyDocument,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pspc.errors import PspcError
    from pspd.rpc import wire

_HARMLESS = "\n\u3000\u00a0"
"""Not printable by `str.isprintable`, and harmless; the spaces are those of `printable`."""


def text_of(document: msgspec.Struct) -> str:
    r"""Return a document as indented JSON; what cannot be seen in it is written as `\uXXXX`.

    JSON wants that of C0 controls alone, but terminals obey C1 and bidirectional ones as well, and
    outside of strings a document has none.
    """
    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    return "".join(
        char if char.isprintable() or char in _HARMLESS else _escaped(char) for char in text
    )


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(
        f"\\u{high:02x}{low:02x}" for high, low in zip(units[::2], units[1::2], strict=True)
    )


def path_text(path: str | bytes) -> str:
    """Return a path as JSON can carry it."""
    encoded = path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape")
    return encoded.decode("utf-8", "backslashreplace")


def path_base64(path: bytes) -> str | UnsetType:
    """Return the exact bytes of a path, for those that `path_text` cannot show."""
    try:
        path.decode()
    except UnicodeDecodeError:
        return base64.b64encode(path).decode("ascii")
    return UNSET


def result(source: str, reply: wire.SearchReply) -> ResultDocument:
    """Make the document of one answered query."""
    query = reply.query
    return ResultDocument(
        query=QueryDocument(
            source=path_text(source),
            width=query.width,
            height=query.height,
            bytes=query.size,
            format=query.format,
            image=query.image,
            frames=query.frames,
            orientation=query.orientation,
            quality=query.quality,
            flat=query.flat,
        ),
        hits=[hit(each) for each in reply.hits],
        total=reply.total,
        elapsed_ms=reply.elapsed_ms,
        threshold=reply.threshold,
        expected=UNSET if reply.expected is None else reply.expected,
        freshness=freshness(reply.freshness),
    )


def why(reply: wire.WhyReply) -> WhyDocument:
    """Make the document of what joins or parts two pictures."""
    return WhyDocument(
        verdict=reply.verdict,
        reasons=[
            ReasonDocument(
                tier=each.tier,
                says=each.says,
                text=each.text,
                value=each.value,
                threshold=each.threshold,
                setting=each.setting,
            )
            for each in reply.reasons
        ],
        proof=UNSET if reply.proof is None else _proof(reply.proof),
    )


def failed_result(source: str, error: PspcError) -> FailedResultDocument:
    """Make the document of a query that could not be answered."""
    return FailedResultDocument(
        query=FailedQueryDocument(source=path_text(source)),
        error=ErrorDocument(
            code=getattr(error, "code", "source"),
            reason=getattr(error, "reason", ""),
            message=path_text(str(error)),
        ),
    )


def results(
    documents: Iterable[ResultDocument | FailedResultDocument],
) -> ResultsDocument:
    """Make the document of several queries."""
    return ResultsDocument(results=list(documents))


def duplicates(pages: Sequence[wire.DuplicatesReply], left_out: int) -> DuplicatesDocument:
    """Make the document of the groups on all pages, and of how many files are in none of them."""
    groups: list[GroupDocument] = []
    for group in (group for page in pages for group in page.groups):
        files = [_group_file(file) for file in group.files]
        if group.first and groups:
            groups[-1].files.extend(files)
        else:
            groups.append(GroupDocument(waste=group.waste, files=files))
    last = pages[-1]
    return DuplicatesDocument(
        groups=groups,
        total=last.total,
        waste=last.waste,
        left_out=left_out,
        uncompared=last.uncompared,
        freshness=freshness(last.freshness),
    )


def _group_file(file: wire.GroupFile) -> GroupFileDocument:
    return GroupFileDocument(
        path=path_text(file.path),
        path_base64=path_base64(file.path),
        verdict=file.verdict,
        distance=file.distance,
        turn=file.turn,
        width=file.width,
        height=file.height,
        bytes=file.size,
        format=file.format,
        image=file.image,
    )


def hit(found: wire.Hit) -> HitDocument:
    """Make the document of one file that a search found."""
    return HitDocument(
        path=path_text(found.path),
        path_base64=path_base64(found.path),
        verdict=found.verdict,
        distance=found.distance,
        turn=found.turn,
        width=found.width,
        height=found.height,
        bytes=found.size,
        format=found.format,
        image=found.image,
        frames=found.frames,
        channels=found.channels,
        orientation=found.orientation,
        upright=found.upright,
        quality=found.quality,
        likeness=UNSET if found.likeness is None else found.likeness,
        proof=UNSET if found.proof is None else _proof(found.proof),
    )


def _proof(proof: wire.Proof) -> ProofDocument:
    return ProofDocument(
        transform=proof.transform,
        quadrilateral=proof.quadrilateral,
        query_quadrilateral=proof.query_quadrilateral,
        query_share=proof.query_share,
        indexed_share=proof.indexed_share,
        angle=proof.angle,
        mirrored=proof.mirrored,
        inliers=proof.inliers,
        agreement=proof.agreement,
        colour=proof.colour,
    )


def freshness(told: wire.Freshness) -> FreshnessDocument:
    """Make the document of what an answer was computed over."""
    return FreshnessDocument(
        indexed=told.indexed,
        pending=told.pending,
        failed=told.failed,
        scanning_roots=[path_text(path) for path in told.scanning_roots],
        unavailable_roots=[
            path_text(path) for path in told.unavailable_roots if path not in told.paused_roots
        ],
        paused_roots=[path_text(path) for path in told.paused_roots],
        stale=told.stale,
        unverified=told.unverified,
        problem=told.problem,
        model=told.model,
        described=told.described,
        describable=told.describable,
        cut=told.cut,
        complete=not (told.pending or told.scanning_roots or told.unavailable_roots),
    )
