"""`pspc selftest` against the real daemon, on made pictures."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.home import Home
from tests.e2e.scenes import save

FOUND = ("resize-50", "jpeg-30", "mirror", "quarter-turn")


@pytest.fixture
def folder(home: Home) -> Path:
    """A watched folder of four scenes, one of them twice, and a text."""
    folder = home.pictures()
    for seed in range(4):
        save(seed, folder / f"{seed}.png")
    (folder / "twin.png").write_bytes((folder / "0.png").read_bytes())
    (folder / "text.jpg").write_text("no picture")
    home.pspc("add", folder, "--wait")
    return folder


def test_mild_edits_are_found_first_and_strong_crops_are_not(home: Home, folder: Path) -> None:
    document = home.document(
        "selftest", "--pictures", "4", "--edits", ",".join((*FOUND, "crop-10")), "--seed", "2"
    )
    assert (document["pictures"], document["seed"]) == (4, 2)
    figures = {line["edit"]: line for line in document["figures"] if line["tier"] == "hashes"}
    assert list(figures) == ["unedited", *FOUND, "crop-10", "mean"]
    for name in ("unedited", *FOUND):
        shares = [figures[name][share] for share in ("recall", "first", "foreign")]
        assert shares == [1, 1, 0]
        assert figures[name]["p95_ms"] > 0
    assert figures["crop-10"]["recall"] == 0
    assert figures["mean"]["recall"] == pytest.approx(0.8)
    assert {miss["edit"] for miss in document["misses"]} == {"crop-10"}
    assert {line["tier"] for line in document["figures"]} == {"hashes", "full"}


def test_the_page_is_written_and_the_same_seed_gives_the_same_figures(
    home: Home, folder: Path
) -> None:
    page = home.folder / "page.html"
    words = ("selftest", "--pictures", "2", "--edits", "gray,crop-10", "--html", page)
    runs = [home.pspc(*words).splitlines() for _ in range(2)]
    # All but the times, which are the last four words; what the full tier finds depends on them.
    tables = [[line.split()[:-4] for line in run if "  full " not in line] for run in runs]
    assert tables[0] == tables[1]
    assert tables[0][0][:3] == ["edit", "tier", "queries"]
    assert len(tables[0]) == 1 + len(("unedited", "gray", "crop-10", "mean"))
    assert "crop-10, hashes: not found" in page.read_text()
    assert sorted(path.name for path in home.folder.iterdir() if "page" in path.name) == [
        "page.html"
    ]


def test_with_nothing_indexed_there_is_nothing_to_try(home: Home) -> None:
    home.pspc("add", home.pictures(), "--wait")
    done = home.run("pspc", "selftest")
    assert done.returncode == 1
    assert b"no picture to try" in done.stderr


def test_an_unknown_edit_is_told_with_those_that_there_are(home: Home) -> None:
    done = home.run("pspc", "selftest", "--edits", "crop-11")
    assert done.returncode == 2
    assert b"there is no edit 'crop-11'; there are resize-50, " in done.stderr


def test_ctrl_c_leaves_nothing(home: Home, folder: Path) -> None:
    page = home.folder / "page.html"
    command = [sys.executable, "-m", "pspc", "selftest", "--html", str(page)]
    with subprocess.Popen(command, env=home.environ, stderr=subprocess.PIPE) as process:
        # The part is made before anything is asked; from then on there is something to leave.
        while not list(home.folder.glob("page.html.*")):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, b"")
    assert not list(home.folder.glob("page*"))
