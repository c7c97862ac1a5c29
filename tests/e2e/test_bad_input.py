"""What is wrong is said in one line, nothing is lost, and the daemon stays."""

from __future__ import annotations

import os
import socket
import struct
import zlib
from pathlib import Path

import pytest

from tests.e2e.home import Home
from tests.e2e.scenes import save, scene
from tests.pictures import shared_pictures


def huge_png(side: int) -> bytes:
    """Return a small PNG file of `side` × `side` black pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(side + 1)) for _ in range(side)) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def spoil(folder: Path) -> dict[str, str]:
    """Fill a folder with files that cannot be indexed; returns their names and reasons."""
    good = save(1, folder / "good.jpg").read_bytes()
    (folder / "text.jpg").write_text("this is a text\n" * 10)
    (folder / "truncated.jpg").write_bytes(good[: len(good) // 2])
    (folder / "huge.png").write_bytes(huge_png(10_000))
    (folder / "empty.png").touch()
    os.mkfifo(folder / "fifo.jpg")
    with open(folder / "sparse.png", "wb") as sparse:
        sparse.truncate(1 << 40)
    return {
        "text.jpg": "not_a_picture",
        "truncated.jpg": "truncated",
        "huge.png": "too_big",
        "empty.png": "truncated",
        "fifo.jpg": "not_a_file",
        "sparse.png": "too_big",
    }


def test_a_query_that_is_no_picture_is_one_line_and_exit_2(home: Home) -> None:
    folder = home.pictures()
    names = [*spoil(folder), "missing.jpg", "."]
    home.pspc("start")
    pid = home.pid()
    for name in names:
        done = home.run("pspc", "search", folder / name)
        assert done.returncode == 2, name
        assert done.stdout == b""
        assert done.stderr.count(b"\n") == 1, done.stderr
        assert done.stderr.startswith(b"pspc: ")
        assert b"Traceback" not in done.stderr

    assert home.pid() == pid
    assert home.search(folder / "good.jpg", expect=1) == {}


def test_an_unreadable_query_is_one_line_and_exit_2(home: Home) -> None:
    if os.getuid() == 0:
        pytest.skip("root can read everything")
    path = save(1, home.folder / "secret.png")
    path.chmod(0)

    assert b"ermission" in home.run("pspc", "search", path).stderr


def test_a_url_that_does_not_answer_is_one_line_and_exit_2(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]  # bound, but nobody listens
        done = home.run("pspc", "search", f"http://127.0.0.1:{port}/a.png")

    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1


def test_bad_files_in_a_watched_folder_are_recorded_with_their_reason(home: Home) -> None:
    folder = home.pictures()
    expected = spoil(folder)
    home.pspc("add", folder, "--wait")
    failures = home.document("failures")["failures"]

    assert {Path(each["path"]).name: each["reason"] for each in failures} == expected
    assert all(each["message"] for each in failures)
    status = home.status()
    assert (status["indexed"], status["failed"], status["pending"]) == (1, len(expected), 0)


def test_a_failed_file_is_read_again_only_when_it_changes(home: Home) -> None:
    folder = home.pictures()
    path = folder / "a.png"
    good = save(1, home.folder / "good.png").read_bytes()
    path.write_bytes(good[:200])
    home.pspc("add", folder, "--wait")
    assert len(home.document("failures")["failures"]) == 1
    home.pspc("sync")
    path.write_bytes(good)
    home.pspc("sync")

    assert home.document("failures")["failures"] == []
    assert [hit["verdict"] for hit in home.search(path).values()] == ["same_file"]


def test_roots_that_cannot_be_are_refused_with_the_reason(home: Home) -> None:
    folder = home.pictures()
    (folder / "sub").mkdir()
    file = save(1, home.folder / "a.png")
    home.pspc("add", folder, "--wait")
    for path, reason in [
        (folder / "sub", "inside"),
        (home.folder, "contains"),
        (file, "not a folder"),
        (home.folder / "missing", "does not exist"),
        (home.path, "its own files"),
    ]:
        done = home.run("pspc", "add", path)
        assert done.returncode == 2
        assert reason in done.stderr.decode()
        assert done.stderr.count(b"\n") == 1
    done = home.run("pspc", "remove", home.folder / "missing")
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert len(home.document("roots")["roots"]) == 1


def test_adding_a_root_twice_is_no_error(home: Home) -> None:
    folder = home.pictures()
    home.pspc("add", folder, "--wait")
    home.pspc("add", folder, "--wait")

    assert len(home.document("roots")["roots"]) == 1


def test_all_hostile_files_are_indexed_or_have_a_reason_and_searches_go_on(home: Home) -> None:
    pictures = shared_pictures()
    if pictures is None:
        pytest.skip("the folder of hostile pictures is not here; PSP_PICTURES can name it")
    hostile = pictures / "hostile"
    query = save(1, home.folder / "query.png")
    home.pspc("start")
    pid = home.pid()
    home.pspc("add", hostile)
    for _ in range(3):
        home.search(query, expect=None)
    home.pspc("sync")
    status = home.status()
    files = [path for path in hostile.rglob("*") if path.is_file()]
    failures = {each["path"] for each in home.document("failures")["failures"]}

    assert home.pid() == pid
    assert status["pending"] == 0
    assert status["indexed"] + status["failed"] == len(files)
    assert len(failures) == status["failed"]
    assert failures <= set(map(str, files))


def test_pictures_behind_a_bad_one_are_not_delayed(home: Home) -> None:
    folder = home.pictures()
    (folder / "a.png").write_bytes(huge_png(9_400))
    for seed in range(2, 6):
        save(seed, folder / f"{seed}.jpg")
    home.pspc("add", folder, "--wait")

    assert home.status()["indexed"] == 5
    assert scene(1).size == (320, 240)
