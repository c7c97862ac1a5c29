"""What a search finds, through the real client and daemon, on pictures made here."""

from __future__ import annotations

import base64
import io
import json
import os
from pathlib import Path

from PIL import Image

from tests.e2e.home import Home
from tests.e2e.scenes import save, scene


def test_a_lossless_re_save_is_found_as_the_same_pixels_whatever_the_container(home: Home) -> None:
    folder = home.pictures()
    original = save(1, folder / "original.png")
    save(1, folder / "same.bmp")
    save(1, folder / "same.webp", lossless=True)
    save(1, folder / "same.tiff")
    save(2, folder / "other.png")
    home.pspc("add", folder, "--wait")

    hits = home.search(original, "--original")

    assert {Path(path).name: hit["verdict"] for path, hit in hits.items()} == {
        "original.png": "same_file",
        "same.bmp": "same_pixels",
        "same.webp": "same_pixels",
        "same.tiff": "same_pixels",
    }


def test_metadata_and_an_orientation_tag_do_not_part_equal_pixels(home: Home) -> None:
    folder = home.pictures()
    upright = scene(1)
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(folder / "turned.png", exif=exif)
    query = home.folder / "query.png"
    upright.save(query)
    home.pspc("add", folder, "--wait")

    [hit] = home.search(query).values()

    assert hit["verdict"] == "same_pixels"
    assert hit["upright"] is True
    assert (hit["width"], hit["height"]) == upright.size


def test_one_changed_pixel_is_a_copy_and_not_the_same(home: Home) -> None:
    folder = home.pictures()
    save(1, folder / "a.png")
    changed = scene(1)
    changed.putpixel((5, 5), (0, 255, 0))
    query = home.folder / "query.png"
    changed.save(query)
    home.pspc("add", folder, "--wait")

    [hit] = home.search(query).values()

    assert hit["verdict"] == "copy"
    home.search(query, "--original", expect=1)


def test_every_turn_and_mirror_is_found_with_its_turn_named(home: Home) -> None:
    folder = home.pictures()
    query = save(1, home.folder / "query.png")
    for method in Image.Transpose:
        scene(1).transpose(method).save(folder / f"{method.name.lower()}.jpg")
    home.pspc("add", folder, "--wait")

    hits = home.search(query)

    assert {Path(path).stem: hit["turn"] for path, hit in hits.items()} == {
        method.name.lower(): method.name.lower() for method in Image.Transpose
    }
    assert {hit["verdict"] for hit in hits.values()} == {"copy"}


def test_recompressed_and_resized_copies_are_found_and_strangers_are_not(home: Home) -> None:
    folder = home.pictures()
    for seed in range(2, 22):
        save(seed, folder / f"stranger-{seed}.jpg")
    save(1, folder / "poor.jpg", quality=15)
    scene(1).resize((160, 120)).save(folder / "small.png")
    scene(1).convert("L").save(folder / "gray.webp")
    query = save(1, home.folder / "query.jpg", quality=90)
    home.pspc("add", folder, "--wait")

    hits = home.search(query, "--similar")

    assert {Path(path).name for path in hits} == {"poor.jpg", "small.png", "gray.webp"}
    distances = [hit["distance"] for hit in hits.values()]
    assert distances == sorted(distances)


def test_blank_pictures_are_found_only_as_equals(home: Home) -> None:
    folder = home.pictures()
    Image.new("RGB", (64, 48), "white").save(folder / "white.png")
    Image.new("RGB", (64, 48), "white").save(folder / "white.bmp")
    Image.new("RGB", (64, 48), "black").save(folder / "black.png")
    Image.new("RGB", (80, 60), "white").save(folder / "larger.png")
    home.pspc("add", folder, "--wait")

    hits = home.search(folder / "white.png")

    assert {Path(path).name for path in hits} == {"white.png", "white.bmp"}


def test_count_and_distance_limit_the_hits(home: Home) -> None:
    folder = home.pictures()
    for quality in (10, 30, 50, 70, 90):
        save(1, folder / f"{quality}.jpg", quality=quality)
    home.pspc("add", folder, "--wait")
    query = folder / "90.jpg"

    assert len(home.search(query)) == 5
    assert len(home.search(query, "-n", "2")) == 2
    near = home.search(query, "--similar", "--distance", "0")
    assert all(hit["distance"] == 0 for hit in near.values())


def test_the_query_may_come_from_standard_input(home: Home) -> None:
    folder = home.pictures()
    path = save(1, folder / "a.png")
    home.pspc("add", folder, "--wait")

    printed = home.pspc("search", "-", "--json", stdin=path.read_bytes())

    assert [hit["verdict"] for hit in json.loads(printed)["hits"]] == ["same_file"]


def test_a_path_that_is_not_utf_8_works_from_end_to_end(home: Home) -> None:
    folder = home.pictures()
    raw = os.fsencode(folder) + b"/caf\xe9 \xff\n\x1b[31m.png"
    buffer = io.BytesIO()
    scene(1).save(buffer, "PNG")
    with open(raw, "wb") as file:
        file.write(buffer.getvalue())
    home.pspc("add", folder, "--wait")

    [hit] = home.document("search", os.fsdecode(raw))["hits"]
    plain = home.pspc("search", os.fsdecode(raw))
    nul = home.run("pspc", "search", os.fsdecode(raw), "-0").stdout

    assert base64.b64decode(hit["path_base64"]) == raw
    assert "\x1b" not in plain
    assert plain.count("\n") == 1
    assert nul == raw + b"\0"


def test_nothing_found_is_1_and_nothing_found_yet_is_3(home: Home) -> None:
    folder = home.pictures()
    save(1, folder / "a.png")
    query = save(2, home.folder / "query.png")
    home.pspc("add", folder, "--wait")

    home.pspc("search", query, expect=1)

    # Somebody still writes a file: the index is not complete.
    with open(folder / "b.png", "wb") as unfinished:
        unfinished.write(b"\x89PNG\r\n\x1a\n")
        unfinished.flush()
        home.pspc("sync", expect=0)
        home.pspc("search", query, expect=3)


def test_a_part_of_a_picture_is_a_query_as_if_it_were_a_file(home: Home) -> None:
    folder = home.pictures()
    scene(1).crop((40, 30, 240, 180)).save(folder / "part.png")
    scene(1).crop((40, 30, 240, 180)).save(folder / "part.jpg", quality=85)
    query = save(1, home.folder / "query.bmp")
    home.pspc("add", folder, "--wait")

    hits = home.search(query, "--crop", "40,30,200,150")

    assert {Path(path).name: hit["verdict"] for path, hit in hits.items()} == {
        "part.png": "same_pixels",
        "part.jpg": "copy",
    }
    home.search(query, "--fast", "--crop", "0,0,150,200", expect=1)


def test_a_part_that_is_not_there_is_an_error_of_one_line(home: Home) -> None:
    query = save(1, home.folder / "query.png")
    home.pspc("start")

    failed = home.run("pspc", "search", "--crop", "320,0,10,10", query)

    assert failed.returncode == 2
    assert failed.stderr.decode().count("\n") == 1
    assert "lies outside of the picture, which has 320 × 240 pixels" in failed.stderr.decode()
