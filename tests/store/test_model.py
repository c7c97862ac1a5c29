"""Random operations on the store and on a plain model end in the same state."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pspd.core.model import FailureReason, FileKey, FileState, ImageNumber, ModelKey
from pspd.store import batch, descriptors
from pspd.store.checking import Checker, Progress
from pspd.store.store import Store
from tests.store.records import add_root, features, image_id, stamp

names = st.sampled_from(["a", "b", "c", "d"])
contents = st.integers(0, 3)
models = st.sampled_from([ModelKey("a@0000000000000001"), ModelKey("b@00000000000000ff")])


class StoreAgainstModel(RuleBasedStateMachine):
    """The model: name → (state, content, is queued)."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(Path(self.folder.name) / "store", map_bytes=1 << 24)
        self.root = add_root(self.store)
        self.model: dict[str, tuple[FileState, int | None, bool]] = {}
        self.clock = 1
        self.described: dict[ModelKey, dict[int, bytes]] = {}
        """By model and image number; of models that described anything."""

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def key(self, name: str) -> FileKey:
        return FileKey(self.root.directory, name)

    def sequence(self, name: str) -> int:
        with self.store.read() as reader:
            record = reader.file(self.key(name))
        return record.sequence if record else 0

    @rule(name=names)
    def see(self, name: str) -> None:
        self.clock += 1
        self.store.apply([batch.FileSeen(self.key(name), stamp(self.clock))])
        self.model[name] = (FileState.PENDING, None, True)

    @rule(name=names)
    def suspect(self, name: str) -> None:
        if name in self.model:
            self.store.apply([batch.FileSuspect(self.key(name), stamp())])
            state, content, _ = self.model[name]
            self.model[name] = (state, content, True)

    @rule(name=names, content=contents)
    def index(self, name: str, content: int) -> None:
        result = batch.FileIndexed(
            self.key(name),
            self.sequence(name),
            stamp(),
            False,
            image_id(content),
            features(content),
        )
        self.store.apply([result])
        if name in self.model and self.model[name][2]:
            self.model[name] = (FileState.INDEXED, content, False)

    @rule(name=names)
    def fail(self, name: str) -> None:
        result = batch.FileFailed(
            self.key(name), self.sequence(name), stamp(), False, FailureReason.BROKEN, "x"
        )
        self.store.apply([result])
        if name in self.model and self.model[name][2]:
            self.model[name] = (FileState.FAILED, None, False)

    @rule(old=names, new=names)
    def move(self, old: str, new: str) -> None:
        if old == new or old not in self.model:
            return
        self.clock += 1
        with self.store.read() as reader:
            record = reader.file(self.key(old))
        assert record is not None
        there = record.stamp._replace(ctime_ns=self.clock)  # as a rename leaves it
        self.store.apply([batch.FileMoved(self.key(old), self.key(new), there, record.stamp)])
        state, content, _ = self.model.pop(old)
        is_indexed = state is FileState.INDEXED
        self.model[new] = (state, content, True) if is_indexed else (FileState.PENDING, None, True)

    @rule(name=names)
    def remove(self, name: str) -> None:
        self.store.apply([batch.FileGone(self.key(name))])
        self.model.pop(name, None)

    @rule()
    def forget(self) -> None:
        dropped = self.store.apply([batch.ForgetOrphans(before=1 << 40)]).dropped
        for each in self.described.values():
            for number in dropped:
                each.pop(number, None)

    @rule(model=models, number=st.integers(0, 8), value=st.integers(1, 255))
    def describe(self, model: ModelKey, number: int, value: int) -> None:
        known = batch.DescriptorsKnown(model, ImageNumber(number), bytes([value, 1]))
        applied = self.store.apply([known])
        with self.store.read() as reader:
            is_there = reader.image(ImageNumber(number)) is not None
        assert applied.described == ([known] if is_there else [])
        if is_there:
            self.described.setdefault(model, {})[number] = known.descriptor

    @rule(model=models, most=st.integers(1, 3))
    def drop_descriptors(self, model: ModelKey, most: int) -> None:
        self.store.apply([batch.DropDescriptors(model, most)])
        there = self.described.pop(model, {})
        if len(there) > most:
            self.described[model] = dict(sorted(there.items())[most:])

    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.store = Store(Path(self.folder.name) / "store", map_bytes=1 << 24)

    @invariant()
    def descriptors_agree(self) -> None:
        with self.store.read() as reader:
            known = {each.key: each.described for each in descriptors.models(reader)}
            assert known == {model: len(each) for model, each in self.described.items()}
            images = {int(number) for number in reader.numbers()}
            for model in ("a@0000000000000001", "b@00000000000000ff"):
                key = ModelKey(model)
                there = self.described.get(key, {})
                assert set(there) <= images
                for number in images:
                    found = descriptors.descriptor(reader, key, ImageNumber(number))
                    assert found == there.get(number)
                missing = sorted(images - set(there))
                assert descriptors.undescribed(reader, key, -1, 100) == missing
                assert (
                    descriptors.undescribed(reader, key, 1, 2)
                    == [number for number in missing if number > 1][:2]
                )

    @invariant()
    def is_in_order(self) -> None:
        assert list(Checker(self.store, Progress()).run(pages=False)) == []

    @invariant()
    def agrees(self) -> None:
        states = Counter(state for state, _, _ in self.model.values())
        with self.store.read() as reader:
            files = reader.files_in(self.root.directory)
            counts = reader.counts().get(self.root.root_id)
            queued = {key.name for _, key in reader.queued(0, 100)}
            failed = reader.failures(None, 100)[0]
            pictures = reader.meta("pictures")
            assert reader.imbalances() == []
            found = {}
            for content in range(4):
                number = reader.number_of(image_id(content))
                links = [] if number is None else reader.links(number)
                found[content] = {key.name for key in links}
        assert {key.name for key in files} == set(self.model)
        assert queued == {name for name, (_, _, waits) in self.model.items() if waits}
        assert len(failed) == states[FileState.FAILED]
        if counts is not None:
            assert counts.indexed == states[FileState.INDEXED]
            assert counts.failed == states[FileState.FAILED]
            assert counts.pending == len(queued)
        for content, linked in found.items():
            assert linked == {
                name for name, (_, known, _) in self.model.items() if known == content
            }
        assert pictures == sum(bool(linked) for linked in found.values())


TestStoreAgainstModel = StoreAgainstModel.TestCase
TestStoreAgainstModel.settings = settings(max_examples=25, stateful_step_count=30)
