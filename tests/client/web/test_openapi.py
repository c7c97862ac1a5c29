"""The description says what the server does: tried with thousands of requests nobody thought of."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi import checks

from pspc.connection import Connection
from pspc.fetch import fetch
from pspc.web.acts import Acts
from pspc.web.daemon_life import DaemonLife
from pspc.web.details import Details
from pspc.web.distinctions import Distinctions
from pspc.web.duplicates import Duplicates
from pspc.web.events import Events
from pspc.web.file_keys import FileKeys
from pspc.web.library import Library as LibraryHandler
from pspc.web.openapi import OpenApi
from pspc.web.pictures import Pictures
from pspc.web.queries import Queries
from pspc.web.routes import Handlers, table
from pspc.web.searches import Searches
from pspc.web.sessions import Sessions
from pspc.web.workers import Workers
from tests.client.web.conftest import Library
from tests.waiting import expect


def _document() -> dict[str, Any]:
    """Make the description without a gateway: pytest wants it before any is there."""
    workers, keys, queries = Workers(Connection, 1), FileKeys(), Queries()
    handlers = Handlers(
        LibraryHandler(workers),
        Searches(workers, queries, keys, fetch),
        Pictures(workers, queries, keys, None),
        Details(workers, queries),
        Duplicates(workers, keys),
        Distinctions(workers),
        Acts(keys, os.environ, print),
        Events(Connection),
        DaemonLife(os.environ, Sessions(time.monotonic)),
    )
    return OpenApi(table(handlers)).document()


LEFT_OUT = (
    # A folder that is drawn by chance may be `/`, and an address somebody's.
    ("POST", "/api/v1/roots"),
    ("POST", "/api/v1/search/url"),
    # It has no end.
    ("GET", "/api/v1/events"),
)
"""What is not tried; other tests do."""

described: Any = schemathesis.openapi.from_dict(_document())
for _method, _path in LEFT_OUT:
    described = described.exclude(method=_method, path=_path)


@described.parametrize()  # type: ignore[untyped-decorator]
@settings(max_examples=30, suppress_health_check=list(HealthCheck))
def test_each_answer_is_as_it_is_described(case: Any, shared_library: Library) -> None:
    gateway = shared_library.gateway
    case.call_and_validate(
        base_url=gateway.base,
        headers={"X-PSP-Token": gateway.token},
        excluded_checks=[
            # Methods and kinds of bodies are judged before the path is known.
            checks.unsupported_method,
            checks.allow_header_conformance,
            # No description can say which keys, pictures and models there are.
            checks.positive_data_acceptance,
            *([checks.negative_data_rejection] if _is_lost_on_the_way(case) else []),
        ],
    )


def _is_lost_on_the_way(case: Any) -> bool:
    """Say whether something of a query is not in the address: what is sent is right then."""
    return any(value in (None, [], {}) for value in dict(case.query or {}).values())


def test_the_description_has_every_route(shared_library: Library) -> None:
    found = shared_library.script.get("/api/v1/openapi.json")
    assert found.headers["content-type"] == "application/json"
    document = found.json()
    assert document == json.loads(json.dumps(_document()))
    assert document["openapi"] == "3.1.0"
    operations = {
        (method.upper(), path) for path, ways in document["paths"].items() for method in ways
    }
    assert len(operations) == 34
    assert set(LEFT_OUT) <= operations
    names = [way["operationId"] for ways in document["paths"].values() for way in ways.values()]
    assert len(set(names)) == len(names)
    text = json.dumps(document)
    for reference in text.split('"$ref": "#/components/schemas/')[1:]:
        assert reference.partition('"')[0] in document["components"]["schemas"]


def test_the_gateway_is_well_after_all_that(shared_library: Library) -> None:
    expect(lambda: shared_library.script.get("/api/v1/status").status_code == 200)
