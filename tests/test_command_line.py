"""`pspd` on the command line: what it is made of, and one line when the system lets it down."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pspd.__main__ import EX_OSERR, EX_SOFTWARE, main


def test_the_libraries_are_listed_with_those_that_are_bundled() -> None:
    command = [sys.executable, "-m", "pspd", "--libraries"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    listed = dict(line.split(" ") for line in done.stdout.splitlines())

    assert {"psp", "lmdb", "liblmdb", "libzmq", "libjpeg-turbo", "libwebp", "zlib"} <= set(listed)
    assert all(version[0].isdigit() for version in listed.values())


@pytest.mark.parametrize("module", ["msgspec", "shutil"])
def test_a_module_that_cannot_be_loaded_is_one_line(module: str) -> None:
    """`shutil` is what argparse loads by itself, before the arguments are read."""
    program = (
        f"import runpy, sys; sys.modules['{module}'] = None; sys.argv[1:] = []; "
        "runpy.run_module('pspd', run_name='__main__', alter_sys=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == EX_OSERR
    assert done.stderr.startswith("pspd: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--nonsense"], "unrecognized arguments: --nonsense; see pspd --help"),
        (["keys"], "required: ACTION; see pspd keys --help"),
    ],
)
def test_a_mistake_in_the_arguments_is_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    line = capsys.readouterr().err
    assert line.startswith("pspd: ")
    assert line.endswith(f"{said}\n")
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), EX_OSERR, "Too many open files"),
        (MemoryError(), EX_OSERR, "out of memory"),
        (ZeroDivisionError("a\nb"), EX_SOFTWARE, "report it: ZeroDivisionError: a b"),
    ],
)
def test_an_error_that_nobody_expected_is_one_line(
    error: Exception,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setenv("PSP_HOME", str(tmp_path))
    monkeypatch.setattr("pspd.config.load", fail)

    assert main([]) == status
    line = capsys.readouterr().err
    assert said in line
    assert line.startswith("pspd: ")
    assert line.count("\n") == 1
