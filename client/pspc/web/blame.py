"""What goes wrong → the answer that says so: the client is to blame, or the daemon, or we are."""

from __future__ import annotations

from http import HTTPStatus

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
from pspc.web.refusals import Refusal, RefusedError

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
            is_passing = status is HTTPStatus.SERVICE_UNAVAILABLE
            return Refusal(
                status, code, str(error), retry_after=RETRY_SECONDS if is_passing else None
            )
    if isinstance(error, PspcError):
        return Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", str(error))
    return None
