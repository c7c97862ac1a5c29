"""The models of the package, where it is installed, tell copies from other pictures."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pspd.errors import ModelMissing
from pspd.learned.catalogue import CATALOGUE, Package
from pspd.learned.installed import Models
from pspd.learned.onnx_encoder import OnnxEncoder
from pspd.learned.packaged import packaged_file
from pspd.learned.preprocessing import Pixels
from pspd.learned.trial import try_model
from tests.learned.pictures import noise, plain

NAMES = [name for name, spec in CATALOGUE.items() if isinstance(spec.source, Package)]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    spec = CATALOGUE[request.param]
    assert isinstance(spec.source, Package)
    try:
        packaged_file(spec.source)
    except ModelMissing as error:
        pytest.skip(str(error))
    return str(request.param)


@pytest.fixture
def encoder(name: str, tmp_path: Path) -> OnnxEncoder:
    model = Models(tmp_path).open(name)
    data = os.pread(model.descriptor, os.fstat(model.descriptor).st_size, 0)
    os.close(model.descriptor)
    return OnnxEncoder(data, model.spec.interface)


def landscape(seed: int) -> Pixels:
    """Draw hills and a sun, others for each seed."""
    generator = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(0, 1, 384), np.linspace(0, 1, 288))
    picture = np.zeros((288, 384, 3))
    picture[:] = generator.uniform(100, 255, 3) * (1 - 0.4 * y[..., None])
    for depth in range(4):
        waves = sum(np.sin(generator.uniform(2, 25) * x + generator.uniform(0, 9)) for _ in "abc")
        hill = y > 0.4 + 0.13 * depth + 0.05 * waves
        picture[hill] = generator.uniform(20, 230, 3)
    sun = (x - generator.uniform()) ** 2 + (y - generator.uniform(0, 0.4)) ** 2 < 0.006
    picture[sun] = (255, 250, 200)
    noisy = picture + generator.normal(0, 6, picture.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def test_the_package_has_the_file_that_the_catalogue_names(name: str, tmp_path: Path) -> None:
    model = Models(tmp_path).open(name)
    assert try_model(model) == 512
    os.close(model.descriptor)


def test_copies_are_nearer_than_any_other_picture(encoder: OnnxEncoder) -> None:
    originals = [landscape(seed) for seed in range(12)]
    rows = encoder.encode(originals)
    image = Image.fromarray(originals[0])
    copies = [
        image.crop((40, 30, 344, 258)),
        image.resize((190, 140)),
        image.convert("L").convert("RGB"),
        image.rotate(5, fillcolor="white"),
    ]
    cosines = encoder.encode([np.asarray(copy) for copy in copies]) @ rows.T
    assert (cosines.argmax(axis=1) == 0).all()


def test_a_batch_gives_what_its_pictures_give_alone(encoder: OnnxEncoder) -> None:
    pictures = [noise(seed) for seed in range(6)]
    together = encoder.encode(pictures)
    alone = np.concatenate([encoder.encode([picture]) for picture in pictures])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("picture", [plain(0, 0, 0), plain(255, 255, 255, width=1, height=1)])
def test_blank_and_tiny_pictures_have_descriptors(encoder: OnnxEncoder, picture: Pixels) -> None:
    (row,) = encoder.encode([picture])
    assert abs(float(np.linalg.norm(row)) - 1.0) < 1e-5
