"""What a decoder that was taken over can do, and what is said where it could do more."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pspd.core.model import FailureReason, Limits
from pspd.errors import FileFailure, NoWorker
from pspd.noticeboard import NoticeBoard
from pspd.workers import seccomp
from pspd.workers.messages import Order
from pspd.workers.pool import WorkerPool
from pspd.workers.system_calls import ARCHITECTURES
from pspd.workers.template import COMMAND, Template
from tests.workers import forbidden_acts
from tests.workers.test_workers import file_of, picture, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux's")

HERE = Path(__file__).parent
MALICIOUS = (sys.executable, "-P", str(HERE / "malicious_worker.py"))
OLD_KERNEL = (sys.executable, "-P", str(HERE / "old_kernel_worker.py"))
WITHOUT_EXTRAS = (sys.executable, "-m", "tests.workers.template_without_extras")
BITMAP = b"BM".ljust(14, b"\0") + (40).to_bytes(4, "little")


def result_of(pool: WorkerPool, act: str) -> str:
    """Have a malicious decoder try an act; return the error's name, or "done"."""
    with (
        file_of(BITMAP.ljust(63, b"\0") + b"!" + act.encode()) as descriptor,
        pytest.raises(FileFailure) as caught,
    ):
        pool.run(descriptor, Order())
    return str(caught.value).partition("<")[2].partition(">")[0]


def test_a_malicious_decoder_is_refused_whatever_it_tries() -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("the acts are system calls of x86_64 by number")
    with closing(WorkerPool(1, Limits(), command=MALICIOUS, needs_sandbox=True)) as pool:
        results = {act: result_of(pool, act) for act in forbidden_acts.FORBIDDEN}
        assert pool.deaths == 0
    # Without `clone3` the C library takes `clone`, whose flags a filter sees.
    assert results.pop("clone3") == "ENOSYS"
    assert {act: result for act, result in results.items() if result != "EPERM"} == {}


def test_a_decoder_may_start_a_thread_and_abort() -> None:
    with closing(WorkerPool(1, Limits(), command=MALICIOUS, needs_sandbox=True)) as pool:
        assert result_of(pool, "start a thread") == "done"
        with file_of(BITMAP.ljust(63, b"\0") + b"!abort") as descriptor:
            with pytest.raises(FileFailure, match="SIGABRT") as caught:
                pool.run(descriptor, Order())
            assert caught.value.reason == FailureReason.CRASHED


def test_few_system_calls_are_allowed_on_every_architecture() -> None:
    assert len(seccomp.ALLOWED) == len(set(seccomp.ALLOWED)) <= 45
    for name, architecture in ARCHITECTURES.items():
        unknown = set(seccomp.ALLOWED) - set(architecture.numbers)
        # The newer architecture has `ppoll` alone.
        assert unknown == ({"poll"} if name == "aarch64" else set())
        numbers = architecture.numbers.values()
        assert len(set(numbers)) == len(numbers)


def test_every_jump_of_the_filter_stays_inside_it() -> None:
    for architecture in ARCHITECTURES.values():
        program = seccomp.program(architecture, 1)
        for place, (code, if_true, if_false, _) in enumerate(program):
            assert max(if_true, if_false) < 256
            if code & 7 == 5:
                assert place + 1 + max(if_true, if_false) < len(program)
        assert program[-1][0] == 6


def test_a_worker_tells_what_is_in_force() -> None:
    board = NoticeBoard()
    with closing(WorkerPool(1, Limits(), needs_sandbox=True, board=board)) as pool:
        assert pool.protection is None
        run(pool, picture("PNG"))
        assert pool.protection is not None
        assert pool.protection.is_full
        assert str(pool.protection).startswith("landlock abi ")
        assert str(pool.protection).endswith(", seccomp, no new privileges, limits")
    assert board.notices() == []


def test_nothing_is_decoded_where_the_kernel_cannot_confine() -> None:
    board = NoticeBoard()
    pool = WorkerPool(1, Limits(), command=OLD_KERNEL, needs_sandbox=True, board=board)
    with closing(pool), file_of(picture("PNG")) as descriptor:
        for _ in range(2):
            with pytest.raises(NoWorker, match="Landlock: Function not implemented"):
                pool.run(descriptor, Order())
        assert pool.pids == ()
    (notice,) = board.notices()
    assert notice.cause.startswith("no picture is decoded")
    assert 'sandbox = "prefer"' in notice.cure


def test_who_prefers_to_goes_on_without_a_sandbox_and_is_told() -> None:
    board = NoticeBoard()
    with closing(WorkerPool(1, Limits(), command=OLD_KERNEL, board=board)) as pool:
        assert run(pool, picture("PNG")).features is not None
        # The filter that stands for the old kernel is seen as well.
        assert pool.protection is not None
        assert not pool.protection.is_full
        assert pool.protection.landlock == 0
        assert "Landlock" in pool.protection.missing
    (notice,) = board.notices()
    assert notice.cause.startswith("the sandbox of the decoders is not in force")


@pytest.mark.parametrize("extra", ["HEIF", "JXL"])
def test_the_readers_of_extras_work_in_the_sandbox(extra: str) -> None:
    module = pytest.importorskip({"HEIF": "pillow_heif", "JXL": "pillow_jxl"}[extra])
    if extra == "HEIF":
        module.register_heif_opener()
    file = io.BytesIO()
    Image.linear_gradient("L").resize((700, 500)).convert("RGB").save(file, extra)
    with closing(WorkerPool(1, Limits(), needs_sandbox=True)) as pool:
        outcome = run(pool, file.getvalue(), Order(turns=True, pixels=True))
    assert outcome.features is not None
    assert (outcome.features.width, outcome.features.height) == (700, 500)


def test_a_format_that_is_not_on_the_list_reaches_no_decoder() -> None:
    with closing(WorkerPool(1, Limits(), needs_sandbox=True)) as pool:
        for data in (b"%!PS-Adobe-3.0 EPSF-3.0\n", b"8BPS\0\1" + bytes(60), b"\xc5\xd0\xd3\xc6"):
            with file_of(data) as descriptor, pytest.raises(FileFailure) as caught:
                pool.run(descriptor, Order())
            assert caught.value.reason == FailureReason.UNSUPPORTED


def test_the_quick_decoders_work_in_the_sandbox() -> None:
    # They would be left out in silence, and Pillow take their place. Each is warm before.
    command = [sys.executable, "-m", "tests.workers.quick_decoders"]
    assert subprocess.run(command, timeout=60, check=False).returncode == 0


_BORDER_STEPS = 4


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_a_lack_of_memory_ends_no_worker_and_is_told_as_without_extras(mode: str) -> None:
    # Rust would end the process, and a good picture be left out as one that crashes decoders.
    noise = np.random.default_rng(1).integers(0, 256, (500, 700, 4), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(file, "PNG", compress_level=1)
    room = [*range(1 << 19, 10 << 20, 3 << 17), 34 << 20, 36 << 20, 40 << 20]
    found = dispositions(file.getvalue(), room, COMMAND)
    without = dispositions(file.getvalue(), room, WITHOUT_EXTRAS)
    assert set(found) == set(without) == {"", FailureReason.OUT_OF_MEMORY}
    # Two processes with the same limit differ in where their memory lies, so the border is wide.
    assert abs(found.count("") - without.count("")) <= _BORDER_STEPS
    assert found[-1] == ""


def dispositions(data: bytes, room: Sequence[int], command: Sequence[str]) -> list[str]:
    """Read a file within each of several limits of memory; return why not, or nothing."""
    reasons = []
    with closing(Template(command)) as template:
        for most in room:
            limits = Limits(max_memory=most)
            with closing(WorkerPool(1, limits, template=template)) as pool:
                try:
                    run(pool, data, Order(turns=True, pixels=True))
                    reasons.append("")
                except FileFailure as failure:
                    reasons.append(failure.reason)
                assert pool.deaths == 0
    return reasons
