"""Copies are listed with what could become of them, go to the trash, and come back."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pspc.commands.duplicates import SAFE_VERDICT
from pspc.deciding import keeping
from pspc.web.wishes import DuplicatesWish
from pspd.rpc import wire
from tests.client.deciding.groups import shot
from tests.client.web.conftest import Library, library_of
from tests.client.web.running import Gateway
from tests.e2e import scenes
from tests.waiting import expect


def _groups(library: Library, **wishes: Any) -> list[dict[str, Any]]:
    answer = library.script.get("/api/v1/duplicates", params=wishes)
    assert answer.status_code == 200, answer.text
    groups: list[dict[str, Any]] = answer.json()["groups"]
    return groups


def _doings(groups: list[dict[str, Any]]) -> dict[str, str]:
    return {
        os.path.basename(file["path"]): file["do"] for group in groups for file in group["files"]
    }


def _plan(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make of groups what the page sends."""
    plan = []
    for group in groups:
        parts: dict[str, list[Any]] = {"keep": [], "trash": []}
        for file in group["files"]:
            if file["do"] in parts:
                named = {name: file[name] for name in ("key", "image", "bytes")}
                parts[file["do"]].append(named)
        if parts["trash"]:
            plan.append(parts)
    return plan


def _act(library: Library, groups: list[dict[str, Any]], *, dry_run: bool = False) -> Any:
    answer = library.script.post("/api/v1/acts", json={"groups": groups, "dry_run": dry_run})
    assert answer.status_code == 202, answer.text
    return _await(library, answer.json()["act"])


def _undo(library: Library) -> Any:
    answer = library.script.post("/api/v1/acts/undo", json={})
    assert answer.status_code == 202, answer.text
    return _await(library, answer.json()["act"])


def _await(library: Library, number: int) -> Any:
    state: dict[str, Any] = {}

    def is_over() -> bool:
        state.update(library.script.get(f"/api/v1/acts/{number}").json())
        return bool(state["state"] != "running")

    expect(is_over)
    return state


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }


def test_the_defaults_are_those_of_the_command_line() -> None:
    assert DuplicatesWish().limit_do == SAFE_VERDICT


def test_groups_say_what_could_become_of_their_files(library: Library) -> None:
    groups = _groups(library)
    assert sorted(len(group["files"]) for group in groups) == [2, 2]
    doings = _doings(groups)
    assert {doings["scene-1.png"], doings["again.png"]} == {"keep", "trash"}
    assert (doings["scene-0.png"], doings["small.jpg"]) == ("stay", "stay")
    reasons = {file["do"]: file["why"] for group in groups for file in group["files"]}
    assert reasons["trash"] == "same_file"
    assert reasons["keep"] in wire.DEFAULT_KEEP + ", path"
    wider = _doings(_groups(library, limit_do="copy"))
    assert (wider["scene-0.png"], wider["small.jpg"]) == ("keep", "trash")


def test_rules_are_applied_live(library: Library) -> None:
    smallest = _doings(_groups(library, limit_do="copy", keep="path:**/small.jpg, pixels"))
    assert (smallest["scene-0.png"], smallest["small.jpg"]) == ("trash", "keep")
    wrong = library.script.get("/api/v1/duplicates", params={"keep": "best"})
    assert wrong.status_code == 400
    assert wrong.json()["error"]["code"] == "usage"
    assert "there is no rule 'best'" in wrong.json()["error"]["message"]
    rules = library.script.get("/api/v1/rules").json()
    assert rules["default"] == wire.DEFAULT_KEEP
    for rule in rules["rules"]:
        assert keeping.rules(rule.replace("GLOB", "/x/**"))


def test_groups_are_chosen_by_verdict_and_roots(library: Library) -> None:
    assert set(_doings(_groups(library, verdict="same_file"))) == {"scene-1.png", "again.png"}
    assert _groups(library, across_roots="true") == []


def test_other_shots_are_left_out_and_counted_unless_they_are_asked_for() -> None:
    def burst(folder: Path) -> None:
        shot(scenes.scene(1), folder / "1.jpg", "10:00:01", quality=95)
        shot(scenes.scene(1), folder / "2.jpg", "10:00:02", quality=90)
        shot(scenes.scene(1), folder / "2-saved.jpg", "10:00:02", quality=70)
        scenes.scene(2).save(folder / "IMG_1.CR2", "jpeg", quality=95)
        scenes.scene(2).save(folder / "IMG_1.JPG", quality=80)

    for library in library_of(burst):
        page = library.script.get("/api/v1/duplicates", params={"limit_do": "copy"}).json()
        assert _doings(page["groups"]) == {"2.jpg": "keep", "2-saved.jpg": "trash"}
        assert (page["left_out"], page["total"]) == (3, 2)
        # What could become of files is the same, whatever is shown of them.
        wishes = {"limit_do": "copy", "all_shots": "true"}
        page = library.script.get("/api/v1/duplicates", params=wishes).json()
        assert _doings(page["groups"]) == {
            "1.jpg": "stay",
            "2.jpg": "keep",
            "2-saved.jpg": "trash",
            "IMG_1.CR2": "stay",
            "IMG_1.JPG": "stay",
        }
        assert page["left_out"] == 0
        described = library.script.get("/api/v1/openapi.json").text
        assert '"left_out"' in described
        assert '"all_shots"' in described


def test_pages_have_whole_groups(library: Library) -> None:
    whole = library.script.get("/api/v1/duplicates").json()
    first = library.script.get("/api/v1/duplicates", params={"limit": 2}).json()
    assert len(first["groups"]) == 1
    assert first["total"] == whole["total"] == 2
    second = library.script.get(
        "/api/v1/duplicates", params={"limit": 2, "after": first["next"]}
    ).json()
    paths = [
        file["path"] for page in (first, second) for g in page["groups"] for file in g["files"]
    ]
    assert paths == [file["path"] for group in whole["groups"] for file in group["files"]]
    assert second["next"] is None
    tiny = library.script.get("/api/v1/duplicates", params={"limit": 1}).json()
    assert all(len(group["files"]) == 2 for group in tiny["groups"])


def test_a_plan_is_carried_out_and_taken_back(library: Library) -> None:
    before = _digests(library.folder)
    plan = _plan(_groups(library, limit_do="copy"))
    dry = _act(library, plan, dry_run=True)
    assert (dry["state"], dry["done"], dry["dry_run"], dry["can_undo"]) == ("done", 2, True, False)
    assert _digests(library.folder) == before
    done = _act(library, plan)
    assert (done["state"], done["total"], done["done"], done["failed"]) == ("done", 2, 2, [])
    assert done["bytes"] == sum(file["bytes"] for group in plan for file in group["trash"])
    assert done["can_undo"]
    left = _digests(library.folder)
    assert len(left) == len(before) - 2
    undone = _undo(library)
    assert (undone["kind"], undone["total"], undone["done"]) == ("undo", 2, 2)
    assert _digests(library.folder) == before
    acts = library.script.get("/api/v1/acts").json()["acts"]
    assert [act["act"] for act in acts] == [undone["act"], done["act"], dry["act"]]
    assert not any(act["can_undo"] for act in acts)


def test_who_names_an_act_takes_back_that_one_or_nothing(library: Library) -> None:
    before = _digests(library.folder)
    done = _act(library, _plan(_groups(library, limit_do="copy")))
    assert done["done"]
    changed = _digests(library.folder)
    unknown = library.script.post("/api/v1/acts/undo", json={"act": done["act"] + 99})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (409, "order")
    assert _digests(library.folder) == changed
    answer = library.script.post("/api/v1/acts/undo", json={"act": done["act"]})
    assert answer.status_code == 202
    assert _await(library, answer.json()["act"])["state"] == "done"
    assert _digests(library.folder) == before
    again = library.script.post("/api/v1/acts/undo", json={"act": done["act"]})
    assert again.status_code == 409


def test_what_pspc_apply_did_is_taken_back_as_well(library: Library) -> None:
    before = _digests(library.folder)
    plan = library.home.folder / "plan.jsonl"
    library.home.pspc("duplicates", "--plan", plan)
    library.home.pspc("apply", plan)
    assert _digests(library.folder) != before
    assert _undo(library)["done"] == 1
    assert _digests(library.folder) == before
    nothing = _undo(library)
    assert (nothing["state"], nothing["total"]) == ("done", 0)


def test_what_cannot_be_done_is_told_and_the_rest_goes_on(library: Library) -> None:
    plan = _plan(_groups(library, limit_do="copy"))
    (library.folder / "small.jpg").write_bytes(b"edited meanwhile")
    done = _act(library, plan)
    assert (done["state"], done["done"], done["failures"]) == ("done", 1, 1)
    (failed,) = done["failed"]
    assert failed["path"] == str(library.folder / "small.jpg")
    assert "has changed" in failed["message"]
    assert (library.folder / "small.jpg").read_bytes() == b"edited meanwhile"


def test_a_file_that_is_gone_is_told(library: Library) -> None:
    plan = _plan(_groups(library))
    (gone,) = [file for file in _groups(library) for file in file["files"] if file["do"] == "trash"]
    os.unlink(gone["path"])
    done = _act(library, plan)
    assert (done["done"], done["failures"]) == (0, 1)
    assert not done["can_undo"]


def test_links_share_bytes_and_come_apart_again(library: Library) -> None:
    (group,) = _plan(_groups(library))
    linked = {"keep": group["keep"], "link": group["trash"]}
    done = _act(library, [linked])
    assert (done["state"], done["done"]) == ("done", 1), done
    one, other = (library.folder / name for name in ("scene-1.png", "again.png"))
    assert one.stat().st_ino == other.stat().st_ino
    assert _undo(library)["done"] == 1
    assert one.stat().st_ino != other.stat().st_ino


MANY = 150


@pytest.fixture
def crowded() -> Iterator[Library]:
    """A library of one picture, many times."""

    def many(folder: Path) -> None:
        data = scenes.save(1, folder / "000.png").read_bytes()
        for number in range(1, MANY):
            (folder / f"{number:03}.png").write_bytes(data)

    yield from library_of(many)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_act_that_was_cut_short_is_taken_back(crowded: Library, number: signal.Signals) -> None:
    before = _digests(crowded.folder)
    plan = _plan(_groups(crowded))
    assert sum(len(group["trash"]) for group in plan) == MANY - 1
    started = crowded.script.post("/api/v1/acts", json={"groups": plan}).json()["act"]

    def has_begun() -> bool:
        return bool(crowded.script.get(f"/api/v1/acts/{started}").json()["done"] > 3)

    expect(has_begun)
    crowded.gateway.stop(number)
    left = len(_digests(crowded.folder))
    assert 1 <= left < MANY
    with Gateway(crowded.home.environ) as gateway, gateway.script() as script:
        again = replace(crowded, gateway=gateway, script=script)
        undone = _undo(again)
        assert undone["state"] == "done"
        assert undone["failed"] == []
        assert undone["done"] >= MANY - left
    assert _digests(crowded.folder) == before


@pytest.mark.parametrize(
    ("groups", "code"),
    [
        ([], "malformed"),
        ([{"keep": [], "trash": []}], "malformed"),
        ([{"trash": []}], "malformed"),
        ([{"keep": [{"key": "x" * 40, "image": "0" * 64, "bytes": 1}]}], "key"),
        ([{"keep": [{"path": "/etc/passwd", "image": "0" * 64, "bytes": 1}]}], "malformed"),
    ],
)
def test_a_plan_that_is_none_is_told(library: Library, groups: Any, code: str) -> None:
    answer = library.script.post("/api/v1/acts", json={"groups": groups})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


def test_a_plan_that_names_a_file_twice_is_refused(library: Library) -> None:
    (group,) = _plan(_groups(library))
    answer = library.script.post("/api/v1/acts", json={"groups": [group, group]})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "plan"
    assert library.script.get("/api/v1/acts").json() == {"acts": []}
    assert library.script.get("/api/v1/acts/1").status_code == 404


def test_without_the_sessions_token_nothing_happens(library: Library) -> None:
    before = _digests(library.folder)
    plan = {"groups": _plan(_groups(library, limit_do="copy"))}
    with library.gateway.browser() as browser:
        del browser.headers["X-PSP-Token"]
        assert browser.post("/api/v1/acts", json=plan).status_code == 401
        headers = {"X-PSP-Token": library.gateway.token, "Origin": "http://evil.com"}
        assert browser.post("/api/v1/acts", json=plan, headers=headers).status_code == 403
    assert library.script.get("/api/v1/acts").json() == {"acts": []}
    assert _digests(library.folder) == before
