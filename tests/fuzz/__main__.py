"""Hunt: python -m tests.fuzz TARGET [SECONDS]; then keep what is new and small."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pspc.deciding.metadata", "pspd", "tomllib"]):
    from tests.fuzz.targets import CORPUS, MAX_BYTES, TARGETS

_SECONDS = 60
_LONGEST_INPUT = 5
"""Seconds; an input that takes longer is a finding."""
_MEMORY = 2048
"""MiB; likewise."""
_MERGE = ("-merge=1", "-use_counters=0")
"""What reaches a new edge is kept, not what reaches it another number of times."""


def main() -> None:
    """Hunt in this process, or start the processes that hunt and then minimise."""
    name = sys.argv[1]
    if len(sys.argv) > 2 and sys.argv[2].startswith("-"):  # as `_run` starts it
        # A merge starts this again, by a shell, as what the first word says.
        itself = shlex.join([sys.executable, "-m", "tests.fuzz", name])
        atheris.Setup([itself, *sys.argv[2:]], TARGETS[name].check)
        atheris.Fuzz()
        return
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else _SECONDS
    kept = CORPUS / name
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="psp-fuzz-") as scratch:
        work, seeds, small = (Path(scratch) / each for each in ("work", "seeds", "small"))
        for folder in (work, seeds, small):
            folder.mkdir()
        for seed in TARGETS[name].seeds():
            (seeds / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
        status = _run(name, f"-max_total_time={seconds}", work, kept, seeds)
        if status == 0:
            # Of equal worth the kept ones win, so that the corpus changes as little as can be.
            _run(name, *_MERGE, small, kept, seeds, work)
            for file in kept.iterdir():
                file.unlink()
            for file in small.iterdir():
                (kept / file.name[:16]).write_bytes(file.read_bytes())
    sys.exit(status)


def _run(name: str, *more: str | Path) -> int:
    """Run libFuzzer with options, on folders; what it finds stays in the corpus as `crash-…`."""
    options = [
        f"-max_len={MAX_BYTES}",
        f"-timeout={_LONGEST_INPUT}",
        f"-rss_limit_mb={_MEMORY}",
        f"-artifact_prefix={CORPUS / name}/",
        # Branches inside msgspec are not seen: without this most messages would be dropped.
        "-keep_seed=1",
        "-print_final_stats=1",
    ]
    command = [sys.executable, "-m", "tests.fuzz", name, *options, *map(str, more)]
    return subprocess.run(command, check=False).returncode


main()
