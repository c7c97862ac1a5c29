"""Environment and TOML file → `Config`, with every mistake reported at once.

Nothing here touches the disk but to read the file: directories are made by those who need them.
"""

from __future__ import annotations

import os
import pwd
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeVar, get_args, get_origin, get_type_hints

from pspd.config.checks import (
    checked_address,
    checked_choice,
    checked_number,
    checked_path,
    checked_rules,
    describe,
    report_unknown,
)
from pspd.config.model_files import loaded_models
from pspd.config.sections import FROM_ENVIRONMENT, RANGES, Config, Paths
from pspd.errors import ConfigError
from pspd.rpc.wire import printable, runtime_directory

CONFIG_NAME = "config.toml"

_Section = TypeVar("_Section")


def config_path(environ: Mapping[str, str]) -> Path:
    """Where the configuration is looked for: $PSP_HOME, else $XDG_CONFIG_HOME/psp."""
    if environ.get("PSP_HOME"):
        return Path(os.path.abspath(environ["PSP_HOME"])) / CONFIG_NAME
    return _xdg_directory(environ, "XDG_CONFIG_HOME", ".config") / CONFIG_NAME


def load(environ: Mapping[str, str], path: Path | None = None) -> Config:
    """Read the configuration.

    Args:
        environ: The environment; PSP_HOME, the XDG folders, HOME and TMPDIR matter.
        path: A file that must exist; without it `config_path`, which may be absent.

    Raises:
        ConfigError: With every mistake in the file, one a line.
    """
    file = config_path(environ) if path is None else path
    document = _read(file, is_required=path is not None)
    mistakes: list[str] = []
    sections: dict[str, object] = {}
    kinds = get_type_hints(Config)
    report_unknown(document, kinds, "section", "", mistakes)
    sections["models"] = loaded_models(document.get("models", {}), mistakes)
    for name, kind in kinds.items():
        if name == "models":
            continue
        table = document.get(name, {})
        if not isinstance(table, dict):
            mistakes.append(f"{name}: expected a section, [{name}], found {describe(table)}")
            table = {}
        defaults = _default_paths(environ) if kind is Paths else kind()
        sections[name] = _section(name, defaults, table, mistakes)
    if mistakes:
        count = "a mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        listed = "".join(f"\n  {mistake}" for mistake in mistakes)
        raise ConfigError(f"{printable(str(file))} has {count}:{listed}")
    return Config(**sections)  # type: ignore[arg-type]  # each was checked against its annotation


def _read(file: Path, *, is_required: bool) -> Mapping[str, object]:
    try:
        return tomllib.loads(file.read_bytes().decode())
    except FileNotFoundError as error:
        if not is_required:
            return {}
        raise ConfigError(f"there is no configuration file {printable(str(file))}") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"{printable(str(file))} cannot be read: {reason}") from error
    except (ValueError, RecursionError) as error:
        # Beside TOMLDecodeError: bytes that are no UTF-8, thousands of digits, of brackets.
        why = printable(str(error))
        raise ConfigError(f"{printable(str(file))} is not valid TOML: {why}") from error


def _section(
    name: str, defaults: _Section, table: Mapping[str, object], mistakes: list[str]
) -> _Section:
    section = type(defaults)
    kinds = get_type_hints(section)
    report_unknown(table, kinds, "key", f"{name}.", mistakes)
    values: dict[str, object] = {}
    for key, kind in kinds.items():
        values[key] = getattr(defaults, key)
        if key not in table:
            continue
        try:
            values[key] = _checked(f"{name}.{key}", kind, table[key])
        except ValueError as mistake:
            mistakes.append(f"{name}.{key}: {mistake}")
    return section(**values)


def _checked(key: str, kind: object, value: object) -> object:
    """Return the value as its field wants it; ValueError says what was expected."""
    if key in FROM_ENVIRONMENT:
        raise ValueError(f"cannot be set here: {FROM_ENVIRONMENT[key]}")
    if get_origin(kind) is Literal:
        return checked_choice(get_args(kind), value)
    if kind is Path:
        return checked_path(value)
    if key == "remote.listen":
        return checked_address(value)
    if key == "duplicates.keep":
        return checked_rules(value)
    return checked_number(RANGES[key], value, is_whole=kind is not float)


def _default_paths(environ: Mapping[str, str]) -> Paths:
    home = environ.get("PSP_HOME")
    state = Path(os.path.abspath(home)) if home else None
    return Paths(
        state=state or _xdg_directory(environ, "XDG_DATA_HOME", ".local/share"),
        runtime=Path(os.path.abspath(runtime_directory(environ))),
    )


def _xdg_directory(environ: Mapping[str, str], variable: str, below_home: str) -> Path:
    """Return PSP's folder by the XDG base directory specification (0.8: relative is ignored)."""
    base = environ.get(variable, "")
    if not os.path.isabs(base):
        base = os.path.join(_home(environ), below_home)
    return Path(base) / "psp"


def _home(environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", "")
    if os.path.isabs(home):
        return home
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError as error:
        raise ConfigError("this user has no home directory: set HOME or PSP_HOME") from error
