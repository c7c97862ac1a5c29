"""The groups of copies among a million pictures: how soon they are listed, what keeping them costs.

    python -m benchmarks.groups

The daemon has no such list yet, so that both targets are missed.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.plan import Plan
from benchmarks.program import Finding, run_program
from benchmarks.report import within

LIST_TARGET_SECONDS = 1.0
KEEPING_TARGET_SECONDS = 0.002
"""For each picture that arrives."""


def measure(plan: Plan) -> Iterator[Finding]:
    """Say that there is nothing to measure yet."""
    count = plan.small_store
    yield within(
        f"list of the groups of copies among {count:,}",
        "not built yet",
        f"≤ {LIST_TARGET_SECONDS:g} s",
        is_reached=False,
    )
    yield within(
        "keeping the groups as pictures arrive",
        "not built yet",
        f"≤ {KEEPING_TARGET_SECONDS * 1e3:g} ms a picture",
        is_reached=False,
    )


if __name__ == "__main__":
    run_program("groups", measure, __doc__)
