"""A file is written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pspc.errors import OutputError
from pspc.new_file import NewFile


def test_a_file_is_in_its_place_once_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("before")
    with NewFile(os.fspath(path)) as file:
        file.open()
        file.write(b"one ")
        file.write(b"two")
        assert path.read_text() == "before"
    assert path.read_text() == "one two"
    assert [each.name for each in tmp_path.iterdir()] == ["a.html"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.html"
    path.write_text("before")

    def write_half() -> None:
        with NewFile(os.fspath(path)) as file:
            file.open()
            file.write(b"half")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["a.html"]


def test_a_place_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*: No such file"):
        NewFile(os.fspath(tmp_path / "nowhere" / "a.html")).open()


def test_what_is_no_regular_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="no regular file"):
        NewFile(os.fspath(tmp_path / "link")).open()
    with pytest.raises(OutputError, match="no regular file"):
        NewFile(os.fspath(tmp_path)).open()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_a_device_is_no_place_for_a_file() -> None:
    with pytest.raises(OutputError, match="no regular file"):
        NewFile("/dev/full").open()


def test_one_that_was_never_opened_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("before")
    with NewFile(os.fspath(path)):
        pass
    assert path.read_text() == "before"
