"""Workers that a template forks: confined, lost and replaced as those that are started."""

from __future__ import annotations

import io
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from pspd.core.model import FailureReason, ImageId, Limits
from pspd.errors import FileFailure, NoWorker
from pspd.workers import sandbox, template_process
from pspd.workers.messages import Order
from pspd.workers.pool import WorkerPool
from pspd.workers.template import MOST_FAILURES, Template, TemplateError
from tests.workers import forbidden_acts
from tests.workers.test_sandbox import BITMAP, result_of
from tests.workers.test_workers import file_of, picture, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody forks workers")

MALICIOUS = (sys.executable, "-P", str(Path(__file__).with_name("malicious_template.py")))
QUICK = Limits(max_seconds=0.5)


@pytest.fixture
def template() -> Iterator[Template]:
    with closing(Template()) as template:
        template.start()
        yield template


@pytest.fixture
def pool(template: Template) -> Iterator[WorkerPool]:
    with closing(WorkerPool(1, Limits(), needs_sandbox=True, template=template)) as pool:
        yield pool


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def only(pool: WorkerPool) -> int:
    (pid,) = pool.pids
    return pid


def killing(pool: WorkerPool, number: signal.Signals) -> Callable[[ImageId], bool]:
    """Return what sends the worker a signal before it decodes."""

    def is_known(_image_id: ImageId) -> bool:
        os.kill(only(pool), number)
        return False

    return is_known


def broken() -> bytes:
    """Return a picture of which a decoder stops half-way."""
    data = bytearray(picture("PNG", (300, 200)))
    middle = data.index(b"IDAT") + 200
    data[middle : middle + 100] = bytes(100)
    return bytes(data)


def test_a_forked_worker_answers_as_one_that_is_started(pool: WorkerPool) -> None:
    with closing(WorkerPool(1, Limits())) as started:
        for format_ in ("PNG", "JPEG", "WEBP"):
            order = Order(turns=True, pixels=True)
            assert run(pool, picture(format_), order) == run(started, picture(format_), order)


def test_a_forked_worker_is_a_child_of_ours_with_nothing_of_the_templates(
    pool: WorkerPool, template: Template
) -> None:
    run(pool, picture("PNG"))
    pid = only(pool)
    status = status_of(pid)
    assert pid != template.pid
    assert b"pspd.workers.template_process" in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert (status["PPid"], status["Name"]) == (str(os.getpid()), sandbox.NAME)
    assert os.getsid(pid) == pid
    found = [os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir()]
    assert sorted(each.partition(":")[0] for each in found) == [*["/dev/null"] * 3, "socket"]
    assert status["Threads"] == "1"
    assert Path(f"/proc/{pid}/oom_score_adj").read_text(encoding="ascii") == "800\n"


def test_a_forked_worker_is_confined(pool: WorkerPool, template: Template) -> None:
    run(pool, picture("PNG"))
    assert pool.protection is not None
    assert pool.protection.is_full
    status = status_of(only(pool))
    assert (status["Seccomp"], status["NoNewPrivs"], status["CapEff"]) == ("2", "1", "0" * 16)
    assert template.pid is not None
    assert status_of(template.pid)["Seccomp"] == status_of(os.getpid())["Seccomp"]


def test_a_malicious_decoder_in_a_forked_worker_is_refused_whatever_it_tries() -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("the acts are system calls of x86_64 by number")
    with (
        closing(Template(MALICIOUS)) as template,
        closing(WorkerPool(1, Limits(), needs_sandbox=True, template=template)) as pool,
    ):
        results = {act: result_of(pool, act) for act in forbidden_acts.FORBIDDEN}
        assert pool.deaths == 0
        assert result_of(pool, "start a thread") == "done"
        with (
            file_of(BITMAP.ljust(63, b"\0") + b"!abort") as descriptor,
            pytest.raises(FileFailure, match="SIGABRT"),
        ):
            pool.run(descriptor, Order())
    assert results.pop("clone3") == "ENOSYS"
    assert {act: result for act, result in results.items() if result != "EPERM"} == {}


def test_a_forked_worker_has_as_much_memory_as_one_that_is_started(template: Template) -> None:
    file = io.BytesIO()
    Image.new("RGB", (6000, 5000)).save(file, "PNG")
    for forks in (template, None):
        pool = WorkerPool(1, Limits(max_memory=64 << 20), template=forks)
        with closing(pool), file_of(file.getvalue()) as descriptor:
            with pytest.raises(FileFailure) as caught:
                pool.run(descriptor, Order())
            assert caught.value.reason == FailureReason.OUT_OF_MEMORY
            assert run(pool, picture("JPEG")).features is not None


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_how_a_forked_worker_died_is_told(pool: WorkerPool, number: signal.Signals) -> None:
    with (
        file_of(picture("PNG")) as descriptor,
        pytest.raises(FileFailure, match=f"killed by {number.name}"),
    ):
        pool.run(descriptor, Order(), is_known=killing(pool, number))
    assert run(pool, picture("PNG")).features is not None
    assert pool.deaths == 1


def test_a_forked_worker_that_hangs_is_killed(template: Template) -> None:
    pool = WorkerPool(1, QUICK, template=template)
    with closing(pool), file_of(picture("PNG")) as descriptor:
        run(pool, picture("PNG"))
        pid = only(pool)
        with pytest.raises(FileFailure) as caught:
            pool.run(descriptor, Order(), is_known=killing(pool, signal.SIGSTOP))
        assert caught.value.reason == FailureReason.TIMEOUT
        assert only_gone(pid)


def only_gone(pid: int) -> bool:
    """Say whether a process has ended, and somebody has waited for it."""
    return not Path(f"/proc/{pid}").exists()


def test_a_spent_worker_is_replaced_by_the_same_template(
    pool: WorkerPool, template: Template
) -> None:
    run(pool, picture("PNG"))
    pid, maker = only(pool), template.pid
    with file_of(broken()) as descriptor, pytest.raises(FileFailure) as caught:
        pool.run(descriptor, Order())
    assert caught.value.reason == FailureReason.BROKEN
    run(pool, picture("PNG"))
    assert only(pool) != pid
    assert only_gone(pid)
    assert template.pid == maker
    assert pool.deaths == 0


def test_after_a_lost_worker_there_is_another_template(
    pool: WorkerPool, template: Template
) -> None:
    run(pool, picture("PNG"))
    maker = template.pid
    with file_of(picture("PNG")) as descriptor, pytest.raises(FileFailure):
        pool.run(descriptor, Order(), is_known=killing(pool, signal.SIGBUS))
    assert template.pid not in {None, maker}


def test_a_template_that_was_killed_is_replaced_and_its_worker_lives_on(
    pool: WorkerPool, template: Template
) -> None:
    run(pool, picture("PNG"))
    pid, maker = only(pool), template.pid
    assert maker is not None
    os.kill(maker, signal.SIGKILL)
    run(pool, picture("PNG"))
    assert only(pool) == pid
    with file_of(broken()) as descriptor, pytest.raises(FileFailure):
        pool.run(descriptor, Order())
    # One is started without it, the next by its successor.
    run(pool, picture("PNG"))
    with file_of(broken()) as descriptor, pytest.raises(FileFailure):
        pool.run(descriptor, Order())
    run(pool, picture("PNG"))
    assert template.pid not in {None, maker}
    assert only_gone(maker)


@pytest.mark.parametrize(
    "command", [("/nonexistent",), ("sh", "-c", "exit 1"), ("sh", "-c", "echo x >&$0")]
)
def test_where_no_template_works_workers_are_started_without(command: tuple[str, ...]) -> None:
    with (
        closing(Template(command)) as template,
        closing(WorkerPool(1, Limits(), template=template)) as pool,
    ):
        for _ in range(MOST_FAILURES + 1):
            assert run(pool, picture("PNG")).features is not None
            with file_of(broken()) as descriptor, pytest.raises(FileFailure):
                pool.run(descriptor, Order())
        assert template.pid is None
        assert pool.deaths == 0


def test_started_pools_have_their_workers_forked_in_the_background(template: Template) -> None:
    pool = WorkerPool(2, Limits(), template=template)
    pool.start()
    with closing(pool):
        assert run(pool, picture("PNG")).features is not None
    with pytest.raises(NoWorker):
        run(pool, picture("PNG"))


def test_a_closed_template_forks_nothing_and_leaves_no_process(pool: WorkerPool) -> None:
    template = Template()
    template.start()
    pid = template.pid
    assert pid is not None
    template.close()
    assert only_gone(pid)
    with pytest.raises(TemplateError):
        template.fork(0)
    template.renew()
    assert template.pid is None


def test_neither_template_nor_worker_outlives_its_daemon() -> None:
    daemon = """
import sys
from pspd.core.model import Limits
from pspd.workers.template import Template
from pspd.workers.handle import COMMAND, WorkerHandle

template = Template()
worker = WorkerHandle(COMMAND, Limits(), nice=0, template=template)
worker.wait_until_ready()
print(template.pid, worker.pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-P", "-c", daemon], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        found = [os.pidfd_open(int(pid)) for pid in process.stdout.readline().split()]
        process.kill()
    assert len(found) == 2
    for each in found:
        ended, _, _ = select.select([each], [], [], 30)
        assert ended
        os.close(each)


def test_a_process_with_threads_is_no_template() -> None:
    go = threading.Event()
    thread = threading.Thread(target=go.wait)
    thread.start()
    try:
        with pytest.raises(SystemExit, match="threads"):
            template_process.require_one_thread()
    finally:
        go.set()
        thread.join()
