"""A refusal: the status, the code and the sentence of an answer that is none."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

import msgspec

from pspd.rpc.wire.text import printable


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
