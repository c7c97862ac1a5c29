"""Files below a folder are found as the daemon finds them, and what cannot be listed is told."""

from __future__ import annotations

import os
from pathlib import Path

from pspc.walking import files_below


def found(folder: Path, *, hidden: bool = False) -> tuple[list[str], list[str]]:
    """Return the files by their paths below the folder, and the folders that were not listed."""
    failed: list[str] = []
    paths = files_below(
        os.fsencode(folder), lambda path, _: failed.append(os.fsdecode(path)), hidden=hidden
    )
    return [os.path.relpath(os.fsdecode(path), folder) for path in paths], failed


def test_regular_files_are_found_in_order_and_links_are_not_followed(tmp_path: Path) -> None:
    for name in ("b/d/two", "b/one", "a", "c/three", ".hidden/four", ".five"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    assert found(tmp_path) == (["a", "b/one", "b/d/two", "c/three"], [])
    everything, _ = found(tmp_path, hidden=True)
    assert set(everything) == {"a", "b/one", "b/d/two", "c/three", ".five", ".hidden/four"}


def test_a_folder_that_cannot_be_listed_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for name in ("a/one", "b/two"):
        (tmp_path / name).write_bytes(b"")
    failed: list[bytes] = []

    def note(path: bytes, _error: OSError) -> None:
        failed.append(path)

    files = files_below(os.fsencode(tmp_path), note)
    assert next(files).endswith(b"/a/one")
    (tmp_path / "b" / "two").unlink()
    (tmp_path / "b").rmdir()
    assert list(files) == []
    assert failed == [os.fsencode(tmp_path / "b")]
    assert found(tmp_path / "nowhere") == ([], [str(tmp_path / "nowhere")])
