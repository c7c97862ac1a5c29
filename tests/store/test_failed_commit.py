"""A commit that fails at any of its writes costs that commit, and nothing after it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reliability import shim

PROGRAM = """
import sys
from pathlib import Path
from pspd.errors import StoreError
from pspd.store.store import Store
from pspd.store.batch import PutDirectory
from pspd.core.model import Directory, DirectoryId, RootId

store = Store(Path(sys.argv[1]))
Path(sys.argv[2]).unlink()
failed = 0
for number in range(1, 4):
    directory = Directory(DirectoryId(number), RootId(1), DirectoryId(0), str(number), 1, number)
    try:
        store.apply([PutDirectory(directory)])
    except StoreError:
        failed += 1
        with store.read() as reader:
            assert reader.directory(DirectoryId(number)) is None
        store.apply([PutDirectory(directory)])
    with store.read() as reader:
        assert reader.directory(DirectoryId(number)) == directory
store.close()
print(failed)
"""
NEW_STORE_WRITES = 40
"""A new store takes a few more before the first of the three commits."""
MOST_WRITES = 80


def test_a_store_serves_on_after_a_write_of_a_commit_failed(tmp_path: Path) -> None:
    """LMDB refuses everything, reads too, after its last page could not be written (MDB_PANIC)."""
    library = shim.build()
    if library is None:
        pytest.skip("no C compiler here, or not Linux")
    failed: list[int] = []
    for number in range(NEW_STORE_WRITES, MOST_WRITES):
        folder, mended = tmp_path / f"{number}", tmp_path / "mended"
        mended.touch()
        settings: dict[str, str | Path] = {
            "FAIL": f"write:{number}:{errno.EIO}",
            "FAIL_PATHS": "/data.mdb",
            "UNTIL": mended,
        }
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(folder), str(mended)],
            env={**os.environ, **shim.environ(library, settings)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, f"write {number}: {done.stderr}"
        failed.append(int(done.stdout))
        if failed[-2:] == [1, 0]:
            break  # past the last write of the last commit
    assert failed[0] == failed[-1] == 0, "it began and ended outside of the commits"
    assert sum(failed) > 3, "each of the commits takes some writes"
