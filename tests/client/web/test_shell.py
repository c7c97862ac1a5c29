"""The page: how a browser gets in, and what it is served."""

from __future__ import annotations

import re

import httpx

from pspc.web import shell
from tests.client.web.running import Gateway, page_token


def test_the_printed_address_opens_a_session_once(lonely: Gateway) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?key=[0-9a-f]{64}", lonely.address)
    with httpx.Client(base_url=lonely.base) as browser, httpx.Client() as other:
        address = f"/?key={lonely.new_key()}"
        arrived = browser.get(address)
        assert arrived.status_code == 303
        assert arrived.headers["location"] == "/"
        cookie = arrived.headers["set-cookie"]
        assert re.fullmatch(r"psp=[0-9a-f]{64}; HttpOnly; SameSite=Strict; Path=/", cookie)
        page = browser.get("/")
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert re.fullmatch(r"[0-9a-f]{64}", page_token(page.text))
        assert "__PSP_TOKEN__" not in page.text
        assert other.get(lonely.base + address).status_code == 401
        # From the history: the session is still there.
        assert browser.get(address).status_code == 303


def test_looking_at_an_address_does_not_use_it_up(lonely: Gateway) -> None:
    address = f"/?key={lonely.new_key()}"
    with httpx.Client(base_url=lonely.base) as browser:
        assert browser.head(address).status_code == 401
        assert browser.get(address).status_code == 303


def test_a_wrong_key_opens_nothing(lonely: Gateway) -> None:
    with httpx.Client(base_url=lonely.base) as browser:
        for key in ("", "a" * 64, lonely.token, "é", "a" * 5000):
            assert browser.get("/", params={"key": key}).status_code == 401
        assert not browser.cookies


def test_each_browser_has_a_token_of_its_own(lonely: Gateway) -> None:
    with lonely.browser() as one, lonely.browser() as other:
        assert one.headers["X-PSP-Token"] != other.headers["X-PSP-Token"]
        assert one.cookies["psp"] != other.cookies["psp"]
        one.headers["X-PSP-Token"] = other.headers["X-PSP-Token"]
        assert one.post("/api/v1/acts/undo", json={}).status_code == 401


def test_the_pages_files_are_served_by_their_names(lonely: Gateway) -> None:
    files = shell.packaged()
    assert "index.html" in files
    with lonely.browser() as browser:
        for name, (content, kind) in files.items():
            answer = browser.get(f"/static/{name}")
            if name == "index.html":
                assert answer.status_code == 404
                continue
            assert answer.status_code == 200, name
            assert answer.content == content
            assert answer.headers["content-type"] == kind
            assert answer.headers["cache-control"] == "no-store"


def test_a_head_is_answered_as_a_get_without_its_body(lonely: Gateway) -> None:
    with lonely.browser() as browser:
        for path in ("/", "/static/main.js", "/api/v1/openapi.json", "/api/v1/events"):
            answer = browser.head(path)
            assert answer.status_code == 200, path
            assert answer.content == b""


def test_what_is_not_there_is_told_in_json(lonely: Gateway) -> None:
    with lonely.browser() as browser:
        assert browser.get("/none").json()["error"]["code"] == "not_found"
        wrong = browser.post("/api/v1/status", json={})
        assert wrong.status_code == 405
        assert wrong.headers["allow"] == "GET, HEAD"
        assert browser.get("/api/v1/search").headers["allow"] == "POST"
