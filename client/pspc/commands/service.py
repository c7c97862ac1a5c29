"""Let systemd run the daemon: at login, with restarts, and with fewer rights than you have."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from pspc.errors import SetupError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from pspc.console import Console

EXAMPLES = """\
  pspc service install
  pspc service install --no-enable
  pspc service uninstall
"""

UNIT = "pspd.service"

_SECONDS = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("action", choices=("install", "uninstall"), help="what to do")
    parser.add_argument(
        "--no-enable", action="store_true", help="install the unit's file and leave it at that"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Install or uninstall the unit."""
    path = unit_path(os.environ)
    if arguments.action == "uninstall":
        return _uninstall(path, console)
    path.parent.mkdir(parents=True, exist_ok=True)
    command = daemon_command()
    state = _state_directory(command)
    os.makedirs(state, mode=0o700, exist_ok=True)
    path.write_text(unit_text(_template(), command, state), encoding="utf-8")
    console.line(f"installed {path}")
    if os.environ.get("PSP_HOME"):
        console.note("PSP_HOME is set here and not for the service, which uses the XDG folders")
    if arguments.no_enable:
        return 0
    try:
        _systemctl("daemon-reload")
        _systemctl("enable", "--now", UNIT)
    except SetupError as error:
        console.note(f"{error}; {path} stays installed", *_next_steps())
        return 2
    console.line(f"enabled and started {UNIT}")
    return 0


def _next_steps() -> list[str]:
    """Say what to do when systemd could not be told of the unit."""
    if shutil.which("systemctl") is None:
        return ["without systemd, the daemon starts when it is needed, or by: pspc start"]
    return [
        "log in on the desktop or by ssh, and there repeat: pspc service install",
        "for a daemon that outlives the login: loginctl enable-linger",
        "or go without the service: pspc start",
    ]


def unit_path(environ: Mapping[str, str]) -> Path:
    """Return where systemd looks for a user's units."""
    configuration = environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(configuration, "systemd", "user", UNIT)


def unit_text(template: str, command: str, state: str) -> str:
    """Return the unit with the paths of this installation in it.

    Args:
        template: The packaged unit.
        command: Absolute path of `pspd`.
        state: The one directory the daemon may write to; absolute.

    Raises:
        SetupError: the template has no lines to put them in.
    """
    text = template
    for pattern, setting, path in (
        (r"^ExecStart=pspd$", "ExecStart", command),
        (r"^ReadWritePaths=.*$", "ReadWritePaths", state),
    ):
        line = f"{setting}={_quoted(path)}"
        text, count = re.subn(pattern, line.replace("\\", r"\\"), text, flags=re.MULTILINE)
        if count != 1:
            raise SetupError(f"the packaged unit is damaged: it has {count} lines {setting}=")
    return text


def _quoted(path: str) -> str:
    """Write a path as one word of a unit file (systemd.syntax(7), systemd.unit(5) on %)."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"' if re.search(r"[\s\"'\\]", path) else escaped


def daemon_command() -> str:
    """Return the absolute path of the `pspd` that belongs to this installation.

    Raises:
        SetupError: there is none.
    """
    found = shutil.which("pspd", path=os.path.dirname(sys.executable)) or shutil.which("pspd")
    if found is None:
        raise SetupError("the command pspd is not installed beside this Python, nor on the PATH")
    return os.path.abspath(found)


def _state_directory(command: str) -> str:
    """Ask the daemon where it would write as a service, its configuration file included.

    Raises:
        SetupError: it does not say.
    """
    environ = {name: value for name, value in os.environ.items() if name != "PSP_HOME"}
    try:
        done = _run([command, "--print-config"], environ)
        state = tomllib.loads(done.stdout)["paths"]["state"]
    except (OSError, subprocess.TimeoutExpired, tomllib.TOMLDecodeError, KeyError) as error:
        raise SetupError(f"{command} --print-config does not say where it writes") from error
    if done.returncode or not isinstance(state, str):
        said = " ".join(done.stderr.split())
        raise SetupError(f"{command} --print-config failed: {said}")
    return state


def _uninstall(path: Path, console: Console) -> int:
    if not path.exists():
        console.line(f"{UNIT} is not installed")
        return 0
    _try_systemctl(console, "disable", "--now", UNIT)
    path.unlink()
    console.line(f"removed {path}")
    _try_systemctl(console, "daemon-reload")
    return 0


def _template() -> str:
    packaged = resources.files("pspc").joinpath("systemd", UNIT)
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    # A source checkout: the wheel is what puts the file into the package.
    checkout = Path(__file__).resolve().parents[3] / "systemd" / UNIT
    try:
        return checkout.read_text(encoding="utf-8")
    except OSError as error:
        raise SetupError(f"the unit's file is not part of this installation: {checkout}") from error


def _systemctl(*words: str) -> None:
    command = shutil.which("systemctl")
    if command is None:
        raise SetupError(f"there is no systemctl here, so systemd was not told of {UNIT}")
    try:
        done = _run([command, "--user", *words])
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"systemctl --user {' '.join(words)} failed: {error}") from error
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"status {done.returncode}"
        raise SetupError(f"systemctl --user {' '.join(words)} failed: {said}")


def _try_systemctl(console: Console, *words: str) -> None:
    """Tell systemd, where there is one: a unit is to be removed either way."""
    try:
        _systemctl(*words)
    except SetupError as error:
        console.note(str(error))


def _run(
    command: Sequence[str], environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=_SECONDS,
        env=environ,
        check=False,
    )
