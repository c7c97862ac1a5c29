"""Pictures are shown small, indexed ones and others, with what is known of their files."""

from __future__ import annotations

import functools
import io
import os
import shutil

import pytest
from PIL import Image

from pspc import Connection
from pspc.errors import DaemonError
from tests.e2e.home import Home
from tests.e2e.scenes import save, scene

MODEL, ORIENTATION = 0x0110, 0x0112


def size_of(jpeg: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(jpeg)) as image:
        assert image.format == "JPEG"
        assert not image.getexif()
        return image.size


def test_an_indexed_picture_is_shown_upright_with_its_files_and_tags(home: Home) -> None:
    folder = home.pictures()
    exif = Image.Exif()
    exif[MODEL], exif[ORIENTATION] = "X100", 6
    path = save(1, folder / "a.jpg", exif=exif)
    shutil.copy(path, folder / "b.jpg")
    home.pspc("add", folder, "--wait")
    with Connection(home.path) as connection:
        (image,) = {hit.image for hit in connection.search(path).hits}
        for _ in range(2):  # the second time from memory
            seen = connection.picture(image, 100)
            assert size_of(seen.picture) == (75, 100)
            assert (seen.width, seen.height, seen.orientation) == (240, 320, 6)
            assert seen.size == path.stat().st_size
            assert [os.fsdecode(each) for each in seen.paths] == [str(path), str(folder / "b.jpg")]
            assert seen.tags == []
        assert ("Model", "X100") in connection.picture(image, 100, tags=True).tags
        assert size_of(connection.picture(image, 1024).picture) == (240, 320)


def test_what_is_not_indexed_any_more_or_gone_is_said(home: Home) -> None:
    folder = home.pictures()
    path = save(1, folder / "a.png")
    home.pspc("add", folder, "--wait")
    with Connection(home.path) as connection:
        (hit,) = connection.search(path).hits
        with pytest.raises(DaemonError) as caught:
            connection.picture("ab" * 32)
        assert (caught.value.code, str(caught.value)) == (
            "bad_request",
            "no indexed picture has this content",
        )
        # Another picture by the old name is not shown for the old one.
        save(2, path)
        with pytest.raises(DaemonError) as caught:
            connection.picture(hit.image)
        assert caught.value.code == "bad_request"


def test_a_query_is_shown_and_what_is_none_is_refused(home: Home) -> None:
    file = io.BytesIO()
    scene(3).save(file, "PNG")
    with Connection(home.path, start=True) as connection:
        seen = connection.preview(file.getvalue(), 160)
        assert size_of(seen.picture) == (160, 120)
        assert (seen.width, seen.height, seen.format, seen.paths) == (320, 240, "PNG", [])
        with pytest.raises(DaemonError) as caught:
            connection.preview(b"this is a text")
    assert (caught.value.code, caught.value.reason) == ("bad_query", "not_a_picture")


def pixels(png: bytes) -> bytes:
    with Image.open(io.BytesIO(png)) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        assert not image.info
        return image.tobytes()


def test_a_part_is_shown_pixel_for_pixel_of_a_picture_and_a_query(home: Home) -> None:
    folder = home.pictures()
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    path = save(1, folder / "a.png", exif=exif)
    upright = scene(1).transpose(Image.Transpose.ROTATE_270)
    home.pspc("add", folder, "--wait")
    with Connection(home.path) as connection:
        (hit,) = connection.search(path).hits
        for part in ((0, 0, 240, 320), (100, 200, 33, 44), (100, 200, 33, 44)):
            left, top, width, height = part
            expected = upright.crop((left, top, left + width, top + height)).tobytes()
            for seen in (
                connection.detail(hit.image, part),
                connection.preview_detail(path.read_bytes(), part),
            ):
                assert pixels(seen.picture) == expected
                assert (seen.width, seen.height) == (240, 320)
        for part in ((0, 0, 241, 320), (240, 0, 1, 1), (0, 320, 1, 1), (0, 0, 2**32 - 1, 1)):
            for ask in (
                functools.partial(connection.detail, hit.image, part),
                functools.partial(connection.preview_detail, path.read_bytes(), part),
            ):
                with pytest.raises(DaemonError, match="which has 240 × 320 pixels") as caught:
                    ask()
                assert caught.value.code == "bad_request"


def test_a_part_of_what_is_not_indexed_any_more_is_not_shown(home: Home) -> None:
    folder = home.pictures()
    path = save(1, folder / "a.png")
    home.pspc("add", folder, "--wait")
    with Connection(home.path) as connection:
        (hit,) = connection.search(path).hits
        with pytest.raises(DaemonError, match="no indexed picture has this content"):
            connection.detail("ab" * 32, (0, 0, 1, 1))
        # Another picture by the old name is not shown for the old one.
        save(2, path)
        with pytest.raises(DaemonError, match=r"can be read any more|has this content"):
            connection.detail(hit.image, (0, 0, 9, 9))
        with pytest.raises(DaemonError) as caught:
            connection.preview_detail(b"this is a text", (0, 0, 1, 1))
    assert (caught.value.code, caught.value.reason) == ("bad_query", "not_a_picture")


def test_what_chance_brings_is_not_known_of_few_pictures(home: Home) -> None:
    with Connection(home.path, start=True) as connection:
        assert connection.foreign_distances() == []
