"""Crops, turns and collages are found, proven and placed, through the real client and daemon."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.e2e.home import Home
from tests.e2e.scenes import save, scene
from tests.e2e.test_models import SETTINGS
from tests.learned import made_models as made

SIZE = (640, 480)
COUNT = 20


@pytest.fixture(scope="module")
def library() -> Iterator[Home]:
    """Some scenes, no more than are proven for one query, described by a small model."""
    home = Home()
    try:
        file = home.folder / "made.onnx"
        file.write_bytes(made.model())
        home.configure(SETTINGS.format(file=file) + "\n[search]\nbudget_seconds = 20.0\n")
        folder = home.pictures()
        for seed in range(COUNT):
            scene(seed, *SIZE).save(folder / f"{seed}.jpg", quality=92)
        home.pspc("model", "add", "made")
        home.pspc("model", "use", "made")
        home.pspc("add", folder, "--wait")
        home.pspc("sync", "--learned")
        yield home
    finally:
        home.close()


def found(home: Home, query: Image.Image, *options: str) -> dict[str, dict[str, Any]]:
    """Search; returns the hits by the name of the file."""
    path = home.folder / "query.png"
    query.save(path)
    hits = home.search(path, *options, expect=None)
    return {Path(name).stem: hit for name, hit in hits.items()}


def extent(corners: list[list[float]]) -> tuple[float, float, float, float]:
    across, down = zip(*corners, strict=True)
    return min(across), min(down), max(across), max(down)


def test_a_crop_is_found_proven_and_placed(library: Home) -> None:
    box = (200, 150, 440, 330)
    [(name, hit)] = found(library, scene(7, *SIZE).crop(box)).items()
    assert (name, hit["verdict"]) == ("7", "copy")
    proof = hit["proof"]
    assert extent(proof["quadrilateral"]) == pytest.approx(box, abs=6)
    assert proof["query_share"] == pytest.approx(1.0, abs=0.03)
    assert proof["indexed_share"] == pytest.approx(240 * 180 / (640 * 480), abs=0.01)


def test_the_same_part_by_its_rectangle(library: Home) -> None:
    path = library.folder / "whole.png"
    scene(7, *SIZE).save(path)
    hits = library.search(path, "--crop", "200,150,240,180")
    [hit] = hits.values()
    assert extent(hit["proof"]["quadrilateral"]) == pytest.approx((200, 150, 440, 330), abs=6)


def test_hashes_alone_do_not_find_it(library: Home) -> None:
    assert found(library, scene(7, *SIZE).crop((200, 150, 440, 330)), "--fast") == {}


def test_a_picture_turned_by_any_angle_is_found_with_the_angle(library: Home) -> None:
    turned = scene(9, *SIZE).rotate(25, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    hit = found(library, turned)["9"]
    assert hit["verdict"] == "copy"
    assert hit["proof"]["angle"] % 360 == pytest.approx(335, abs=1)


def test_both_halves_of_a_collage_are_found(library: Home) -> None:
    collage = Image.new("RGB", (1280, 480))
    collage.paste(scene(3, *SIZE), (0, 0))
    collage.paste(scene(4, *SIZE), (640, 0))
    hits = found(library, collage)
    assert {name: hit["verdict"] for name, hit in hits.items()} == {"3": "copy", "4": "copy"}
    for name, left in (("3", 0), ("4", 640)):
        place = extent(hits[name]["proof"]["query_quadrilateral"])
        assert place == pytest.approx((left, 0, left + 640, 480), abs=8)


def test_a_stranger_is_no_copy_and_may_be_alike(library: Home) -> None:
    stranger = scene(1000, *SIZE)
    assert found(library, stranger) == {}
    alike = found(library, stranger, "--alike")
    assert {hit["verdict"] for hit in alike.values()} <= {"alike"}
    assert all(-1 <= hit["likeness"] <= 1 for hit in alike.values() if "likeness" in hit)


def test_a_search_without_time_says_what_it_left_out(library: Home) -> None:
    path = library.folder / "query.png"
    scene(7, *SIZE).crop((200, 150, 440, 330)).save(path)
    document = library.document("search", path, "--budget", "0.001", expect=None)
    assert document["freshness"]["cut"]
    assert document["freshness"]["describable"] == COUNT


def test_why_says_what_joins_a_crop_and_draws_it(library: Home) -> None:
    first, second = library.folder / "part.png", library.folder / "pictures" / "7.jpg"
    scene(7, *SIZE).crop((200, 150, 440, 330)).save(first)
    drawing = library.folder / "both.png"
    document = library.document("why", first, second, "--show", drawing)
    says = {reason["tier"]: reason["says"] for reason in document["reasons"]}
    assert document["verdict"] == "copy"
    assert says["file"] == says["pixels"] == says["hash"] == "parts"
    assert says["proof"] == "joins"
    with Image.open(io.BytesIO(drawing.read_bytes())) as image:
        assert image.format == "PNG"
        assert image.width > 2 * image.height
    stranger = save(1000, library.folder / "stranger.png")
    text = library.pspc("why", stranger, second, expect=1)
    assert "- proof" in text


def test_status_says_how_far_the_descriptors_are(library: Home) -> None:
    status = library.status()
    assert (status["model"], status["described"], status["describable"]) == ("made", COUNT, COUNT)
    assert "made, 20 of 20 pictures" in library.pspc("status")


def test_describing_is_paused_and_goes_on(library: Home) -> None:
    library.pspc("model", "pause")
    assert "it is paused" in library.pspc("status")
    library.pspc("model", "resume")
    assert "it is paused" not in library.pspc("status")
    library.pspc("model", "pause", "made", expect=2)


def test_why_names_the_picture_that_cannot_be_read(library: Home) -> None:
    text = library.folder / "text.png"
    text.write_text("no picture")
    failed = library.run("pspc", "why", library.folder / "pictures" / "7.jpg", text)
    assert failed.returncode == 2
    assert b"the second picture: no picture format begins like this" in failed.stderr


def test_a_budget_beyond_the_deadline_is_cut_to_it(library: Home) -> None:
    path = library.folder / "query.png"
    scene(7, *SIZE).crop((200, 150, 440, 330)).save(path)
    document = library.document("search", path, "--budget", "60", "--timeout", "8")
    assert [Path(hit["path"]).stem for hit in document["hits"]] == ["7"]
