"""The description of what can be asked, made from the table of it and the shapes of documents."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from pspc.web.endpoints import ROOT, Endpoint, Media, Nothing
from pspc.web.refusals import ErrorDocument
from pspd import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pspc.web.endpoints import AnyEndpoint

_JSON = "application/json"
_REFERENCE = "#/components/schemas/{name}"

_ALWAYS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.MISDIRECTED_REQUEST,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_WITH_BODY = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
_NAMED = (HTTPStatus.NOT_FOUND,)
"""Of what has a name in its path."""

_ABOUT = """\
What PSP's page asks, for scripts and browser extensions as well. Without the cookie of a session,
the header `X-PSP-Token` has to carry the permanent token, which is in the file `web-token` of PSP's
state folder (`~/.local/state/psp`)."""


class OpenApi:
    """Describes endpoints, and itself, by OpenAPI 3.1."""

    def __init__(self, endpoints: Sequence[AnyEndpoint]) -> None:
        self._endpoints = [*endpoints, self.endpoint()]
        self._document = b""

    def endpoint(self) -> AnyEndpoint:
        """Return where the description is to be had."""
        return Endpoint(
            "GET",
            "/openapi.json",
            "Describe all of this.",
            self._answer,
            Nothing,
            Nothing,
            _JSON,
        )

    def document(self) -> dict[str, Any]:
        """Return the description."""
        shapes: set[Any] = {ErrorDocument}
        for each in self._endpoints:
            shapes |= {each.parameters, each.body, each.answer}
        types = sorted(
            (each for each in shapes if isinstance(each, type) and each is not bytes),
            key=lambda each: each.__name__,
        )
        schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
        by_type = dict(zip(types, schemas, strict=True))
        paths: dict[str, dict[str, Any]] = {}
        for each in self._endpoints:
            operation = _operation(each, by_type, components)
            paths.setdefault(ROOT + each.path, {})[each.method.lower()] = operation
        return {
            "openapi": "3.1.0",
            "info": {"title": "PSP", "version": __version__, "description": _ABOUT},
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {
                    "token": {"type": "apiKey", "in": "header", "name": "X-PSP-Token"},
                },
            },
            "security": [{"token": []}],
        }

    async def _answer(self, _wish: Nothing, _body: Nothing) -> Media:
        if not self._document:
            self._document = msgspec.json.encode(self.document())
        return Media(self._document, _JSON)


def _operation(
    endpoint: AnyEndpoint, by_type: dict[Any, Any], components: dict[str, Any]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": endpoint.does,
        "operationId": _name(endpoint),
        "responses": _responses(endpoint, by_type),
    }
    parameters = _parameters(endpoint, components)
    if parameters:
        operation["parameters"] = parameters
    if endpoint.method == "POST":
        operation["requestBody"] = _request_body(endpoint, by_type)
    return operation


def _name(endpoint: AnyEndpoint) -> str:
    path = endpoint.path.replace("{", "").replace("}", "").replace(".", "_")
    return endpoint.method.lower() + path.replace("/", "_")


def _parameters(endpoint: AnyEndpoint, components: dict[str, Any]) -> list[dict[str, Any]]:
    shape = components[endpoint.parameters.__name__]
    found = []
    for name, schema in shape.get("properties", {}).items():
        is_in_path = f"{{{name}}}" in endpoint.path
        found.append(
            {
                "name": name,
                "in": "path" if is_in_path else "query",
                "required": is_in_path or name in shape.get("required", []),
                "schema": schema,
            }
        )
    return found


def _request_body(endpoint: AnyEndpoint, by_type: dict[Any, Any]) -> dict[str, Any]:
    if endpoint.body is bytes:
        content: dict[str, Any] = {"image/*": {}, "application/octet-stream": {}}
    else:
        content = {_JSON: {"schema": by_type[endpoint.body]}}
    # Also where it says nothing: its type is what a foreign page cannot send.
    return {"required": True, "content": content}


def _responses(endpoint: AnyEndpoint, by_type: dict[Any, Any]) -> dict[str, Any]:
    if isinstance(endpoint.answer, str):
        content: dict[str, Any] = {endpoint.answer: {}}
    else:
        content = {_JSON: {"schema": by_type[endpoint.answer]}}
    responses: dict[str, Any] = {
        str(int(endpoint.status)): {"description": endpoint.status.phrase, "content": content}
    }
    refusal = {_JSON: {"schema": by_type[ErrorDocument]}}
    statuses = [*_ALWAYS]
    if endpoint.method == "POST":
        statuses += _WITH_BODY
    if "{" in endpoint.path:
        statuses += _NAMED
    statuses += endpoint.also
    for status in statuses:
        responses[str(int(status))] = {"description": status.phrase, "content": refusal}
    return responses
