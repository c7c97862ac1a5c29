"""Queries from the clipboard, by stand-ins for the programs that read it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pspc.clipboard import file_of_uri_list, read_clipboard
from pspc.errors import SetupError, SourceError

WAYLAND = {"WAYLAND_DISPLAY": "wayland-0"}
X11 = {"DISPLAY": ":0"}

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="macOS has its own programs")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", os.fspath(directory))
    return directory


def _install(directory: Path, name: str, list_words: str, contents: dict[str, bytes]) -> None:
    """Write a program that lists `contents` when called so, and else prints one of them."""
    program = directory / name
    program.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        f"contents = {contents!r}\n"
        f"if {list_words!r} in sys.argv:\n"
        "    print(*contents, sep='\\n')\n"
        "else:\n"
        "    sys.stdout.buffer.write(contents[sys.argv[-1]])\n"
        "sys.exit(0 if contents else 1)\n"
    )
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("name", "list_words", "environ"),
    [("wl-paste", "--list-types", WAYLAND), ("xclip", "TARGETS", X11)],
)
def test_a_copied_image_is_read(
    programs: Path, name: str, list_words: str, environ: dict[str, str]
) -> None:
    _install(
        programs, name, list_words, {"text/html": b"<img>", "image/bmp": b"b", "image/png": b"p"}
    )
    assert read_clipboard(environ) == b"p"


def test_a_copied_file_is_read(programs: Path, tmp_path: Path) -> None:
    picture = tmp_path / "my picture.jpg"
    picture.write_bytes(b"file")
    uri = f"# copied\r\n{picture.as_uri()}\r\n".encode()
    _install(programs, "wl-paste", "--list-types", {"text/uri-list": uri, "image/png": b"icon"})
    assert read_clipboard(WAYLAND) == b"file"


@pytest.mark.parametrize("contents", [{}, {"text/plain": b"words"}])
def test_a_clipboard_without_an_image_is_told(programs: Path, contents: dict[str, bytes]) -> None:
    _install(programs, "xclip", "TARGETS", contents)
    with pytest.raises(SourceError, match="no image"):
        read_clipboard(X11)


@pytest.mark.parametrize(
    ("environ", "advice"),
    [(WAYLAND, "install wl-clipboard"), (X11, "install xclip"), ({}, "no clipboard")],
)
def test_what_is_missing_is_named(programs: Path, environ: dict[str, str], advice: str) -> None:
    with pytest.raises(SetupError, match=advice):
        read_clipboard(environ)


def test_only_local_files_of_a_list_count() -> None:
    assert file_of_uri_list(b"file://elsewhere/a\nhttp://x/\n") is None
    assert file_of_uri_list(b"file://localhost/a%20b%ff\n") == b"/a b\xff"
