"""Who is let in: the matrices of goal G17, as decisions, and at a real gateway."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from pspc.web import access, gate
from tests.client.web.rows import ABSOLUTE, ASKS, HOSTS, OURS, PORT, SERVED, AskRow, HostRow
from tests.client.web.running import Gateway, body_of, status_of

POLICY = gate.loopback_policy(PORT)
IMAGE = "0" * 64
BODY = b'{"path": "/nowhere"}'
TOKENS = {"session": "a" * 64, "other": "b" * 64, "permanent": "c" * 64, "wrong": "d" * 64}


def test_the_matrices_have_as_many_rows_as_the_goal_wants() -> None:
    assert len(set(HOSTS)) == len(HOSTS) >= 60
    assert len(set(ASKS)) == len(ASKS) >= 40


def _refusal(head: gate.Head, policy: gate.Policy = POLICY) -> int:
    has_permanent = access.has_token(head, TOKENS["permanent"])
    refusal = gate.refusal(head, policy, has_permanent=has_permanent)
    return 0 if refusal is None else int(refusal.status)


def _head(method: str, path: str, *headers: tuple[str, str]) -> gate.Head:
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return gate.Head(method, path.encode(), path, encoded)


@pytest.mark.parametrize("row", HOSTS, ids=str)
def test_a_host_is_judged(row: HostRow) -> None:
    headers = [("host", host) for host in row.hosts]
    assert _refusal(_head("GET", row.target, *headers)) == (0 if row.is_ours else 421)


@pytest.mark.parametrize("row", ABSOLUTE, ids=str)
def test_a_target_that_is_no_path_is_refused(row: HostRow) -> None:
    assert _refusal(_head("GET", row.target, ("host", row.hosts[0]))) == 400


def _asked(row: AskRow) -> list[tuple[str, str]]:
    """Return the headers of a row, but for cookies and tokens."""
    headers = [("origin", origin) for origin in row.origin]
    if row.site:
        headers.append(("sec-fetch-site", row.site))
    if row.navigates:
        headers += [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]
    if row.kind:
        headers.append(("content-type", row.kind))
    return headers


@pytest.mark.parametrize("row", ASKS, ids=str)
def test_an_origin_and_the_tokens_are_judged(row: AskRow) -> None:
    tokens = [("x-psp-token", TOKENS.get(word, "")) for word in row.token]
    head = _head(row.method, row.path, ("host", f"127.0.0.1:{PORT}"), *_asked(row), *tokens)
    status = _refusal(head)
    if not status:
        session = TOKENS["session"] if row.cookie == "session" else None
        status = 0 if access.is_admitted(head, session, TOKENS["permanent"]) else 401
    assert status == (0 if row.status in {200, SERVED} else row.status)


class Asker:
    """Sends rows to a gateway, with real sessions."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.cookies: dict[str, str] = {"wrong": "d" * 64, "permanent": gateway.token}
        self.tokens = {"wrong": "d" * 64, "permanent": gateway.token, "empty": ""}
        for name in ("session", "other"):
            with gateway.browser() as browser:
                self.cookies[name] = browser.cookies["psp"]
                self.tokens[name] = browser.headers["X-PSP-Token"]

    def status(self, row: AskRow) -> int:
        headers = [
            (name, value.replace(str(PORT), str(self.gateway.port))) for name, value in _asked(row)
        ]
        if row.cookie:
            headers.append(("cookie", f"a=b; psp={self.cookies[row.cookie]}; c=d"))
        headers += [("x-psp-token", self.tokens[word]) for word in row.token]
        body = BODY if row.method == "POST" else b""
        if body:
            headers.append(("content-length", str(len(body))))
        host = f"127.0.0.1:{self.gateway.port}"
        return status_of(self.gateway.raw(_request(row.method, row.path, [host], headers, body)))


@pytest.fixture(scope="module")
def asker(lonely: Gateway) -> Asker:
    return Asker(lonely)


def _request(
    method: str,
    target: str,
    hosts: list[str],
    headers: list[tuple[str, str]],
    body: bytes = b"",
    version: str = "1.1",
) -> bytes:
    lines = [f"{method} {target} HTTP/{version}"]
    lines += [f"Host: {host}" for host in hosts]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += ["Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


@pytest.mark.parametrize("row", ASKS, ids=str)
def test_a_gateway_lets_in_by_origin_and_tokens(asker: Asker, row: AskRow) -> None:
    assert asker.status(row) == row.status


@pytest.mark.parametrize("row", [*HOSTS, *ABSOLUTE], ids=str)
def test_a_gateway_lets_in_by_the_host(asker: Asker, row: HostRow) -> None:
    port = str(asker.gateway.port)
    hosts = [host.replace(str(PORT), port) for host in row.hosts]
    target = row.target.replace(str(PORT), port)
    token = [("X-PSP-Token", asker.gateway.token)]
    answer = asker.gateway.raw(_request("GET", target, hosts, token, version=row.version))
    refused = 400 if row.by_h11 or row in ABSOLUTE else 421
    expected = SERVED if row.is_ours else refused
    assert status_of(answer) == expected


def test_the_hosts_of_a_gateway_at_port_80_need_no_port() -> None:
    policy = gate.loopback_policy(80)
    for host in ("localhost", "localhost:80", "[::1]"):
        assert _refusal(_head("GET", "/", ("host", host)), policy) == 0
        asked = _head("GET", "/", ("host", host), ("origin", f"http://{host}"))
        assert _refusal(asked, policy) == 0


def test_a_gateway_at_all_addresses_knows_addresses_and_no_names_but_its_own() -> None:
    policy = gate.Policy(frozenset({"localhost", "nas"}), PORT, any_address=True)
    for host in ("192.168.1.5:8383", "[fe80::1]:8383", "nas:8383", "NAS:8383"):
        assert _refusal(_head("GET", "/", ("host", host)), policy) == 0
    for host in ("evil.com:8383", "127.1:8383", "192.168.1.5", "[192.168.1.5]:8383", "::1:8383"):
        assert _refusal(_head("GET", "/", ("host", host)), policy) == 421


def test_a_body_that_is_announced_too_long_is_refused() -> None:
    def of(kind: str, length: str, path: str = "/api/v1/search") -> int:
        host = ("host", f"localhost:{PORT}")
        return _refusal(
            _head("POST", path, host, ("content-type", kind), ("content-length", length))
        )

    assert of("image/png", str(64 << 20)) == 0
    assert of("image/png", str((64 << 20) + 1)) == 413
    assert of("application/json", str(1 << 20)) == 0
    assert of("application/json", str((1 << 20) + 1)) == 413
    assert of("application/json; charset=utf-8", str(2 << 20), "/api/v1/acts") == 0
    assert of("application/octet-stream", "9" * 5000) == 413
    assert of("image/png", "-1") == 413


def test_a_head_that_is_too_long_is_refused() -> None:
    head = _head("GET", "/", ("host", f"localhost:{PORT}"), ("x", "y" * (16 << 10)))
    assert _refusal(head) == 431
    query = gate.Head("GET", b"/", "/", [(b"host", b"localhost:8383")], b"q" * (16 << 10))
    assert _refusal(query) == 431


def test_a_form_is_taken_by_the_login_alone_and_only_where_there_is_one() -> None:
    form = ("content-type", "application/x-www-form-urlencoded")
    head = _head("POST", "/login", ("host", f"localhost:{PORT}"), form)
    assert _refusal(head) == 415
    assert _refusal(head, POLICY._replace(has_login=True)) == 0
    document = _head("POST", "/login", ("host", "localhost:8383"), ("content-type", "image/png"))
    assert _refusal(document, POLICY._replace(has_login=True)) == 415


PUBLIC = {"/"}
"""Where a stranger gets a page that says what to do."""


def _paths(gateway: Gateway) -> Iterator[tuple[str, str]]:
    with gateway.script() as script:
        description = script.get("/api/v1/openapi.json").json()
    for path, operations in description["paths"].items():
        for method in operations:
            yield method.upper(), path.replace("{image}", IMAGE).replace("{act}", "1")
    for path in ("/", "/static/main.js", "/static/none", "/favicon.ico", "/manifest.webmanifest"):
        yield "GET", path
    yield "GET", "/none"
    yield "GET", "/login"


def test_without_a_session_every_route_is_closed(lonely: Gateway) -> None:
    paths = list(_paths(lonely))
    assert len(paths) > 30
    with httpx.Client(base_url=lonely.base) as stranger:
        for method, path in paths:
            answer = stranger.request(
                method, path, headers={"Content-Type": "application/json"}, content=b"{}"
            )
            assert answer.status_code == 401, (method, path)
            if path in PUBLIC:
                assert "pspc web" in answer.text
            else:
                assert answer.json()["error"]["code"] == "session"


HEADERS = {
    "content-security-policy": (
        "default-src 'none'; img-src 'self' blob:; script-src 'self'; style-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


@pytest.mark.parametrize("token", [True, False])
def test_every_answer_is_protected(lonely: Gateway, *, token: bool) -> None:
    headers = {"X-PSP-Token": lonely.token} if token else {}
    with httpx.Client(base_url=lonely.base, headers=headers) as client:
        answers = [client.get(path) for path in ("/", "/api/v1/status", "/static/main.js", "/none")]
        answers.append(client.options("/"))
        answers.append(client.head("/"))
        answers.append(client.post("/api/v1/search", content=b"x"))
        answers.append(client.get("/", headers={"Host": "evil.com"}))
    for answer in answers:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, answer.url
        assert "server" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_what_is_no_http_is_refused_and_protected_as_well(lonely: Gateway) -> None:
    answer = lonely.raw(b"what?\r\n\r\n")
    assert status_of(answer) == 400
    assert body_of(answer)["error"]["code"] == "http"
    text = answer.decode().lower()
    assert all(f"{name}: {value.lower()}\r\n" in text for name, value in HEADERS.items())


def test_a_foreign_page_is_not_told_why(lonely: Gateway) -> None:
    """No answer to another origin says more than that it is one."""
    with httpx.Client(base_url=lonely.base) as client:
        answer = client.get("/api/v1/status", headers={"Origin": OURS.replace("127", "128")})
    assert answer.json()["error"]["code"] == "origin"
