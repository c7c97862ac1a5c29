"""Showing a file in its folder: by programs of the desktop, and never by a shell."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from pspc.errors import SetupError, SourceError
from pspc.web import desktop

RECORDER = """#!/bin/sh
printf '%s\\0' "$0" "$@" >"$RECORD"
exit {status}
"""

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="there it is `open -R`")


class Desktop:
    """A folder of programs that only note how they are called."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "bin"
        self.folder.mkdir()
        self._record = folder / "record"
        monkeypatch.setenv("PATH", f"{self.folder}:/usr/bin:/bin")
        monkeypatch.setenv("RECORD", str(self._record))

    def install(self, name: str, status: int = 0) -> None:
        path = self.folder / name
        path.write_text(RECORDER.format(status=status))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def show(self, path: bytes, environ: Mapping[str, str] | None = None) -> list[bytes]:
        desktop.show(path, environ or {})
        called = self._record.read_bytes().split(b"\0")[:-1]
        return [os.path.basename(called[0]), *called[1:]]


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desktop:
    return Desktop(tmp_path, monkeypatch)


def _file(folder: Path, name: bytes) -> bytes:
    path = os.fsencode(folder) + b"/" + name
    with open(path, "wb"):
        pass
    return path


NAMES = [b"plain.jpg", b"it's.jpg", b"a,b.jpg", b"$(touch x);`y`.jpg", b"-rf", b"\xff\xe9.jpg",
         "图 片.jpg".encode(), b"a\nb.jpg", b"%41.jpg", b'"]).jpg']  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_file_manager_is_told_by_one_word(screen: Desktop, tmp_path: Path, name: bytes) -> None:
    screen.install("gdbus")
    path = _file(tmp_path, name)
    called = screen.show(path)
    assert called[0] == b"gdbus"
    assert called[-3] == b"org.freedesktop.FileManager1.ShowItems"
    address = called[-2].removeprefix(b"['file://").removesuffix(b"']")
    assert unquote_to_bytes(address) == path
    assert b"'" not in address
    assert called[-1] == b""


def test_without_gdbus_dbus_send_is_told(screen: Desktop, tmp_path: Path) -> None:
    screen.install("gdbus", status=1)
    screen.install("dbus-send")
    path = _file(tmp_path, b"a,b's.jpg")
    called = screen.show(path)
    assert called[0] == b"dbus-send"
    assert unquote_to_bytes(called[-2].removeprefix(b"array:string:file://")) == path
    assert b"," not in called[-2]


def test_without_a_bus_the_folder_is_opened_where_there_is_a_screen(
    screen: Desktop, tmp_path: Path
) -> None:
    for name in ("gdbus", "dbus-send"):
        screen.install(name, status=1)
    screen.install("xdg-open")
    path = _file(tmp_path, b"x.jpg")
    assert screen.show(path, {"DISPLAY": ":0"}) == [b"xdg-open", os.fsencode(tmp_path)]
    with pytest.raises(SetupError, match="no desktop"):
        screen.show(path)


def test_a_file_that_is_gone_is_told(screen: Desktop, tmp_path: Path) -> None:
    screen.install("gdbus")
    with pytest.raises(SourceError, match="not there any more"):
        screen.show(os.fsencode(tmp_path / "gone.jpg"))


def test_a_program_that_hangs_is_not_waited_for(
    screen: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desktop, "_SECONDS", 0.1)
    hanging = screen.folder / "gdbus"
    hanging.write_text("#!/bin/sh\nexec sleep 60\n")
    hanging.chmod(0o700)
    with pytest.raises(SetupError):
        screen.show(_file(tmp_path, b"x.jpg"))
    assert not subprocess.run(
        ["pgrep", "-f", str(hanging)], check=False, capture_output=True
    ).stdout
