"""Measure what the thresholds of `pspd.core.verdict` find and what they find wrongly.

    python -m benchmarks.thresholds [--pictures DIR] [--limit COUNT]

Every picture under DIR that is not flat is indexed. Each is then edited as people edit pictures,
and the edited one is searched for with its eight turns; recall is the share that finds its
original. Each is also searched for as it is: whatever else it finds is a false hit, or a copy
nobody labelled, so the closest such pairs are printed by name. Prints Markdown, for
docs/quality.md.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from pspc.selftest.edits import Edit, Source, Unreadable, chosen, encode, read_source
from pspd.core import verdict
from pspd.core.model import Features, Limits, TurnedHashes
from pspd.errors import FileFailure
from pspd.features.extract import extract, extract_query
from tests.pictures import shared_pictures

DISTANCES = (24, 32, 40, 44, 48, 52, 56, 60, 64, 72, 80)
RADII = (8, 10, 12, 14, 16, 18, 20, 22, 24)
QUALITIES = (10, 20, 30, 40, 50, 60, 70, 80, 90)
MEAN_DIFFERENCES = (10.0, 20.0, 40.0, 80.0)
EDITS = chosen(
    [
        *("resize-50", "resize-25", "jpeg-50", "jpeg-30", "jpeg-10", "webp-40", "avif-50", "gray"),
        *("blur", "noise", "brightness-60", "brightness-120", "brightness-140", "contrast-140"),
        *("saturation-160", "hue-40", "squeeze", "crop-95", "crop-90", "watermark"),
        *("quarter-turn", "mirror"),
    ]
)
"""Those that a hash of the whole picture may outlast."""
SEED = 0
MILD = ("jpeg-50", "resize-50")

Bits = npt.NDArray[np.uint64]


@dataclass(slots=True)
class Measurement:
    """Distances of every edited picture to its original, and of every picture to the others."""

    names: list[str] = field(default_factory=list)
    features: list[Features] = field(default_factory=list)
    turned: list[tuple[TurnedHashes, ...]] = field(default_factory=list)
    edits: dict[str, list[tuple[int, int, float, int]]] = field(default_factory=dict)
    """Edit → (64-bit distance, 256-bit distance, difference of means, quality of the original)."""
    pixels: list[tuple[int, float]] = field(default_factory=list)
    """(256-bit distance, difference of means) of files with equal pixels."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pictures", type=Path, nargs="*", help="folders of unrelated pictures")
    parser.add_argument("--limit", type=int, default=0, help="measure so many pictures only")
    options = parser.parse_args(arguments)
    shared = shared_pictures()
    folders = options.pictures or ([shared / "photos", shared / "clipart"] if shared else [])
    if not folders:
        print("no pictures: name a folder with --pictures", file=sys.stderr)
        return 2
    paths = sorted(p for folder in folders for p in folder.rglob("*") if p.is_file())
    print("Chosen: ", end="")
    print(
        ", ".join(
            f"{name} {getattr(verdict, name)}"
            for name in (
                "FLAT_QUALITY",
                "COPY_DISTANCE",
                "SHORTLIST_RADIUS",
                "MEAN_DIFFERENCE",
                "PIXELS_DISTANCE",
                "PIXELS_MEAN_DIFFERENCE",
            )
        )
    )
    measurement = measure(paths[:: max(1, len(paths) // options.limit)] if options.limit else paths)
    report_edits(measurement)
    report_foreign(measurement)
    report_means(measurement)
    report_quality(measurement)
    report_pixels(measurement)
    return 0


def measure(paths: list[Path]) -> Measurement:
    """Index the pictures, edit each, and take the distances."""
    measurement = Measurement()
    for path in paths:
        data = path.read_bytes()
        try:
            features, turned = extract_query(data, Limits())
            source = read_source(data)
        except (FileFailure, Unreadable):
            continue
        measurement.names.append(path.name)
        measurement.features.append(features)
        measurement.turned.append(turned)
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if image.format == "JPEG":
                measurement.pixels.append(_against_lossless(features, upright))
        for edit in EDITS:
            row = _against_edit(features, source, edit)
            measurement.edits.setdefault(edit.name, []).append(row)
        print(f"\r{len(measurement.names)}/{len(paths)}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return measurement


def _against_edit(original: Features, source: Source, edit: Edit) -> tuple[int, int, float, int]:
    edited, turned = extract_query(edit.apply(source, SEED).data, Limits())
    shallow, deep = min(
        (
            (
                verdict.hamming(hashes.phash64, original.phash64),
                verdict.hamming(hashes.phash256, original.phash256),
            )
            for hashes in turned
        ),
        key=lambda pair: pair[1],
    )
    return shallow, deep, _mean_difference(edited, original), original.quality


def _against_lossless(original: Features, upright: Image.Image) -> tuple[int, float]:
    lossless = extract(encode(upright, "PNG", compress_level=1), Limits())
    distance = verdict.hamming(lossless.phash256, original.phash256)
    return distance, _mean_difference(lossless, original)


def _mean_difference(one: Features, other: Features) -> float:
    return max(abs(a - b) for a, b in zip(one.mean, other.mean, strict=True))


def report_edits(measurement: Measurement) -> None:
    """Print recall per edit, at candidates of both thresholds."""
    print("\n## Recall per edit, 256 bits\n")
    _header("edit", [f"≤ {distance}" for distance in DISTANCES])
    for name, rows in measurement.edits.items():
        table = _not_flat(rows)
        _row(name, [f"{np.mean(table[:, 1] <= distance):.3f}" for distance in DISTANCES])
    print("\n## Recall per edit, 64 bits: what the shortlist keeps of the copies\n")
    print(f"Of the edited pictures within {verdict.COPY_DISTANCE} bits of 256.\n")
    _header("edit", [f"≤ {radius}" for radius in RADII])
    for name, rows in measurement.edits.items():
        table = _not_flat(rows)
        copies = table[table[:, 1] <= verdict.COPY_DISTANCE]
        _row(name, [f"{np.mean(copies[:, 0] <= radius):.3f}" for radius in RADII])


def report_foreign(measurement: Measurement) -> None:
    """Print how many queries find a picture that is not the queried one."""
    usable = [i for i, f in enumerate(measurement.features) if f.quality >= verdict.FLAT_QUALITY]
    deep, shallow = foreign_distances(measurement, usable)
    np.fill_diagonal(deep, 257)
    nearest = deep.min(axis=1)
    print(f"\n## Foreign hits: {len(usable)} queries, eight turns each\n")
    _header("256 bits", [f"≤ {distance}" for distance in DISTANCES])
    _row("queries with a hit", [f"{np.mean(nearest <= d):.4f}" for d in DISTANCES])
    _row("pairs", [str(int((deep <= d).sum()) // 2) for d in DISTANCES])
    print()
    _header("64 bits", [f"≤ {radius}" for radius in RADII])
    np.fill_diagonal(shallow, 65)
    _row("share of the pictures looked at", [f"{np.mean(shallow <= r):.5f}" for r in RADII])
    print("\nClosest pairs:\n")
    order = np.dstack(np.unravel_index(np.argsort(deep, axis=None, kind="stable"), deep.shape))[0]
    for query, found in [(q, f) for q, f in order if q < f][:25]:
        names = [measurement.names[usable[i]] for i in (query, found)]
        qualities = [measurement.features[usable[i]].quality for i in (query, found)]
        print(f"- {deep[query, found]} bits: {names[0]}, {names[1]} (quality {qualities})")


def foreign_distances(
    measurement: Measurement, usable: list[int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Compute query × indexed distances, the smallest of the eight turns; 256 and 64 bits."""
    deep = _bits([measurement.features[i].phash256 for i in usable])
    shallow = _bits([measurement.features[i].phash64 for i in usable])
    deep_nearest = np.full((len(usable), len(usable)), 257, np.int64)
    shallow_nearest = np.full((len(usable), len(usable)), 65, np.int64)
    for row, index in enumerate(usable):
        for hashes in measurement.turned[index]:
            for bits, query, nearest in (
                (deep, hashes.phash256, deep_nearest),
                (shallow, hashes.phash64, shallow_nearest),
            ):
                distances = np.bitwise_count(bits ^ _bits([query])).sum(axis=1)
                nearest[row] = np.minimum(nearest[row], distances)
    return np.minimum(deep_nearest, deep_nearest.T), shallow_nearest


def report_means(measurement: Measurement) -> None:
    """Print what a threshold on the difference of means would cost."""
    print("\n## Share of copies that a threshold on the difference of means would lose\n")
    print(f"Of the edited pictures within {verdict.COPY_DISTANCE} bits of 256.\n")
    _header("edit", [f"≤ {difference:.0f}" for difference in MEAN_DIFFERENCES])
    for name, rows in measurement.edits.items():
        table = _not_flat(rows)
        copies = table[table[:, 1] <= verdict.COPY_DISTANCE]
        _row(name, [f"{np.mean(copies[:, 2] > limit):.3f}" for limit in MEAN_DIFFERENCES])


def report_quality(measurement: Measurement) -> None:
    """Print how the hash holds under mild edits, by quality of the picture."""
    print("\n## By quality: share of mild edits (JPEG 50, resize 50 %) within 8 and 16 bits\n")
    _header("quality", ["pictures", "≤ 8 bits", "≤ 16 bits"])
    mild = np.array([row for name in MILD for row in measurement.edits[name]])
    for low, high in zip((0, *QUALITIES), (*QUALITIES, 101), strict=True):
        part = mild[(mild[:, 3] >= low) & (mild[:, 3] < high)]
        if len(part):
            shares = [f"{np.mean(part[:, 1] <= bits):.3f}" for bits in (8, 16)]
            _row(f"{low} to {high - 1}", [str(len(part) // 2), *shares])


def report_pixels(measurement: Measurement) -> None:
    """Print how far apart the features of files with equal pixels are."""
    if not measurement.pixels:
        return
    table = np.array(measurement.pixels)
    print("\n## A JPEG and a lossless copy of its full decode\n")
    print(f"{len(table)} pairs: at most {table[:, 0].max():.0f} bits of 256, ", end="")
    print(f"means {table[:, 1].max():.2f} apart.")


def _not_flat(rows: list[tuple[int, int, float, int]]) -> npt.NDArray[np.float64]:
    table = np.array(rows, np.float64)
    return table[table[:, 3] >= verdict.FLAT_QUALITY]


def _bits(hashes: list[bytes]) -> Bits:
    return np.frombuffer(b"".join(hashes), np.uint64).reshape(len(hashes), -1)


def _header(first: str, columns: list[str]) -> None:
    _row(first, columns)
    _row("---", ["---:"] * len(columns))


def _row(first: str, columns: list[str]) -> None:
    print(f"| {first} | " + " | ".join(columns) + " |")


if __name__ == "__main__":
    raise SystemExit(main())
