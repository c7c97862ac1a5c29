"""`make demo`, on pictures of one's own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from examples import make_samples
from examples.demo import CROP, DRAWING, NEEDED_FOR_CROPS
from pspc.processes import is_alive
from tests.session_picture import CROP_PICTURE

CHECKOUT = Path(__file__).resolve().parents[1]
MOST_DIFFERENCE = 3.0
"""Levels, in the mean: what compression costs, and a line or two that are drawn elsewhere."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "it's my folder"
    made.mkdir()
    make_samples.pattern(1).save(made / "one.png")
    make_samples.pattern(2).save(made / "two.png")
    return made


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def demo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "examples.demo", *arguments]
    return subprocess.run(
        command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_demo_finds_a_copy_and_leaves_the_folder_as_it_was(
    folder: Path, tmp_path: Path
) -> None:
    query = tmp_path / "query.bmp"
    make_samples.pattern(1).save(query)
    before = contents(folder)
    result = demo("--pictures", folder, "--query", query)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "\nsame_pixels\t" in result.stdout
    assert "two.png" not in result.stdout
    address = result.stdout.rstrip("\n").rpartition("\n")[2]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?key=[0-9a-f]{64}", address)
    assert contents(folder) == before


def test_without_a_query_the_first_pictures_are_searched(folder: Path) -> None:
    result = demo("--pictures", folder)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("\nsame_file\t") == 2


def test_what_cannot_be_shown_is_told_in_one_line_first(folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for arguments, words in (
        (("--pictures", tmp_path / "absent"), "there is no folder"),
        (("--pictures", empty), "is named as a picture"),
        (("--pictures", folder, "--query", tmp_path / "absent.jpg"), "there is no file"),
    ):
        result = demo(*arguments)
        assert (result.returncode, result.stdout) == (2, "")
        assert words in result.stderr
        assert result.stderr.count("\n") == 1


def test_a_demo_whose_reader_leaves_stops_its_daemon(folder: Path, tmp_path: Path) -> None:
    # The daemon's home lies in the temporary folder, and only the daemon makes sockets there.
    with tempfile.TemporaryDirectory(prefix="psp-") as temporary:
        with subprocess.Popen(
            [sys.executable, "-m", "examples.demo", "--pictures", folder],
            cwd=CHECKOUT,
            env={**os.environ, "TMPDIR": temporary},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            pid = next(
                int(found[1]) for line in process.stdout if (found := re.search(r"pid (\d+)", line))
            )
            process.stdout.close()
            assert process.stderr is not None
            assert process.stderr.read() == ""
        assert os.listdir(temporary) == []
    assert process.returncode == 128 + signal.SIGPIPE
    assert not is_alive(pid)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_passes_names_on_whatever_they_are(folder: Path) -> None:
    command = ["make", "--dry-run", "--silent", "demo", f"IN={folder}", "IMG=a b.jpg"]
    result = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    quoted = str(folder).replace("'", "'\\''")
    assert f"--pictures '{quoted}'" in result.stdout
    assert "--query 'a b.jpg'" in result.stdout


@pytest.mark.skipif(
    any(find_spec(name) is None for name in NEEDED_FOR_CROPS), reason="needs the extras"
)
def test_the_demo_of_samples_finds_a_crop_and_draws_where_it_sits() -> None:
    result = demo()
    assert result.returncode == 0, result.stdout + result.stderr
    _, _, after = result.stdout.partition("pspc search demo/crop.png")
    assert re.search(r"^copy\t.*landscape-03\.jpg$", after, re.MULTILINE)
    left, top, right, bottom = CROP
    place = re.search(r"of it, at (\d+),(\d+),(\d+),(\d+)", after)
    assert place is not None
    wanted = (left, top, right - left, bottom - top)
    assert [int(each) for each in place.groups()] == pytest.approx(wanted, abs=8)
    with Image.open(CHECKOUT / DRAWING) as drawn, Image.open(CROP_PICTURE) as shown:
        assert drawn.format == "PNG"
        # What the READMEs show is what comes out.
        assert shown.size == drawn.size
        # Averaged, for compression blurs the colours of thin lines.
        small = [each.convert("RGB").reduce(8) for each in (shown, drawn)]
        difference = ImageChops.difference(*small)
        assert max(ImageStat.Stat(difference).mean) < MOST_DIFFERENCE
