"""A process that was stopped looks at everything when it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.waiting import until
from tests.watcher.bench import OPTIONS, watching

STOPPED_SECONDS = 1.0


@pytest.mark.skipif(sys.platform != "linux", reason="needs a clock that counts sleep")
def test_a_process_that_was_stopped_scans_everything(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.watcher.test_absence", os.fspath(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "watching\n"
        child.send_signal(signal.SIGSTOP)
        threading.Event().wait(STOPPED_SECONDS)
        child.send_signal(signal.SIGCONT)
        assert child.stdout.readline() == "scanned\n"


def main() -> None:
    options = replace(OPTIONS, absence_seconds=STOPPED_SECONDS / 2)
    with watching(Path(sys.argv[1]), options=options) as bench:
        sys.stdout.write("watching\n")
        sys.stdout.flush()
        went_on = until(lambda: bench.board.counters().get("absences", 0) > 0)
        sys.stdout.write("scanned\n" if went_on is not None else "blind\n")


if __name__ == "__main__":
    main()
