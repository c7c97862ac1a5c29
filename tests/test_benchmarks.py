"""Each benchmark runs to its end, at sizes too small to mean anything; no figure is judged."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import decoders, forecast, hash_model, scale
from benchmarks.document import DOCUMENT, renew
from benchmarks.picture_sets import PictureFile, tiny_png
from benchmarks.plan import TINY
from benchmarks.program import Finding, run_programs
from benchmarks.record import Curve, Point, Record, read_record
from benchmarks.report import HEADER, Row, at_least, at_most, line_of, not_measured
from benchmarks.synthetic_pictures import COPY_SHARE, Query, copies_of, draw_hashes
from benchmarks.synthetic_store import StoreMissing, kept_store, queries
from examples import make_samples
from pspd.core import verdict

CHECKOUT = Path(__file__).resolve().parents[1]
SECONDS = 100
ROWS = [Row("a work", "1 s", "a peer: 2 s", 0.5, "≤ 0.66", is_reached=True)]
CURVE = Curve("store", "MB", (Point(10, 7.0), Point(1_000, 400.0), Point(2_000, 800.0)))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(2):
        make_samples.landscape(number).save(folder / f"{number}.jpg", progressive=number == 0)
        make_samples.pattern(number).save(folder / f"{number}.png")
    return folder


def run(name: str, folder: Path, *arguments: str | Path) -> Record:
    """Run a benchmark at its smallest; returns what it recorded."""
    record = folder / "record.json"
    command = [
        sys.executable, "-m", f"benchmarks.{name}", "--size", "tiny", "--stores", folder / "stores",
        "--record", record, *arguments,
    ]  # fmt: skip
    done = subprocess.run(
        [os.fspath(each) for each in command],
        cwd=CHECKOUT,
        env={**os.environ, "PSP_BENCH_CACHE": os.fspath(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("|")]
    found = read_record(record)
    assert lines[2:] == [line_of(row) for row in found.rows]
    assert {line.count(" | ") for line in lines} == {len(HEADER) - 1}
    return found


def works(record: Record) -> str:
    return "\n".join(row.work for row in record.rows)


def test_indexing_is_measured_and_a_missing_peer_is_no_win(pictures: Path, tmp_path: Path) -> None:
    record = run("indexing", tmp_path, "--pictures", pictures)
    for kind in ("photographs", "progressive JPEG", "PNG", "all"):
        assert f"first indexing, {kind}: " in works(record)
        (peer,) = [row for row in record.rows if row.work == f"the same, {kind}, beside the peer"]
        assert "not installed" in peer.limit
        assert peer.is_reached is None
        assert peer.cells()[5] == ("" if kind == "all" else "not compared")
    assert any(note.startswith("Immaculate: ") for note in record.notes)


def test_arrivals_are_measured(pictures: Path, tmp_path: Path) -> None:
    record = run("arrivals", tmp_path, "--pictures", pictures)
    assert works(record) == "photograph written → found, idle"


def test_a_large_folder_is_measured(pictures: Path, tmp_path: Path) -> None:
    record = run("large_folder", tmp_path, "--pictures", pictures)
    assert "rescan of 50 unchanged files in 1 folders" in works(record)
    assert "photograph written → found, while 50 files wait" in works(record)


def test_queries_are_measured(tmp_path: Path) -> None:
    record = run("queries", tmp_path)
    for work in ("similar query", "original query", "second time", "whole process", "4 clients"):
        assert work in works(record)


def test_scale_is_measured(tmp_path: Path) -> None:
    record = run("scale", tmp_path)
    for work in ("start", "memory", "store", "adding", "removing", "similar query"):
        assert work in works(record)


def test_groups_are_measured(tmp_path: Path) -> None:
    assert "groups of copies" in works(run("groups", tmp_path))


def test_curves_are_measured_drawn_and_continued(tmp_path: Path) -> None:
    record = run("curves", tmp_path)
    assert {curve.name for curve in record.curves} >= {"indexing", "similar query, median", "store"}
    assert all(len(curve.points) == 2 for curve in record.curves)
    assert len(list(forecast.lines_of(record.curves))) == 2 + len(forecast.WORDS)


@pytest.mark.parametrize("name", ["index_latency", "vectors", "descriptors"])
def test_a_part_alone_is_measured(name: str) -> None:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--sizes", "100"]
    assert subprocess.run(command, cwd=CHECKOUT, check=False, timeout=SECONDS).returncode == 0


def test_one_benchmark_that_fails_is_not_reached_and_the_others_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_plan: object) -> list[Finding]:
        raise RuntimeError("the moon is full")

    programs = {"first": lambda plan: iter(fail(plan)), "second": lambda _plan: iter(ROWS)}
    assert run_programs(programs, "", ["--size", "tiny"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert (
        "| first: the rest | failed: RuntimeError: the moon is full |  |  |  | not reached |"
        in (lines)
    )
    # Nothing is judged at this size.
    assert line_of(replace(ROWS[0], is_reached=None)) in lines


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    programs = {"first": lambda _plan: iter(ROWS), "second": lambda _plan: iter(ROWS)}
    with pytest.raises(SystemExit):
        run_programs(programs, "", ["third"])
    assert "there is no benchmark third; there are first, second" in capsys.readouterr().err


@pytest.mark.parametrize(("ratio", "reached"), [(1.0, True), (2.0, True), (2.1, False)])
def test_a_target_is_reached_up_to_itself(ratio: float, *, reached: bool) -> None:
    assert at_most("work", "figure", "limit", ratio, 2.0).is_reached is reached
    assert at_least("work", "figure", "limit", -ratio, -2.0).is_reached is reached


def test_what_was_not_measured_is_not_reached() -> None:
    assert not_measured("work", "no store", "≤ 2 s").cells()[5] == "not compared"


def test_a_store_too_large_to_make_on_the_way_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match="make bench-stores"):
        kept_store(replace(TINY, stores=tmp_path), 10_000_000)


def test_what_needs_a_store_that_is_missing_is_said_and_not_reached(tmp_path: Path) -> None:
    found = list(scale.measure(replace(TINY, stores=tmp_path, large_store=10_000_000)))
    notes = [each for each in found if isinstance(each, str)]
    rows = [each for each in found if isinstance(each, Row)]
    assert any("make bench-stores" in note for note in notes)
    assert len(rows) + len(notes) == len(found)
    assert {row.cells()[5] for row in rows} == {"not compared"}
    assert all(row.figure.startswith("not measured: ") for row in rows)


def test_a_store_is_kept(tmp_path: Path) -> None:
    plan = replace(TINY, stores=tmp_path)
    folder = kept_store(plan, 100)
    (folder / "mark").touch()
    assert (kept_store(plan, 100) / "mark").exists()


# --- hashes


def bits_off(one: np.ndarray[tuple[int, ...], np.dtype[np.uint64]], other: int) -> list[int]:
    distances: list[int] = np.bitwise_count(one ^ np.uint64(other)).tolist()
    return distances


def test_drawn_hashes_have_strangers_and_copies_around_a_query() -> None:
    (query,) = queries(1)
    (hashes,) = draw_hashes(10_000, [query])
    near = np.array(bits_off(hashes.phash64, query.phash64)) <= verdict.SHORTLIST_RADIUS
    assert 13 <= near.sum() <= 40
    wide = np.bitwise_count(hashes.phash256[near] ^ _phash256(query)).sum(axis=1)
    assert 1 <= (wide <= verdict.COPY_DISTANCE).sum() <= 8


def test_drawn_hashes_agree_in_both_lengths_and_are_as_uneven_as_real_ones() -> None:
    scores = hash_model.draw(np.random.default_rng(0), 2_000)
    phash64, phash256 = hash_model.hashes_of(scores)
    low = hash_model.with_low_bits(phash256, phash64)
    assert np.bitwise_count(low ^ phash256).sum(axis=1).mean() < 8
    edited = hash_model.hashes_of(hash_model.moved(np.random.default_rng(1), scores, 0.1))
    assert np.bitwise_count(edited[0] ^ phash64).mean() < 4
    assert np.bitwise_count(edited[1] ^ phash256).sum(axis=1).mean() < 20
    ones = np.unpackbits(phash64.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1).mean(axis=0)
    assert ones[0] == 1.0, "the mean brightness is above every frequency"
    assert np.abs(ones - 0.5).mean() > 0.03


def test_scores_of_a_picture_give_its_hashes() -> None:
    query = queries(1)[0]
    phash64, phash256 = hash_model.hashes_of(query.scores)
    assert bits_off(phash64, query.phash64)[0] <= 4
    assert np.bitwise_count(phash256 ^ _phash256(query)).sum() <= 12


def test_copies_come_in_groups() -> None:
    (hashes,) = draw_hashes(3_000, ())
    distances = np.bitwise_count(hashes.phash64[:, None] ^ hashes.phash64[None, :])
    np.fill_diagonal(distances, 64)
    share = (distances <= 6).any(axis=1).mean()
    assert COPY_SHARE < share < 3 * COPY_SHARE
    told = dict(copies_of(hashes))
    assert 0.8 * COPY_SHARE <= len(told) / 3_000 <= COPY_SHARE
    for number, others in told.items():
        assert min(number, *(other for other, _ in others)) >= 0
        assert all(distance <= verdict.COPY_DISTANCE for _, distance in others)


def _phash256(query: Query) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    from pspd.core.model import Limits  # noqa: PLC0415
    from pspd.features.extract import extract  # noqa: PLC0415

    return np.frombuffer(extract(query.data, Limits()).phash256, np.uint8)


# --- files and documents


def test_tiny_pictures_are_readable_and_distinct() -> None:
    files = [tiny_png(number) for number in range(3)]
    assert len(set(files)) == len(files)
    for data in files:
        with Image.open(io.BytesIO(data)) as image:
            image.load()


def test_each_kind_has_a_decoder_that_is_installed(pictures: Path) -> None:
    files = [PictureFile(pictures / "1.jpg", "JPEG"), PictureFile(pictures / "1.png", "PNG")]
    best = decoders.fastest(files)
    assert set(best) == {"JPEG", "PNG"}
    for file in files:
        assert decoders.DECODERS[best[file.kind]].module not in decoders.missing()
        decoders.decode_file(best[file.kind], str(file.path))


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    record = Record("a machine", "2026-01-01", "full", ROWS, [CURVE], ["a note"], {"first": 1.5})
    record.write(tmp_path / "record.json")
    assert read_record(tmp_path / "record.json") == record


def test_a_forecast_goes_on_along_the_last_two_points() -> None:
    assert forecast.forecast(CURVE, 10_000) == pytest.approx(4_000.0)
    assert forecast.in_words(4_000.0, "MB") == "4 GB"
    assert forecast.in_words(7_200.0, "s") == "2 hours"


def test_records_go_into_the_document_between_its_marks(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text(DOCUMENT.read_text(encoding="utf-8"), encoding="utf-8")
    record = Record("a machine", "2026-01-01", "tiny", ROWS, [CURVE], ["a note"], {"first": 60.0})
    renew(document, record)
    renew(document, record)
    text = document.read_text(encoding="utf-8")
    assert text.count(line_of(ROWS[0])) == 1
    assert "1 of 1 targets are reached" in text
    assert "a run of the size “tiny”" in text
    assert "| store on disk | 2,000 | 800 MB | 40 TB |" in text
    assert "(performance-size.svg)" in text
    assert (
        text.partition("<!-- machine -->")[0]
        == (DOCUMENT.read_text(encoding="utf-8").partition("<!-- machine -->")[0])
    )
