"""Run all benchmarks and print one table: `make bench`.

python -m benchmarks [NAME…] [--size full|quick|tiny] [--record FILE]
"""

from __future__ import annotations

import sys

from benchmarks import arrivals, groups, indexing, large_folder, queries, scale
from benchmarks.program import run_programs

PROGRAMS = {
    "indexing": indexing.measure,
    "arrivals": arrivals.measure,
    "large_folder": large_folder.measure,
    "queries": queries.measure,
    "groups": groups.measure,
    "scale": scale.measure,
}

if __name__ == "__main__":
    sys.exit(run_programs(PROGRAMS, __doc__, sys.argv[1:]))
