"""The systemd unit: valid, hardened, and possible for the libraries that run under it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNIT = Path(__file__).resolve().parents[1] / "systemd" / "pspd.service"
ANALYZE = shutil.which("systemd-analyze")
REMOTE = UNIT.with_name("pspd-remote.conf")

DECODE_WITHOUT_WRITABLE_CODE = """
import ctypes, io, mmap, sys
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0):
    sys.exit("kernel too old")
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
except PermissionError:
    pass
import lmdb, msgspec, numpy, watchdog.observers, zmq
from PIL import Image
pixels = numpy.arange(64 * 64, dtype=numpy.float32).reshape(64, 64) / 16
pixels @ pixels
image = Image.fromarray(pixels.astype(numpy.uint8))
for name in ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"):
    file = io.BytesIO()
    image.save(file, name)
    Image.open(file).load()
print("decoded")
"""


def directives() -> list[str]:
    lines = UNIT.read_text().splitlines()
    return [line for line in lines if line and not line.startswith(("#", "["))]


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as installed, with a command that exists."""
    installed = tmp_path / "pspd.service"
    text = UNIT.read_text().replace("\nExecStart=pspd\n", f"\nExecStart={sys.executable}\n")
    installed.write_text(text)
    return installed


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("manager", ["--user", "--system"])
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path, manager: str) -> None:
    assert ANALYZE
    environ = {"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    command = [ANALYZE, manager, "verify", str(unit)]
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environ, timeout=60
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_wrong_with_the_network_given_back(
    unit: Path, tmp_path: Path
) -> None:
    assert ANALYZE
    unit.write_text(unit.read_text() + REMOTE.read_text())
    environ = {"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    result = subprocess.run(
        [ANALYZE, "--user", "verify", str(unit)],
        capture_output=True, text=True, check=False, env=environ, timeout=60,
    )  # fmt: skip
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_installing_finds_the_lines_it_replaces() -> None:
    assert directives().count("ExecStart=pspd") == 1
    assert directives().count("ReadWritePaths=%h/.local/share/psp") == 1


def test_failures_that_a_restart_cannot_cure_are_not_restarted() -> None:
    assert "RestartPreventExitStatus=75 78" in directives()


@pytest.mark.skipif(sys.platform != "linux", reason="MemoryDenyWriteExecute is Linux's")
def test_the_libraries_need_no_memory_that_is_writable_and_executable() -> None:
    command = [sys.executable, "-c", DECODE_WITHOUT_WRITABLE_CODE]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if "kernel too old" in result.stderr:
        pytest.skip("PR_SET_MDWE came with Linux 6.3")
    assert (result.returncode, result.stdout) == (0, "decoded\n"), result.stderr
