"""Queries from a path and from standard input."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from pspc import sources
from pspc.errors import SourceError
from pspd.rpc import wire


def _failing(path: str | bytes) -> str:
    with pytest.raises(SourceError) as caught:
        sources.read_path(path)
    return str(caught.value)


def test_a_file_is_read_by_any_name(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9\n.jpg"
    Path(os.fsdecode(name)).write_bytes(b"data")
    assert sources.read(os.fsdecode(name)) == b"data"
    assert sources.read_path(name) == b"data"


def test_what_is_no_readable_file_is_refused_with_the_reason(tmp_path: Path) -> None:
    empty, fifo = tmp_path / "empty.jpg", tmp_path / "fifo.jpg"
    empty.touch()
    os.mkfifo(fifo)
    assert _failing(os.fspath(tmp_path / "missing.jpg")) == "No such file or directory"
    assert "directory" in _failing(os.fspath(tmp_path))
    assert "not a regular file" in _failing(os.fspath(fifo))
    assert "empty" in _failing(os.fspath(empty))
    assert "not a regular file" in _failing("/dev/zero")
    assert "no path" in _failing("nul\0")


def test_an_unreadable_file_is_refused_with_the_reason(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root can read every file")
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"x")
    secret.chmod(0)
    assert _failing(os.fspath(secret)) == "Permission denied"


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.tiff"
    with large.open("wb") as file:
        file.truncate(wire.MAX_QUERY_BYTES + 1)
    assert "256 MiB" in _failing(os.fspath(large))


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"piped \xff")))
    assert sources.read("-") == b"piped \xff"
