"""The shim does what its users rely on: it sees every write, and fails the call asked for."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reliability import shim

PROGRAM = """
import os, sys
for number in range(4):
    try:
        with open(sys.argv[1], "ab", buffering=0) as file:
            file.write(b"%d" % number)
            os.fsync(file.fileno())
    except OSError as error:
        print(number, error.errno)
os.rename(sys.argv[1], sys.argv[1] + ".new")
"""


def _run(tmp_path: Path, **settings: str | Path) -> str:
    library = shim.build()
    if library is None:
        pytest.skip("no C compiler here, or not Linux")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path / "chosen"],
        env={**os.environ, **shim.environ(library, settings)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_journal_has_every_write_sync_and_rename_in_order(tmp_path: Path) -> None:
    _run(tmp_path, JOURNAL=tmp_path / "journal", PATHS="/chosen")
    records = list(shim.read_journal(tmp_path / "journal"))
    done = [record for record in records if record.kind is not shim.Kind.OPEN]
    assert [record.data for record in done if record.kind is shim.Kind.WRITE] == [
        b"0",
        b"1",
        b"2",
        b"3",
    ]
    assert [record.kind for record in done] == [shim.Kind.WRITE, shim.Kind.SYNC] * 4 + [
        shim.Kind.RENAME
    ]
    assert done[-1].data.endswith(b"chosen\0" + bytes(tmp_path / "chosen.new"))


@pytest.mark.parametrize("kind", ["open", "write", "sync"])
def test_the_nth_call_fails_and_no_other(tmp_path: Path, kind: str) -> None:
    output = _run(
        tmp_path,
        FAIL=f"{kind}:3:{errno.ENOSPC}",
        FAIL_PATHS="/chosen",
        FIRED=tmp_path / "fired",
    )
    assert output == f"2 {errno.ENOSPC}\n"
    assert (tmp_path / "fired").read_bytes() == b"x"


def test_a_lasting_fault_goes_on_until_it_is_mended(tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    settings = {"FAIL": f"write:2:{errno.EIO}", "FAIL_TIMES": "0", "FAIL_PATHS": "/chosen"}
    assert len(_run(tmp_path, **settings).splitlines()) == 3
    mended.touch()
    assert not _run(tmp_path, **settings, UNTIL=mended)
