"""What is to become of some copies, as a file that a person reads and edits: JSON Lines.

    {"psp_plan": 1, "keep": "pixels, metadata, …", "made": "2026-12-01T10:00:00Z"}
    {"group": 1, "do": "keep", "path": "/a.jpg", "image": "cd…", "bytes": 34, "why": "pixels"}
    {"group": 1, "do": "trash", "path": "/b.jpg", "image": "ab…", "bytes": 12, "verdict": "copy"}

Each group keeps one file at least. `do` is `keep`, `trash` or `link` (to a kept file with the same
bytes); lines may be left out, and begin with # to be passed over. `why` and `verdict` are for the
reader.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from pspc.deciding.files import path_fields, path_of
from pspc.errors import PspcError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

VERSION = 1

Do = Literal["keep", "trash", "link"]


class PlanError(PspcError):
    """A plan that cannot be read; the sentence names the line."""


class Line(NamedTuple):
    """What is to become of one file."""

    group: int
    do: Do
    path: bytes
    image: str
    """Digest of its bytes, in hexadecimal."""
    size: int
    why: str = ""
    """Of a kept one: the rule that decided."""
    verdict: str = ""
    """Of any other: what it is to the kept one."""


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    psp_plan: int
    keep: str = ""
    made: str = ""


class _Line(msgspec.Struct):
    group: int
    do: Do
    path: str
    image: str
    size: int = msgspec.field(name="bytes")
    path_base64: str | None = None
    why: str = ""
    verdict: str = ""


def text_of(lines: Iterable[Line], keep: str, made: str) -> Iterator[str]:
    """Yield the lines of a plan, each with its line break."""
    yield json.dumps({"psp_plan": VERSION, "keep": keep, "made": made}) + "\n"
    for line in lines:
        document: dict[str, Any] = {"group": line.group, "do": line.do}
        document |= path_fields("path", line.path)
        document |= {"image": line.image, "bytes": line.size}
        if line.why:
            document["why"] = line.why
        if line.verdict:
            document["verdict"] = line.verdict
        yield json.dumps(document, ensure_ascii=False) + "\n"


def parse(text: str) -> list[Line]:
    """Read a plan.

    Raises:
        PlanError: It is none, or does with a file what cannot be done.
    """
    numbered = [
        (number, line)
        for number, line in enumerate(text.split("\n"), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not numbered:
        raise PlanError("the plan is empty")
    _check_head(*numbered[0])
    lines: list[Line] = []
    paths: dict[bytes, int] = {}
    for number, body in numbered[1:]:
        line = _parsed(number, body)
        if line.path in paths:
            raise PlanError(f"line {number}: the file of line {paths[line.path]} once more")
        paths[line.path] = number
        lines.append(line)
    return lines


def _check_head(number: int, body: str) -> None:
    try:
        head = msgspec.json.decode(body, type=_Head)
    except msgspec.MsgspecError:
        raise PlanError(f"line {number}: this is no plan of pspc duplicates --plan") from None
    if head.psp_plan != VERSION:
        raise PlanError(f"a plan of version {head.psp_plan}, and this pspc reads {VERSION}")


def _parsed(number: int, body: str) -> Line:
    try:
        line = msgspec.json.decode(body, type=_Line)
        path = path_of(line.path, line.path_base64)
    except (msgspec.MsgspecError, ValueError) as error:
        raise PlanError(f"line {number}: {error}") from error
    if not path.startswith(b"/") or b"\0" in path:
        raise PlanError(f"line {number}: a path begins with /")
    return Line(line.group, line.do, path, line.image, line.size, line.why, line.verdict)
