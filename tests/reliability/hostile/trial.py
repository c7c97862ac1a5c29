"""One process that reads mutants one after the other, as a worker would; it may die of them.

python -m tests.reliability.hostile.trial PROGRESS SEED FIRST LAST STEP

tells where it is in the file PROGRESS, which the one who started it maps as well, and prints a line
for each outcome that the documents do not have.
"""

from __future__ import annotations

import mmap
import os
import resource
import struct
import sys
import time
from pathlib import Path

from pspd.core.model import FailureReason, Limits
from pspd.errors import FileFailure
from pspd.features.extract import extract, extract_query
from pspd.verify.pixels import pixel_digest
from pspd.workers.messages import Done, Order
from pspd.workers.process import prepare_decoders
from pspd.workers.replies import checked_outcome
from tests.reliability.hostile.mutation import Mutants
from tests.reliability.hostile.sources import made
from tests.reliability.hostile.watching import peak_of

PROGRESS = struct.Struct("=qdqqdq")
"""The mutant in hand, when it was begun (s, monotonic), how many were indexed, how many failed, the
longest that one took, in seconds of this process alone, for the machine may be busy, and the most
memory that a process was seen to have had before the one in hand, in MiB."""

_SAMPLED = 64
"""Every so manieth time it looks at its memory, which costs as much as a tenth of a mutant. Not at
`ru_maxrss`: that of a process begins with what the one had that started it."""

MOST_SECONDS = 10
"""As `Limits.max_seconds`, but of this process alone; SIGXCPU ends it then."""


def outcome_of(data: bytes, number: int) -> str:
    """Read a mutant in one of three ways; returns "indexed" or the reason why not.

    Raises:
        Exception: whatever is not documented.
    """
    limits = Limits()
    try:
        if number % 4 == 0:
            features, turns = extract_query(data, limits)
            done, order = Done(features.image_id, features, turns), Order(turns=True)
        elif number % 4 == 1:
            features = extract(data, limits)
            pixels = pixel_digest(data, limits)
            done, order = Done(features.image_id, features, pixels=pixels), Order(pixels=True)
        else:
            features = extract(data, limits)
            done, order = Done(features.image_id, features), Order()
    except FileFailure as failure:
        return FailureReason(failure.reason)
    # What the daemon would make of the reply of the worker that read this.
    checked_outcome(done, order, limits, None)
    return "indexed"


def main() -> None:
    """Read mutants until the last, or until one of them ends this process."""
    path, seed, first, last, step = sys.argv[1], *map(int, sys.argv[2:])
    prepare_decoders()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    space = pages * resource.getpagesize() + Limits().max_memory
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    mutants = Mutants(made(), seed)
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), PROGRESS.size) as progress:
        _, _, indexed, failed, longest, peak = PROGRESS.unpack_from(progress)
        # Whoever sees that the chatter is put away knows that a number is there.
        PROGRESS.pack_into(progress, 0, first, time.monotonic(), indexed, failed, longest, peak)
        # Decoders' chatter.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        for number in range(first, last, step):
            if (number - first) // step % _SAMPLED == 0:
                peak = max(peak, peak_of(os.getpid()))
            PROGRESS.pack_into(
                progress, 0, number, time.monotonic(), indexed, failed, longest, peak
            )
            begun = time.process_time()
            allowed = int(begun) + 1 + MOST_SECONDS
            resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))
            mutant = mutants[number]
            try:
                outcome = outcome_of(mutant.data, number)
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                line = " ".join(f"{number} {type(error).__name__}: {error}".split())
                print(line, flush=True)  # noqa: T201 - for the process that started this one
                continue
            indexed += outcome == "indexed"
            failed += outcome != "indexed"
            longest = max(longest, time.process_time() - begun)
        peak = max(peak, peak_of(os.getpid()))
        PROGRESS.pack_into(progress, 0, last, time.monotonic(), indexed, failed, longest, peak)


if __name__ == "__main__":
    main()
