"""Reading query images with real workers: what is decoded, and how often."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from pspd import query_reading
from pspd.core.model import FailureReason, Features, ImageId, Limits
from pspd.core.view import Box
from pspd.errors import FileFailure
from pspd.features.extract import extract_query, image_id_of
from pspd.features.views import cropped, view_of
from pspd.quarantine import MOST_DEATHS, Quarantine, QuarantinedError
from pspd.query_reading import QueryReader
from pspd.store.store import Store
from pspd.verify.pixels import pixel_digest
from pspd.workers.handle import WorkerLostError
from pspd.workers.messages import Order
from pspd.workers.pool import WorkerPool
from pspd.workers.replies import Outcome
from tests.e2e.scenes import scene
from tests.workers.test_workers import file_of, misbehaving, picture


class WatchedPool(WorkerPool):
    """A pool that says which files were decoded."""

    def __init__(self) -> None:
        super().__init__(1, Limits())
        self.decoded: list[ImageId] = []
        self.with_pixels: list[bool] = []

    def run(
        self,
        descriptor: int,
        order: Order,
        *,
        is_known: Callable[[ImageId], bool] | None = None,
        wants_pixels: Callable[[Outcome], bool] | None = None,
        on_worker: Callable[[], None] | None = None,
    ) -> Outcome:
        """Have a file read, and look whether it was decoded."""
        outcome = super().run(
            descriptor, order, is_known=is_known, wants_pixels=wants_pixels, on_worker=on_worker
        )
        if outcome.features is not None or outcome.pixels is not None:
            self.decoded.append(outcome.image_id)
            self.with_pixels.append(outcome.pixels is not None)
        return outcome


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "store", map_bytes=1 << 24)) as store:
        yield store


@pytest.fixture(scope="module")
def pool() -> Iterator[WatchedPool]:
    with closing(WatchedPool()) as pool:
        yield pool


@pytest.fixture
def queries(store: Store, pool: WatchedPool) -> QueryReader:
    pool.decoded.clear()
    return QueryReader(pool, Quarantine(store, "this one"))


def never(_features: Features) -> bool:
    return False


def always(_features: Features) -> bool:
    return True


def test_a_query_is_read_with_its_turns_and_its_pixels_if_they_matter(queries: QueryReader) -> None:
    data, other = picture("PNG"), picture("JPEG")
    asked: list[Features] = []

    def wants_pixels(features: Features) -> bool:
        asked.append(features)
        return True

    read = queries.read(data, wants_pixels)
    assert (read.features, read.turns) == extract_query(data, Limits())
    assert read.pixels == pixel_digest(data, Limits())
    assert asked == [read.features]
    assert queries.read(other, never).pixels is None
    third = picture("BMP")
    assert queries.read(third, None).pixels is None
    assert queries.read(third, always).pixels == pixel_digest(third, Limits())


def test_an_equal_query_is_not_decoded_again(queries: QueryReader, pool: WatchedPool) -> None:
    data = picture("PNG")
    first = queries.read(data, always)
    assert queries.read(data, always) == first
    assert queries.read(data, never) == first
    assert pool.decoded == [first.features.image_id]


def test_turns_that_do_not_matter_are_left_out_until_they_do(
    queries: QueryReader, pool: WatchedPool
) -> None:
    data = picture("PNG")
    features, turns = extract_query(data, Limits())
    pixels = pixel_digest(data, Limits())
    plain = queries.read(data, always, wants_turns=False)
    assert (plain.features, plain.turns, plain.pixels) == (features, (), pixels)
    turned = queries.read(data, None)
    assert (turned.features, turned.turns, turned.pixels) == (features, turns, pixels)
    assert len(pool.decoded) == 2
    assert queries.read(data, always, wants_turns=False) == turned
    assert len(pool.decoded) == 2


def test_pixels_that_are_known_are_not_decoded_again_for_the_turns(
    queries: QueryReader, pool: WatchedPool
) -> None:
    data = picture("PNG")
    known = queries.read(data, always, wants_turns=False).pixels
    assert known is not None
    pool.with_pixels.clear()
    assert queries.read(data, always).pixels == known
    assert not any(pool.with_pixels)


def test_a_known_file_does_not_wait_for_the_search_with_its_content(
    store: Store, pool: WatchedPool
) -> None:
    data = picture("PNG")
    quarantine = Quarantine(store, "this one")
    met: list[Outcome] = []

    def meet_it_in_a_folder(_features: Features) -> bool:
        with file_of(data) as descriptor, closing(WorkerPool(1, Limits())) as others:
            met.append(quarantine.run(others, descriptor, Order(), is_known=lambda *_: True))
        return False

    read = QueryReader(pool, quarantine).read(data, meet_it_in_a_folder)
    assert [(each.image_id, each.features) for each in met] == [(read.features.image_id, None)]


def test_pixels_that_first_did_not_matter_are_decoded_when_they_do(
    queries: QueryReader, pool: WatchedPool
) -> None:
    data = picture("PNG")
    asked: list[Features] = []

    def wants_pixels(features: Features) -> bool:
        asked.append(features)
        return True

    assert queries.read(data, never).pixels is None
    assert queries.read(data, wants_pixels).pixels == pixel_digest(data, Limits())
    assert len(asked) == 1
    assert len(pool.decoded) == 2
    assert queries.read(data, always).pixels == pixel_digest(data, Limits())
    assert len(pool.decoded) == 2


def test_what_was_asked_long_ago_is_forgotten(
    queries: QueryReader, pool: WatchedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_reading, "MOST_KEPT", 2)
    a, b, c = (picture("PNG", (60 + number, 50)) for number in range(3))
    for data in (a, b, a, c):
        queries.read(data, never)
    assert len(pool.decoded) == 3
    queries.read(a, never)
    assert len(pool.decoded) == 3
    queries.read(b, never)
    assert len(pool.decoded) == 4


def test_what_is_no_picture_fails_each_time(queries: QueryReader, pool: WatchedPool) -> None:
    for _ in range(2):
        with pytest.raises(FileFailure) as caught:
            queries.read(b"hello", always)
        assert caught.value.reason == FailureReason.NOT_A_PICTURE
    assert pool.decoded == []


def test_a_query_whose_pixels_kill_the_worker_is_answered_without_them(store: Store) -> None:
    with misbehaving() as pool:
        queries = QueryReader(pool, Quarantine(store, "this one"))
        read = queries.read(b"shown SIGSEGV", always)
        assert read.features.width == 3
        assert read.pixels is None
        assert pool.deaths == 1


def test_a_query_that_kills_workers_costs_two_of_them(store: Store) -> None:
    with misbehaving() as pool:
        queries = QueryReader(pool, Quarantine(store, "this one"))
        for expected in (WorkerLostError, QuarantinedError, QuarantinedError):
            with pytest.raises(FileFailure) as caught:
                queries.read(b"SIGSEGV", always)
            assert type(caught.value) is expected
        assert pool.deaths == MOST_DEATHS
    with store.read() as reader:
        ((image_id, entry),) = reader.quarantine()
    assert image_id == hashlib.blake2b(b"SIGSEGV", digest_size=32).digest()
    assert (entry.path, entry.deaths) == ("", MOST_DEATHS)


def test_a_part_is_a_query_of_its_own(queries: QueryReader, pool: WatchedPool) -> None:
    image, box = picture("PNG"), Box(8, 4, 40, 32)
    part = cropped(image, Limits(), box)
    read = queries.read(image, always, part=box)
    assert (read.features, read.turns) == extract_query(part, Limits())
    assert read.pixels == pixel_digest(part, Limits())
    assert queries.read(image, always, part=box) == read
    assert len(pool.decoded) == 1
    assert queries.read(image, never).features.image_id == image_id_of(image)
    assert len(pool.decoded) == 2


def test_the_pixels_of_a_part_are_the_parts_own(queries: QueryReader) -> None:
    image, box = picture("PNG"), Box(8, 4, 40, 32)
    assert queries.read(image, never, part=box).pixels is None
    pixels = queries.read(image, always, part=box).pixels
    assert pixels == pixel_digest(cropped(image, Limits(), box), Limits())


def test_a_query_can_be_seen_and_a_part_of_it(queries: QueryReader) -> None:
    image, box = picture("PNG"), Box(8, 4, 40, 32)
    assert queries.view(image, 50) == view_of(image, Limits(), 50)
    assert queries.view(image, 50, box) == view_of(cropped(image, Limits(), box), Limits(), 50)
    with pytest.raises(FileFailure, match="lies outside"):
        queries.view(image, 50, Box(64, 48, 1, 1))


def test_inner_pictures_are_looked_for_once(queries: QueryReader) -> None:
    """A frame of one colour around a picture: what is in it is found, and kept."""
    framed = Image.new("RGB", (400, 300), "white")
    framed.paste(scene(1).resize((300, 200)), (50, 50))
    file = io.BytesIO()
    framed.save(file, "PNG")
    image = file.getvalue()
    assert queries.read(image, None).inner is None
    inner = queries.inner(image)
    assert len(inner) >= 1
    assert queries.inner(image) is inner
    assert queries.read(image, None).inner is inner
