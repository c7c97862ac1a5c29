"""`pspc pause` has a folder left alone, also over restarts; `pspc resume` finds what changed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.e2e.home import Home
from tests.e2e.scenes import save, scene
from tests.waiting import expect

MANY = 1000
"""Files that take longer to index than to pause."""


def root_of(home: Home, folder: Path) -> dict[str, Any]:
    """Return how a folder is, after all that happened before is known."""
    home.pspc("sync")
    (root,) = [each for each in home.document("roots")["roots"] if each["path"] == str(folder)]
    found: dict[str, Any] = root
    return found


def test_what_happens_in_a_paused_folder_is_found_when_it_goes_on(home: Home) -> None:
    paused, other = home.pictures("paused"), home.pictures("other")
    query = save(1, home.folder / "query.png")
    shutil.copy(query, paused / "a.png")
    save(2, paused / "gone.png")
    home.pspc("add", paused, other, "--wait")
    home.pspc("pause", paused)
    home.pspc("pause", paused)
    new = save(3, home.folder / "new.png")
    for folder in (paused, other):
        shutil.copy(new, folder / "new.png")
    (paused / "gone.png").unlink()
    (paused / "a.png").rename(paused / "moved.png")

    # The sync waits for the other folder, and names what it left out.
    done = home.run("pspc", "sync")
    assert (done.returncode, done.stdout) == (0, b"")
    assert f"pspc resume '{paused}'" in done.stderr.decode()
    document = home.document("search", new)
    assert [hit["path"] for hit in document["hits"]] == [str(other / "new.png")]
    assert document["freshness"]["paused_roots"] == [str(paused)]
    assert not document["freshness"]["complete"]
    assert set(home.search(query)) == {str(paused / "a.png")}
    gone = save(2, home.folder / "gone.png")
    assert set(home.search(gone)) == {str(paused / "gone.png")}
    home.search(save(4, home.folder / "unknown.png"), expect=3)
    home.pspc("search", "--wait", home.folder / "unknown.png", expect=3)
    home.pspc("add", paused, "--wait", expect=2)

    # Nor is anything looked at by the next daemon.
    home.pspc("stop")
    assert root_of(home, paused)["state"] == "paused"
    assert (root_of(home, paused)["indexed"], home.status()["extracted"]) == (2, 0)
    assert set(home.search(query)) == {str(paused / "a.png")}

    home.pspc("resume", paused)
    home.pspc("resume", paused)
    home.pspc("sync")
    assert set(home.search(new)) == {str(paused / "new.png"), str(other / "new.png")}
    assert set(home.search(query)) == {str(paused / "moved.png")}
    home.search(gone, expect=1)
    assert home.status()["extracted"] == 0
    save(5, paused / "watched.png")
    expect(lambda: home.status()["indexed"] == 4)


def test_a_folder_is_paused_in_the_middle_of_its_indexing(home: Home) -> None:
    folder = home.pictures()
    for number in range(MANY):
        scene(number, 64, 48).save(folder / f"{number}.bmp")
    home.pspc("add", folder)
    home.pspc("pause", folder)
    root = root_of(home, folder)
    assert root["state"] == "paused"
    assert root["indexed"] < MANY
    # What was being read when it was paused is finished; nothing else comes.
    home.pspc("stop")
    indexed = root_of(home, folder)["indexed"]
    assert indexed < MANY
    home.pspc("duplicates", "--wait", expect=None)
    assert (root_of(home, folder)["indexed"], home.status()["extracted"]) == (indexed, 0)

    home.pspc("resume", folder)
    root = root_of(home, folder)
    assert (root["state"], root["indexed"], root["pending"]) == ("watching", MANY, 0)
    assert home.status()["extracted"] == MANY - indexed


def test_one_that_is_paused_cannot_be_confirmed_and_is_normal_when_it_was_removed_and_added(
    home: Home,
) -> None:
    folder = home.pictures()
    save(1, folder / "a.png")
    home.pspc("add", folder, "--wait")
    home.pspc("pause", folder)
    refused = home.run("pspc", "roots", "confirm", folder)
    assert refused.returncode == 2
    assert f"it is paused; to go on: pspc resume '{folder}'" in refused.stderr.decode()
    for verb in ("pause", "resume"):
        stranger = home.run("pspc", verb, home.folder)
        assert stranger.returncode == 2
        assert f"is not watched; watched are: '{folder}'" in stranger.stderr.decode()

    home.pspc("add", folder, "--exclude", "*.gif")
    assert root_of(home, folder)["state"] == "paused"
    home.pspc("remove", folder)
    save(2, folder / "b.png")
    home.pspc("add", folder, "--wait")
    root = root_of(home, folder)
    assert (root["state"], root["indexed"]) == ("watching", 2)


def test_one_that_is_away_is_paused_like_any_other(home: Home) -> None:
    folder = home.pictures()
    query = save(1, home.folder / "query.png")
    shutil.copy(query, folder / "a.png")
    home.pspc("add", folder, "--wait")
    folder.rename(home.folder / "elsewhere")
    assert root_of(home, folder)["state"] == "unavailable"
    home.pspc("pause", folder)
    assert root_of(home, folder)["state"] == "paused"
    expect(lambda: home.status()["notices"] == [])
    assert set(home.search(query)) == {str(folder / "a.png")}

    home.pspc("resume", folder)
    assert root_of(home, folder)["state"] == "unavailable"
    (home.folder / "elsewhere").rename(folder)
    assert root_of(home, folder)["state"] == "watching"
    assert home.status()["extracted"] == 1
