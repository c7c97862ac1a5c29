"""The permanent token's file, however it is found."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pspc.errors import SetupError
from pspc.web.token_file import NAME, permanent_token


def test_the_token_is_made_once_and_is_nobody_elses(tmp_path: Path) -> None:
    home = tmp_path / "home"
    before = os.umask(0)
    try:
        token = permanent_token({"PSP_HOME": str(home)})
    finally:
        os.umask(before)
    assert len(bytes.fromhex(token)) == 32
    assert stat.S_IMODE((home / NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert permanent_token({"PSP_HOME": str(home)}) == token
    assert os.listdir(home) == [NAME]


def test_without_psp_home_it_lies_with_the_daemons_log(tmp_path: Path) -> None:
    token = permanent_token({"XDG_STATE_HOME": str(tmp_path)})
    assert (tmp_path / "psp" / NAME).read_text().strip() == token


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    permanent_token({"PSP_HOME": str(tmp_path)})
    (tmp_path / NAME).chmod(0o640)
    with pytest.raises(SetupError, match="can be read by others"):
        permanent_token({"PSP_HOME": str(tmp_path)})


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    for target in (elsewhere, tmp_path / "nowhere"):
        (tmp_path / NAME).unlink(missing_ok=True)
        (tmp_path / NAME).symlink_to(target)
        elsewhere.write_text("a" * 64)
        with pytest.raises(SetupError):
            permanent_token({"PSP_HOME": str(tmp_path)})
        assert elsewhere.read_text() == "a" * 64
        assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("text", ["", "a" * 63, "g" * 64, "a" * 64 + "b", "\0" * 64])
def test_what_is_no_token_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    (tmp_path / NAME).chmod(0o600)
    with pytest.raises(SetupError, match="has no token in it"):
        permanent_token({"PSP_HOME": str(tmp_path)})


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(SetupError):
        permanent_token({"PSP_HOME": str(tmp_path)})


def test_many_that_start_at_once_agree(tmp_path: Path) -> None:
    program = (
        "import os; from pspc.web.token_file import permanent_token; "
        "os.read(0, 1); print(permanent_token(os.environ))"
    )
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PSP_HOME": str(tmp_path)},
        )
        for _ in range(8)
    ]
    tokens = set()
    for starter in starters:
        assert starter.stdin is not None
        starter.stdin.write(b"x")
        starter.stdin.flush()
    for starter in starters:
        output, _ = starter.communicate(timeout=60)
        assert starter.returncode == 0
        tokens.add(output)
    assert len(tokens) == 1
    assert os.listdir(tmp_path) == [NAME]
