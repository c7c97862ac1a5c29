"""Scenario of G6: whatever makes a folder blind is told with its cure, and polled.

python -m tests.reliability.blindness FOLDER CAUSE …

Prints how long each took to be told and until a file that appeared in the blind folder was known,
in seconds; null for never.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from pspd.watcher.inotify_notifier import InotifyNotifier
from tests.reliability.namespace import mount, unmount
from tests.waiting import until
from tests.watcher.bench import OPTIONS, Bench, deep_folder, watching
from tests.watcher.test_scan import write

TOLD_SECONDS = 5.0

POLLING = replace(OPTIONS, blind_poll_seconds=0.2, poll_seconds=0.5)

Outcome = dict[str, float | None]


def _outcome(bench: Bench, words: str, late: Path | None) -> Outcome:
    """Wait until a notice has some words and a cure; then add a file that has to be found."""
    told = until(lambda: any(each.cure for each in bench.notices(words)), TOLD_SECONDS)
    if late is not None:
        write(late, "late")
    return {"told": told, "covered": bench.settles()}


@contextmanager
def _limited(name: str, limit: int) -> Iterator[None]:
    path = Path("/proc/sys/user") / name
    before = path.read_text()
    path.write_text(str(limit))
    try:
        yield
    finally:
        path.write_text(before)


def watch_limit(folder: Path) -> Outcome:
    with _limited("max_inotify_watches", 20), watching(folder, options=POLLING) as bench:
        for number in range(60):
            write(bench.top / f"{number}" / "file")
        bench.sync()
        (notice,) = bench.notices("user.max_inotify_watches is 20, needed is 62 or more")
        assert "42 folders" in notice.cause, notice
        assert "sysctl" in notice.cure, notice
        return _outcome(bench, "max_inotify_watches", bench.top / "59" / "late")


def watch_limit_raised(folder: Path) -> Outcome:
    """The notice goes without a restart once the limit is raised."""
    with watching(folder, options=POLLING) as bench:
        with _limited("max_inotify_watches", 20):
            for number in range(60):
                write(bench.top / f"{number}" / "file")
            bench.sync()
        told = until(lambda: not bench.notices("max_inotify_watches"), TOLD_SECONDS)
        return {"told": told, "covered": bench.settles()}


def instance_limit(folder: Path) -> Outcome:
    with _limited("max_inotify_instances", 0), watching(folder, options=POLLING) as bench:
        return _outcome(bench, "max_user_instances", bench.top / "late")


def permission(folder: Path) -> Outcome:
    with watching(folder, options=POLLING) as bench:
        write(bench.top / "closed" / "file")
        assert bench.settles() is not None
        (bench.top / "closed").chmod(0)
        told = until(lambda: any(each.cure for each in bench.notices("ermission")), TOLD_SECONDS)
        assert "closed/file" in bench.stamps()
        (bench.top / "closed").chmod(0o700)
        write(bench.top / "closed" / "late")
        covered = bench.settles()
        assert until(lambda: not bench.notices("ermission"), TOLD_SECONDS) is not None
        return {"told": told, "covered": covered}


def open_files(folder: Path) -> Outcome:
    with watching(folder, options=POLLING) as bench:
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        for number in range(10):
            write(folder / "outside" / f"{number}" / "file")
        hog: list[int] = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, limits[1]))
        (folder / "outside").rename(bench.top / "inside")
        with suppress(OSError):
            while True:
                hog.append(os.open("/", os.O_RDONLY))
        bench.watcher.look_at(os.fspath(bench.top / "inside"))
        told = until(lambda: any(each.cure for each in bench.notices("open files")), TOLD_SECONDS)
        for descriptor in hog:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        return {"told": told, "covered": bench.settles()}


def unmounted(folder: Path) -> Outcome:
    with watching(folder, options=POLLING) as bench:
        mount("-t", "tmpfs", "none", bench.top)
        write(bench.top / "file")
        assert bench.settles() is not None
        unmount(bench.top)
        told = until(lambda: any(each.cure for each in bench.notices("unavailable")), TOLD_SECONDS)
        assert list(bench.stamps()) == ["file"]
        mount("-t", "tmpfs", "none", bench.top)
        write(bench.top / "late")
        return {"told": told, "covered": bench.settles()}


def mounted_over(folder: Path) -> Outcome:
    with watching(folder, options=POLLING) as bench:
        write(bench.top / "d" / "file")
        assert bench.settles() is not None
        mount("-t", "tmpfs", "none", bench.top / "d")
        told = until(lambda: any(each.cure for each in bench.notices("a drive")), TOLD_SECONDS)
        assert list(bench.stamps()) == ["d/file"]
        write(bench.top / "d" / "late")
        covered = bench.settles()
        unmount(bench.top / "d")
        return {"told": told, "covered": covered}


def network(folder: Path) -> Outcome:
    options = replace(POLLING, polled_file_systems={"tmpfs"})
    with watching(folder, options=options) as bench:
        mount("-t", "tmpfs", "none", bench.top)
        (bench.top / "d").mkdir()
        bench.sync()
        told = until(lambda: bool(bench.notices("without this system's knowing")), TOLD_SECONDS)
        # Nobody tells of what another machine writes: here the notifier is told nothing any more.
        with bench.store.read() as reader:
            numbers = [child.directory_id for child in reader.children(bench.root.directory)]
        bench.last_notifier.leave([bench.root.directory, *numbers])
        write(bench.top / "d" / "late")
        covered = bench.settles()
        unmount(bench.top)
        return {"told": told, "covered": covered}


def root_is_link(folder: Path) -> Outcome:
    with watching(folder, options=POLLING) as bench:
        write(bench.top / "file")
        assert bench.settles() is not None
        bench.top.rename(folder / "elsewhere")
        bench.top.symlink_to(folder / "elsewhere")
        told = until(lambda: any(each.cure for each in bench.notices("unavailable")), TOLD_SECONDS)
        assert list(bench.stamps()) == ["file"]
        bench.top.unlink()
        (folder / "elsewhere").rename(bench.top)
        write(bench.top / "late")
        return {"told": told, "covered": bench.settles()}


def root_replaced(folder: Path) -> Outcome:
    with watching(folder, options=POLLING) as bench:
        write(bench.top / "file")
        assert bench.settles() is not None
        bench.top.rename(folder / "elsewhere")
        bench.top.mkdir()
        told = until(lambda: any(each.cure for each in bench.notices("unavailable")), TOLD_SECONDS)
        assert list(bench.stamps()) == ["file"]
        write(bench.top / "late")
        return {"told": told, "covered": bench.settles()}


def same_directory_twice(folder: Path) -> Outcome:
    """A bind mount: one inode, one watch, two places, as with nested roots."""
    with watching(folder, options=POLLING) as bench:
        for name in ("one", "two"):
            (bench.top / name).mkdir()
        mount("--bind", bench.top / "one", bench.top / "two")
        bench.sync()
        write(bench.top / "one" / "late")
        covered = bench.settles()
        unmount(bench.top / "two")
        return {"told": 0.0, "covered": covered}


def dead_thread(folder: Path) -> Outcome:
    fails = True

    def before_read() -> None:
        if fails:
            raise OSError("injected")

    with watching(folder, lambda: InotifyNotifier(before_read), POLLING) as bench:
        write(bench.top / "first")
        told = until(lambda: any(each.cure for each in bench.notices("died")), TOLD_SECONDS)
        fails = False
        write(bench.top / "late")
        assert bench.board.counters()["notifier_deaths"] >= 1
        return {"told": told, "covered": bench.settles()}


def silent_thread(folder: Path) -> Outcome:
    """It lives and says nothing: only the missing echo tells."""
    gate = threading.Event()
    notifiers: list[InotifyNotifier] = []

    def factory() -> InotifyNotifier:
        notifier = InotifyNotifier(gate.wait if not notifiers else lambda: None)
        notifier.echo_seconds = 0.5
        notifiers.append(notifier)
        return notifier

    with watching(folder, factory, replace(POLLING, heartbeat_seconds=0.3)) as bench:
        write(bench.top / "late")
        try:
            told = until(lambda: any(each.cure for each in bench.notices("died")), TOLD_SECONDS)
            return {"told": told, "covered": bench.settles()}
        finally:
            gate.set()


def too_deep(folder: Path) -> Outcome:
    with watching(folder, options=POLLING) as bench:
        descriptor = deep_folder(bench.top)
        bench.sync()
        os.close(os.open("late", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
        os.close(descriptor)
        covered = until(lambda: any(each.endswith("/late") for each in bench.stamps()))
        return {"told": 0.0, "covered": covered}


CAUSES: dict[str, Callable[[Path], Outcome]] = {
    each.__name__: each
    for each in (
        watch_limit,
        watch_limit_raised,
        instance_limit,
        open_files,
        unmounted,
        mounted_over,
        network,
        root_is_link,
        root_replaced,
        same_directory_twice,
        dead_thread,
        silent_thread,
        too_deep,
        permission,
    )
}
"""`permission` needs a process that is not root."""


if __name__ == "__main__":
    top, *causes = sys.argv[1:]
    sys.stdout.write(json.dumps({cause: CAUSES[cause](Path(top) / cause) for cause in causes}))
