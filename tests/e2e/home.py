"""A PSP_HOME of its own: the real client and the real daemon as processes."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

TIMEOUT = 60.0
"""A command that takes longer has failed."""


class Home:
    """Runs `pspc` and `pspd` with everything under one folder."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="psp-e2e-"))
        self.path = self.folder / "home"
        self.path.mkdir(mode=0o700)
        self.environ = {**os.environ, "PSP_HOME": str(self.path), "LC_ALL": "C.UTF-8"}

    def pictures(self, name: str = "pictures") -> Path:
        """Return a new folder for pictures."""
        folder = self.folder / name
        folder.mkdir(parents=True)
        return folder

    def configure(self, text: str) -> None:
        """Write the configuration; the next daemon reads it."""
        (self.path / "config.toml").write_text(text)

    def pspc(
        self, *arguments: str | os.PathLike[str], expect: int | None = 0, stdin: bytes = b""
    ) -> str:
        """Run the client; returns what it printed."""
        done = self.run("pspc", *arguments, stdin=stdin)
        if expect is not None:
            assert done.returncode == expect, (done.returncode, done.stdout, done.stderr)
        return done.stdout.decode("utf-8", "surrogateescape")

    def run(
        self,
        module: str,
        *arguments: str | os.PathLike[str],
        stdin: bytes = b"",
        environ: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run `pspc` or `pspd` to its end."""
        return subprocess.run(
            [sys.executable, "-m", module, *(os.fspath(each) for each in arguments)],
            input=stdin,
            capture_output=True,
            env={**self.environ, **(environ or {})},
            timeout=TIMEOUT,
            check=False,
        )

    def document(self, *arguments: str | os.PathLike[str], expect: int | None = 0) -> Any:
        """Run the client with --json; returns what it printed, parsed."""
        return json.loads(self.pspc(*arguments, "--json", expect=expect))

    def search(self, image: Path, *options: str, expect: int | None = 0) -> dict[str, Any]:
        """Search; returns the hits by path."""
        document = self.document("search", image, *options, expect=expect)
        return {hit["path"]: hit for hit in document["hits"]}

    def status(self) -> dict[str, Any]:
        """Return what `pspc status` says."""
        status: dict[str, Any] = self.document("status")
        return status

    def await_daemon(self) -> None:
        """Wait until somebody answers, and start nobody."""
        while self.run("pspc", "--no-start", "status").returncode:
            continue

    def pid(self) -> int:
        """Return the daemon's process number."""
        return int((self.path / "pspd.lock").read_text())

    def close(self) -> None:
        """Stop the daemon, the hard way if it must be, and remove everything."""
        while True:
            if self.folder.exists() and not self._is_removed():
                continue
            if not self._kill_stragglers():
                return

    def _is_removed(self) -> bool:
        if self.run("pspc", "stop").returncode != 0:
            os.kill(self.pid(), signal.SIGKILL)
        try:
            shutil.rmtree(self.folder)
        except OSError as error:
            # Of many daemons that were started at once one may come only now to its turn.
            if error.errno != errno.ENOTEMPTY:
                raise
            return False
        return True

    def _kill_stragglers(self) -> bool:
        """Kill daemons that come only now; returns whether there were any.

        A client that gave up waiting leaves one that it has started, which would make the folder
        anew and stay.
        """
        own = f"PSP_HOME={self.path}".encode()
        found = False
        for environ in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):  # it ended meanwhile, or is somebody else's
                is_one = own in environ.read_bytes().split(b"\0")
                if is_one and b"pspd" in (environ.parent / "cmdline").read_bytes():
                    os.kill(int(environ.parent.name), signal.SIGKILL)
                    found = True
        return found
