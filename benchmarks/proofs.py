"""Measure what proofs find, how exactly, what they find wrongly, and what they cost.

    python -m benchmarks.proofs [--pictures DIR …] [--every COUNT] [--side PIXELS] [--most COUNT]
                                [--all-pairs] [--record FILE]

Every picture (or each COUNT-th) is edited in ways whose place is known, and proven against its
original: recall is the share that `pspd.core.verdict` calls a copy, and the place is held against
the truth as intersection over union, the lower of both pictures'. Each is also proven against those
that look most like it, against all of its family (files whose names differ in their last part), and
pictures of made families against each other: each copy found is a false one, or one nobody
labelled, so they are printed by name. Prints Markdown, for docs/quality.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.lookalikes import FAMILIES, family
from pspc.selftest.edits import Edit, Edited, Source, Unreadable, chosen, read_source
from pspd.core.model import Verdict
from pspd.core.proof import Proof
from pspd.core.verdict import proof_verdict
from pspd.proof_search import parts_of
from pspd.verify.local_features import MOST_FEATURES, VIEW_SIDE, LocalFeatures, describe
from pspd.verify.polygons import clip, overlap, rectangle
from pspd.verify.proving import prove
from pspd.verify.transforms import apply
from tests.pictures import shared_pictures

SOURCE_SIDE = 1600
"""Pictures are brought to at most this side before they are edited, to bound the time."""
LOOKALIKES = 6
"""Of each picture, so many that look most like it."""
TINY_SIDE = 16
SEED = 0


@dataclass(slots=True)
class Measurement:
    """What was measured: rows are (name, other name, proof or None, overlap with the truth)."""

    side: int
    most: int
    edits: dict[str, list[tuple[str, str, Proof | None, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    foreign: dict[str, list[tuple[str, str, Proof | None]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    describing: list[float] = field(default_factory=list)
    """Milliseconds of processor time each."""
    proving: list[float] = field(default_factory=list)
    """The same, of true copies."""
    refusing: list[float] = field(default_factory=list)
    """The same, of foreign pairs."""
    sizes: list[int] = field(default_factory=list)
    """Bytes of features without the view."""

    def describe(self, image: Image.Image) -> LocalFeatures:
        """Describe a picture at the measured size."""
        view = image.convert("RGB")
        view.thumbnail((self.side, self.side), Image.Resampling.BOX, reducing_gap=None)
        pixels = np.asarray(view)
        start = time.process_time()
        features = describe(pixels, image.size, self.most)
        self.describing.append(1000 * (time.process_time() - start))
        self.sizes.append(features.keypoints.nbytes)
        return features

    def prove(
        self, query: LocalFeatures, indexed: LocalFeatures, times: list[float]
    ) -> Proof | None:
        """Prove, and add what it took to `times`."""
        start = time.process_time()
        proof = prove(query, indexed)
        times.append(1000 * (time.process_time() - start))
        return proof


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pictures", type=Path, nargs="*", help="folders of unrelated pictures")
    parser.add_argument("--every", type=int, default=1, help="edit each so-manieth picture only")
    parser.add_argument("--side", type=int, default=VIEW_SIDE, help="longest side of a view")
    parser.add_argument("--most", type=int, default=MOST_FEATURES, help="features of a picture")
    parser.add_argument("--edits", nargs="*", help="of these edits only")
    parser.add_argument("--no-foreign", action="store_true", help="measure copies only")
    parser.add_argument("--all-pairs", action="store_true", help="also of all other pictures")
    parser.add_argument("--family-size", type=int, default=12, help="pictures of a made family")
    parser.add_argument("--record", type=Path, help="also write every proof here, a JSON a line")
    options = parser.parse_args(arguments)
    shared = shared_pictures()
    folders = options.pictures or ([shared / "photos", shared / "clipart"] if shared else [])
    measurement = Measurement(options.side, options.most)
    pictures = dict(read_pictures(folders))
    edit_all(measurement, pictures, options.every, chosen(options.edits or []))
    if not options.no_foreign:
        compare_lookalikes(measurement, pictures, all_pairs=options.all_pairs)
        compare_families(measurement, options.family_size)
    report(measurement)
    if options.record:
        write_record(options.record, measurement)
    return 0


def read_pictures(folders: list[Path]) -> Iterator[tuple[str, Image.Image]]:
    for path in sorted(p for folder in folders for p in folder.rglob("*") if p.is_file()):
        try:
            yield path.name, read_source(path.read_bytes(), SOURCE_SIDE).image
        except Unreadable:
            continue


def edit_all(
    measurement: Measurement,
    pictures: dict[str, Image.Image],
    every: int,
    edits: Sequence[Edit],
) -> None:
    names = list(pictures)[::every]
    for number, name in enumerate(names):
        image = pictures[name]
        indexed = measurement.describe(image)
        for edit in edits:
            edited = edit.apply(Source(image, image.size), SEED)
            with Image.open(io.BytesIO(edited.data)) as opened:
                query = measurement.describe(opened)
            query = as_query(query)
            proof = measurement.prove(query, indexed, measurement.proving)
            exact = exactness(proof, edited) if proof else 0.0
            measurement.edits[edit.name].append((name, edit.name, proof, exact))
        print(f"\r{number + 1}/{len(names)}", end="", file=sys.stderr)
    print(file=sys.stderr)


def as_query(features: LocalFeatures) -> LocalFeatures:
    """Give what is searched with: besides the features, what may be a picture in it."""
    return dataclasses.replace(features, parts=parts_of(features.view))


def exactness(proof: Proof, edited: Edited) -> float:
    """Give intersection over union with the truth, in whichever picture it is lower."""
    there = np.array([complex(*corner) for corner in edited.seen])
    here = clip(apply(edited.transform, there), rectangle(0, 0, *edited.size))
    found = [np.array([complex(*corner) for corner in each])
             for each in (proof.quadrilateral, proof.query_quadrilateral)]  # fmt: skip
    return min(overlap(found[0], there), overlap(found[1], here))


def compare_lookalikes(
    measurement: Measurement, pictures: dict[str, Image.Image], *, all_pairs: bool
) -> None:
    names = list(pictures)
    features = [measurement.describe(pictures[name]) for name in names]
    nearest = np.argsort(_distances(list(pictures.values())), axis=1)[:, :LOOKALIKES]
    pairs = {(min(i, j), max(i, j)) for i in range(len(names)) for j in nearest[i].tolist()}
    families = defaultdict(list)
    for i, name in enumerate(names):
        families[_family_of(name)].append(i)
    related = {(i, j) for each in families.values() for i in each for j in each if i < j}
    kinds = [("of one family", related), ("nearest lookalikes", pairs - related)]
    if all_pairs:
        everything = {(i, j) for j in range(len(names)) for i in range(j)}
        kinds.append(("all other pairs", everything - related - pairs))
    for kind, some in kinds:
        for i, j in sorted(some):
            proof = measurement.prove(as_query(features[i]), features[j], measurement.refusing)
            measurement.foreign[kind].append((names[i], names[j], proof))
        print(f"{kind}: {len(some)}", file=sys.stderr)


def _distances(images: list[Image.Image]) -> npt.NDArray[np.float64]:
    """Give the distances of all pictures brought to a few pixels; of each to itself, infinity."""
    tiny = np.array([np.asarray(image.resize((TINY_SIDE, TINY_SIDE)), float).ravel()
                     for image in images])  # fmt: skip
    tiny -= tiny.mean(axis=1, keepdims=True)
    tiny /= np.maximum(np.linalg.norm(tiny, axis=1, keepdims=True), 1e-9)
    distances: npt.NDArray[np.float64] = 1 - tiny @ tiny.T
    np.fill_diagonal(distances, np.inf)
    return distances


def _family_of(name: str) -> str:
    return re.sub(r"[^_/]*$", "", re.sub(r"(_\d+|_r|\d+)*\.\w+$", "", name))


def compare_families(measurement: Measurement, size: int) -> None:
    for kind in FAMILIES:
        features = [measurement.describe(image) for image in family(kind, size)]
        for i, query in enumerate(features):
            for j in range(i + 1, len(features)):
                proof = measurement.prove(as_query(query), features[j], measurement.refusing)
                measurement.foreign[kind].append((f"{kind} {i}", f"{kind} {j}", proof))
        print(kind, file=sys.stderr)


def report(measurement: Measurement) -> None:
    print(f"\nViews of {measurement.side} pixels, {measurement.most} features.\n")
    _row("edit", ["pictures", "proof", "copy", "median overlap", "≥ 0.9", "agreement, 5 % below",
                  "inliers, 5 % below"])  # fmt: skip
    _row("---", ["---:"] * 7)
    recalls = []
    for edit, rows in measurement.edits.items():
        proofs = [(proof, exact) for _, _, proof, exact in rows if proof is not None]
        copies = [exact for proof, exact in proofs if proof_verdict(proof) is Verdict.COPY]
        recalls.append(len(copies) / len(rows))
        low = [float(np.quantile([getattr(p, name) for p, _ in proofs], 0.05)) if proofs else 0.0
               for name in ("agreement", "inliers")]  # fmt: skip
        _row(edit, [str(len(rows)), f"{len(proofs) / len(rows):.2f}", f"{recalls[-1]:.3f}",
                    f"{np.median(copies) if copies else 0:.3f}",
                    f"{np.mean(np.array(copies) >= 0.9) if copies else 0:.2f}",
                    f"{low[0]:.2f}", f"{low[1]:.0f}"])  # fmt: skip
    if recalls:
        print(f"\nMean recall over {len(recalls)} edits: {np.mean(recalls):.3f}\n")
    _report_foreign(measurement)
    _row("processor time, ms", ["median", "mean", "95 % below"])
    _row("---", ["---:"] * 3)
    for name in ("describing", "proving", "refusing"):
        times = getattr(measurement, name)
        if times:
            _row(name, [f"{np.median(times):.1f}", f"{np.mean(times):.1f}",
                        f"{np.quantile(times, 0.95):.1f}"])  # fmt: skip
    print(f"\nFeatures without their view: {np.median(measurement.sizes) / 1000:.0f} kB, median.")


def _report_foreign(measurement: Measurement) -> None:
    if not measurement.foreign:
        return
    _row("foreign pairs", ["pairs", "with a proof", "called a copy"])
    _row("---", ["---:"] * 3)
    false = []
    for kind, rows in measurement.foreign.items():
        found = [row for row in rows if row[2] is not None]
        copies = [row for row in found if row[2] and proof_verdict(row[2]) is Verdict.COPY]
        false += copies
        _row(kind, [str(len(rows)), str(len(found)), str(len(copies))])
    print("\nCalled copies:\n")
    for name, other, proof in false:
        assert proof is not None
        print(f"- {name}, {other}: {_described(proof)}")
    print()


def _described(proof: Proof) -> str:
    names = ("agreement", "intact", "coverage", "foreign", "plainness")
    shares = f"shares {proof.query_share:.2f} and {proof.indexed_share:.2f}"
    figures = ", ".join(f"{name} {getattr(proof, name):.2f}" for name in names)
    return f"{proof.inliers} of {proof.matches}, {figures}, {shares}, {proof.colour.value!r}"


def write_record(path: Path, measurement: Measurement) -> None:
    with path.open("w", encoding="utf-8") as file:
        for edit, rows in measurement.edits.items():
            for name, _, proof, exact in rows:
                line: dict[str, Any] = {"kind": edit, "is_copy": True, "names": [name, name]}
                line |= {"exact": exact, "proof": dataclasses.asdict(proof) if proof else None}
                file.write(json.dumps(line) + "\n")
        for kind, pairs in measurement.foreign.items():
            for name, other, proof in pairs:
                line = {"kind": kind, "is_copy": False, "names": [name, other], "exact": 0.0}
                line["proof"] = dataclasses.asdict(proof) if proof else None
                file.write(json.dumps(line) + "\n")


def _row(first: str, columns: list[str]) -> None:
    print(f"| {first} | " + " | ".join(columns) + " |")


if __name__ == "__main__":
    raise SystemExit(main())
