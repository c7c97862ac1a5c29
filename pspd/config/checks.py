"""Values of a TOML file, looked at one by one; what is wrong is said as a person reads it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pspd.config.sections import Range
from pspd.rpc.wire import DEFAULT_KEEP, KEEP_RULES, printable, rule_words

_TCP_ADDRESS = re.compile(r"tcp://([\w.*-]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}", re.ASCII)
_MOST_BITS = 256
"""Of a number that is shown; Python refuses to write one of thousands of digits."""


def report_unknown(
    table: Mapping[str, object], known: Iterable[str], noun: str, prefix: str, mistakes: list[str]
) -> None:
    """Note every key of a table that is not known."""
    known = list(known)
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
            mistakes.append(f"{prefix}{printable(key)}: unknown {noun}; {hint}")


def checked_choice(choices: tuple[str, ...], value: object) -> str:
    """Return a value that is one of these; ValueError says what was expected."""
    if isinstance(value, str) and value in choices:
        return value
    expected = ", ".join(f'"{choice}"' for choice in choices)
    close = difflib.get_close_matches(value, choices, n=1) if isinstance(value, str) else []
    hint = f'; did you mean "{close[0]}"?' if close else ""
    raise ValueError(f"expected one of {expected}, found {describe(value)}{hint}")


def checked_path(value: object) -> Path:
    """Return a value that is an absolute path; ValueError says what was expected."""
    if not isinstance(value, str) or "\0" in value or not Path(value).is_absolute():
        raise ValueError(f"expected an absolute path as a string, found {describe(value)}")
    return Path(value)


def checked_address(value: object) -> str:
    """Return a value that is an address of tcp; ValueError says what was expected."""
    if isinstance(value, str) and _TCP_ADDRESS.fullmatch(value):
        return value
    raise ValueError(f'expected an address such as "tcp://0.0.0.0:7420", found {describe(value)}')


def checked_rules(value: object) -> str:
    """Return a value that is rules of which copy to keep; ValueError says what was expected."""
    if isinstance(value, str):
        try:
            rule_words(value)
        except ValueError as error:
            known = ", ".join((*KEEP_RULES, "path:GLOB"))
            word = describe(str(error))
            raise ValueError(f"there is no rule {word}; there are {known}") from error
        return value
    raise ValueError(f'expected rules such as "{DEFAULT_KEEP}", found {describe(value)}')


def checked_number(limits: Range, value: object, *, is_whole: bool) -> float:
    """Return a value that is a number in a range; ValueError says what was expected."""
    noun = "a whole number" if is_whole else "a number"
    is_number = isinstance(value, int if is_whole else (int, float)) and not isinstance(value, bool)
    # `nan` fails both comparisons, so it is out of every range.
    if not is_number or not limits.least <= value <= limits.most:  # type: ignore[operator]
        expected = f"{noun} from {limits.least:,} to {limits.most:,}".replace(",", "_")
        raise ValueError(f"expected {expected}, found {describe(value)}")
    return value if is_whole else float(value)  # type: ignore[return-value, arg-type]


def describe(value: object) -> str:
    """Return how a message shows a value."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{printable(value)}"'
        case dict():
            return "a section"
        case list():
            return "a list"
        case int() if value.bit_length() > _MOST_BITS:
            return "a number of absurd length"
        case _:
            return str(value)
