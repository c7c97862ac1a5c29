"""The unit that `pspc service install` writes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pspc.commands.service import daemon_command, unit_path, unit_text
from pspc.errors import SetupError
from tests.client.conftest import Run

TEMPLATE = "[Service]\n# ExecStart is set\nExecStart=pspd\nReadWritePaths=%h/x\nRestart=no\n"


def test_the_unit_gets_the_paths_of_this_installation() -> None:
    text = unit_text(TEMPLATE, "/opt/psp/bin/pspd", "/home/ann/.local/share/psp")
    assert text.splitlines()[2:] == [
        "ExecStart=/opt/psp/bin/pspd",
        "ReadWritePaths=/home/ann/.local/share/psp",
        "Restart=no",
    ]


def test_odd_paths_are_quoted_as_systemd_wants() -> None:
    text = unit_text(TEMPLATE, '/my "100%" \\ env/pspd', "/a b")
    assert 'ExecStart="/my \\"100%%\\" \\\\ env/pspd"\n' in text
    assert 'ReadWritePaths="/a b"\n' in text


def test_a_template_without_the_lines_is_refused() -> None:
    with pytest.raises(SetupError, match="damaged"):
        unit_text("[Service]\nExecStart=/bin/true\n", "/x", "/y")


def test_the_unit_lies_where_systemd_looks() -> None:
    assert unit_path({"XDG_CONFIG_HOME": "/c"}) == Path("/c/systemd/user/pspd.service")
    assert unit_path({}).is_relative_to(Path.home())


def test_the_daemon_of_this_installation_is_meant() -> None:
    assert os.path.basename(daemon_command()) == "pspd"
    assert os.path.isabs(daemon_command())


def test_install_without_systemd_leaves_the_file_and_says_so(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", os.fspath(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", os.fspath(tmp_path / "data"))
    monkeypatch.delenv("PSP_HOME", raising=False)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    unit = tmp_path / "config" / "systemd" / "user" / "pspd.service"
    result = run("service", "install")
    assert result.status == 2
    assert "there is no systemctl" in result.errors
    assert f"{unit} stays installed" in result.errors
    assert "starts when it is needed, or by: pspc start\n" in result.errors
    assert f"ReadWritePaths={tmp_path}/data/psp" in unit.read_text(encoding="utf-8")
    assert run("service", "install", "--no-enable").status == 0
    assert run("service", "uninstall").status == 0
    assert not unit.exists()
    assert run("service", "uninstall").output == "pspd.service is not installed\n"


def test_install_without_a_user_bus_says_the_next_step(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", os.fspath(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", os.fspath(tmp_path / "data"))
    monkeypatch.delenv("PSP_HOME", raising=False)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(f"#!{sys.executable}\nraise SystemExit('Failed to connect to bus')\n")
    systemctl.chmod(0o755)
    result = run("service", "install")
    assert result.status == 2
    assert "Failed to connect to bus" in result.errors
    assert "loginctl enable-linger" in result.errors
    assert "pspc start" in result.errors
    assert (tmp_path / "config" / "systemd" / "user" / "pspd.service").exists()
