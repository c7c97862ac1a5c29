"""The page itself, and the files that it is made of: a fixed table, made at the start."""

from __future__ import annotations

from http import HTTPStatus
from importlib import resources
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response

from pspc.web.access import COOKIE
from pspc.web.gate import LOGIN_PATH
from pspc.web.guard import GUEST, SESSION
from pspc.web.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

    from starlette.requests import Request

    from pspc.web.sessions import Session, Sessions

STATIC = "/static/"

_TOKEN = b"__PSP_TOKEN__"
_INDEX = "index.html"

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
}
"""What is served; a file of another kind is left out."""

_AT_ROOT = ("favicon.ico", "manifest.webmanifest")
"""What browsers ask for beside the page."""

_STRANGER = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>PSP</title>
<h1>PSP</h1>
<p>This browser has no session. Run <code>pspc web</code> and open the address that it prints.</p>
<p>If it had one until now, <a href="/">go on</a>.</p>
<p lang="zh-CN">此浏览器没有会话。请运行 <code>pspc web</code>，并打开它给出的地址。</p>
<p lang="zh-CN">如果刚才还能使用，请<a href="/">继续</a>。</p>
</html>
"""
"""The link leads back here: a browser that came from a mail program holds its cookie back once."""


def packaged() -> Mapping[str, tuple[bytes, str]]:
    """Return the page's files, by their names below `static`, with their types."""
    folder = resources.files("pspc.web").joinpath("static")
    return dict(_files(folder, ""))


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, tuple[bytes, str]]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
            continue
        suffix = entry.name[entry.name.rfind(".") :]
        if suffix in _KINDS:
            yield prefix + entry.name, (entry.read_bytes(), _KINDS[suffix])


class Shell:
    """Serves the page, to who has a session.

    Args:
        files: What it is made of, as `packaged`.
        sessions: Who was let in.
        has_login: Whether there is a form that asks for a password.
    """

    def __init__(
        self, files: Mapping[str, tuple[bytes, str]], sessions: Sessions, *, has_login: bool
    ) -> None:
        self._index = files.get(_INDEX, (_TOKEN, ""))[0]
        self._table = {STATIC + name: file for name, file in files.items() if name != _INDEX}
        self._table |= {f"/{name}": files[name] for name in _AT_ROOT if name in files}
        self._sessions = sessions
        self._has_login = has_login

    async def home(self, request: Request) -> Response:
        """Let a browser in that brings a key; give the page to one that was let in."""
        session: Session | None = request.scope[SESSION]
        key = request.query_params.get("key")
        if key is not None and request.method == "GET" and not request.scope[GUEST]:
            cookie = self._sessions.open(key)
            # The address may be opened once more, from the history, where it was good before.
            if cookie is not None or session is not None:
                return entered(cookie)
        if session is None:
            return self._of_stranger()
        page = self._index.replace(_TOKEN, session.token.encode("ascii"))
        return Response(page, media_type=_KINDS[".html"])

    async def file(self, request: Request) -> Response:
        """Serve a file of the page.

        Raises:
            RefusedError: There is none of that name.
        """
        found = self._table.get(request.scope["path"])
        if found is None:
            raise refused(HTTPStatus.NOT_FOUND, "not_found", "there is nothing of this name")
        return Response(found[0], media_type=found[1])

    def _of_stranger(self) -> Response:
        if self._has_login:
            return RedirectResponse(LOGIN_PATH, HTTPStatus.SEE_OTHER)
        # Strangers keep no connections, of which there are only so many.
        headers = {"Connection": "close"}
        return Response(_STRANGER, HTTPStatus.UNAUTHORIZED, headers, _KINDS[".html"])


def entered(cookie: str | None) -> Response:
    """Send a browser to the page; with a cookie, if it is let in only now."""
    response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    if cookie is not None:
        response.headers["Set-Cookie"] = f"{COOKIE}={cookie}; HttpOnly; SameSite=Strict; Path=/"
    return response
