"""What the daemon knows, as the page is told; with a real daemon on real pictures."""

from __future__ import annotations

import hashlib
import io
import os
from typing import Any

import pytest
from PIL import Image

from tests.client.web.conftest import Library
from tests.e2e import scenes


def _ok(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def _error(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["message"]
    code: str = error["code"]
    return code


def _search(library: Library, data: bytes, kind: str = "image/png", **wishes: Any) -> Any:
    return library.script.post(
        "/api/v1/search", content=data, params=wishes, headers={"Content-Type": kind}
    )


_SIZE = (320, 240)
"""Of a query, in pixels."""


def _query(seed: int) -> bytes:
    stream = io.BytesIO()
    scenes.scene(seed).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def test_status_and_roots_are_those_of_the_command_line(shared_library: Library) -> None:
    library = shared_library
    told = _ok(library.script.get("/api/v1/status"))
    expected = library.home.status()
    assert (told["pid"], told["indexed"], told["failed"]) == (expected["pid"], 6, 1)
    assert set(told) == set(expected)
    roots = _ok(library.script.get("/api/v1/roots"))["roots"]
    assert [root["path"] for root in roots] == [str(library.folder)]


def test_a_picture_is_found_with_its_copies(shared_library: Library) -> None:
    library = shared_library
    for kind in ("image/png", "application/octet-stream", "image/x-unknown; a=b"):
        found = _ok(_search(library, _query(0), kind))
        verdicts = {os.path.basename(hit["path"]): hit["verdict"] for hit in found["hits"]}
        assert verdicts == {"scene-0.png": "same_pixels", "small.jpg": "copy"}
    told = library.home.document("search", library.folder / "scene-0.png")
    assert set(found) == {*told, "whole"}
    assert len({hit["key"] for hit in found["hits"]}) == 2


def test_wishes_are_passed_on(shared_library: Library) -> None:
    library = shared_library
    assert len(_ok(_search(library, _query(0), count=1))["hits"]) == 1
    assert len(_ok(_search(library, _query(0), mode="original"))["hits"]) == 1
    assert len(_ok(_search(library, _query(0), distance=0, effort="fast"))["hits"]) >= 1
    assert _ok(_search(library, _query(0), alike="true", budget=0.1))["query"]
    unknown = _search(library, _query(0), expect=0.5)
    assert "a library of 100 pictures" in unknown.json()["error"]["message"]
    cropped = _ok(_search(library, _query(0), crop="0,0,320,240"))
    assert cropped["hits"]
    # Known by all of it, of which other parts are searched with then.
    whole = cropped["whole"]
    assert (whole["width"], whole["height"]) == _SIZE
    assert cropped["query"]["image"] != whole["image"]
    kept = f"/api/v1/queries/{whole['image']}/search"
    again = _ok(library.script.post(kept, params={"crop": "10,10,100,100"}, json={}))
    assert again["whole"] == whole
    assert _error(_search(library, _query(0), crop="9000,9000,10,10"), 422) == "bad_query"


@pytest.mark.parametrize(
    "wishes",
    [
        {"distance": 257}, {"distance": "x"}, {"count": 0}, {"mode": "none"}, {"effort": ""},
        {"crop": "1,2,3"}, {"alike": "maybe"}, {"unknown": 1}, {"budget": 0}, {"distance": "null"},
        {"count": [1, 2]},
    ],
)  # fmt: skip
def test_wishes_that_make_no_sense_are_told(
    shared_library: Library, wishes: dict[str, Any]
) -> None:
    assert _error(_search(shared_library, b"x", **wishes), 400) == "usage"


def test_what_is_no_picture_is_told(shared_library: Library) -> None:
    library = shared_library
    answer = _search(library, b"just some text\n" * 100)
    assert _error(answer, 422) == "bad_query"
    assert answer.json()["error"]["reason"] == "not_a_picture"
    assert _error(_search(library, b""), 422) == "source"
    assert _error(_search(library, b"{}", "application/json"), 415) == "content_type"


def test_a_query_is_kept_and_can_be_used_again(shared_library: Library) -> None:
    library = shared_library
    data = _query(2)
    image = _ok(_search(library, data, effort="fast"))["query"]["image"]
    assert image == hashlib.blake2b(data, digest_size=32).hexdigest()
    again = _ok(library.script.post(f"/api/v1/queries/{image}/search", json={}))
    assert again["query"]["image"] == image
    drawn = library.script.get(f"/api/v1/queries/{image}/picture", params={"size": 100})
    assert drawn.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(drawn.content)).size == (100, 75)
    unknown = "0" * 64
    for answer in (
        library.script.post(f"/api/v1/queries/{unknown}/search", json={}),
        library.script.get(f"/api/v1/queries/{unknown}/picture"),
    ):
        assert _error(answer, 404) == "query"


def test_the_last_eight_queries_are_kept(shared_library: Library) -> None:
    library = shared_library
    images = [
        _ok(_search(library, _query(100 + seed), effort="fast"))["query"]["image"]
        for seed in range(9)
    ]
    states = [
        library.script.get(f"/api/v1/queries/{image}/picture").status_code for image in images
    ]
    assert states == [404] + [200] * 8


def test_an_indexed_picture_is_drawn_and_described(shared_library: Library) -> None:
    library = shared_library
    data = (library.folder / "scene-1.png").read_bytes()
    image = hashlib.blake2b(data, digest_size=32).hexdigest()
    drawn = library.script.get(f"/api/v1/pictures/{image}/thumbnail", params={"size": 64})
    assert drawn.status_code == 200
    assert drawn.headers["cache-control"] == "private, max-age=86400, immutable"
    assert drawn.headers["content-type"] == "image/jpeg"
    assert max(Image.open(io.BytesIO(drawn.content)).size) == 64
    details = _ok(library.script.get(f"/api/v1/pictures/{image}"))
    assert (details["width"], details["height"], details["format"]) == (320, 240, "PNG")
    assert details["bytes"] == len(data)
    files = {os.path.basename(file["path"]): file for file in details["files"]}
    assert set(files) == {"scene-1.png", "again.png"}
    assert all(file["bytes"] == len(data) and not file["missing"] for file in files.values())
    assert all(file["modified"].endswith("Z") for file in files.values())
    found = _ok(library.script.post(f"/api/v1/pictures/{image}/search", json={}))
    assert {hit["verdict"] for hit in found["hits"]} == {"same_file"}


def test_a_picture_that_is_not_indexed_is_not_served(shared_library: Library) -> None:
    library = shared_library
    for path in ("", "/thumbnail"):
        answer = library.script.get(f"/api/v1/pictures/{'0' * 64}{path}")
        assert _error(answer, 400) == "bad_request"
    for name in ("x", "0" * 63, "0" * 65, "Z" * 64, "0" * 64 + "%0A", "..%2f..%2fetc%2fpasswd"):
        answer = library.script.get(f"/api/v1/pictures/{name}/thumbnail")
        assert answer.status_code in {400, 404}
    for size in (15, 1025, "x"):
        answer = library.script.get(f"/api/v1/pictures/{'0' * 64}/thumbnail", params={"size": size})
        assert _error(answer, 400) == "usage"


def test_a_part_is_drawn_without_loss_of_a_picture_and_a_query(shared_library: Library) -> None:
    library = shared_library
    data = (library.folder / "scene-1.png").read_bytes()
    expected = Image.open(io.BytesIO(data)).convert("RGB").crop((300, 200, 320, 240))
    image = _ok(_search(library, data, effort="fast"))["query"]["image"]
    for kind in ("pictures", "queries"):
        address = f"/api/v1/{kind}/{image}/detail"
        drawn = library.script.get(address, params={"part": "300,200,20,40"})
        assert drawn.status_code == 200
        assert drawn.headers["content-type"] == "image/png"
        assert drawn.headers["cache-control"] == "private, max-age=86400, immutable"
        assert Image.open(io.BytesIO(drawn.content)).tobytes() == expected.tobytes()
        for part in ("301,200,20,40", "0,0,321,1", "999999999,0,1,1"):
            outside = library.script.get(address, params={"part": part})
            assert _error(outside, 400) == "bad_request"
            assert "320 × 240" in outside.json()["error"]["message"]
        for part in ("", "1,2,3", "0,0,0,1", "-1,0,5,5", "0,0,1,1e3", "0,0,1,1,1", "٣,0,1,1"):
            assert _error(library.script.get(address, params={"part": part}), 400) == "usage"
        assert _error(library.script.get(address), 400) == "usage"
        other = address.replace(image, "0" * 64)
        answer = library.script.get(other, params={"part": "0,0,1,1"})
        assert answer.status_code == (400 if kind == "pictures" else 404)


def test_two_pictures_are_compared(shared_library: Library) -> None:
    library = shared_library
    hits = _ok(_search(library, _query(0)))
    by_name = {os.path.basename(hit["path"]): hit["image"] for hit in hits["hits"]}
    first, second = hits["query"]["image"], by_name["small.jpg"]
    said = _ok(library.script.get("/api/v1/compare", params={"first": first, "second": second}))
    assert said["verdict"] == "copy"
    assert said["reasons"]
    nobody = library.script.get("/api/v1/compare", params={"first": first, "second": "0" * 64})
    assert _error(nobody, 400) == "bad_request"
    assert _error(library.script.get("/api/v1/compare"), 400) == "usage"


def test_failures_come_page_by_page(library: Library) -> None:
    for number in range(5):
        (library.folder / f"bad-{number}.jpg").write_bytes(b"\xff\xd8\xff%d" % number)
    library.sync()
    expected = library.home.document("failures")["failures"]
    found: list[Any] = []
    after: str | None = None
    while True:
        wishes = {"limit": "2"} | ({"after": after} if after else {})
        page = _ok(library.script.get("/api/v1/failures", params=wishes))
        assert len(page["failures"]) <= 2
        found += page["failures"]
        after = page["next"]
        if after is None:
            break
    assert found == expected
    assert len(found) == 6
    assert _error(library.script.get("/api/v1/failures", params={"after": "!"}), 400) == "usage"


def test_folders_are_added_and_removed(library: Library) -> None:
    other = library.home.pictures("其他")
    scenes.save(9, other / "nine.png")
    added = _ok(library.script.post("/api/v1/roots", json={"path": str(other)}))
    assert added["path"] == str(other)
    twice = library.script.post("/api/v1/roots", json={"path": str(other / "below")})
    assert _error(twice, 400) == "root"
    removed = _ok(library.script.post("/api/v1/roots/remove", json={"path": str(other)}))
    assert removed["path"] == str(other)
    for path in ("", "relative", "~/x", "/a\0b"):
        answer = library.script.post("/api/v1/roots", json={"path": path})
        assert _error(answer, 400) in {"malformed", "path"}
    wrong: list[Any] = [{}, {"path": 1}, {"path": "/x", "unknown": 1}, [], "x", 1]
    for document in wrong:
        answer = library.script.post("/api/v1/roots", json=document)
        assert _error(answer, 400) == "malformed"


def test_a_folder_is_paused_and_goes_on(library: Library) -> None:
    root = {"path": str(library.folder)}
    for _ in range(2):
        paused = _ok(library.script.post("/api/v1/roots/pause", json=root))
        assert (paused["state"], "pspc resume" in paused["problem"]) == ("paused", True)
    freshness = _ok(_search(library, _query(0)))["freshness"]
    assert (freshness["paused_roots"], freshness["complete"]) == ([str(library.folder)], False)
    for _ in range(2):
        resumed = _ok(library.script.post("/api/v1/roots/resume", json=root))
        assert resumed["state"] in {"scanning", "watching"}
    library.sync()
    freshness = _ok(_search(library, _query(0)))["freshness"]
    assert (freshness["paused_roots"], freshness["complete"]) == ([], True)
    for act in ("pause", "resume"):
        nobody = library.script.post(f"/api/v1/roots/{act}", json={"path": "/nowhere"})
        assert _error(nobody, 400) == "root"
        relative = library.script.post(f"/api/v1/roots/{act}", json={"path": "x"})
        assert _error(relative, 400) == "malformed"


def test_a_root_whose_name_is_no_text_can_be_paused_and_removed(library: Library) -> None:
    folder = os.fsencode(library.home.folder) + b"/caf\xe9"
    os.mkdir(folder)
    library.home.pspc("add", os.fsdecode(folder))
    roots = _ok(library.script.get("/api/v1/roots"))["roots"]
    (root,) = [each for each in roots if "path_base64" in each]
    assert root["path"].endswith("caf\\xe9")
    wish = {"path": root["path"], "path_base64": root["path_base64"]}
    assert _ok(library.script.post("/api/v1/roots/pause", json=wish))["state"] == "paused"
    assert _ok(library.script.post("/api/v1/roots/remove", json=wish))["path"] == root["path"]


def test_models_and_distances_are_told(shared_library: Library) -> None:
    library = shared_library
    assert "models" in _ok(library.script.get("/api/v1/models"))
    distances = _ok(library.script.get("/api/v1/distances"))
    assert len(distances["expected_by_distance"]) in {0, 257}
    assert distances["threshold"] > 0
    for wish in ({"action": "use"}, {"action": "pause", "name": "x"}):
        assert _error(library.script.post("/api/v1/models", json=wish), 400) == "usage"
    nobody = library.script.post("/api/v1/models", json={"action": "use", "name": "none"})
    assert _error(nobody, 400) == "model"


def test_pictures_are_told_apart_and_joined_again(library: Library) -> None:
    found = _ok(_search(library, _query(0)))
    images = [hit["image"] for hit in found["hits"]]
    assert _ok(library.script.post("/api/v1/distinct", json={"images": images})) == {"added": 1}
    (pair,) = _ok(library.script.get("/api/v1/distinct"))["pairs"]
    assert {pair["first"]["image"], pair["second"]["image"]} == set(images)
    assert pair["first"]["files"][0]["path"].startswith(str(library.folder))
    forgotten = library.script.post("/api/v1/distinct/forget", json={"images": images})
    assert _ok(forgotten) == {"forgotten": 1}
    assert _ok(library.script.get("/api/v1/distinct"))["pairs"] == []


def test_a_file_is_shown_by_its_key_alone(shared_library: Library) -> None:
    library = shared_library
    hit = _ok(_search(library, _query(3)))["hits"][0]
    address = f"/api/v1/pictures/{hit['image']}/show"
    assert _error(library.script.post(address, json={"key": "x" * 40}), 400) == "key"
    assert _error(library.script.post(address, json={"path": "/etc/passwd"}), 400) == "malformed"
