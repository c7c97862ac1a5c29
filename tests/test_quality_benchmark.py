"""The benchmark of quality: its threshold, its known copies, a run too small to mean anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.peer_sets import Found, found_in_sets
from benchmarks.quality import KNOWN_COPIES, foreign_threshold, known_copies
from tests.e2e.scenes import save

CHECKOUT = Path(__file__).resolve().parents[1]


@given(st.lists(st.integers(0, 256), min_size=1), st.floats(0, 1))
def test_within_the_threshold_no_more_find_a_stranger_than_may(
    nearest: list[int], share: float
) -> None:
    threshold = foreign_threshold([float(each) for each in nearest], share)
    assert sum(each <= threshold for each in nearest) <= share * len(nearest)
    # A bit further, and more would, unless all may.
    if share < 1:
        assert sum(each <= threshold + 1 for each in nearest) > share * len(nearest) - 1


def test_known_copies_are_those_of_one_group(tmp_path: Path) -> None:
    groups = tmp_path / "groups.txt"
    groups.write_text("# a comment\n\na-*.png b.png  # another\nc.png\n")
    related = known_copies(["a-1.png", "a-2.png", "b.png", "c.png", "d.png"], groups)
    expected = np.eye(5, dtype=bool)
    expected[:3, :3] = True
    np.testing.assert_array_equal(related, expected)


def test_the_known_copies_of_the_shared_pictures_can_be_read() -> None:
    assert known_copies(["x"], KNOWN_COPIES).tolist() == [[True]]


def test_in_sets_an_edited_picture_finds_its_original_and_strangers() -> None:
    sets = [
        [Path("/x/0.jpg"), Path("/x/edited-0.jpg"), Path("/x/1.png")],
        [Path("/x/edited-1.jpg"), Path("/x/2.png")],
        [Path("/x/edited-2.jpg"), Path("/x/edited-3.jpg")],
    ]
    related = np.eye(4, dtype=bool)
    related[0, 1] = related[1, 0] = True
    assert found_in_sets("blur", sets, [0, 1, 2, 3], related) == Found("blur", 0.25, 0.25)


@pytest.mark.parametrize("tier", ["hashes", "all"])
def test_a_run_prints_tables_and_keeps_a_record(tmp_path: Path, tier: str) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(3):
        save(seed, folder / f"{seed}.png")
    record = tmp_path / "record.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.quality", "--pictures", os.fspath(folder)),
            *("--tier", tier, "--no-peers", "--queries", "2", "--edits", "gray,border"),
            *("--record", os.fspath(record)),
        ],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kept = json.loads(record.read_text())
    assert (kept["pictures"], len(kept["queries"])) == (3, 2)
    shares = {(each["method"], each["edit"]): each for each in kept["shares"]}
    assert shares["PSP", "gray"]["recall"] == 1.0
    assert shares["PSP, inner", "border"]["first"] == 1.0
    edits = [each["edit"] for each in kept["figures"] if each["tier"] == "hashes"]
    assert edits == ([] if tier == "hashes" else ["unedited", "gray", "border", "mean"])
    assert "| gray |" in done.stdout
