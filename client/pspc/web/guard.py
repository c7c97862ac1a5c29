"""Stands before the routes: nobody gets further who may not, and every answer is protected."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import ClientDisconnect

from pspc.web import access, gate
from pspc.web.blame import refusal_of
from pspc.web.bodies import Body
from pspc.web.headers import protected
from pspc.web.peers import STATE
from pspc.web.refusals import Refusal, document_of
from pspc.web.room import Room

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from pspc.web.peers import Peer
    from pspc.web.sessions import Sessions

SESSION = "psp.session"
"""Where in the scope the session is, for the shell."""

GUEST = "psp.guest"
"""Where it is said that another user's process asks, which gets no session."""

_STRANGER = Refusal(
    HTTPStatus.UNAUTHORIZED,
    "session",
    "this browser has no session; run pspc web and open the address that it prints",
)


class Guard:
    """ASGI application around another one.

    Args:
        app: The routes.
        policy: Where the gateway is to be found.
        sessions: Who was let in.
        permanent: The permanent token.
        report: Told of errors that nobody expected.
    """

    def __init__(
        self,
        app: ASGIApp,
        policy: gate.Policy,
        sessions: Sessions,
        permanent: str,
        report: Callable[[Exception], None],
    ) -> None:
        self._app = app
        self._policy = policy
        self._sessions = sessions
        self._permanent = permanent
        self._report = report
        self._room = Room()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        assert scope["type"] == "http", "uvicorn is told to do without the rest"
        head = gate.Head(
            scope["method"],
            scope.get("raw_path") or b"",
            scope["path"],
            scope["headers"],
            scope["query_string"],
        )
        body = Body(head, receive)
        answer = _Answer(protected(send, head.path))
        has_permanent = access.has_token(head, self._permanent)
        refusal = gate.refusal(head, self._policy, has_permanent=has_permanent)
        refusal = refusal or self._of_stranger(head, scope)
        # Nobody keeps connections by asking for what is refused here: there are only so many.
        closes = refusal is not None
        if refusal is None:
            try:
                with self._room.of(head):
                    await self._app(scope, body.receive, answer.send)
            except ClientDisconnect:
                return
            except Exception as error:  # noqa: BLE001 - a bug is told, and ends one answer only
                refusal = refusal_of(error) or self._of_bug(error)
        if refusal is not None:
            await answer.refuse(refusal, body, closes=closes)

    def _of_stranger(self, head: gate.Head, scope: Scope) -> Refusal | None:
        """Find out who asks, for those who answer as well; returns why nobody does."""
        is_guest = scope[GUEST] = self._is_guest(scope)
        session = None if is_guest else self._sessions.find(access.cookies(head))
        scope[SESSION] = session
        # The shell sees to itself: it redeems keys, and tells strangers what to do.
        is_open = head.path == "/" and gate.is_reading(head)
        is_login = head.path == gate.LOGIN_PATH and self._policy.has_login
        if is_open or is_login:
            return None
        token = None if session is None else session.token
        return None if access.is_admitted(head, token, self._permanent) else _STRANGER

    def _is_guest(self, scope: Scope) -> bool:
        # Where there is a password, it says who may come in.
        peer: Peer | None = scope.get("state", {}).get(STATE)
        return peer is not None and not self._policy.has_login and peer.is_stranger

    def _of_bug(self, error: Exception) -> Refusal:
        self._report(error)
        return Refusal(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "internal",
            f"this should not happen, please report it: {type(error).__name__}",
        )


class _Answer:
    """Sends an answer, and knows whether it has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._has_begun = False

    async def send(self, message: Message) -> None:
        """Send a part of it, as ASGI has it."""
        self._has_begun = True
        await self._send(message)

    async def refuse(self, refusal: Refusal, body: Body, *, closes: bool) -> None:
        """Answer with a refusal; what is left of the request's body is not waited for."""
        if self._has_begun:
            return  # uvicorn cuts the connection, by which the client sees that it is not all
        content = msgspec.json.encode(document_of(refusal))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode("ascii")),
        ]
        if refusal.retry_after is not None:
            headers.append((b"retry-after", str(refusal.retry_after).encode("ascii")))
        if refusal.allow:
            headers.append((b"allow", refusal.allow.encode("ascii")))
        if closes or not body.is_finished:
            headers.append((b"connection", b"close"))
        await self._send(
            {"type": "http.response.start", "status": int(refusal.status), "headers": headers}
        )
        part = {"type": "http.response.body", "body": content, "more_body": not body.is_finished}
        await self._send(part)
        if part["more_body"]:
            await body.drop()
            await self._send({"type": "http.response.body", "body": b""})
