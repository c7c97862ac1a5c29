"""Measure what encoding costs: each model by side, batch and threads, and in processes.

    python -m benchmarks.encoding [--models NAME …] [--sides PIXELS …] [--seconds SECONDS]

CPU time counts where the machine has other work; pictures a second need a quiet one. The last
table is the daemon's own way: views of 384 pixels through `Encoder`, preparation and conversation
with the process included. Prints Markdown, for docs/performance/learned.md.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.machine import machine
from pspd.learned.catalogue import DEFAULT, ModelSpec, OpenModel, key_of
from pspd.learned.encoder import Encoder
from pspd.learned.encoder_life import Options
from pspd.learned.installed import Models
from pspd.learned.onnx_encoder import OnnxEncoder
from pspd.learned.preprocessing import Pixels, model_input

SIDES = (224, 256, 288, 320)
BATCHES = (1, 2, 4, 8, 16)
THREADS = (1, 2)
VIEW = (384, 288)
"""Width and height of the views that the daemon has encoded."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a picture costs."""

    wall_ms: float
    cpu_ms: float

    def __str__(self) -> str:
        return f"{self.wall_ms:.1f} / {self.cpu_ms:.1f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--models", nargs="+", default=[DEFAULT, "sscd"])
    parser.add_argument("--sides", nargs="+", type=int, default=list(SIDES))
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    options = parser.parse_args(arguments)
    print(machine())
    models = Models(Path("/nonexistent"))
    for name in options.models:
        model = models.open(name)
        try:
            data = os.pread(model.descriptor, os.fstat(model.descriptor).st_size, 0)
            sessions(model.spec, data, options.sides, options.seconds)
            processes(model, options.seconds)
        finally:
            os.close(model.descriptor)
    preparation(models, options.models, options.seconds)
    return 0


def sessions(spec: ModelSpec, data: bytes, sides: Sequence[int], seconds: float) -> None:
    """Print wall and CPU time a picture, in one process, without preparation."""
    print(f"\n{spec.name}: ms a picture, wall / CPU\n")
    print("| side | threads | " + " | ".join(f"batch {each}" for each in BATCHES) + " |")
    print("| ---: | ---: |" + " ---: |" * len(BATCHES))
    for side in sides:
        interface = replace(
            spec.interface, preprocessing=replace(spec.interface.preprocessing, side=side)
        )
        pictures = views(max(BATCHES), (side, side))
        for threads in THREADS:
            costs = []
            for batch in BATCHES:
                encoder = OnnxEncoder(data, interface, threads=threads, batch=batch)
                part = pictures[:batch]
                costs.append(cost(lambda: encoder.encode(part), batch, seconds))  # noqa: B023
            print(f"| {side} | {threads} | " + " | ".join(map(str, costs)) + " |")
    print(f"\nMemory of this process so far, at most: {peak_mib():.0f} MiB.")


def processes(model: OpenModel, seconds: float) -> None:
    """Print pictures a second through the daemon's own encoders, and what they take."""
    print(f"\n{model.spec.name}, through `Encoder`, views of {VIEW[0]} × {VIEW[1]} pixels\n")
    print("| processes × threads | pictures a second | start, s | memory of each, MiB |")
    print("| --- | ---: | ---: | ---: |")
    for count, threads in ((1, 1), (1, 2), (2, 1)):
        encoders = [Encoder(lambda: opened(model), Options(threads=threads)) for _ in range(count)]
        begun = time.monotonic()
        encoders[0].encode([], math.inf)
        start = time.monotonic() - begun
        for encoder in encoders:
            encoder.encode([], math.inf)
        rate = together(encoders, seconds)
        memory = max(memory_mib(encoder) for encoder in encoders)
        for encoder in encoders:
            encoder.close()
        print(f"| {count} × {threads} | {rate:.0f} | {start:.2f} | {memory:.0f} |")


def together(encoders: Sequence[Encoder], seconds: float) -> float:
    """Return pictures a second of all encoders at once."""
    batch = views(8, VIEW)
    counts = [0] * len(encoders)
    end = time.monotonic() + seconds

    def work(number: int) -> None:
        while time.monotonic() < end:
            encoders[number].encode(batch, math.inf)
            counts[number] += len(batch)

    begun = time.monotonic()
    threads = [threading.Thread(target=work, args=(each,)) for each in range(len(encoders))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - begun)


def preparation(models: Models, names: Sequence[str], seconds: float) -> None:
    """Print what it costs to prepare a view."""
    for name in names:
        preparing = models.state(name).spec.interface.preprocessing
        part = views(4, VIEW)
        each = cost(lambda: model_input(part, preparing), len(part), seconds)  # noqa: B023
        print(f"\nPreparation for {name}: {each.cpu_ms:.2f} ms of CPU time a view.")


def cost(call: Callable[[], object], pictures: int, seconds: float) -> Cost:
    """Return the time of one picture, of as many calls as fit; the first does not count."""
    call()
    wall, cpu, rounds = time.monotonic(), time.process_time(), 0
    while time.monotonic() - wall < seconds:
        call()
        rounds += 1
    done = rounds * pictures
    cpu = time.process_time() - cpu
    return Cost(1000 * (time.monotonic() - wall) / done, 1000 * cpu / done)


def views(count: int, size: tuple[int, int]) -> list[Pixels]:
    """Make pictures of noise: what they show does not change what they cost."""
    width, height = size
    generator = np.random.default_rng(1)
    return [generator.integers(0, 256, (height, width, 3), np.uint8) for _ in range(count)]


def opened(model: OpenModel) -> OpenModel:
    """Open a model's file once more."""
    return OpenModel(
        model.spec, model.sha256, key_of(model.spec, model.sha256), os.dup(model.descriptor)
    )


def memory_mib(encoder: Encoder) -> float:
    """Return the most memory that an encoder's process has had."""
    life = encoder._life  # noqa: SLF001 - its process is nobody else's business
    assert life is not None
    text = Path(f"/proc/{life.child.pid}/status").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def peak_mib() -> float:
    """Return the most memory that this process has had."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
