"""Measure how well a model tells copies from other pictures, by the side and shape of its input.

    python -m benchmarks.model_quality [--pictures DIR …] [--queries COUNT] [--models NAME …]
                                       [--sides PIXELS …] [--edits NAME …]

Each query is edited as people edit pictures and compared, by one descriptor, with a gallery of all
pictures. Recall is the share of copies that are nearer than a threshold at which 1 % of the edited
pictures would have a foreign hit; beside it stands how often the original is the nearest of all,
and among the nearest 20, which are proven. Turned queries are left out: the search turns them
itself. Prints Markdown, for docs/performance/learned.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.machine import machine
from pspc.selftest.edits import Edit, Source, Unreadable, chosen, read_source
from pspd.core.model import Limits
from pspd.features.extract import extract, image_id_of
from pspd.features.views import pixels_of, view_of
from pspd.learned.catalogue import DEFAULT, Preprocessing
from pspd.learned.installed import Models
from pspd.learned.onnx_encoder import OnnxEncoder
from pspd.learned.preprocessing import Pixels
from tests.pictures import shared_pictures

SIDES = (224, 256, 288, 320)
VIEW_SIDE = 384
SOURCE_SIDE = 640
"""Pictures are brought to at most this side before they are edited, to bound the time."""
FOREIGN_SHARE = 0.01
CANDIDATES = 20
"""How many of the nearest are looked at by the geometric proof."""
RELATED_DISTANCE = 72
"""Of the 256-bit hashes; well above the threshold of a copy, for recoloured variants."""
TURNS = ("mirror", "quarter-turn", "half-turn")
SEED = 7


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", nargs="+", type=Path)
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--models", nargs="+", default=[DEFAULT])
    parser.add_argument("--sides", nargs="+", type=int, default=list(SIDES))
    parser.add_argument("--edits", nargs="+", default=[])
    options = parser.parse_args(arguments)
    print(machine())
    files = pictures_in(options.pictures)
    edits = [edit for edit in chosen(options.edits) if edit.name not in TURNS]
    gallery = [view(data) for data in files]
    step = max(1, len(files) // options.queries)
    queries = [
        (number, edited_views(files[number], edits)) for number in range(0, len(files), step)
    ]
    relatives = known_copies(files)
    print(f"\n{len(gallery)} pictures, {len(queries)} queries, {len(edits)} edits.")
    for name in options.models:
        for label, preparing in preparations(name, options.sides):
            report(f"{name}, {label}", name, preparing, gallery, relatives, queries, edits)
    return 0


def preparations(name: str, sides: Sequence[int]) -> Iterator[tuple[str, Preprocessing]]:
    """Yield the ways to prepare pictures that are compared."""
    usual = Models(Path("/nonexistent")).state(name).spec.interface.preprocessing
    for side in sides:
        yield f"{side} px squashed, bilinear", replace(usual, side=side)
    side = usual.side
    yield f"{side} px squashed, bicubic", replace(usual, resampling="bicubic")
    yield f"{side} px cropped", replace(usual, resize="crop", shorter=side)


def report(  # noqa: PLR0913, PLR0917 - what is compared, with what, and how
    label: str,
    name: str,
    preparing: Preprocessing,
    gallery: Sequence[Pixels],
    relatives: Sequence[Sequence[int]],
    queries: Sequence[tuple[int, list[Pixels]]],
    edits: Sequence[Edit],
) -> None:
    """Print recall and first rank, in the mean and for each edit."""
    encoder = encoder_of(name, preparing)
    rows = encoder.encode(gallery)
    own, foreign, ranks = [], [], []
    for number, edited in queries:
        cosines = encoder.encode(edited) @ rows.T
        own.append(cosines[:, number].copy())
        cosines[:, relatives[number]] = -1.0
        foreign.append(cosines.max(axis=1))
        ranks.append((cosines > own[-1][:, None]).sum(axis=1))
    mine, theirs = np.stack(own), np.stack(foreign)
    threshold = float(np.quantile(theirs, 1.0 - FOREIGN_SHARE))
    recall, first = (mine > threshold).mean(axis=0), (mine > theirs).mean(axis=0)
    proven = (np.stack(ranks) < CANDIDATES).mean(axis=0)
    print(
        f"\n**{label}**: recall {recall.mean():.3f}, first {first.mean():.3f}, "
        f"among {CANDIDATES} {proven.mean():.3f}, "
        f"threshold {threshold:.3f}"
    )
    worst = np.argsort(first)[:12]
    print(
        ", ".join(
            f"{edits[at].name} {recall[at]:.2f}/{first[at]:.2f}/{proven[at]:.2f}" for at in worst
        )
    )


def known_copies(files: Sequence[bytes]) -> list[list[int]]:
    """Return, for each picture, which are copies of it by their hashes: itself among them.

    The same wallpaper lies in several sizes and colours among the shared pictures.
    """
    hashes = [
        int.from_bytes(extract(data, Limits(), image_id_of(data)).phash256, "big") for data in files
    ]
    return [
        [at for at, other in enumerate(hashes) if (mine ^ other).bit_count() <= RELATED_DISTANCE]
        for mine in hashes
    ]


def encoder_of(name: str, preparing: Preprocessing) -> OnnxEncoder:
    """Load a model that prepares pictures in another way."""
    model = Models(Path("/nonexistent")).open(name)
    try:
        data = os.pread(model.descriptor, os.fstat(model.descriptor).st_size, 0)
    finally:
        os.close(model.descriptor)
    interface = replace(model.spec.interface, preprocessing=preparing)
    return OnnxEncoder(data, interface, threads=len(os.sched_getaffinity(0)))


def edited_views(data: bytes, edits: Sequence[Edit]) -> list[Pixels]:
    """Return what the daemon would have encoded of a picture after each edit."""
    source = read_source(data, SOURCE_SIDE)
    return [view(edit.apply(source, SEED).data) for edit in edits]


def view(data: bytes) -> Pixels:
    """Return what the daemon would have encoded of a file."""
    return pixels_of(view_of(data, Limits(), VIEW_SIDE))


def pictures_in(folders: Sequence[Path] | None) -> list[bytes]:
    """Read the pictures that can be edited."""
    shared = shared_pictures()
    if not folders:
        assert shared is not None, "name a folder: --pictures DIR"
        folders = [shared / "photos", shared / "clipart"]
    found = []
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        try:
            source: Source = read_source(data)
        except Unreadable:
            continue
        if min(source.full_size) > VIEW_SIDE // 4:
            found.append(data)
    return found


if __name__ == "__main__":
    sys.exit(main())
