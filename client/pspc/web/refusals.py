"""What goes wrong → the status, the code and the sentence of an answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

import msgspec

from pspc.deciding.files import ActError
from pspc.deciding.plans import PlanError
from pspc.errors import (
    DaemonError,
    PathError,
    PspcError,
    SetupError,
    SourceError,
    Unreachable,
    UsageError,
)
from pspd.rpc.wire import printable

RETRY_SECONDS = 1
"""When a daemon that is busy may be asked again."""

_OF_DAEMON = {
    "bad_query": HTTPStatus.UNPROCESSABLE_ENTITY,
    "bad_request": HTTPStatus.BAD_REQUEST,
    "root": HTTPStatus.BAD_REQUEST,
    "model": HTTPStatus.BAD_REQUEST,
    "malformed": HTTPStatus.BAD_REQUEST,
    "forbidden": HTTPStatus.BAD_REQUEST,
    "unknown_request": HTTPStatus.NOT_IMPLEMENTED,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "deadline": HTTPStatus.SERVICE_UNAVAILABLE,
    "stopping": HTTPStatus.SERVICE_UNAVAILABLE,
}
"""By the wire's code; of the others, `store` and `internal`, the daemon is to blame."""

_OF_CLIENT: tuple[tuple[type[PspcError], HTTPStatus, str], ...] = (
    (Unreachable, HTTPStatus.SERVICE_UNAVAILABLE, "daemon"),
    (SourceError, HTTPStatus.UNPROCESSABLE_ENTITY, "source"),
    (UsageError, HTTPStatus.BAD_REQUEST, "usage"),
    (PathError, HTTPStatus.BAD_REQUEST, "path"),
    (PlanError, HTTPStatus.BAD_REQUEST, "plan"),
    (ActError, HTTPStatus.CONFLICT, "act"),
    (SetupError, HTTPStatus.NOT_IMPLEMENTED, "setup"),
)


class Refusal(NamedTuple):
    """Why a request is not answered."""

    status: HTTPStatus
    code: str
    message: str
    """One sentence for a person."""
    reason: str = ""
    """For `bad_query`, the word that `pspc failures` has for it."""
    retry_after: int | None = None
    allow: str = ""
    """For 405: the methods that there are."""


class RefusedError(Exception):
    """Raised by a handler that refuses."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class ErrorPart(msgspec.Struct, kw_only=True):
    """What went wrong."""

    code: str
    message: str
    reason: str = ""


class ErrorDocument(msgspec.Struct, kw_only=True):
    """The answer to what is refused, or cannot be done."""

    error: ErrorPart


def refused(status: HTTPStatus, code: str, message: str) -> RefusedError:
    """Make the error of a handler that refuses."""
    return RefusedError(Refusal(status, code, message))


def document_of(refusal: Refusal) -> ErrorDocument:
    """Make the document that says why."""
    return ErrorDocument(
        error=ErrorPart(
            code=refusal.code, message=printable(refusal.message), reason=refusal.reason
        )
    )


def refusal_of(error: Exception) -> Refusal | None:
    """Translate an error that was raised on purpose; None for any other."""
    if isinstance(error, RefusedError):
        return error.refusal
    if isinstance(error, DaemonError):
        status = _OF_DAEMON.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
        is_passing = status is HTTPStatus.SERVICE_UNAVAILABLE
        retry = RETRY_SECONDS if is_passing else None
        return Refusal(status, error.code, str(error), error.reason, retry)
    for kind, status, code in _OF_CLIENT:
        if isinstance(error, kind):
            return Refusal(status, code, str(error))
    if isinstance(error, PspcError):
        return Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", str(error))
    return None
