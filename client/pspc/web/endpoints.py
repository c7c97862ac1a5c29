"""What can be asked: where, with what, and what comes back; and how a request becomes a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar

import msgspec
from starlette.responses import Response, StreamingResponse

from pspc.web import gate
from pspc.web.headers import KEPT
from pspc.web.refusals import Refusal, RefusedError, refused

if TYPE_CHECKING:
    from starlette.requests import Request

ROOT = "/api/v1"

JPEG = "image/jpeg"
PNG = "image/png"
EVENTS = "text/event-stream"


class Nothing(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """No parameters, or an empty body."""


class Media(NamedTuple):
    """An answer that is no document."""

    content: bytes
    kind: str
    is_kept: bool = False
    """Whether a browser may keep it."""


Answer = msgspec.Struct | Media | AsyncIterator[bytes]
"""A document; bytes; or a stream of events."""

P = TypeVar("P", bound=msgspec.Struct)
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[P, B]):
    """One thing that can be asked."""

    method: Literal["GET", "POST"]
    path: str
    """Below `/api/v1`; names in braces are parameters."""
    does: str
    """One sentence, for the description."""
    handle: Callable[[P, B], Awaitable[Answer]]
    parameters: type[P]
    """Of the path and of the query."""
    body: type[B]
    """`Nothing`, a document, or `bytes` for a picture."""
    answer: type[msgspec.Struct] | str
    """A document, or the type of what else comes."""
    status: HTTPStatus = HTTPStatus.OK
    also: tuple[HTTPStatus, ...] = ()
    """Statuses of refusals that others do not have."""
    only_reads: bool = False
    """Of POST: whether it may be dropped when the client has gone before its turn came."""


AnyEndpoint = Endpoint[Any, Any]


async def answered(endpoint: AnyEndpoint, request: Request) -> Response:
    """Return the answer to a request.

    Raises:
        RefusedError: It cannot be understood; and whatever the handler raises.
    """
    parameters = _parameters(endpoint, request)
    body = await _body(endpoint, request)
    answer = endpoint.handle(parameters, body)
    if endpoint.method == "GET" or endpoint.only_reads:
        return _response(await _unless_gone(answer, request), endpoint, request)
    return _response(await answer, endpoint, request)


def _parameters(endpoint: AnyEndpoint, request: Request) -> msgspec.Struct:
    given: dict[str, str] = dict(request.path_params)
    for name, value in request.query_params.multi_items():
        if name in given:
            raise refused(
                HTTPStatus.BAD_REQUEST, "usage", "a parameter is given twice, of which one counts"
            )
        given[name] = value
    try:
        parameters: msgspec.Struct = msgspec.convert(given, endpoint.parameters, strict=False)
    except msgspec.ValidationError as error:
        raise refused(HTTPStatus.BAD_REQUEST, "usage", _plain(error)) from error
    return parameters


async def _body(endpoint: AnyEndpoint, request: Request) -> object:
    if endpoint.method == "GET":
        return Nothing()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_picture = endpoint.body is bytes
    if not (gate.is_picture(kind) if is_picture else gate.is_document(kind)):
        wanted = "a picture" if is_picture else "JSON"
        raise refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content_type", f"{wanted} is wanted as the body"
        )
    # Joined once: Starlette's own `body` keeps the parts beside the whole.
    data = b"".join([part async for part in request.stream()])
    if is_picture:
        return data
    try:
        return msgspec.json.decode(data or b"{}", type=endpoint.body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise refused(HTTPStatus.BAD_REQUEST, "malformed", _plain(error)) from error


def _plain(error: Exception) -> str:
    text = str(error).replace("`", "'").replace("$.", "").replace(" - at '$'", "")
    return f"the request cannot be understood: {text}"


async def _unless_gone(answer: Awaitable[Answer], request: Request) -> Answer:
    """Return an answer; what still waits for its turn is dropped when the client has gone."""
    work = asyncio.ensure_future(answer)
    gone = asyncio.ensure_future(_until_gone(request))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        gone.result()
    finally:
        gone.cancel()
        if not work.done():
            work.cancel()
    raise RefusedError(Refusal(HTTPStatus.REQUEST_TIMEOUT, "gone", "the client has gone"))


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue


def _response(answer: Answer, endpoint: AnyEndpoint, request: Request) -> Response:
    if isinstance(answer, Media):
        headers = {"Cache-Control": KEPT} if answer.is_kept else None
        return Response(answer.content, endpoint.status, headers, answer.kind)
    if isinstance(answer, msgspec.Struct):
        content = msgspec.json.encode(answer)
        return Response(content, endpoint.status, media_type="application/json")
    if request.method == "HEAD":
        return Response(None, endpoint.status, media_type=str(endpoint.answer))
    return StreamingResponse(answer, endpoint.status, media_type=str(endpoint.answer))
