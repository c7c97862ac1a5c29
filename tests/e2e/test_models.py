"""Models are added, used and removed through the real client and the real daemon."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.home import Home
from tests.learned import made_models as made

SETTINGS = """
[models.made]
file = "{file}"
side = 16
layout = "nhwc"
dtype = "uint8"
"""


def test_a_model_of_ones_own_is_added_used_and_removed(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "made.onnx"
    file.write_bytes(made.model())
    home.configure(SETTINGS.format(file=file))
    assert "the model made was not added yet: pspc model add made" in home.pspc("model")
    home.pspc("model", "add", "made")
    home.pspc("model", "use", "made")
    assert home.run("pspc", "model", "remove", "made").returncode == 2
    models = {model["name"]: model for model in home.document("model")["models"]}
    facts = models["made"]
    assert (facts["usable"], facts["chosen"], facts["dimension"]) == (True, True, made.DIMENSION)
    assert facts["key"].startswith("made@")
    home.pspc("stop")
    home.configure("")
    assert "no [models.made] any more" in home.pspc("model")
    home.pspc("model", "remove", "made")
    assert "made" not in home.pspc("model")


def test_a_file_that_is_no_model_is_told_and_the_daemon_goes_on(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "text.onnx"
    file.write_text("no model")
    add = ("pspc", "model", "add", "dinov2-small", "--file", file)
    refused = home.run(*add)
    assert refused.returncode == 2
    assert b"no ONNX model, or was cut short" in refused.stderr
    file.write_bytes(made.model())
    assert b"no input 'pixel_values'; there is 'image'" in home.run(*add).stderr
    assert home.status()["pid"] == home.pid()
