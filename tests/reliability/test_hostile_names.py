"""G18: names that are legal and mean no good, through every interface."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from pspc import Connection
from pspd.rpc import wire
from tests.e2e.home import Home
from tests.features.samples import png_claiming
from tests.reliability.conftest import Report
from tests.reliability.goals import Size
from tests.reliability.hostile.classes import good
from tests.reliability.hostile.names import hostile_names
from tests.reliability.hostile.views import (
    controls_of,
    is_harmless,
    on_terminal,
    paths_of,
    unescaped,
)

_DEPTH = 25
"""Directories of some 250 bytes each, one in the other: a path of 6 kB."""
_ROOTS = 12
_REFUSED = png_claiming(100_000, 100_000)
"""Fails for good: one that ends early would be read again 10 s after it was written."""


@pytest.fixture
def home(home: Home) -> Home:
    home.configure('[log]\nlevel = "debug"\n')
    return home


class Names:
    """The hostile names of one run, as files and as folders."""

    def __init__(self, folder: Path, count: int) -> None:
        names = hostile_names(count)
        self.count = len(names)
        self.folder = bytes(folder)
        self.found = _fill(self.folder + b"/found", names, good("PNG"))
        self.failed = _fill(self.folder + b"/failed", names, _REFUSED)
        deep = _nested(self.folder, [name for name in names if len(name) > 200])
        self.found.add(_put(deep, b"deep\xff\n.png", good("PNG")))
        self.failed.add(_put(deep, b"\x1b[2Jbroken.png", _REFUSED))
        chosen = [name for name in names if len(name) < 60][:: max(1, count // 40)][:_ROOTS]
        self.roots = {self.folder + b"-root-" + name for name in chosen}
        for root in self.roots:
            os.mkdir(root)
            self.found |= _fill(root, [b"in.png"], good("PNG"))


def _fill(folder: bytes, names: Iterable[bytes], content: bytes) -> set[bytes]:
    os.makedirs(folder, exist_ok=True)
    for name in names:
        with open(folder + b"/" + name, "wb") as file:
            file.write(content)
    return {folder + b"/" + name for name in names}


def _nested(top: bytes, names: list[bytes]) -> bytes:
    """Make one directory in the other, deeper than a path may be long."""
    descriptor = os.open(top, os.O_DIRECTORY)
    for level in range(_DEPTH):
        name = b"%d" % level + names[level % len(names)][:250]
        os.mkdir(name, dir_fd=descriptor)
        inner = os.open(name, os.O_DIRECTORY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
        top += b"/" + name
    os.fchdir(descriptor)
    os.close(descriptor)
    return top


def _put(deep: bytes, name: bytes, content: bytes) -> bytes:
    """Write a file into the current directory, which is `deep`."""
    with open(name, "wb") as file:
        file.write(content)
    return deep + b"/" + name


@pytest.mark.goal("G18")
def test_hostile_names_are_served_by_every_interface(
    goal: Report, size: Size, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home.folder)
    names = Names(home.pictures(), size.of(500, 500, 864))
    monkeypatch.chdir(home.folder)
    views: list[str] = []
    problems: list[str] = []

    def check(what: str, holds: bool) -> None:  # noqa: FBT001 - reads as a sentence
        views.append(what)
        if not holds:
            problems.append(what)

    query = home.folder / "query.png"
    query.write_bytes(good("PNG"))
    home.pspc("start")
    seen = _events_of(home, lambda: _add_all(home, names, check))
    expected = {("indexed", path) for path in names.found} | {
        ("failed", path) for path in names.failed
    }
    check("events", seen == expected)
    _check_search(home, names, query, check)
    _check_failures(home, names, check)
    _check_roots(home, names, check)
    _check_queries(home, names, check, every=size.of(10, 1, 1))
    _check_removal(home, names, query, check)
    _check_log(home, check)
    goal.figure(
        f"{names.count} names as pictures, as broken files and {len(names.roots)} as folders, "
        f"paths up to {max(map(len, names.found)):,} bytes, "
        f"through {len(views)} views of commands, the Python API, events and the log: "
        f"{len(problems)} views fail" + (f" ({', '.join(problems)})" if problems else ""),
        reached=not problems,
    )


Check = Callable[[str, bool], None]


def _add_all(home: Home, names: Names, check: Check) -> None:
    shown = on_terminal(home, "add", *sorted(names.roots))
    check("add on a terminal", is_harmless(shown) and shown.count("watching ") == len(names.roots))
    with Connection(home.path) as connection:
        root = connection.add(names.folder)
        check("add of the Python API", root.path == names.folder)
        connection.sync()
        roots = [each for each in connection.roots() if each.path in {names.folder, *names.roots}]
        counted = [
            sum(getattr(each, what) for each in roots) for what in ("indexed", "failed", "pending")
        ]
        expected = [len(names.found), len(names.failed), 0]
        check(f"sync: {counted} of {expected}", counted == expected)


def _check_search(home: Home, names: Names, query: Path, check: Check) -> None:
    with Connection(home.path) as connection:
        hits = connection.search(query, "original").hits
    check("search of the Python API", {hit.path for hit in hits} == names.found)
    lines = home.run("pspc", "search", "--original", query).stdout.splitlines()
    check("search in a pipe", {unescaped(line.split(b"\t")[-1]) for line in lines} == names.found)
    check("search in a pipe, controls", all(not controls_of(line) - {9} for line in lines))
    ended = home.run("pspc", "search", "--original", query, "-0").stdout.split(b"\0")
    check("search -0", set(ended[:-1]) == names.found)
    text = home.run("pspc", "search", "--original", query, "--json").stdout
    check("search --json", paths_of(json.loads(text)["hits"]) == names.found)
    check("search --json, controls", is_harmless(text.decode()))
    shown = on_terminal(home, "search", "--original", query)
    check("search on a terminal", is_harmless(shown))
    check("search on a terminal, lines", len(shown.splitlines()) == len(names.found) + 1)


def _check_failures(home: Home, names: Names, check: Check) -> None:
    with Connection(home.path) as connection:
        entries = list(connection.failures())
    check("failures of the Python API", {each.path for each in entries} == names.failed)
    lines = home.run("pspc", "failures", "--all").stdout.splitlines()
    check("failures in a pipe", {unescaped(line.split(b"\t")[1]) for line in lines} == names.failed)
    text = home.run("pspc", "failures", "--json").stdout
    check("failures --json", paths_of(json.loads(text)["failures"]) == names.failed)
    check("failures --json, controls", is_harmless(text.decode()))
    shown = on_terminal(home, "failures", "--all")
    check("failures on a terminal", is_harmless(shown))
    check("failures on a terminal, lines", len(shown.splitlines()) == len(names.failed) + 1)


def _check_roots(home: Home, names: Names, check: Check) -> None:
    roots = {names.folder, *names.roots}
    lines = home.run("pspc", "roots").stdout.splitlines()
    check("roots in a pipe", {unescaped(line.split(b"\t")[-1]) for line in lines} == roots)
    for verb in ("roots", "status"):
        text = home.run("pspc", verb, "--json").stdout
        check(f"{verb} --json", paths_of(json.loads(text)["roots"]) == roots)
        check(f"{verb} --json, controls", is_harmless(text.decode()))
        check(f"{verb} on a terminal", is_harmless(on_terminal(home, verb)))
    # What is not there any more is named in notices and in what limits an answer.
    away = min(names.roots)
    os.rename(away, away + b"-away")
    home.run("pspc", "sync")
    check("status of an absent folder", is_harmless(on_terminal(home, "status")))
    check("search without a folder", is_harmless(on_terminal(home, "search", "absent.png")))
    os.rename(away + b"-away", away)
    home.run("pspc", "sync")


def _check_queries(home: Home, names: Names, check: Check, *, every: int) -> None:
    """The names as arguments of a search."""
    files = sorted(path for path in names.found | names.failed if len(path) < 1000)[::every]
    done = home.run("pspc", "search", "--original", "-n", "1", *map(os.fsdecode, files))
    sources = {unescaped(line.split(b"\t")[0]) for line in done.stdout.splitlines()}
    check("queries in a pipe", sources == names.found & set(files))
    check("what is said of bad queries", is_harmless(done.stderr.decode()))
    broken = set(files) & names.failed
    check("a line for each bad query", len(done.stderr.splitlines()) == len(broken))
    shown = on_terminal(home, "search", "--original", "-n", "1", *map(os.fsdecode, files[::5]))
    check("queries on a terminal", is_harmless(shown))
    text = home.run("pspc", "search", "--original", "--json", *map(os.fsdecode, files[::5])).stdout
    check("queries --json", len(json.loads(text)["results"]) == len(files[::5]))


def _check_removal(home: Home, names: Names, query: Path, check: Check) -> None:
    """Files and folders that go away, and folders that are no longer watched."""
    shown = on_terminal(home, "remove", *sorted(names.roots), names.folder + b"-\x1b[2J")
    check("remove on a terminal", is_harmless(shown) and "\\x1b[2J" in shown)
    check("remove", shown.count("no longer watching ") == len(names.roots))
    inside = {path for path in names.found if path.startswith(names.folder + b"/found/")}

    def remove() -> None:
        for path in inside:
            os.unlink(path)
        home.pspc("sync")

    seen = _events_of(home, remove)
    check("events of removal", {path for kind, path in seen if kind == "removed"} == inside)
    with Connection(home.path) as connection:
        left = {hit.path for hit in connection.search(query, "original").hits}
        deep = {path for path in names.found if len(path) > 4096}
        check("search after removal", left == deep)
        connection.remove(names.folder)
        connection.sync()
        states = {each.state for each in connection.status().roots}
        check("nothing is left", states <= {"removing"})


def _check_log(home: Home, check: Check) -> None:
    logs = list(home.path.rglob("*.log"))
    check("a log", bool(logs))
    for log in logs:
        check("the log", is_harmless(log.read_text(encoding="utf-8", errors="strict")))


def _events_of(home: Home, act: Callable[[], None]) -> set[tuple[str, bytes]]:
    """Return (kind, path) of all changes that are reported until `act` is through."""
    seen: set[tuple[str, bytes]] = set()
    listening = threading.Event()
    marker = home.folder / "marker"
    marker.mkdir(exist_ok=True)
    ended = threading.Event()

    def listen() -> None:
        with Connection(home.path) as connection:
            for event in connection.events():
                listening.set()
                if isinstance(event, wire.ChangeEvent):
                    seen.add((event.kind, event.path))
                    if event.path.startswith(bytes(marker)) and event.kind == "removed":
                        ended.set()
                        return

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    _mark(home, marker, listening)
    act()
    with Connection(home.path) as connection:
        for file in marker.iterdir():
            file.unlink()
        connection.sync()
        assert ended.wait(20), "the last event did not come"
        connection.remove(marker)
    thread.join()
    return {(kind, path) for kind, path in seen if not path.startswith(bytes(marker))}


def _mark(home: Home, marker: Path, listening: threading.Event) -> None:
    """Make changes in a folder of their own until the first is heard."""
    with Connection(home.path) as connection:
        connection.add(marker)
        for number in range(100):
            (marker / f"{number}.png").write_bytes(good("PNG", 3))
            connection.sync()
            if listening.wait(0.2):
                return
    pytest.fail("no event came")
