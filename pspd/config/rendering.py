"""`Config` → TOML with a comment above every key; loading it gives an equal `Config`."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from pspd.config.model_files import MODEL_RANGES
from pspd.config.sections import FROM_ENVIRONMENT, RANGES, Config, ModelFile, Range

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

WIDTH = 96
"""Columns of a comment, its `# ` not counted."""


def render(config: Config) -> str:
    """Return everything in force as TOML."""
    return "\n".join(_lines(config)) + "\n"


def field_docstrings(section: type) -> Mapping[str, str]:
    """Return the docstring under each field of a class, unwrapped; empty without its source."""
    try:
        source = inspect.getsource(section)
    except OSError:  # a zipped or stripped installation
        return {}
    body = ast.parse(textwrap.dedent(source)).body[0]
    found: dict[str, str] = {}
    name = ""
    for node in ast.iter_child_nodes(body):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)):
                pass
            case ast.Expr(value=ast.Constant(value=str(text))) if name:
                found[name] = " ".join(text.split())
    return found


def toml_string(text: str) -> str:
    """Return a TOML basic string (TOML 1.0, "String")."""
    escaped = (
        f"\\u{ord(char):04x}" if char < " " or char == "\x7f" else char
        for char in text.replace("\\", "\\\\").replace('"', '\\"')
    )
    return f'"{"".join(escaped)}"'


def _lines(config: Config) -> Iterator[str]:
    for section in fields(config):
        if section.name == "models":
            continue
        values = getattr(config, section.name)
        yield from _section(section.name, values, RANGES)
    if not config.models:
        yield from (
            f"# {line}" if line and line[0] != "#" else line
            for line in _section(
                "models.NAME", ModelFile("NAME", Path("/path/of/file.onnx"), 224), MODEL_RANGES
            )
        )
    for model in config.models:
        yield from _section(f"models.{toml_key(model.name)}", model, MODEL_RANGES)


def _section(name: str, values: DataclassInstance, ranges: Mapping[str, Range]) -> Iterator[str]:
    yield from (f"# {(type(values).__doc__ or '').strip()}", f"[{name}]", "")
    docstrings = field_docstrings(type(values))
    for field in fields(values):
        if isinstance(values, ModelFile) and field.name == "name":
            continue
        key = f"{name}.{field.name}"
        limits = ranges.get(field.name if ranges is MODEL_RANGES else key)
        comment = f"{docstrings.get(field.name, '')} {_range(limits)}".strip()
        yield from (f"# {line}" for line in textwrap.wrap(comment, WIDTH))
        yield _assignment(key, field.name, getattr(values, field.name))
        yield ""


def toml_key(name: str) -> str:
    """Return a key as TOML has it: a dot in it is no dot between tables."""
    return name if "." not in name else toml_string(name)


def _range(limits: Range | None) -> str:
    return f"From {limits.least:_} to {limits.most:_}." if limits else ""


def _assignment(key: str, name: str, value: object) -> str:
    match value:
        case None:
            return f"# {name} ="
        case Path():
            return _path_assignment(key, name, value)
        case str():
            return f"{name} = {toml_string(value)}"
        case tuple():
            return f"{name} = {list(value)!r}"
        case _:
            return f"{name} = {value!r}"


def _path_assignment(key: str, name: str, path: Path) -> str:
    text = str(path)
    shown = text.encode(errors="backslashreplace").decode()
    # TOML is UTF-8; a path that is not can only come from the environment, and still does.
    is_comment = key in FROM_ENVIRONMENT or shown != text
    return f"{'# ' if is_comment else ''}{name} = {toml_string(shown)}"
