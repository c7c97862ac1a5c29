"""The pool against real processes: good ones, and ones that do all that a worker must not."""

from __future__ import annotations

import gc
import hashlib
import io
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pspd.core.model import FailureReason, ImageId, Limits
from pspd.core.view import LONGEST_VIEW, Box, View
from pspd.errors import FileFailure
from pspd.features.details import detail_of
from pspd.features.extract import extract, extract_query, image_id_of
from pspd.features.inner_pictures import MAX_INNER_PICTURES, MAX_PARTS, hashed_parts
from pspd.features.views import cropped, pixels_of, view_of
from pspd.verify.pixels import pixel_digest
from pspd.workers.channel import NonsenseError
from pspd.workers.file_reading import read_up_to
from pspd.workers.messages import Done, Order
from pspd.workers.pool import LAST_FILES, WorkerPool
from pspd.workers.process import INNER_SIDE
from pspd.workers.replies import Outcome, checked_outcome
from pspd.workers.sandbox import MAX_FILES

MISBEHAVING = (sys.executable, "-P", str(Path(__file__).with_name("misbehaving_worker.py")))
QUICK = Limits(max_seconds=0.3)


@contextmanager
def file_of(data: bytes) -> Iterator[int]:
    """Open a file of these bytes, without a name."""
    descriptor = os.memfd_create("file") if hasattr(os, "memfd_create") else _unnamed()
    try:
        os.write(descriptor, data)
        yield descriptor
    finally:
        os.close(descriptor)


def _unnamed() -> int:
    with closing(io.FileIO(f"/tmp/psp-test-{os.getpid()}", "w+")) as file:
        os.unlink(file.name)
        return os.dup(file.fileno())


def picture(format: str, size: tuple[int, int] = (64, 48)) -> bytes:
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    image.paste((200, 30, 10), (5, 5, size[0] // 2, size[1] // 3))
    file = io.BytesIO()
    image.save(file, format)
    return file.getvalue()


def run(pool: WorkerPool, data: bytes, order: Order | None = None) -> Outcome:
    with file_of(data) as descriptor:
        return pool.run(descriptor, order or Order())


def reason_of(pool: WorkerPool, data: bytes) -> str:
    with pytest.raises(FileFailure) as caught:
        run(pool, data)
    return caught.value.reason


def misbehaving(size: int = 1, limits: Limits = QUICK) -> closing[WorkerPool]:
    return closing(WorkerPool(size, limits, command=MISBEHAVING))


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with closing(WorkerPool(1, Limits(max_bytes=1 << 20))) as pool:
        pool.start()
        yield pool


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_a_worker_extracts_what_the_same_code_extracts_here(pool: WorkerPool, format: str) -> None:
    data, limits = picture(format), Limits()
    outcome = run(pool, data, Order(turns=True, pixels=True))
    assert (outcome.features, outcome.turns) == extract_query(data, limits)
    assert outcome.pixels == pixel_digest(data, limits)
    assert outcome.image_id == hashlib.blake2b(data, digest_size=32).digest()


def test_only_what_is_ordered_is_extracted(pool: WorkerPool) -> None:
    data = picture("PNG")
    assert run(pool, data).features == extract(data, Limits())
    outcome = run(pool, data, Order(features=False, pixels=True))
    assert (outcome.features, outcome.turns) == (None, ())
    assert outcome.pixels is not None


def test_a_view_comes_with_or_without_the_rest(pool: WorkerPool) -> None:
    data = picture("JPEG", (900, 700))
    for order in (Order(features=False, view=LONGEST_VIEW), Order(turns=True, view=100)):
        outcome = run(pool, data, order)
        assert outcome.view == view_of(data, Limits(), order.view)
        assert (outcome.features is not None) == order.features
    assert run(pool, data).view is None


def test_a_view_may_be_of_a_part_alone(pool: WorkerPool) -> None:
    data, part = picture("JPEG", (900, 700)), Box(100, 50, 700, 600)
    outcome = run(pool, data, Order(features=False, view=LONGEST_VIEW, within=part))
    assert outcome.view == detail_of(data, Limits(), part, LONGEST_VIEW)
    assert outcome.image_id == image_id_of(data)
    with pytest.raises(FileFailure, match="900 × 700"):
        run(pool, data, Order(features=False, view=64, within=Box(800, 0, 101, 1)))


def test_a_part_is_read_as_if_it_were_the_file(pool: WorkerPool) -> None:
    data, box = picture("PNG"), Box(5, 4, 40, 30)
    part = cropped(data, Limits(), box)
    outcome = run(pool, data, Order(turns=True, pixels=True, view=64, part=box))
    assert outcome.features is not None
    assert (outcome.features.width, outcome.features.height) == (40, 30)
    assert outcome.image_id == outcome.features.image_id == image_id_of(part)
    assert (outcome.features, outcome.turns) == extract_query(part, Limits())
    assert outcome.pixels == pixel_digest(part, Limits())


def test_a_part_outside_of_the_picture_fails(pool: WorkerPool) -> None:
    with pytest.raises(FileFailure, match="64 × 48"):
        run(pool, picture("PNG"), Order(part=Box(64, 0, 1, 1)))


def test_parts_come_with_their_hashes_however_many(pool: WorkerPool) -> None:
    """As many as there can be: what is in a window of a window, and all of it, wider."""
    image = Image.new("RGB", (600, 480), "white")
    for number, colour in enumerate(("gray", "teal", "white", "olive", "white", "navy")):
        image.paste(colour, (30 * number, 24 * number, 600 - 30 * number, 480 - 24 * number))
    image.paste(Image.open(io.BytesIO(picture("PNG", (260, 200)))), (170, 140))
    file = io.BytesIO()
    image.save(file, "PNG")
    outcome = run(pool, file.getvalue(), Order(features=False, inner=True))
    seen = pixels_of(view_of(file.getvalue(), Limits(), INNER_SIDE))
    assert outcome.inner == hashed_parts(seen)
    assert MAX_INNER_PICTURES < len(outcome.inner) <= MAX_PARTS
    assert run(pool, file.getvalue()).inner == ()


def test_more_parts_than_there_can_be_are_nonsense() -> None:
    parts = hashed_parts(np.zeros((60, 80, 3), np.uint8))
    order, digest = Order(features=False, inner=True), ImageId(bytes(32))
    honest = Done(digest, inner=(parts * MAX_PARTS)[:MAX_PARTS])
    assert checked_outcome(honest, order, Limits(), None).inner == honest.inner
    for lie in ((*honest.inner, parts[0]), (replace(parts[0], quality=101),)):
        with pytest.raises(NonsenseError, match="an impossible value"):
            checked_outcome(Done(digest, inner=lie), order, Limits(), None)
    with pytest.raises(NonsenseError, match="an impossible value"):
        checked_outcome(Done(digest, inner=parts), Order(features=False), Limits(), None)


VIEW = View(4, 3, bytes(36), 400, 300)


@pytest.mark.parametrize(
    "view",
    [
        replace(VIEW, width=0, pixels=b""),
        replace(VIEW, width=5),
        replace(VIEW, pixels=bytes(35)),
        replace(VIEW, width=9, height=3, pixels=bytes(81)),
        replace(VIEW, full_width=3),
        replace(VIEW, full_height=1 << 20),
        None,
    ],
)
def test_a_view_that_cannot_be_is_nonsense(view: View | None) -> None:
    order, digest = Order(features=False, view=8), ImageId(bytes(32))
    assert checked_outcome(Done(digest, view=VIEW), order, Limits(), None).view == VIEW
    with pytest.raises(NonsenseError, match="an impossible value"):
        checked_outcome(Done(digest, view=view), order, Limits(), None)


@pytest.mark.parametrize(
    "part", [Box(0, 0, 3, 3), Box(0, 0, 4, 2), Box(397, 0, 4, 3), Box(0, 298, 4, 3)]
)
def test_a_view_that_cannot_be_of_the_part_is_nonsense(part: Box) -> None:
    order, other = (
        Order(features=False, view=8, within=each) for each in (Box(396, 297, 4, 3), part)
    )
    digest = ImageId(bytes(32))
    assert checked_outcome(Done(digest, view=VIEW), order, Limits(), None).view == VIEW
    with pytest.raises(NonsenseError, match="an impossible value"):
        checked_outcome(Done(digest, view=VIEW), other, Limits(), None)


def test_a_known_image_is_not_decoded(pool: WorkerPool) -> None:
    asked: list[ImageId] = []

    def is_known(image_id: ImageId) -> bool:
        asked.append(image_id)
        return True

    with file_of(b"not a picture at all") as descriptor:
        outcome = pool.run(descriptor, Order(pixels=True), is_known=is_known)
    assert asked == [outcome.image_id]
    assert (outcome.features, outcome.pixels) == (None, None)


def test_an_unknown_image_is_decoded_after_the_question(pool: WorkerPool) -> None:
    with file_of(picture("PNG")) as descriptor:
        outcome = pool.run(descriptor, Order(), is_known=lambda _: False)
    assert outcome.features is not None
    assert outcome.features.image_id == outcome.image_id


def test_a_question_that_raises_leaves_the_pool_in_order(pool: WorkerPool) -> None:
    deaths = pool.deaths
    with file_of(picture("PNG")) as descriptor, pytest.raises(ZeroDivisionError):
        pool.run(descriptor, Order(), is_known=lambda _: bool(1 // 0))
    assert run(pool, picture("PNG")).features is not None
    assert pool.deaths == deaths


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize("is_wanted", [True, False])
def test_all_but_the_pixels_is_shown_before_they_are_decoded(
    pool: WorkerPool, format: str, *, is_wanted: bool
) -> None:
    data = picture(format)
    shown: list[Outcome] = []

    def wants_pixels(outcome: Outcome) -> bool:
        shown.append(outcome)
        return is_wanted

    with file_of(data) as descriptor:
        order = Order(turns=True, pixels=True)
        outcome = pool.run(descriptor, order, is_known=lambda _: False, wants_pixels=wants_pixels)
    assert [(each.features, each.turns) for each in shown] == [extract_query(data, Limits())]
    assert shown[0].pixels is None
    assert outcome.pixels == (pixel_digest(data, Limits()) if is_wanted else None)
    assert (outcome.features, outcome.turns) == (shown[0].features, shown[0].turns)
    assert run(pool, picture("PNG")).features is not None


def test_pixels_that_cannot_be_had_fail_after_the_rest_was_shown() -> None:
    frames = [Image.linear_gradient("L").resize((64, 48)).rotate(turn) for turn in (0, 90, 180, 7)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    shown: list[Outcome] = []

    def wants_pixels(outcome: Outcome) -> bool:
        shown.append(outcome)
        return True

    # A frame counts for 65,536 pixels, and four of them for more than five times the limit.
    limits = Limits(max_pixels=50_000)
    with closing(WorkerPool(1, limits)) as pool, file_of(file.getvalue()) as descriptor:
        with pytest.raises(FileFailure) as caught:
            pool.run(descriptor, Order(pixels=True), wants_pixels=wants_pixels)
        assert caught.value.reason == FailureReason.TOO_BIG
        assert [each.features for each in shown] == [extract(file.getvalue(), limits)]
        assert run(pool, picture("PNG")).features is not None
        assert pool.deaths == 0


def test_a_question_about_pixels_that_raises_leaves_the_pool_in_order(pool: WorkerPool) -> None:
    deaths = pool.deaths
    with file_of(picture("PNG")) as descriptor, pytest.raises(ZeroDivisionError):
        pool.run(descriptor, Order(pixels=True), wants_pixels=lambda _: bool(1 // 0))
    assert run(pool, picture("PNG")).features is not None
    assert pool.deaths == deaths


def test_the_offset_of_a_file_does_not_matter(pool: WorkerPool) -> None:
    with file_of(picture("PNG")) as descriptor:
        assert os.lseek(descriptor, 0, os.SEEK_CUR) > 0
        assert pool.run(descriptor, Order()).features is not None


def test_files_that_cannot_be_read_say_why(pool: WorkerPool, tmp_path: Path) -> None:
    assert reason_of(pool, b"") == FailureReason.TRUNCATED
    assert reason_of(pool, b"hello") == FailureReason.NOT_A_PICTURE
    assert reason_of(pool, picture("PNG")[:200]) == FailureReason.TRUNCATED
    assert reason_of(pool, picture("PNG") + bytes(1 << 20)) == FailureReason.TOO_BIG
    directory = os.open(tmp_path, os.O_RDONLY)
    reading, writing = os.pipe()
    only_written = os.open(tmp_path / "a", os.O_WRONLY | os.O_CREAT)
    os.write(only_written, b"a")
    expected = {
        directory: FailureReason.NOT_A_FILE,
        reading: FailureReason.NOT_A_FILE,
        only_written: FailureReason.UNREADABLE,
    }
    for descriptor, reason in expected.items():
        with pytest.raises(FileFailure) as caught:
            pool.run(descriptor, Order())
        assert caught.value.reason == reason
    for descriptor in (*expected, writing):
        os.close(descriptor)


def test_a_file_may_have_exactly_the_limit() -> None:
    data = picture("PNG")
    with closing(WorkerPool(1, Limits(max_bytes=len(data)))) as pool:
        assert run(pool, data).features is not None
        assert reason_of(pool, data + b"a") == FailureReason.TOO_BIG


def test_a_file_that_grows_is_read_to_its_end_but_not_beyond_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(3 << 20))
    with path.open("rb") as file:
        assert read_up_to(file.fileno(), 10, 4 << 20) == path.read_bytes()
        assert len(read_up_to(file.fileno(), 10, 2 << 20)) == (2 << 20) + 1
        assert read_up_to(file.fileno(), 5 << 20, 6 << 20) == path.read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the address space")
def test_a_memory_bomb_costs_its_own_file_alone() -> None:
    bomb = io.BytesIO()
    Image.new("RGB", (9_000, 9_000)).save(bomb, "PNG")
    with closing(WorkerPool(1, Limits(max_memory=64 << 20))) as pool:
        pool.start()
        before = pool.pids
        assert reason_of(pool, bomb.getvalue()) == FailureReason.OUT_OF_MEMORY
        assert run(pool, picture("PNG")).features is not None
        assert pool.pids != before
        assert pool.deaths == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the address space")
@pytest.mark.parametrize(
    ("format", "options"),
    [("WEBP", {"lossless": True, "method": 0}), ("AVIF", {"speed": 10})],
)
def test_what_a_memory_bomb_needs_is_said_whichever_decoder_lacks_it(
    format: str, options: dict[str, int]
) -> None:
    bomb = io.BytesIO()
    Image.new("RGB", (4_000, 4_000)).save(bomb, format, **options)
    with closing(WorkerPool(1, Limits(max_memory=64 << 20))) as pool:
        assert reason_of(pool, bomb.getvalue()) == FailureReason.OUT_OF_MEMORY
        assert pool.deaths == 0


def test_nothing_that_a_worker_needs_for_all_files_is_taken_from_the_memory_of_one() -> None:
    """OpenBLAS takes 32 MiB at the first colour picture, and ends the process if it cannot."""
    large = io.BytesIO()
    Image.new("RGB", (4_000, 4_000)).save(large, "GIF")
    with closing(WorkerPool(1, Limits(max_memory=64 << 20))) as pool:
        assert run(pool, large.getvalue()).features is not None
        assert pool.deaths == 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_is_confined() -> None:
    with closing(WorkerPool(1, Limits(), nice=3)) as pool:
        run(pool, picture("PNG"))
        process = Path("/proc") / str(pool.pids[0])
        limits = {
            line[:25].strip(): line[25:].split()[:2]
            for line in (process / "limits").read_text().splitlines()[1:]
        }
        assert limits["Max core file size"] == ["0", "0"]
        assert limits["Max file size"] == ["0", "0"]
        assert limits["Max open files"] == ["32", "32"]
        assert int(limits["Max address space"][1]) < 4 << 30
        assert limits["Max cpu time"][0] != "unlimited"
        assert "NoNewPrivs:\t1" in (process / "status").read_text()
        assert (process / "oom_score_adj").read_text() == "800\n"
        assert os.getsid(pool.pids[0]) == pool.pids[0]
        assert os.getpriority(os.PRIO_PROCESS, pool.pids[0]) == min(
            os.getpriority(os.PRIO_PROCESS, 0) + 3, 19
        )
        names = {each.split(b"=")[0] for each in (process / "environ").read_bytes().split(b"\0")}
        assert b"PYTEST_CURRENT_TEST" not in names
        targets = {os.readlink(each).partition(":")[0] for each in (process / "fd").iterdir()}
        assert targets == {"/dev/null", "socket"}


def test_a_signal_to_the_whole_group_is_left_to_the_daemon(pool: WorkerPool) -> None:
    run(pool, picture("PNG"))
    (pid,) = pool.pids
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(pid, number)
        assert run(pool, picture("PNG")).features is not None
    assert pool.pids == (pid,)


DEATHS = [
    (b"SIGSEGV", "crashed", "SIGSEGV"),
    (b"SIGKILL", "crashed", "SIGKILL"),
    (b"SIGABRT", "crashed", "SIGABRT"),
    (b"exit", "crashed", "status 7"),
    (b"mute", "crashed", "status 0"),
    (b"SIGXCPU", "timeout", "0.3 s"),
    (b"SIGALRM", "timeout", "0.3 s"),
    (b"hang", "timeout", "0.3 s"),
    (b"spin", "timeout", "0.3 s"),
    (b"trickle", "timeout", "0.3 s"),
    (b"garbage", "crashed", "nonsense"),
    (b"oversize", "crashed", "4294967295 bytes"),
    (b"unasked", "crashed", "nonsense"),
    (b"nan", "crashed", "mean"),
    (b"bright", "crashed", "mean"),
    (b"wide", "crashed", "width"),
    (b"large", "crashed", "pixels"),
    (b"flat", "crashed", "quality"),
    (b"short", "crashed", "hash"),
    (b"turned", "crashed", "orientation"),
    (b"escape", "crashed", "format"),
    (b"stranger", "crashed", "another image"),
    (b"idle", "crashed", "features"),
    (b"cut", "crashed", "digest"),
]


def test_every_way_to_lose_a_worker_is_named_and_costs_one_file() -> None:
    with misbehaving() as pool:
        for number, (deed, reason, word) in enumerate(DEATHS, start=1):
            with pytest.raises(FileFailure, match=word) as caught:
                run(pool, deed)
            assert (deed, caught.value.reason) == (deed, reason)
            assert (deed, pool.deaths) == (deed, number)
            assert run(pool, b"good after " + deed).features is not None


def test_a_failure_leaves_the_worker_alive_and_its_message_is_harmless() -> None:
    with misbehaving() as pool:
        run(pool, b"good")
        before = pool.pids
        with pytest.raises(FileFailure, match=r"^one line  \[31mx{80}") as caught:
            run(pool, b"broken")
        assert len(str(caught.value)) <= 300
        assert pool.pids == before
        assert reason_of(pool, b"spent") == FailureReason.OUT_OF_MEMORY
        run(pool, b"good")
        assert pool.pids != before
        assert pool.deaths == 0


def test_an_answer_too_many_is_not_taken_for_the_next_file() -> None:
    with misbehaving() as pool:
        first, second = run(pool, b"twice"), run(pool, b"good")
        assert first.image_id == hashlib.blake2b(b"twice", digest_size=32).digest()
        assert second.image_id == hashlib.blake2b(b"good", digest_size=32).digest()
        assert pool.deaths == 1


def test_a_worker_that_dies_between_files_costs_none() -> None:
    with misbehaving() as pool:
        run(pool, b"good")
        (pid,) = pool.pids
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert run(pool, b"good").features is not None
        assert pool.deaths == 1


def test_poison_among_many_files_costs_exactly_itself() -> None:
    poison = [b"SIGSEGV", b"exit", b"garbage", b"nan", b"hang"]
    files = [
        b"%s %d" % (poison[number // 20 % 5] if number % 20 == 7 else b"good", number)
        for number in range(200)
    ]
    with misbehaving(size=4) as pool, ThreadPoolExecutor(4) as threads:
        pool.start()

        def read(data: bytes) -> str:
            try:
                outcome = run(pool, data)
            except FileFailure as failure:
                return failure.reason
            assert outcome.image_id == hashlib.blake2b(data, digest_size=32).digest()
            return "good"

        results = list(threads.map(read, files))
        assert pool.deaths == 10
        assert len(pool.pids) <= 4
    expected = [
        {b"good": "good", b"hang": "timeout"}.get(data.split()[0], "crashed") for data in files
    ]
    assert results == expected


def test_a_worker_is_replaced_after_enough_files_by_one_that_is_ready_by_then() -> None:
    with misbehaving() as pool:
        run(pool, b"good")
        (first,) = pool.pids
        for _ in range(MAX_FILES - LAST_FILES - 2):
            run(pool, b"good")
        assert pool.pids == (first,)
        run(pool, b"good")
        (successor,) = set(pool.pids) - {first}
        for _ in range(LAST_FILES - 1):
            run(pool, b"good")
        assert set(pool.pids) == {first, successor}
        run(pool, b"good")
        assert pool.pids == (successor,)
        run(pool, b"good")
        assert pool.pids == (successor,)
        assert pool.deaths == 0


def test_a_successor_that_nobody_needed_ends_with_the_pool() -> None:
    with misbehaving() as pool:
        for _ in range(MAX_FILES - LAST_FILES):
            run(pool, b"good")
        both = pool.pids
        assert len(both) == 2
    for pid in both:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_closing_wakes_those_who_wait() -> None:
    with misbehaving(limits=Limits(max_seconds=60)) as pool, ThreadPoolExecutor(2) as threads:
        run(pool, b"good")
        (pid,) = pool.pids
        is_read = threading.Event()
        with file_of(b"hang") as descriptor:

            def hang() -> None:
                is_read.set()
                pool.run(descriptor, Order())

            both = [threads.submit(hang) for _ in range(2)]
            is_read.wait()
            pool.close()
            for each in both:
                with pytest.raises(RuntimeError, match="closed"):
                    each.result(timeout=10)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        pool.close()
        with pytest.raises(RuntimeError, match="closed"):
            pool.start()
        assert pool.deaths == 0


def test_a_worker_that_cannot_start_is_reported_with_its_last_words() -> None:
    command = (sys.executable, "-P", "-c", "import psp_is_not_installed")
    with (
        closing(WorkerPool(1, QUICK, name="reader", command=command)) as pool,
        file_of(b"good") as descriptor,
    ):
        for _ in range(2):
            with pytest.raises(RuntimeError, match=r"reader cannot be started: .*not_installed"):
                pool.run(descriptor, Order())
        assert pool.pids == ()


def test_a_command_that_does_not_exist_is_reported() -> None:
    with (
        closing(WorkerPool(2, QUICK, command=["/nonexistent"])) as pool,
        pytest.raises(RuntimeError, match="No such file"),
    ):
        pool.start()


def test_nothing_stays_open_when_a_pool_is_closed() -> None:
    def descriptors() -> int:
        gc.collect()
        return len(os.listdir("/dev/fd"))

    before = descriptors()
    with misbehaving(size=2) as pool:
        pool.start()
        for deed in (b"good", b"SIGSEGV", b"good", b"spent", b"nan"):
            try:
                run(pool, deed)
            except FileFailure:
                continue
    assert descriptors() == before


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for a stranger by pidfd_open")
def test_no_worker_outlives_its_daemon() -> None:
    daemon = """
import sys
from pspd.core.model import Limits
from pspd.workers.pool import LAST_FILES, WorkerPool

pool = WorkerPool(2, Limits())
pool.start()
print(*pool.pids, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-P", "-c", daemon], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        workers = [os.pidfd_open(int(pid)) for pid in process.stdout.readline().split()]
        process.kill()
    assert len(workers) == 2
    for worker in workers:
        ended, _, _ = select.select([worker], [], [], 30)
        assert ended
        os.close(worker)


def test_workers_start_where_no_folder_for_temporary_files_can_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not hasattr(os, "memfd_create"):
        pytest.skip("this system has no files without a name in memory")

    def refuse(*_arguments: object) -> None:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with closing(WorkerPool(1, Limits())) as pool, open(os.devnull, "rb") as nothing:
        pool.start()
        with pytest.raises(FileFailure):
            pool.run(nothing.fileno(), Order())
