"""Each benchmark runs to its end, at sizes too small to mean anything; no figure is judged."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.picture_sets import tiny_png
from benchmarks.report import HEADER, at_least, at_most
from benchmarks.synthetic_store import draw_hashes
from examples import make_samples
from pspd.core import verdict

CHECKOUT = Path(__file__).resolve().parents[1]
SECONDS = 100


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(2):
        make_samples.landscape(number).save(folder / f"{number}.jpg", progressive=number == 0)
        make_samples.pattern(number).save(folder / f"{number}.png")
    return folder


def run(name: str, *arguments: str | Path) -> list[list[str]]:
    """Run a benchmark; returns the cells of the lines of its tables."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_indexing_is_measured_and_a_missing_peer_is_no_win(pictures: Path) -> None:
    rows = run(
        "indexing", "--pictures", pictures, "--runs", "1", "--megabytes", "0.2", "--folders", "1",
        "--peer-python", sys.executable,
    )  # fmt: skip
    assert {len(row) for row in rows} == {len(HEADER)}
    works = [row[0] for row in rows]
    for kind in ("JPEG", "progressive JPEG", "PNG", "all"):
        assert any(work.startswith(f"first indexing, {kind}:") for work in works)
        (peer,) = [row for row in rows if row[0] == f"the same, {kind}"]
        assert "not compared" in peer[2]
        assert peer[3] == peer[5] == ""
    assert any(work.startswith("rescan of 50 unchanged files") for work in works)


def test_queries_are_measured() -> None:
    rows = run("query", "--sizes", "3000", "--queries", "2", "--repeats", "2", "--pairs", "1")
    assert {len(row) for row in rows} == {len(HEADER)}
    works = " ".join(row[0] for row in rows)
    for work in ("in the searcher", "over RPC", "whole process", "first answer", "second time"):
        assert work in works


def test_the_index_alone_is_measured() -> None:
    run("index_latency", "--sizes", "100")


@pytest.mark.parametrize(("ratio", "reached"), [(1.0, True), (2.0, True), (2.1, False)])
def test_a_target_is_reached_up_to_itself(ratio: float, *, reached: bool) -> None:
    assert at_most("work", "figure", "limit", ratio, 2.0).is_reached is reached
    assert at_least("work", "figure", "limit", -ratio, -2.0).is_reached is reached


def test_drawn_hashes_have_as_many_neighbours_of_a_query_as_were_asked_for() -> None:
    query = bytes(range(8))
    distances = np.bitwise_count(
        draw_hashes(10_000, [query], 0.01) ^ np.uint64(int.from_bytes(query, "big"))
    )
    assert 100 <= np.count_nonzero(distances <= verdict.SHORTLIST_RADIUS) <= 110


def test_tiny_pictures_are_readable_and_distinct() -> None:
    files = [tiny_png(number) for number in range(3)]
    assert len(set(files)) == len(files)
    for data in files:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
