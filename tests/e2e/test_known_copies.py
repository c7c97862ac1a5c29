"""Known copies among real pictures are found, and named for what they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.e2e.home import Home
from tests.pictures import shared_pictures

PICTURES = shared_pictures()

pytestmark = pytest.mark.skipif(
    PICTURES is None, reason="the folder of known copies is not here; PSP_PICTURES can name it"
)


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """A home that watches the known copies."""
    home = Home()
    home.pspc("add", copies(), "--wait")
    yield home
    home.close()


def copies() -> Path:
    assert PICTURES is not None
    return PICTURES / "copies"


def test_all_turns_and_mirrors_of_the_bridge_are_copies_with_their_turn(home: Home) -> None:
    [query] = copies().glob("pdq_dih/*bridge-1-original.jpg")
    hits = home.search(query)
    turns = {
        Path(path).stem.split("bridge-")[1]: hit["turn"]
        for path, hit in hits.items()
        if "pdq_dih" in path
    }

    assert turns == {
        "1-original": "none",
        "2-rotate-90": "rotate_90",
        "3-rotate-180": "rotate_180",
        "4-rotate-270": "rotate_270",
        "5-flipx": "flip_top_bottom",
        "6-flipy": "flip_left_right",
        "7-flip-plus-1": "transpose",
        "8-flip-minus-1": "transverse",
    }
    assert {hit["verdict"] for hit in hits.values()} <= {"same_file", "same_pixels", "copy"}


@pytest.mark.parametrize("scene", ["Landscape", "Portrait"])
def test_all_orientation_tags_are_found_from_the_upright_picture(home: Home, scene: str) -> None:
    hits = home.search(copies() / "exif_orientation" / f"{scene}_1.jpg")

    for number in range(2, 9):
        hit = hits[str(copies() / "exif_orientation" / f"{scene}_{number}.jpg")]
        assert hit["verdict"] in {"same_pixels", "copy"}
        assert hit["turn"] == "none"


def test_each_edit_of_the_bridge_finds_the_original(home: Home) -> None:
    edits = sorted((copies() / "pdq_bridge_mods").iterdir())
    [original] = (str(path) for path in edits if "aaa-orig" in path.name)

    assert len(edits) == 12
    for edit in edits:
        assert original in home.search(edit), edit.name


def test_re_saved_pngs_are_the_same_pixels(home: Home) -> None:
    sources = sorted(copies().glob("jimagehash/*.png"))
    assert sources
    for source in sources:
        with Image.open(source) as image:
            image.load()
            plain = Image.frombytes(image.mode, image.size, image.tobytes())
        saves: list[tuple[str, dict[str, Any]]] = [
            ("a.webp", {"lossless": True}),
            ("a.png", {}),
            ("a.bmp", {}),
        ]
        for name, options in saves:
            if name == "a.bmp" and image.mode not in {"RGB", "RGBA", "L"}:
                continue
            query = home.folder / name
            plain.save(query, **options)
            hit = home.search(query)[str(source)]
            assert hit["verdict"] in {"same_pixels", "same_file"}, (source.name, name)


def test_the_bridges_edits_are_one_group_without_a_stranger(home: Home) -> None:
    document = home.document("duplicates", "--wait")
    groups = [{Path(file["path"]).name for file in group["files"]} for group in document["groups"]]
    bridge = {path.name for path in copies().glob("pdq_bridge_mods/*")}
    turned = {path.name for path in copies().glob("pdq_dih/*")}
    assert len(bridge) == 12
    assert len(turned) == 8
    [found] = [group for group in groups if (bridge | turned) & group]
    assert found == bridge | turned
