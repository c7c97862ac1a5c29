"""Runs benchmarks, prints one table as it grows, and keeps a record.

    measure(Plan) -> Iterator[Row | Curve | str]

A benchmark is a module with such a function: it yields rows, curves, and notes, which are sentences
that belong to the table. Only a run of full size judges targets.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from benchmarks.machine import machine
from benchmarks.plan import Plan, add_options, plan_of
from benchmarks.record import Curve, Record
from benchmarks.report import Row, header_lines, line_of

Finding: TypeAlias = Row | Curve | str
Measure: TypeAlias = Callable[[Plan], Iterator[Finding]]


def run_program(name: str, measure: Measure, description: str | None) -> None:
    """Be the command `python -m benchmarks.NAME`."""
    sys.exit(run_programs({name: measure}, description, sys.argv[1:]))


def run_programs(
    programs: Mapping[str, Measure], description: str | None, arguments: Sequence[str]
) -> int:
    """Run some benchmarks one after the other; returns the exit status.

    One that ends in an error is a row that is not reached, and the others are run all the same.
    """
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    add_options(parser)
    parser.add_argument("--record", type=Path, metavar="FILE", help="write what was found as JSON")
    if len(programs) > 1:
        parser.add_argument("programs", nargs="*", metavar="NAME", help=", ".join(programs))
    options = parser.parse_args(arguments)
    names = getattr(options, "programs", None) or list(programs)
    unknown = [name for name in names if name not in programs]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(programs)}")
    record = Record(machine(), datetime.now(UTC).date().isoformat(), options.size)
    print(record.machine, *header_lines(), sep="\n", flush=True)
    failed = [name for name in names if not _run(name, programs[name], plan_of(options), record)]
    for note in record.notes:
        print(note)
    print(", ".join(f"{name} {seconds:.0f} s" for name, seconds in record.seconds.items()))
    if options.record is not None:
        record.write(options.record)
    return 1 if failed else 0


def _run(name: str, measure: Measure, plan: Plan, record: Record) -> bool:
    """Run one benchmark into the record; returns whether it came to its end."""
    began = time.perf_counter()
    try:
        for finding in measure(plan):
            _take(finding, record)
    except Exception as error:  # noqa: BLE001 - the other benchmarks are still to be run
        traceback.print_exc()
        said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        _add(Row(f"{name}: the rest", f"failed: {said}", is_reached=False), record)
        return False
    finally:
        record.seconds[name] = round(time.perf_counter() - began, 1)
    return True


def _take(finding: Finding, record: Record) -> None:
    match finding:
        case Row():
            _add(finding if record.size == "full" else replace(finding, is_reached=None), record)
        case Curve():
            record.curves.append(finding)
        case str():
            record.notes.append(finding)


def _add(row: Row, record: Record) -> None:
    record.rows.append(row)
    print(line_of(row), flush=True)
