"""Which models are there, which of them is in use, and how one is added or removed.

    catalogue ┐
              ├─▶ specs ─┬─ package ──▶ its file, where pip put it
    config    ┘          └─ added ───▶ models/NAME.onnx, as its manifest says

A model that is there has a file of a known SHA-256: by the catalogue, or as it was when it was
added. The encoder compares it whenever it loads the file.
"""

from __future__ import annotations

import difflib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pspd.core.model import ModelKey
from pspd.errors import ModelError, ModelMissing, ModelUnusable
from pspd.learned import manifests
from pspd.learned.catalogue import (
    CATALOGUE,
    DEFAULT,
    Download,
    LocalFile,
    ModelSpec,
    OpenModel,
    Package,
    key_of,
)
from pspd.learned.copying import copy_model, require_digest
from pspd.learned.packaged import install_command, packaged_file
from pspd.rpc.wire import quoted

Trial = Callable[[OpenModel], int]
"""Loads a model and encodes a picture with it; returns the dimension of its descriptors. It leaves
the descriptor open, and raises a ModelError or EncodingFailed."""


@dataclass(frozen=True, slots=True)
class ModelState:
    """How it is with one model."""

    spec: ModelSpec
    is_chosen: bool
    sha256: str = ""
    """Of its file; empty when it is not there."""
    size: int = 0
    """Of its file, in bytes."""
    dimension: int = 0
    """0 when nobody knows."""
    problem: str = ""
    """Why it cannot be used, and what to do; empty when it can."""

    @property
    def key(self) -> ModelKey | None:
        """The key of its descriptors; None when it is not there."""
        return key_of(self.spec, self.sha256) if self.sha256 and not self.problem else None


class Models:
    """The models of one daemon; for any thread.

    Args:
        folder: Where those that were added lie; made when the first is.
        configured: What the configuration describes, beside the catalogue.
    """

    def __init__(self, folder: Path, configured: Iterable[ModelSpec] = ()) -> None:
        self._folder = folder
        self._specs: Mapping[str, ModelSpec] = {
            **CATALOGUE,
            **{spec.name: spec for spec in configured},
        }
        self._changing = threading.Lock()

    def states(self) -> list[ModelState]:
        """Return how it is with every model: those that are known, and those that were added."""
        known = [self.state(name) for name in self._specs]
        return known + [
            self._forgotten(name)
            for name in manifests.names(self._folder)
            if name not in self._specs
        ]

    def state(self, name: str) -> ModelState:
        """Return how it is with one model.

        Raises:
            ModelMissing: none is called so.
        """
        spec = self._spec(name)
        is_chosen = name == self.chosen()
        try:
            sha256, size, dimension = self._facts(spec)
        except ModelError as error:
            return ModelState(
                spec, is_chosen, dimension=spec.interface.dimension, problem=str(error)
            )
        return ModelState(spec, is_chosen, sha256, size, dimension)

    def open(self, name: str) -> OpenModel:
        """Open the file of a model; whoever gets it closes its descriptor.

        Raises:
            ModelMissing: none is called so, or its file is not there.
            ModelUnusable: its file cannot be opened, or is not the one that was added.
        """
        spec = self._spec(name)
        sha256, _, _ = self._facts(spec)
        file = self._file(spec)
        try:
            descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise ModelUnusable(
                f"the model {name} cannot be opened ({error.strerror}): {quoted(str(file))}"
            ) from error
        return OpenModel(spec, sha256, key_of(spec, sha256), descriptor)

    def chosen(self) -> str:
        """Return the name of the model in use; it may not be there."""
        name = manifests.chosen(self._folder)
        return DEFAULT if name is None or name not in self._specs else name

    def choose(self, name: str) -> None:
        """Use a model from now on.

        Raises:
            ModelError: it is not there, or cannot be used.
        """
        with self._changing, _disk_errors("the choice cannot be stored"):
            self._facts(self._spec(name))
            manifests.choose(self._folder, name)

    def is_paused(self) -> bool:
        """Say whether nothing is to be described for now."""
        return manifests.is_paused(self._folder)

    def pause(self, *, is_paused: bool) -> None:
        """Have nothing described from now on, or go on; it outlasts the daemon.

        Raises:
            ModelError: it cannot be noted.
        """
        with self._changing, _disk_errors("it cannot be stored"):
            manifests.pause(self._folder, is_paused=is_paused)

    def add(self, name: str, file: Path | None, trial: Trial, *, sha256: str = "") -> ModelState:
        """Copy a model's file, try it, and keep it; another one of this name is replaced.

        Args:
            name: Of the catalogue or the configuration.
            file: Where the file lies; None where the configuration says so.
            trial: Loads it.
            sha256: What it has to be, in hexadecimal; empty for whatever it is.

        Raises:
            ModelMissing: none is called so, or it comes with a package.
            ModelUnusable: the file cannot be read or kept, or is not what it should be. The one
                that was there, if any, still is.
            EncodingFailed: there is not enough memory for it.
        """
        spec = self._spec(name)
        file = self._source(spec, file)
        with self._changing, _disk_errors(f"the model {name} cannot be stored"):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            part = self._folder / f"{name}.onnx.part"
            try:
                found, size = copy_model(file, part)
                require_digest(found, sha256 or spec.sha256)
                with _opened(part, spec, found) as model:
                    dimension = trial(model)
                manifests.put(self._folder, manifests.Manifest(name, found, size, dimension), part)
            finally:
                part.unlink(missing_ok=True)
        return self.state(name)

    def remove(self, name: str) -> None:
        """Remove a model's file, whether or not anybody knows the model any more.

        Raises:
            ModelMissing: none is called so, or it comes with a package.
            ModelError: it is in use.
            ModelUnusable: it cannot be removed.
        """
        if name == self.chosen():
            raise ModelError(f"{name} is in use; first use another: pspc model use {DEFAULT}")
        spec = self._specs.get(name)
        if spec is not None and isinstance(spec.source, Package):
            raise ModelMissing(
                f"{name} comes with a package; to remove it: pip uninstall {spec.source.name}"
            )
        with self._changing, _disk_errors(f"the model {name} cannot be removed"):
            if name not in manifests.names(self._folder):
                raise ModelMissing(f"no model {quoted(name)} was added; see: pspc model list")
            manifests.remove(self._folder, name)

    def _spec(self, name: str) -> ModelSpec:
        if name not in self._specs:
            close = difflib.get_close_matches(name, self._specs, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(self._specs)}"
            raise ModelMissing(
                f"there is no model {quoted(name)}; {hint} One of your own is described in the "
                "configuration, by [models.NAME]"
            )
        return self._specs[name]

    def _facts(self, spec: ModelSpec) -> tuple[str, int, int]:
        """Return digest and size of a model's file, and the dimension of its descriptors.

        Raises:
            ModelMissing: it is not there.
            ModelUnusable: it cannot be looked at, or has another size than the one that was added.
        """
        if isinstance(spec.source, Package):
            return spec.sha256, _size_of(packaged_file(spec.source)), spec.interface.dimension
        manifest = manifests.read(self._folder, spec.name)
        if manifest is None:
            raise ModelMissing(
                f"the model {spec.name} was not added yet: pspc model add {spec.name}"
            )
        try:
            size = _size_of(manifests.model_file(self._folder, spec.name))
        except OSError as error:
            raise ModelUnusable(
                f"its file cannot be looked at ({error.strerror}); add it again: "
                f"pspc model add {spec.name}"
            ) from error
        if size != manifest.size:
            raise ModelUnusable(
                f"its file has {size} bytes, and had {manifest.size} when it was added; add it "
                f"again: pspc model add {spec.name}"
            )
        return manifest.sha256, size, manifest.dimension

    def _file(self, spec: ModelSpec) -> Path:
        if isinstance(spec.source, Package):
            return packaged_file(spec.source)
        return manifests.model_file(self._folder, spec.name)

    def _source(self, spec: ModelSpec, file: Path | None) -> Path:
        """Return the file that is to be added."""
        match spec.source:
            case Package() as package:
                # Its licence allows no copies.
                raise ModelMissing(
                    f"{spec.name} comes with the package {package.name}, and is there as soon as "
                    f"that is: {install_command(package)}"
                )
            case Download(url=url) if file is None:
                raise ModelMissing(
                    f"the daemon reaches no network; let pspc fetch {spec.name} or name a file "
                    f"that you got from {url}: pspc model add {spec.name} --file FILE"
                )
            case LocalFile(path) if file is None:
                return Path(path)
        assert file is not None
        return file

    def _forgotten(self, name: str) -> ModelState:
        """Return the state of a model that was added, and is described no more."""
        spec = ModelSpec(name, LocalFile(""), CATALOGUE[DEFAULT].interface)
        problem = (
            f"the configuration has no [models.{name}] any more; describe it again, or: "
            f"pspc model remove {name}"
        )
        return ModelState(spec, is_chosen=False, problem=problem)


@contextmanager
def _opened(file: Path, spec: ModelSpec, sha256: str) -> Iterator[OpenModel]:
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield OpenModel(spec, sha256, key_of(spec, sha256), descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk_errors(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ModelUnusable(f"{what}: {error.strerror or error}") from error


def _size_of(file: Path) -> int:
    return file.stat().st_size
