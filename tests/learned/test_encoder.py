"""The encoder outlives its process, whatever becomes of that, and its callers are told."""

from __future__ import annotations

import hashlib
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pspd.errors import EncodingFailed, EncodingLate, ModelMissing, ModelUnusable
from pspd.learned.catalogue import ModelSpec, OpenModel, key_of
from pspd.learned.encoder import COMMAND, Encoder
from pspd.learned.encoder_life import Options
from pspd.learned.onnx_encoder import OnnxEncoder
from tests.learned import made_models as made
from tests.learned import misbehaving_encoder as odd
from tests.learned.pictures import noise, plain

ODD_COMMAND = (sys.executable, "-P", odd.__file__)

PLAIN = Options()

Make = Callable[..., Encoder]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes encoders of a model's bytes, and ends them."""
    made_encoders: list[Encoder] = []

    def make_encoder(
        model: bytes,
        spec: ModelSpec = made.SPEC,
        options: Options = PLAIN,
        *,
        sha256: str | None = None,
        command: tuple[str, ...] = COMMAND,
    ) -> Encoder:
        file = tmp_path / f"{len(made_encoders)}.onnx"
        file.write_bytes(model)
        digest = hashlib.sha256(model).hexdigest() if sha256 is None else sha256

        def open_model() -> OpenModel:
            return OpenModel(spec, digest, key_of(spec, digest), os.open(file, os.O_RDONLY))

        encoder = Encoder(open_model, options, command=command)
        made_encoders.append(encoder)
        return encoder

    yield make_encoder
    for encoder in made_encoders:
        encoder.close()


def process_of(encoder: Encoder) -> int:
    life = encoder._life
    assert life is not None
    return life.child.pid


def test_the_process_gives_what_the_model_gives_here(make: Make) -> None:
    pictures = [noise(seed) for seed in range(37)]
    rows = make(made.model()).encode(pictures, math.inf)
    np.testing.assert_array_equal(rows, OnnxEncoder(made.model(), made.INTERFACE).encode(pictures))


def test_no_pictures_have_no_descriptors(make: Make) -> None:
    assert make(made.model()).encode([], math.inf).shape == (0, made.DIMENSION)


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
def test_a_model_is_loaded_and_run_in_all_of_the_sandbox(make: Make) -> None:
    encoder = make(made.model(), options=Options(threads=2))
    encoder.encode([noise(1)], math.inf)
    assert encoder.protection.is_full, encoder.protection


@pytest.mark.skipif(sys.platform != "linux", reason="as its /proc says")
def test_an_encoder_in_the_background_yields_to_everything(make: Make) -> None:
    encoder = make(made.model(), options=Options(nice=19))
    encoder.encode([noise(1)], math.inf)
    pid = process_of(encoder)
    assert os.sched_getscheduler(pid) == os.SCHED_IDLE
    assert Path(f"/proc/{pid}/comm").read_text().strip() == "pspd-encoder"
    # Where the runtime had a thread of its own for telemetry, the sandbox would not be full.
    assert b"ORT_DISABLE_TELEMETRY" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_an_idle_encoder_ends_and_the_next_picture_starts_another(make: Make) -> None:
    encoder = make(made.model(), options=Options(idle_seconds=0.01))
    first = encoder.encode([noise(1)], math.inf)
    pid = process_of(encoder)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    np.testing.assert_array_equal(encoder.encode([noise(1)], math.inf), first)
    assert process_of(encoder) != pid


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (odd.DIE, "killed by signal 6"),
        (odd.EXIT, "exited with 3"),
        (odd.LIE, "no unit vector"),
        (odd.SHORT, "28 bytes for 1 pictures"),
        (odd.LONG, "64 bytes for 1 pictures"),
    ],
)
def test_a_process_that_dies_or_lies_costs_its_batch_alone(
    make: Make, what: int, said: str
) -> None:
    encoder = make(made.model(), command=ODD_COMMAND)
    with pytest.raises(EncodingFailed, match=said):
        encoder.encode([plain(what, 0, 0)], math.inf)
    encoder.end()
    assert encoder.encode([plain(200, 0, 0)], math.inf).shape == (1, made.DIMENSION)


def test_after_a_death_it_is_not_started_again_at_once(make: Make) -> None:
    encoder = make(made.model(), command=ODD_COMMAND)
    for _ in range(3):
        with pytest.raises(EncodingFailed, match="signal 6"):
            encoder.encode([plain(odd.DIE, 0, 0)], math.inf)
    assert encoder._life is None
    deadline = time.monotonic() + 60.0
    while encoder._life is None:
        assert time.monotonic() < deadline
        try:
            encoder.encode([plain(200, 0, 0)], deadline)
        except EncodingFailed as error:
            assert "signal 6" in str(error)  # noqa: PT017 - until it is tried again


def test_one_that_was_killed_while_idle_has_failed_nobody(make: Make) -> None:
    encoder = make(made.model())
    first = encoder.encode([noise(1)], math.inf)
    os.kill(process_of(encoder), signal.SIGKILL)
    os.waitid(os.P_PID, process_of(encoder), os.WEXITED | os.WNOWAIT)
    np.testing.assert_array_equal(encoder.encode([noise(1)], math.inf), first)


def test_a_deadline_is_kept_and_the_encoder_goes_on(make: Make) -> None:
    encoder = make(made.model())
    with pytest.raises(EncodingLate, match="still being started"):
        encoder.encode([noise(1)], time.monotonic())
    pid = process_of(encoder)
    encoder.encode([noise(1)], math.inf)
    assert process_of(encoder) == pid


def test_a_reply_that_came_too_late_is_nobody_elses(make: Make) -> None:
    encoder = make(made.model())
    encoder.encode([], math.inf)
    life = encoder._life
    assert life is not None
    os.kill(life.child.pid, signal.SIGSTOP)
    with pytest.raises(EncodingLate, match="not ready in time"):
        encoder.encode([plain(255, 0, 0)], time.monotonic() + 0.05)
    with pytest.raises(EncodingLate):
        encoder.encode([plain(0, 0, 255)], time.monotonic() + 0.05)
    os.kill(life.child.pid, signal.SIGCONT)
    blue = encoder.encode([plain(0, 0, 255)], math.inf)
    assert encoder._life is life
    np.testing.assert_array_equal(
        blue, OnnxEncoder(made.model(), made.INTERFACE).encode([plain(0, 0, 255)])
    )


def test_an_endless_model_keeps_nobody_beyond_the_deadline_and_is_ended_at_the_close(
    make: Make,
) -> None:
    encoder = make(made.endless())
    encoder.encode([], math.inf)
    with pytest.raises(EncodingLate):
        encoder.encode([plain(255, 0, 0)], time.monotonic() + 0.1)
    failures: list[Exception] = []
    begun = threading.Event()

    def ask() -> None:
        begun.set()
        try:
            encoder.encode([plain(255, 0, 0)], math.inf)
        except EncodingFailed as error:
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    begun.wait()
    encoder.close()
    thread.join()
    assert len(failures) == 1


def test_a_hung_model_is_ended(make: Make) -> None:
    encoder = make(made.endless(), options=Options(batch_seconds=0.1))
    with pytest.raises(EncodingFailed, match=r"nothing within 0\.1 s"):
        encoder.encode([plain(255, 0, 0)], math.inf)


def test_a_hung_model_does_not_outlive_a_daemon_that_was_killed(make: Make) -> None:
    encoder = make(made.endless(), options=Options(batch_seconds=0.1))
    encoder.encode([], math.inf)
    life = encoder._life
    assert life is not None
    with pytest.raises(EncodingLate):
        encoder.encode([plain(255, 0, 0)], time.monotonic() + 0.05)
    # Nobody waits for it any more, as after a kill.
    life._channel.close()
    assert life.child.end_status() == -signal.SIGALRM


def test_want_of_memory_in_a_model_is_an_error_and_the_daemon_lives(make: Make) -> None:
    encoder = make(made.insatiable(), options=Options(max_memory=512 << 20))
    with pytest.raises(EncodingFailed, match="not enough memory"):
        encoder.encode([noise(1)], math.inf)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (b"not a model", "no ONNX model, or was cut short"),
        (made.model()[:-1], "no ONNX model, or was cut short"),
        (made.model(input="other"), "no input"),
    ],
    ids=["text", "cut short", "other inputs"],
)
def test_a_file_that_is_not_the_model_is_refused(make: Make, model: bytes, said: str) -> None:
    encoder = make(model)
    for _ in range(2):
        with pytest.raises(ModelUnusable, match=said):
            encoder.encode([noise(1)], math.inf)


def test_another_file_than_was_added_is_refused(make: Make) -> None:
    with pytest.raises(ModelUnusable, match=f"SHA-256 is {'[0-9a-f]' * 64}, not {'0' * 64}"):
        make(made.model(), sha256="0" * 64).encode([noise(1)], math.inf)


def test_without_the_runtime_the_message_names_the_extra(make: Make, tmp_path: Path) -> None:
    (tmp_path / "onnxruntime.py").write_text("raise ImportError('libonnxruntime.so: not here')\n")
    program = tmp_path / "encoder.py"
    program.write_text(
        f"import sys\nsys.path[:0] = [{os.fspath(tmp_path)!r}]\n"
        "from pspd.learned import encoder_process\nencoder_process.main()\n"
    )
    encoder = make(made.model(), command=(sys.executable, "-P", os.fspath(program)))
    with pytest.raises(ModelMissing, match=r"pip install 'picsearchpic\[learned\]'.*not here"):
        encoder.encode([noise(1)], math.inf)


def test_a_process_that_does_not_start_tells_its_last_words(make: Make) -> None:
    command = (sys.executable, "-c", "import sys; sys.exit('no such thing')")
    with pytest.raises(EncodingFailed, match="exited with 1: no such thing"):
        make(made.model(), command=command).encode([noise(1)], math.inf)
    with pytest.raises(EncodingFailed, match="cannot be started: No such file"):
        make(made.model(), command=("/nowhere/python",)).encode([noise(1)], math.inf)


@pytest.mark.parametrize(
    "view",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((1025, 1024, 3), np.uint8),
    ],
)
def test_what_is_no_view_is_refused_at_once(make: Make, view: np.ndarray) -> None:
    with pytest.raises(ValueError, match="view"):
        make(made.model()).encode([view], math.inf)


def test_several_threads_are_served_one_after_the_other(make: Make) -> None:
    encoder = make(made.model())
    rows: dict[int, np.ndarray] = {}
    threads = [
        threading.Thread(
            target=lambda seed=seed: rows.update({seed: encoder.encode([noise(seed)], math.inf)})
        )
        for seed in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    here = OnnxEncoder(made.model(), made.INTERFACE)
    for seed, row in rows.items():
        np.testing.assert_array_equal(row, here.encode([noise(seed)]))


def test_an_unconfined_encoder_is_none_where_a_sandbox_is_needed(make: Make) -> None:
    program = (
        "from pspd.learned import encoder_process as e\n"
        "from pspd.workers.messages import Protection\n"
        "e.enter_sandbox = lambda limits: Protection(missing='no Landlock here')\ne.main()\n"
    )
    command = (sys.executable, "-P", "-c", program)
    with pytest.raises(EncodingFailed, match="no Landlock here"):
        make(made.model(), options=Options(needs_sandbox=True), command=command).encode(
            [noise(1)], math.inf
        )
    lenient = make(made.model(), options=Options(needs_sandbox=False), command=command)
    assert lenient.encode([noise(1)], math.inf).shape == (1, made.DIMENSION)


def test_the_spec_decides_how_pictures_are_prepared(make: Make) -> None:
    preparing = replace(made.INTERFACE.preprocessing, resize="crop")
    spec = replace(made.SPEC, interface=replace(made.INTERFACE, preprocessing=preparing))
    picture = np.concatenate(
        [plain(255, 0, 0, width=20, height=10), plain(0, 0, 255, width=40, height=10)], axis=1
    )
    whole = make(made.model()).encode([picture], math.inf)
    middle = make(made.model(), spec).encode([picture], math.inf)
    assert float((whole @ middle.T)[0, 0]) < 0.999
