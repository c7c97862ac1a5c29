"""A key says which descriptors can be compared; it never changes for what is the same."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pspd.learned.catalogue import (
    CATALOGUE,
    DEFAULT,
    Download,
    Interface,
    ModelSpec,
    Package,
    Preprocessing,
    key_of,
)

KEYS = {
    "sscd-distilled": "sscd-distilled@03a37032c72dcc49",
    "sscd": "sscd@cc1568ec4cb1eaa7",
    "dinov2-small": "dinov2-small@15f779c48584460c",
    "dinov2-base": "dinov2-base@42691c6731b7957b",
}
"""Of the files that the catalogue names. Another key for the same descriptors would have every
store compute them anew."""


def sha256_of(spec: ModelSpec) -> str:
    return spec.source.sha256 if isinstance(spec.source, Download) else spec.sha256


@pytest.mark.parametrize("name", CATALOGUE)
def test_keys_are_what_they_were(name: str) -> None:
    assert key_of(CATALOGUE[name], sha256_of(CATALOGUE[name])) == KEYS[name]


def test_the_default_comes_with_a_package() -> None:
    assert isinstance(CATALOGUE[DEFAULT].source, Package)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_file_is_pinned_and_fetched_by_https_alone(name: str) -> None:
    spec = CATALOGUE[name]
    assert re.fullmatch("[0-9a-f]{64}", sha256_of(spec))
    assert not isinstance(spec.source, Download) or spec.source.url.startswith("https://")
    assert spec.licence


@given(st.sampled_from(sorted(CATALOGUE)), st.data())
def test_whatever_changes_descriptors_changes_the_key(name: str, data: st.DataObject) -> None:
    spec = CATALOGUE[name]
    interface, preparing = spec.interface, spec.interface.preprocessing
    others: list[Interface] = [
        replace(interface, pool="mean"),
        replace(interface, output="another"),
        replace(interface, preprocessing=replace(preparing, side=preparing.side + 1)),
        replace(interface, preprocessing=replace(preparing, shorter=preparing.shorter + 1)),
        replace(interface, preprocessing=replace(preparing, mean=(0.5, 0.5, 0.5))),
        replace(interface, preprocessing=replace(preparing, deviation=(0.5, 0.5, 0.5))),
    ]
    other = replace(spec, interface=data.draw(st.sampled_from(others)))
    assert key_of(other, "0" * 64) != key_of(spec, "0" * 64)
    assert key_of(spec, "0" * 64) != key_of(spec, "1" * 64)


def test_where_a_file_comes_from_does_not_change_the_key() -> None:
    spec = CATALOGUE["dinov2-small"]
    moved = replace(spec, source=Download("https://elsewhere.example/m.onnx", 1, "0" * 64))
    assert key_of(moved, "0" * 64) == key_of(spec, "0" * 64)


def test_a_key_is_made_as_is_documented() -> None:
    spec = ModelSpec("a", Package("p", "f"), Interface(Preprocessing(8)))
    assert key_of(spec, "0" * 64) == "a@f348fdcf1d39ca9e"
