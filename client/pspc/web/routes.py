"""The table of what can be asked, and the way from a path to who answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from starlette.requests import Request
from starlette.routing import Route, Router

from pspc.distinct_document import DistinctDocument
from pspc.schema import ModelsDocument, RootDocument, RootsDocument, StatusDocument, WhyDocument
from pspc.web import schema, wishes
from pspc.web.endpoints import EVENTS, JPEG, PNG, ROOT, Endpoint, Nothing, answered
from pspc.web.gate import LOGIN_PATH
from pspc.web.openapi import OpenApi
from pspc.web.refusals import Refusal, RefusedError, refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from pspc.web.acts import Acts
    from pspc.web.daemon_life import DaemonLife
    from pspc.web.details import Details
    from pspc.web.distinctions import Distinctions
    from pspc.web.duplicates import Duplicates
    from pspc.web.endpoints import AnyEndpoint
    from pspc.web.events import Events
    from pspc.web.library import Library
    from pspc.web.login import Login
    from pspc.web.pictures import Pictures
    from pspc.web.searches import Searches
    from pspc.web.shell import Shell


class Handlers(NamedTuple):
    """Who answers."""

    library: Library
    searches: Searches
    pictures: Pictures
    details: Details
    duplicates: Duplicates
    distinctions: Distinctions
    acts: Acts
    events: Events
    daemon: DaemonLife


def table(to: Handlers) -> list[AnyEndpoint]:
    """Return everything that can be asked below `/api/v1`."""
    told, wish, accepted = schema, wishes, HTTPStatus.ACCEPTED
    # fmt: off
    return [
        Endpoint("GET", "/status", "Tell the daemon's state.",
                 to.library.status, Nothing, Nothing, StatusDocument),
        Endpoint("GET", "/roots", "List the watched folders.",
                 to.library.roots, Nothing, Nothing, RootsDocument),
        Endpoint("POST", "/roots", "Watch a folder.",
                 to.library.add, Nothing, wish.NewRoot, RootDocument),
        Endpoint("POST", "/roots/remove", "Watch a folder no longer; its files are forgotten.",
                 to.library.remove, Nothing, wish.OldRoot, RootDocument),
        Endpoint("POST", "/roots/pause", "Look at nothing in a folder; what is known of it stays.",
                 to.library.pause, Nothing, wish.KnownRoot, RootDocument),
        Endpoint("POST", "/roots/resume", "Go on with a folder that was paused.",
                 to.library.resume, Nothing, wish.KnownRoot, RootDocument),
        Endpoint("GET", "/failures", "List the files that could not be indexed.",
                 to.library.failures, wish.PageWish, Nothing, told.FailuresPage),
        Endpoint("GET", "/models", "List the models of learned descriptors.",
                 to.library.models, Nothing, Nothing, ModelsDocument),
        Endpoint("POST", "/models", "Use another model, or have describing pause or go on.",
                 to.library.change_model, Nothing, wish.ModelWish, ModelsDocument),
        Endpoint("GET", "/distances", "Tell how many foreign hits chance brings, by the distance.",
                 to.library.distances, Nothing, Nothing, told.DistancesDocument),
        Endpoint("GET", "/events", "Tell what happens from now on.",
                 to.events.stream, Nothing, Nothing, EVENTS),
        Endpoint("POST", "/search", "Search with the picture in the body.",
                 to.searches.search, wish.SearchWish, bytes, told.FoundDocument,
                 only_reads=True),
        Endpoint("POST", "/search/url", "Search with a picture of the web.",
                 to.searches.search_url, wish.SearchWish, wish.Address, told.FoundDocument,
                 only_reads=True),
        Endpoint("POST", "/queries/{image}/search", "Search once more with a query that is kept.",
                 to.searches.search_kept, wish.KeptSearchWish, Nothing, told.FoundDocument,
                 only_reads=True),
        Endpoint("GET", "/queries/{image}/picture", "Draw a query that is kept.",
                 to.pictures.query, wish.QueryPictureWish, Nothing, JPEG),
        Endpoint("GET", "/queries/{image}/detail", "Draw the pixels of a part of a kept query.",
                 to.details.query, wish.DetailWish, Nothing, PNG),
        Endpoint("GET", "/pictures/{image}", "Tell what a picture is, and where its files lie.",
                 to.pictures.details, wish.ImageWish, Nothing, told.PictureDocument),
        Endpoint("POST", "/pictures/{image}/search", "Search with a picture of the index.",
                 to.searches.search_indexed, wish.KeptSearchWish, Nothing, told.FoundDocument,
                 only_reads=True),
        Endpoint("GET", "/pictures/{image}/thumbnail", "Draw a picture small.",
                 to.pictures.thumbnail, wish.ThumbnailWish, Nothing, JPEG),
        Endpoint("GET", "/pictures/{image}/detail", "Draw the pixels of a part of a picture.",
                 to.details.indexed, wish.DetailWish, Nothing, PNG),
        Endpoint("POST", "/pictures/{image}/show", "Show a file in the desktop's file manager.",
                 to.pictures.show, wish.ImageWish, wish.FileWish, told.Shown),
        Endpoint("GET", "/compare", "Say what joins or parts two pictures.",
                 to.searches.compare, wish.CompareWish, Nothing, WhyDocument),
        Endpoint("GET", "/duplicates", "List groups of copies, and what could become of them.",
                 to.duplicates.page, wish.DuplicatesWish, Nothing, told.DuplicatesPage),
        Endpoint("GET", "/rules", "List the rules that say which copy to keep.",
                 to.duplicates.rules, Nothing, Nothing, told.RulesDocument),
        Endpoint("POST", "/acts", "Carry out a plan.",
                 to.acts.apply, Nothing, wish.Plan, told.ActStarted, accepted),
        Endpoint("POST", "/acts/undo", "Take back what was done last.",
                 to.acts.undo, Nothing, wish.Undo, told.ActStarted, accepted,
                 also=(HTTPStatus.CONFLICT,)),
        Endpoint("GET", "/acts", "List the acts of this gateway, newest first.",
                 to.acts.all, Nothing, Nothing, told.ActsDocument),
        Endpoint("GET", "/acts/{act}", "Tell how far an act is.",
                 to.acts.one, wish.ActWish, Nothing, told.ActDocument),
        Endpoint("POST", "/distinct", "Tell some pictures apart, each from each other.",
                 to.distinctions.mark, Nothing, wish.Images, told.Added),
        Endpoint("GET", "/distinct", "List what was told apart.",
                 to.distinctions.pairs, Nothing, Nothing, DistinctDocument),
        Endpoint("POST", "/distinct/forget", "Tell pictures apart no longer.",
                 to.distinctions.forget, Nothing, wish.Images, told.Forgotten),
        Endpoint("POST", "/daemon/start", "Start the daemon, unless it runs.",
                 to.daemon.start, Nothing, Nothing, told.DaemonDocument),
        Endpoint("POST", "/keys", "Make a key that opens one session; by the permanent token.",
                 to.daemon.key, Nothing, Nothing, told.NewKey),
    ]
    # fmt: on


def router(handlers: Handlers, shell: Shell, login: Login | None) -> Router:
    """Return the way to everything that is served."""
    endpoints = table(handlers)
    endpoints.append(OpenApi(endpoints).endpoint())
    by_path: dict[str, dict[str, AnyEndpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(ROOT + endpoint.path, {})[endpoint.method] = endpoint
    routes = [
        Route(path, _Way({method: _asked(each) for method, each in ways.items()}))
        for path, ways in by_path.items()
    ]
    files = ("/static/{name:path}", "/favicon.ico", "/manifest.webmanifest")
    routes += [Route(path, _Way({"GET": shell.file})) for path in files]
    routes.append(Route("/", _Way({"GET": shell.home})))
    if login is not None:
        routes.append(Route(LOGIN_PATH, _Way({"GET": login.form, "POST": login.enter})))
    return Router(routes, redirect_slashes=False, default=_not_found)


def _asked(endpoint: AnyEndpoint) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await answered(endpoint, request)

    return answer


class _Way:
    """ASGI application of one path: who answers, by the method."""

    def __init__(self, by_method: Mapping[str, Callable[[Request], Awaitable[Response]]]) -> None:
        self._by_method = by_method

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive, send)
        answer = self._by_method.get("GET" if request.method == "HEAD" else request.method)
        if answer is None:
            raise RefusedError(
                Refusal(
                    HTTPStatus.METHOD_NOT_ALLOWED,
                    "method",
                    "this is not what can be done here",
                    allow=_allowed(self._by_method),
                )
            )
        response = await answer(request)
        await response(scope, receive, send)


def _allowed(methods: Mapping[str, object]) -> str:
    names = [*methods, *(["HEAD"] if "GET" in methods else [])]
    return ", ".join(sorted(names))


async def _not_found(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise refused(HTTPStatus.NOT_FOUND, "not_found", "there is nothing of this name")
