"""What learned descriptors cost the store: bytes a picture, and time to write, page and read them.

    python -m benchmarks.descriptors --sizes 10000 100000 [--dimensions 512]

The limit that writing is compared with is an empty transaction on the same disk, in the same run.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.index_latency import timings
from benchmarks.synthetic_store import write_store
from pspd.core.model import ModelKey
from pspd.store import batch, descriptors
from pspd.store.store import Store

MODEL = ModelKey("made@0000000000000000")
BATCH = 64
"""Images that a model takes at once."""


def measure(count: int, dimensions: int) -> None:
    """Measure a store of so many pictures."""
    with tempfile.TemporaryDirectory() as scratch:
        write_store(Path(scratch), count)
        store = Store(Path(scratch) / "store")
        try:
            measure_store(store, count, dimensions)
        finally:
            store.close()


def measure_store(store: Store, count: int, dimensions: int) -> None:
    """Describe every picture of a store, and read all of it again."""
    random = np.random.default_rng(count)
    before = store.used_bytes()
    empty = statistics.median(timings(lambda: store.set_meta("benchmark", 1)))
    writing: list[float] = []
    paging: list[float] = []
    after = -1
    while True:
        start = time.perf_counter()
        with store.read() as reader:
            page = descriptors.undescribed(reader, MODEL, after, BATCH)
        paging.append(time.perf_counter() - start)
        if not page:
            break
        bodies = random.integers(-127, 128, (len(page), dimensions), dtype=np.int8)
        known = [
            batch.DescriptorsKnown(MODEL, number, body.tobytes())
            for number, body in zip(page, bodies, strict=True)
        ]
        start = time.perf_counter()
        store.apply(known)
        writing.append(time.perf_counter() - start)
        after = page[-1]
    start = time.perf_counter()
    read = sum(len(part) for part in descriptors.parts(store, MODEL))
    seconds = time.perf_counter() - start
    median = statistics.median(writing)
    print(f"{read:,} descriptors of {dimensions} bytes")
    print(f"  a batch of {BATCH}: {median * 1e3:.2f} ms, {BATCH / median:,.0f} pictures/s; "
          f"an empty transaction: {empty:.2f} ms, ratio {median * 1e3 / empty:.1f}")  # fmt: skip
    print(f"  a page of {BATCH}: first {paging[0] * 1e6:.0f} µs, last {paging[-1] * 1e6:.0f} µs")
    print(f"  all read in {seconds:.2f} s, {read / seconds:,.0f} pictures/s")
    print(f"  {(store.used_bytes() - before) / count:.0f} bytes a picture")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--dimensions", type=int, default=512)
    options = parser.parse_args()
    for count in options.sizes:
        measure(count, options.dimensions)


if __name__ == "__main__":
    main()
