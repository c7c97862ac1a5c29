"""Draws the pictures in the READMEs: a session on a terminal, as SVG, and where a crop sits.

    python -m tests.session_picture

The commands run on a pseudo-terminal over the sample pictures, with a daemon and a home of their
own. The SVG names no font and no host: a browser's `monospace` is enough, because every run of
text is stretched to its columns. Where a crop sits is drawn by `pspc why --show`, in the demo.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image

from examples import demo, make_samples

DOCUMENTS = Path(__file__).resolve().parents[1] / "docs"
CROP_PICTURE = DOCUMENTS / "crop.webp"
PROMPT = "$ "
COLUMNS, ROWS = 120, 50
CELL_WIDTH, CELL_HEIGHT, MARGIN = 8.4, 19, 14
BACKGROUND, FOREGROUND = "#1e2127", "#d7dae0"
COLOURS = ("#3f4451", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0")
DIM, COMMENT = "#828997", "#7fb88a"
CONTROL = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|(\r\n|\n|\r|\x08)|([^\x00-\x1f\x7f])")


@dataclass(frozen=True)
class Session:
    """What one picture shows."""

    name: str
    folder: str
    query: str
    lines: Sequence[str]
    """Comments, which begin with #, and commands; `{folder}` and `{query}` are filled in."""


SESSIONS = (
    Session(
        "session.svg",
        "Pictures",
        "holiday.jpg",
        (
            "# watch a folder, once; from then on it is kept fresh",
            "pspc add {folder} --wait",
            "# now or later: have them described, so that crops and collages are found as well",
            "pspc sync --learned",
            "# which pictures here are this one, or copies of it?",
            "pspc search {query}",
            "# only those that are the same, pixel for pixel",
            "pspc search --original {query}",
            "pspc status",
        ),
    ),
    Session(
        "session.zh-CN.svg",
        "图片",
        "假日.jpg",
        (
            "# 文件夹只需添加一次，之后索引会自动保持最新",
            "pspc add {folder} --wait",
            "# 等待学习特征算完（后台会自动进行），这样裁剪图和拼图也能找到",
            "pspc sync --learned",
            "# 这张图有没有原图或副本？",
            "pspc search {query}",
            "# 只找逐像素完全一致的",
            "pspc search --original {query}",
            "pspc status",
        ),
    ),
)


@dataclass(frozen=True)
class Style:
    """How a cell looks."""

    colour: str = FOREGROUND
    is_bold: bool = False


@dataclass(frozen=True)
class Cell:
    """One character of the terminal."""

    text: str
    style: Style

    @property
    def columns(self) -> int:
        """2 for the wide characters of East Asian scripts."""
        return 2 if unicodedata.east_asian_width(self.text) in {"W", "F"} else 1


class Terminal:
    """As much of a terminal as the client's output needs: lines, carriage return, colours."""

    def __init__(self) -> None:
        self.lines: list[list[Cell]] = [[]]
        self._position = 0
        self._style = Style()

    def write(self, text: str) -> None:
        """Take output; control sequences but for colour and erasing are left out."""
        for values, final, motion, char in CONTROL.findall(text):
            if final == "m":
                self._set_style([int(value or 0) for value in values.split(";")])
            elif final == "K":
                del self.lines[-1][0 if values == "2" else self._position :]
            elif motion == "\r":
                self._position = 0
            elif motion == "\x08":
                self._position = max(0, self._position - 1)
            elif motion:
                self.lines.append([])
                self._position = 0
            elif char:
                self._put(Cell(char, self._style))

    def _put(self, cell: Cell) -> None:
        self.lines[-1][self._position : self._position + 1] = [cell]
        self._position += 1

    def _set_style(self, codes: Sequence[int]) -> None:
        for code in codes:
            match code:
                case 0:
                    self._style = Style()
                case 1:
                    self._style = Style(self._style.colour, is_bold=True)
                case 2:
                    self._style = Style(DIM, self._style.is_bold)
                case 39:
                    self._style = Style(FOREGROUND, self._style.is_bold)
                case _ if code % 10 < len(COLOURS) and code // 10 in {3, 9}:
                    self._style = Style(COLOURS[code % 10], self._style.is_bold)


def main() -> None:
    """Make the pictures."""
    with tempfile.TemporaryDirectory(prefix="psp-session-") as folder:
        for session in SESSIONS:
            place = Path(folder, session.name)
            (DOCUMENTS / session.name).write_text(draw(run_session(session, place).lines))
    command = [sys.executable, "-m", "examples.demo"]
    subprocess.run(command, cwd=demo.CHECKOUT, check=True, stdout=subprocess.DEVNULL)
    with Image.open(demo.CHECKOUT / demo.DRAWING) as drawing:
        drawing.save(CROP_PICTURE, quality=80, method=6)


def run_session(session: Session, place: Path) -> Terminal:
    """Run a session's commands in a new folder; returns the terminal they wrote on."""
    make_samples.make_samples(place / session.folder)
    copy = place / session.folder / "copies" / "landscape-00-other-comment.jpg"
    copy.rename(place / session.query)
    commands = str(Path(sys.executable).parent)
    # The home is short and elsewhere: a socket's path may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="psp-") as home:
        environ = {
            "HOME": str(place),
            "PSP_HOME": home,
            "PATH": f"{commands}:{os.environ.get('PATH', '')}",
            "TERM": "xterm-256color",
            "COLUMNS": str(COLUMNS),
            "LANG": "C.UTF-8",
        }
        try:
            return type_lines(session, place, environ)
        finally:
            subprocess.run(["pspc", "stop"], env=environ, check=False, capture_output=True)


def type_lines(session: Session, place: Path, environ: Mapping[str, str]) -> Terminal:
    """Show each line behind a prompt and what it writes below it."""
    terminal = Terminal()
    for line in session.lines:
        filled = line.format(folder=session.folder, query=session.query)
        if filled.startswith("#"):
            terminal.lines[-1] += [Cell(char, Style(COMMENT)) for char in filled]
            terminal.write("\r\n")
            continue
        terminal.write(f"\x1b[2m{PROMPT}\x1b[0;1m{filled}\x1b[0m\r\n")
        # A folder's real path is of no interest to the reader.
        terminal.write(run_on_terminal(filled.split(), place, environ).replace(str(place), "~"))
        terminal.write("\r\n")
    return terminal


def run_on_terminal(command: Sequence[str], place: Path, environ: Mapping[str, str]) -> str:
    """Run a command whose standard output and error are a terminal; returns what it wrote."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    with subprocess.Popen(
        command, cwd=place, env=dict(environ), stdin=follower, stdout=follower, stderr=follower
    ) as process:
        os.close(follower)
        written = b"".join(read_terminal(leader))
    os.close(leader)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command), written)
    return written.decode()


def read_terminal(leader: int) -> Iterator[bytes]:
    """Yield what arrives until the last process closes its side, which Linux reports as EIO."""
    try:
        while block := os.read(leader, 65_536):
            yield block
    except OSError:
        return


def draw(lines: Sequence[Sequence[Cell]]) -> str:
    """Return lines of cells as SVG."""
    shown = list(lines)
    while shown and not shown[-1]:
        shown.pop()
    columns = max(sum(cell.columns for cell in line) for line in shown)
    width = columns * CELL_WIDTH + 2 * MARGIN
    height = len(shown) * CELL_HEIGHT + 2 * MARGIN
    body = "\n".join(text for row, line in enumerate(shown) for text in draw_line(row, line))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'font-family="ui-monospace, monospace" font-size="14">\n'
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>\n{body}\n</svg>\n'
    )


def draw_line(row: int, line: Sequence[Cell]) -> Iterator[str]:
    """Yield a line's runs of one style; blanks between words are position, not text."""
    column = 0
    for (style, _), run in groupby(line, key=lambda cell: (cell.style, cell.text == " ")):
        cells = list(run)
        columns = sum(cell.columns for cell in cells)
        text = "".join(cell.text for cell in cells)
        weight = ' font-weight="bold"' if style.is_bold else ""
        if text.strip():
            yield (
                f'<text x="{MARGIN + column * CELL_WIDTH:.1f}" '
                f'y="{MARGIN + (row + 0.75) * CELL_HEIGHT:.1f}" '
                f'textLength="{columns * CELL_WIDTH:.1f}" lengthAdjust="spacingAndGlyphs" '
                f'fill="{style.colour}"{weight}>'
                f"{escape(text)}</text>"
            )
        column += columns


if __name__ == "__main__":
    main()
