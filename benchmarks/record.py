"""What a run found, as a file: the table and the curves of docs/performance.md come from it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.report import Row


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a curve of cost against size."""

    size: int
    """Files or pictures."""
    value: float


@dataclass(frozen=True, slots=True)
class Curve:
    """How one cost grows with the size."""

    name: str
    """One of `benchmarks.curves`."""
    unit: str
    points: tuple[Point, ...]


@dataclass(slots=True)
class Record:
    """Everything one run found."""

    machine: str
    day: str
    """ISO 8601."""
    size: str
    """Name of the plan; see `benchmarks.plan.PLANS`."""
    rows: list[Row] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What a reader of the table has to know, such as a peer that is missing."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Benchmark → how long it took."""

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")


def read_record(path: Path) -> Record:
    """Read what `Record.write` wrote.

    Raises:
        OSError: It is not there.
        ValueError: It is no record.
    """
    document = json.loads(path.read_text(encoding="utf-8"))
    try:
        rows = [Row(**row) for row in document.pop("rows")]
        curves = [
            Curve(each["name"], each["unit"], tuple(Point(**point) for point in each["points"]))
            for each in document.pop("curves")
        ]
        return Record(**document, rows=rows, curves=curves)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is no record of a run: {error}") from error
