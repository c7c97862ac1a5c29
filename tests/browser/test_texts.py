"""Every text is there in both languages, with the same places for values, and is used."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pspc.web

STATIC = Path(pspc.web.__file__).parent / "static"
VALUE = re.compile(r"\{(\w+)\}")
BY_KEY = re.compile(r"""(?:\bt|\bsay)\(\s*["`]([^"`]+)["`]""")
MADE = re.compile(r"`([a-z_]+\.(?:[\w.]|\$\{[^{}]+\})*\$\{[^{}]+\}[\w.]*)`")
"""A key that is put together, as `verdict.${name}.meaning`."""


def texts(language: str) -> dict[str, str | dict[str, str]]:
    found: dict[str, str | dict[str, str]] = json.loads(
        (STATIC / "texts" / f"{language}.json").read_text()
    )
    return found


def forms(text: str | dict[str, str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text.values())


def scripts() -> str:
    return "\n".join(path.read_text() for path in sorted(STATIC.glob("*.js")))


def test_both_languages_have_the_same_texts_with_the_same_values() -> None:
    english, chinese = texts("en"), texts("zh-CN")
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        wanted = {value for form in forms(text) for value in VALUE.findall(form)}
        for form in forms(chinese[key]):
            assert set(VALUE.findall(form)) == wanted, key


def test_a_text_by_number_has_the_forms_of_its_language() -> None:
    assert all(
        isinstance(text, str) or text.keys() == {"one", "other"} for text in texts("en").values()
    )
    assert all(isinstance(text, str) for text in texts("zh-CN").values())


def test_no_chinese_text_was_left_in_english() -> None:
    english, chinese = texts("en"), texts("zh-CN")
    same = {key for key, text in english.items() if chinese[key] == text}
    # Sentences of the daemon are shown as they come.
    assert same <= {"error.root", "error.setup", "error.bad_request"}


def test_each_key_in_the_code_has_a_text() -> None:
    known = texts("en").keys()
    for key in BY_KEY.findall(scripts()):
        stem = key.partition("${")[0]
        assert key in known or ("${" in key and any(each.startswith(stem) for each in known)), key


def test_each_text_is_used() -> None:
    source = scripts()
    shapes = [re.split(r"\$\{[^{}]+\}", made) for made in MADE.findall(source)]
    # A value has no dot of its own: `verdict.${name}` makes no key of `verdict.copy.meaning`.
    made = re.compile("|".join("[^.]+".join(map(re.escape, shape)) for shape in shapes))
    for key in texts("en"):
        assert f'"{key}"' in source or made.fullmatch(key), key


def test_nothing_is_made_of_markup() -> None:
    source = scripts()
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert word not in source
    page = (STATIC / "index.html").read_text()
    assert " style=" not in page
    assert "<style" not in page
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []


def test_no_other_host_is_named() -> None:
    for path in STATIC.rglob("*"):
        if path.suffix in {".js", ".css", ".html", ".json", ".webmanifest"}:
            text = path.read_text().replace("http://www.w3.org/2000/svg", "")
            assert not re.findall(r"https?://\w", text), path
