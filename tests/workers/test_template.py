"""Workers that a template forks: confined, lost and replaced as those that are started."""

from __future__ import annotations

import io
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from pspd.core.model import FailureReason, ImageId, Limits
from pspd.errors import FileFailure, NoWorker
from pspd.workers import sandbox, template_process
from pspd.workers import template as template_module
from pspd.workers.child import ForkedChild
from pspd.workers.handle import COMMAND, WorkerHandle, WorkerStartError
from pspd.workers.messages import Order
from pspd.workers.pool import WorkerPool
from pspd.workers.starting import START_SECONDS
from pspd.workers.template import MOST_FAILURES, Template, TemplateError
from tests.reliability.hostile.watching import children_of
from tests.workers import forbidden_acts
from tests.workers.test_sandbox import BITMAP, result_of
from tests.workers.test_workers import file_of, picture, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody forks workers")

MALICIOUS = (sys.executable, "-P", str(Path(__file__).with_name("malicious_template.py")))
ODD = (sys.executable, "-P", str(Path(__file__).with_name("odd_template.py")))
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
    template.renew(1)
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


def worker_of(template: Template) -> WorkerHandle:
    return WorkerHandle(COMMAND, Limits(), nice=0, template=template)


def crash(pool: WorkerPool) -> None:
    """Have the pool's worker crash; it must be the only one."""
    with file_of(picture("PNG")) as descriptor, pytest.raises(FileFailure, match="killed by"):
        pool.run(descriptor, Order(), is_known=killing(pool, signal.SIGBUS))


def test_a_worker_that_does_not_get_ready_is_told_even_when_its_template_is_gone() -> None:
    with closing(Template((*ODD, "mute worker"))) as template:
        worker = worker_of(template)
        with pytest.raises(WorkerStartError, match="no worker today"):
            worker.wait_until_ready()
        worker.end()
        worker = worker_of(template)
        template.close()
        with pytest.raises(WorkerStartError):
            worker.wait_until_ready()
        worker.end()


def test_nobody_who_starts_a_template_waits_for_who_forks() -> None:
    with closing(Template((*ODD, "hang"))) as template:
        forking = threading.Thread(target=lambda: forks_nothing(template))
        forking.start()
        while template.pid is None:
            assert forking.is_alive()
        template.start()
        assert forking.is_alive()
        template.close()
        forking.join()


def forks_nothing(template: Template) -> None:
    with pytest.raises(TemplateError):
        template.fork(0)


class Watched(Template):
    """Says when it last failed."""

    failed = 0.0

    def fork(self, descriptor: int) -> ForkedChild:
        try:
            return super().fork(descriptor)
        except TemplateError:
            self.failed = time.monotonic()
            raise


def test_a_template_that_hangs_takes_nothing_of_its_workers_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pspd.workers.template.START_SECONDS", 0.1)
    with closing(Watched((*ODD, "hang"))) as template:
        worker = worker_of(template)
        assert template.failed
        assert worker._deadline >= template.failed + START_SECONDS
        worker.wait_until_ready()
        worker.end()


def test_the_fallback_has_time_left_by_default() -> None:
    assert template_module.START_SECONDS < START_SECONDS


def test_a_worker_that_no_template_forked_costs_none(pool: WorkerPool, template: Template) -> None:
    assert template.pid is not None
    os.kill(template.pid, signal.SIGKILL)
    run(pool, picture("PNG"))
    assert template.pid is None
    template.start()
    maker = template.pid
    assert maker is not None
    crash(pool)
    assert template.pid == maker


def test_only_the_present_templates_workers_cost_it(pool: WorkerPool, template: Template) -> None:
    with closing(WorkerPool(1, Limits(), template=template)) as other:
        run(other, picture("PNG"))
        run(pool, picture("PNG"))
        crash(pool)
        successor = template.pid
        assert successor is not None
        crash(other)
        assert template.pid == successor


def test_after_a_crash_no_worker_with_the_same_addresses_is_lent(template: Template) -> None:
    with (
        closing(WorkerPool(2, Limits(), template=template)) as pool,
        file_of(picture("PNG")) as descriptor,
    ):
        first: list[int] = []

        def crash_one(_image_id: ImageId) -> bool:
            """With the other worker idle, which is of the same template."""
            run(pool, picture("JPEG"))
            first.extend(pool.pids)
            os.kill(running(first), signal.SIGBUS)
            return False

        def running(pids: list[int]) -> int:
            (worker,) = pool._workers.difference(pool._idle)
            assert worker.pid in pids
            return worker.pid

        with pytest.raises(FileFailure, match="SIGBUS"):
            pool.run(descriptor, Order(), is_known=crash_one)
        assert len(first) == 2
        run(pool, picture("PNG"))
        assert set(first).isdisjoint(pool.pids)


def test_a_template_that_nobody_asks_any_more_is_not_renewed(template: Template) -> None:
    template._failures = MOST_FAILURES
    template.renew(1)
    assert template.pid is None


def test_that_a_template_fails_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with closing(Template((*ODD, "dying word"))) as template:
        for _ in range(MOST_FAILURES + 1):
            forks_nothing(template)
    events = [(each.getMessage(), getattr(each, "psp_fields", {})) for each in caplog.records]
    assert [event for event, _ in events] == [
        *["the template forked no worker"] * MOST_FAILURES,
        "no template is asked any more: workers take longer to start",
    ]
    assert all(fields["reason"] == "this template does not work" for _, fields in events)


def test_the_end_of_a_template_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    test_nobody_who_starts_a_template_waits_for_who_forks()
    assert not caplog.records


def test_a_template_that_ends_as_it_forks_leaves_a_worker_that_somebody_knows() -> None:
    with closing(Template((*ODD, "cut"))) as template:
        before = set(children_of(os.getpid()))
        worker = worker_of(template)
        assert worker.template is not None
        worker.wait_until_ready()
        worker.end()
    assert set(children_of(os.getpid())) <= before


def test_a_worker_that_comes_too_late_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Template((*ODD, "late"))) as template:
        before = set(children_of(os.getpid()))
        monkeypatch.setattr("pspd.workers.template.ANSWER_SECONDS", 0.1)
        first = worker_of(template)
        assert first.template is not None
        second = worker_of(template)
        assert second.template is None
        assert set(children_of(os.getpid())) == before | {first.pid, second.pid}
        first.end()
        second.end()


def test_a_template_is_closed_in_time_though_another_thread_has_it() -> None:
    template = Template((*ODD, "hang"))
    template.start()
    pid = template.pid
    assert pid is not None
    with template._lock:
        template.close(time.monotonic())
    # Whoever had it finds that it is closed.
    forks_nothing(template)
    template.start()
    template.renew(1)
    template.close()
    assert template.pid is None
    assert only_gone(pid)
