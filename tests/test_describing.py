"""Images are described in the background, by a real encoder and a small model."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pspd.core.model import ImageNumber, Limits, ModelKey, RootId
from pspd.describing import PAUSED, Describer, Progress
from pspd.descriptor_tier import DescriptorTier
from pspd.encoders import Encoders
from pspd.errors import EncodingFailed, ModelError
from pspd.image_reading import ImageReader
from pspd.learned.catalogue import LocalFile, ModelSpec
from pspd.learned.installed import Models
from pspd.noticeboard import NoticeBoard
from pspd.quarantine import Quarantine
from pspd.search.exact_vectors import ExactVectors
from pspd.search.vector_index import VectorIndex
from pspd.store import batch, descriptors
from pspd.workers.pool import WorkerPool
from tests.e2e.scenes import save
from tests.learned import made_models
from tests.test_indexing import Bench

NAMES = ("one", "other")
COUNT = 10


def exact(_model: ModelKey, dimensions: int) -> VectorIndex:
    return ExactVectors(dimensions)


class Describing:
    """Indexed pictures, two small models, and what describes the ones by the others."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.bench = Bench(folder / "tree", stack)
        self.store = self.bench.tree.store
        self.pictures = Path(self.bench.tree.root.path)
        for seed in range(COUNT):
            save(seed, self.pictures / f"{seed}.png")
        self.pool = WorkerPool(2, Limits())
        self.pool.start()
        stack.callback(self.pool.close)
        specs = []
        for number, name in enumerate(NAMES):
            file = folder / f"{name}.onnx"
            file.write_bytes(made_models.model(weights=made_models.WEIGHTS * (1 - 2 * number)))
            specs.append(ModelSpec(name, LocalFile(str(file)), made_models.INTERFACE))
        self.models = Models(folder / "models", specs)
        self.encoders = Encoders(self.models, 1)
        stack.callback(self.encoders.close)
        self.tier = DescriptorTier(self.store, exact)
        self.board = NoticeBoard()
        self.resting: set[RootId] = set()
        self.describer = self.made_describer()
        self.bench.start()
        self.bench.scan()
        self.bench.settle()

    def made_describer(self) -> Describer:
        quarantine = Quarantine(self.store, "this one")
        images = ImageReader(self.store, self.pool, quarantine, heeds_pauses=True)
        return Describer(
            self.store,
            self.bench.indexer,
            images,
            self.tier,
            self.models,
            self.encoders,
            self.board,
            threads=2,
            resting=lambda: frozenset(self.resting),
        )

    def use(self, name: str) -> ModelKey:
        """Add a model and have it used; returns its key."""
        state = self.models.add(name, None, lambda _model: made_models.DIMENSION)
        self.models.choose(name)
        assert state.key is not None
        return state.key

    def describe(self) -> None:
        """Describe all there is."""
        while self.describer.step():
            pass

    def described(self, model: ModelKey) -> int:
        with self.store.read() as reader:
            known = descriptors.known(reader, model)
        return 0 if known is None else known.described


@pytest.fixture
def describing(tmp_path: Path) -> Iterator[Describing]:
    (tmp_path / "tree").mkdir()
    with ExitStack() as stack:
        describing = Describing(tmp_path, stack)
        stack.callback(describing.describer.close)
        yield describing


def nearest(describing: Describing, number: int) -> list[tuple[ImageNumber, float]]:
    """Ask for the images that are nearest to one of them, by what the store has of it."""
    answering = describing.tier.answering()
    assert answering is not None
    with describing.store.read() as reader:
        kept = descriptors.descriptor(reader, answering.model, ImageNumber(number))
    assert kept is not None
    query = np.frombuffer(kept, np.int8).astype(np.float32).reshape(1, -1)
    return [(found, cosine) for found, _, cosine in answering.index.nearest(query, 3)]


def test_without_a_model_nothing_is_described_and_it_is_said_why(describing: Describing) -> None:
    describing.use("one")
    (describing.folder / "models" / "one.onnx").unlink()
    describing.describe()
    progress = describing.describer.progress()
    assert (progress.model, progress.describable) == ("", 0)
    assert "pspc model add one" in progress.problem


def test_every_image_is_described_once(describing: Describing) -> None:
    key = describing.use("one")
    describing.describe()
    assert describing.described(key) == COUNT
    assert describing.describer.progress() == Progress("one", COUNT, COUNT)
    [(number, cosine), *_] = nearest(describing, 3)
    assert number == 3
    assert cosine == pytest.approx(1.0, abs=1e-3)
    assert not describing.describer.step()


def test_a_new_image_is_described_and_one_that_is_gone_is_forgotten(
    describing: Describing,
) -> None:
    key = describing.use("one")
    describing.describe()
    save(77, describing.pictures / "new.png")
    describing.bench.scan()
    describing.bench.settle()
    describing.describe()
    assert describing.described(key) == COUNT + 1
    (describing.pictures / "new.png").unlink()
    describing.bench.scan()
    describing.bench.settle()
    describing.bench.indexer.apply([batch.ForgetOrphans(1 << 40)])
    assert describing.described(key) == COUNT
    answering = describing.tier.answering()
    assert answering is not None
    assert len(answering.index) == COUNT


def test_the_old_model_answers_until_the_new_one_is_through(describing: Describing) -> None:
    old = describing.use("one")
    describing.describe()
    new = describing.use("other")
    with describing.store.read() as reader:
        assert descriptors.undescribed(reader, new, -1, COUNT + 1) != []
    describing.describer.step()
    answering = describing.tier.answering()
    assert answering is not None
    assert answering.model in {old, new}
    describing.describe()
    answering = describing.tier.answering()
    assert answering is not None
    assert answering.model == new
    assert (describing.described(old), describing.described(new)) == (0, COUNT)


def test_a_restart_goes_on_where_it_was(describing: Describing) -> None:
    key = describing.use("one")
    describing.describe()
    describing.tier = DescriptorTier(describing.store, exact)
    describing.describer.close()
    describing.describer = describing.made_describer()
    describing.describe()
    answering = describing.tier.answering()
    assert answering is not None
    assert (answering.model, len(answering.index)) == (key, COUNT)


def test_nothing_is_described_while_it_is_paused(describing: Describing) -> None:
    key = describing.use("one")
    describing.models.pause(is_paused=True)
    describing.describe()
    assert describing.described(key) == 0
    assert describing.describer.progress() == Progress("one", 0, COUNT, PAUSED)
    describing.models.pause(is_paused=False)
    describing.describe()
    assert describing.describer.progress() == Progress("one", COUNT, COUNT)


def test_nothing_is_described_below_a_root_that_rests_until_that_is_back(
    describing: Describing,
) -> None:
    root = describing.bench.tree.root
    describing.resting.add(root.root_id)
    key = describing.use("one")
    describing.describe()
    assert describing.described(key) == 0
    assert describing.describer.progress() == Progress("one", 0, 0)
    other = describing.bench.tree.new_root(describing.folder)
    describing.describe()
    assert describing.describer.progress() == Progress("one", 0, 0)
    describing.resting.add(other.root_id)
    describing.resting.remove(root.root_id)
    describing.describe()
    assert describing.describer.progress() == Progress("one", COUNT, COUNT)


def test_what_also_lies_elsewhere_is_described_although_one_root_rests(
    describing: Describing, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "copy.png").write_bytes((describing.pictures / "3.png").read_bytes())
    describing.resting.add(describing.bench.tree.root.root_id)
    describing.bench.tree.root = describing.bench.tree.new_root(other)
    describing.bench.scan()
    describing.bench.settle()
    key = describing.use("one")
    describing.describe()
    assert describing.described(key) == 1
    assert describing.describer.progress() == Progress("one", 1, 1)
    describing.resting.clear()
    describing.describe()
    assert describing.describer.progress() == Progress("one", COUNT, COUNT)


def test_a_root_that_is_paused_just_now_is_not_read_either(describing: Describing) -> None:
    root = describing.bench.tree.root
    describing.bench.indexer.apply([batch.PutRoot(replace(root, paused=True))])
    key = describing.use("one")
    describing.describe()
    assert describing.described(key) == 0
    assert describing.describer.progress() == Progress("one", 0, 0)


def test_an_image_that_cannot_be_read_is_left_out_and_counted(describing: Describing) -> None:
    key = describing.use("one")
    (describing.pictures / "3.png").write_bytes(b"another content")
    describing.describe()
    assert describing.described(key) == COUNT - 1
    assert describing.describer.progress() == Progress("one", COUNT - 1, COUNT - 1)


def test_a_picture_of_which_a_model_makes_nothing_costs_itself(describing: Describing) -> None:
    """The model divides by zero when a picture is gray at 100."""
    spec = describing.models.state("one").spec
    assert isinstance(spec.source, LocalFile)
    Path(spec.source.path).write_bytes(made_models.without_number())
    Image.new("RGB", (64, 48), (100, 100, 100)).save(describing.pictures / "gray.png")
    describing.bench.scan()
    describing.bench.settle()
    key = describing.use("one")
    failures = 0
    while describing.described(key) < COUNT:
        try:
            describing.describe()
        except EncodingFailed:
            failures += 1
            assert failures < 5
    assert failures >= 1
    describing.describe()
    assert describing.describer.progress() == Progress("one", COUNT, COUNT)


def test_a_model_that_changed_under_its_name_is_another_one(describing: Describing) -> None:
    key = describing.use("one")
    encoder = describing.encoders.of(key, "one").background
    state = describing.models.state("one")
    spec = state.spec
    assert isinstance(spec.source, LocalFile)
    Path(spec.source.path).write_bytes(made_models.model(weights=made_models.WEIGHTS * 3))
    describing.use("one")
    with pytest.raises(ModelError, match="another one by now"):
        encoder.encode([], math.inf)
    assert replace(state, is_chosen=True).key == key
