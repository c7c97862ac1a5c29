"""`[models.NAME]`: ONNX image encoders of one's own, which `pspc model add NAME` takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args, get_origin, get_type_hints

from pspd.config.checks import (
    checked_choice,
    checked_number,
    checked_path,
    describe,
    report_unknown,
)
from pspd.config.sections import ModelFile, Range
from pspd.rpc.wire import printable

MODEL_RANGES: Final[Mapping[str, Range]] = {
    "side": Range(8, 2048),
    "mean": Range(-10.0, 10.0),
    "deviation": Range(0.0001, 1000.0),
}
"""What each number may be."""

_REQUIRED: Final = ("file", "side")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}", re.ASCII)
_BUILT_IN: Final = re.compile(r"(sscd|dinov2)(-.*)?", re.ASCII)
"""Names that are the catalogue's, now or later."""
_LONGEST_WORD: Final = 200
_COLOURS: Final = 3


def loaded_models(tables: object, mistakes: list[str]) -> tuple[ModelFile, ...]:
    """Return the models that a file describes; what is wrong is added to `mistakes`."""
    if not isinstance(tables, dict):
        mistakes.append(f"models: expected sections, [models.NAME], found {describe(tables)}")
        return ()
    models = (_model(name, table, mistakes) for name, table in tables.items())
    return tuple(model for model in models if model is not None)


def _model(name: str, table: object, mistakes: list[str]) -> ModelFile | None:
    prefix = f"models.{printable(name)}"
    if not isinstance(table, dict):
        mistakes.append(f"{prefix}: expected a section, [models.NAME], found {describe(table)}")
        return None
    before = len(mistakes)
    if not _NAME.fullmatch(name):
        mistakes.append(f"{prefix}: a name has up to 40 small letters, digits, dots and dashes")
    elif _BUILT_IN.fullmatch(name):
        mistakes.append(f"{prefix}: this name is PSP's own; choose another")
    kinds = {key: kind for key, kind in get_type_hints(ModelFile).items() if key != "name"}
    report_unknown(table, kinds, "key", f"{prefix}.", mistakes)
    mistakes += [f"{prefix}.{key}: is missing" for key in _REQUIRED if key not in table]
    values: dict[str, object] = {"name": name}
    for key, kind in kinds.items():
        if key in table:
            try:
                values[key] = _checked(key, kind, table[key])
            except ValueError as mistake:
                mistakes.append(f"{prefix}.{key}: {mistake}")
    normalises = "mean" in values or "deviation" in values
    if values.get("dtype") == "uint8" and normalises:
        mistakes.append(
            f'{prefix}.dtype: "uint8" takes levels as they are, without mean and deviation'
        )
    if len(mistakes) > before:
        return None
    return ModelFile(**values)  # type: ignore[arg-type]  # each was checked against its annotation


def _checked(key: str, kind: object, value: object) -> object:
    """Return the value as its field wants it; ValueError says what was expected."""
    if get_origin(kind) is tuple:
        if not isinstance(value, list) or len(value) != _COLOURS:
            raise ValueError(f"expected a list of three numbers, found {describe(value)}")
        return tuple(checked_number(MODEL_RANGES[key], each, is_whole=False) for each in value)
    if kind is Path:
        return checked_path(value)
    if kind is int:
        return checked_number(MODEL_RANGES[key], value, is_whole=True)
    if kind is str:
        if not isinstance(value, str) or len(value) > _LONGEST_WORD:
            raise ValueError(f"expected a name, found {describe(value)}")
        return value
    return checked_choice(get_args(kind), value)
