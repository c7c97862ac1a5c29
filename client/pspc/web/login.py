"""The form that asks for the password, where there is one."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.responses import Response

from pspc.web.passwords import Attempts, is_equal
from pspc.web.shell import entered

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from pspc.web.sessions import Sessions

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>PSP</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<h1>PSP</h1>
{said}<form method="post" action="/login">
<p><label>Password · 密码 <input type="password" name="password" autocomplete="current-password"
required autofocus></label> <button>Open · 打开</button></p>
</form>
</html>
"""
_WRONG = '<p role="alert">This is not the password. · 密码不正确。</p>\n'
_TOO_OFTEN = (
    '<p role="alert">The password was wrong too often; try again in {seconds} s. '
    "· 密码错误次数过多，请在 {seconds} 秒后重试。</p>\n"
)


class Login:
    """Lets a browser in that brings the password.

    Args:
        password: The password.
        sessions: Who was let in.
        clock: Seconds that only grow.
    """

    def __init__(self, password: str, sessions: Sessions, clock: Callable[[], float]) -> None:
        self._password = password
        self._sessions = sessions
        self._attempts = Attempts(clock)

    async def form(self, _request: Request) -> Response:
        """Ask for the password."""
        return _page("")

    async def enter(self, request: Request) -> Response:
        """Let in, or ask once more."""
        address = request.client.host if request.client else ""
        given = _password_of(await request.body())
        # Looked at only now: the body may have come slowly, and others in between.
        wait = self._attempts.seconds_to_wait(address)
        if wait:
            seconds = math.ceil(wait)
            page = _page(_TOO_OFTEN.format(seconds=seconds), HTTPStatus.TOO_MANY_REQUESTS)
            page.headers["Retry-After"] = str(seconds)
            return page
        if not is_equal(given, self._password):
            self._attempts.note_failure(address)
            return _page(_WRONG, HTTPStatus.UNAUTHORIZED)
        self._attempts.note_success(address)
        return entered(self._sessions.begin())


def _password_of(body: bytes) -> str:
    """Return what a form has as the password; empty where it is no such form."""
    try:
        fields = parse_qs(body, keep_blank_values=True, max_num_fields=4)
    except ValueError:  # too many fields, or bytes that no form has
        return ""
    return fields.get(b"password", [b""])[0].decode("utf-8", "replace")


def _page(said: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(_PAGE.format(said=said), status, media_type="text/html; charset=utf-8")
