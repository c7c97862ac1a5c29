"""Immaculate, the peer of indexing, in an environment of its own.

It needs Python 3.12 or newer and keeps nothing on disk. Its time is taken within its process, so
that its start and its imports do not count.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.plan import Plan, cache_folder

PACKAGE = "immaculate>=0.3,<0.4"
PYTHONS = ("python3.14", "python3.13", "python3.12", "python3")
VERSION_MANAGERS = (".pyenv/versions/3.*/bin/python3", ".local/share/uv/python/*/bin/python3")
"""Where interpreters lie that are not in PATH, below the user's home."""
LEAST_VERSION = (3, 12)

PROGRAM = """
import sys, time
from immaculate import find_duplicates
began = time.perf_counter()
find_duplicates(sys.argv[1], method="pdq")
print(time.perf_counter() - began)
"""
SETS_PROGRAM = """
import json, sys
from immaculate import find_duplicates
found = find_duplicates(sys.argv[1], method="pdq")
print(json.dumps([[str(path) for path in each] for each in [*found.exact, *found.near]]))
"""
_VERSION = "import importlib.metadata as m, immaculate; print(m.version('immaculate'))"


class Peer:
    """An interpreter with Immaculate, if there is one.

    Attributes:
        note: Its version and interpreter, or why nothing is compared with it.
    """

    def __init__(self, plan: Plan) -> None:
        self._python: Path | None = None
        self.note = ""
        if plan.peer is not None:
            self._take(plan.peer)
        elif not self._take(_environment_python()):
            if plan.may_install_peer:
                self._install()
            else:
                self.note = "Immaculate: not installed, so nothing is compared with it."

    @property
    def is_there(self) -> bool:
        """Whether it can be measured."""
        return self._python is not None

    def seconds(self, folder: Path) -> float:
        """Have it find the duplicates in a folder; returns the seconds that took."""
        assert self._python is not None, "asked only where it is there"
        command = [str(self._python), "-c", PROGRAM, str(folder)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    def sets(self, folder: Path) -> list[list[Path]]:
        """Have it find the duplicates in a folder; returns the sets, equal files too."""
        assert self._python is not None, "asked only where it is there"
        command = [str(self._python), "-c", SETS_PROGRAM, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [[Path(name) for name in each] for each in json.loads(done.stdout)]

    def _take(self, python: Path) -> bool:
        """Use an interpreter if Immaculate can be imported there; say what came of it."""
        try:
            done = subprocess.run(
                [python, "-c", _VERSION], capture_output=True, text=True, check=False
            )
        except OSError as error:
            self.note = f"Immaculate: {python.name} cannot be run ({error.strerror})."
            return False
        if done.returncode != 0:
            self.note = "Immaculate: the interpreter given cannot import it; nothing is compared."
            return False
        self._python = python
        self.note = f"Immaculate {done.stdout.strip()}."
        return True

    def _install(self) -> None:
        base = _new_enough()
        if base is None:
            least = ".".join(map(str, LEAST_VERSION))
            self.note = (
                f"Immaculate: it needs Python {least}, and there is none here; "
                "nothing is compared with it."
            )
            return
        folder = _environment_python().parents[1]
        pip = [str(_environment_python()), "-m", "pip", "install", "--quiet", PACKAGE]
        for command in ([base, "-m", "venv", str(folder)], pip):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                last = (done.stderr.strip().splitlines() or ["no word why"])[-1]
                self.note = f"Immaculate: it cannot be installed ({last}); nothing is compared."
                return
        self._take(_environment_python())


def _environment_python() -> Path:
    return cache_folder() / "immaculate" / "bin" / "python"


def _new_enough() -> str | None:
    """Find an interpreter that Immaculate runs on; names may exist and not work."""
    program = f"import sys; sys.exit(sys.version_info < {LEAST_VERSION})"
    named = [python for name in (sys.executable, *PYTHONS) if (python := shutil.which(name))]
    kept = [str(path) for each in VERSION_MANAGERS for path in sorted(Path.home().glob(each))]
    for python in named + kept:
        done = subprocess.run([python, "-c", program], capture_output=True, check=False)
        if done.returncode == 0:
            return python
    return None
