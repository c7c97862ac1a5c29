"""What `--json` prints is what docs/ describes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pspc import care_documents, documents
from pspd.rpc import wire
from tests.client.conftest import SEARCH_REPLY, Run
from tests.rpc import samples
from tests.rpc.peers import TableHandler

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA: dict[str, Any] = json.loads((DOCS / "search.schema.json").read_text(encoding="utf-8"))


def _problems(value: Any, schema: dict[str, Any], where: str = "$") -> list[str]:
    """Check a value by the part of JSON Schema that the document uses; extras are problems too."""
    if "$ref" in schema:
        return _problems(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], where)
    if "oneOf" in schema:
        tries = [_problems(value, one, where) for one in schema["oneOf"]]
        return [] if tries.count([]) == 1 else [f"{where}: {tries}"]
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{where}: {value!r}"]
    if schema["type"] == "array":
        assert isinstance(value, list)
        return [
            problem
            for number, item in enumerate(value)
            for problem in _problems(item, schema["items"], f"{where}[{number}]")
        ]
    if schema["type"] == "object":
        return _object_problems(value, schema, where)
    types = {"integer": int, "number": (int, float), "string": str, "boolean": bool}
    is_right = isinstance(value, types[schema["type"]])  # type: ignore[arg-type]
    if is_right and schema["type"] == "integer":
        is_right = schema.get("minimum", value) <= value <= schema.get("maximum", value)
    return [] if is_right else [f"{where}: {value!r}"]


def _object_problems(value: Any, schema: dict[str, Any], where: str) -> list[str]:
    assert isinstance(value, dict)
    properties = schema["properties"]
    problems = [f"{where}: no {name}" for name in schema["required"] if name not in value]
    problems += [f"{where}: {name} is not described" for name in value if name not in properties]
    return problems + [
        problem
        for name, item in value.items()
        if name in properties
        for problem in _problems(item, properties[name], f"{where}.{name}")
    ]


def test_the_checker_finds_faults() -> None:
    assert _problems({"query": {"source": "x"}}, SCHEMA)
    assert _problems({"results": [{"query": {"source": 1}}]}, SCHEMA)
    assert not _problems({"results": []}, SCHEMA)


def test_a_search_prints_one_document_of_the_schema(
    daemon: TableHandler, run: Run, image: str
) -> None:
    plain = msgspec.structs.replace(
        samples.HIT, path="/图.jpg".encode(), likeness=0.5, proof=samples.PROOF
    )
    daemon.on(
        wire.SearchRequest,
        msgspec.structs.replace(
            SEARCH_REPLY,
            hits=[samples.HIT, plain],
            freshness=msgspec.structs.replace(
                samples.FRESHNESS,
                unavailable_roots=[b"/home/ann/Pictures", b"/media/usb"],
                paused_roots=[b"/home/ann/Pictures"],
            ),
        ),
    )
    document = json.loads(run("search", "--json", image).output)
    assert not _problems(document, SCHEMA)
    assert document["query"]["source"] == image
    assert document["query"]["bytes"] == samples.QUERY.size
    not_text, text = document["hits"]
    assert not_text["path"] == r"/home/ann/Pictures/caf\xe9.jpg"
    assert not_text["path_base64"] == "L2hvbWUvYW5uL1BpY3R1cmVzL2NhZukuanBn"
    assert not_text["verdict"] == "copy"
    assert text["path"] == "/图.jpg"
    assert "path_base64" not in text
    assert "proof" not in not_text
    assert text["proof"]["quadrilateral"][0] == [100.0, 50.0]
    assert document["freshness"]["unavailable_roots"] == ["/media/usb"]
    assert document["freshness"]["paused_roots"] == ["/home/ann/Pictures"]
    assert document["freshness"]["complete"] is False


def test_several_queries_are_one_document_of_the_schema(
    daemon: TableHandler, run: Run, image: str, tmp_path: Path
) -> None:
    result = run("search", "--json", image, str(tmp_path), image)
    document = json.loads(result.output)
    assert result.status == 2
    assert not _problems(document, SCHEMA)
    assert [set(one) for one in document["results"]][1] == {"query", "error"}
    assert document["results"][1]["error"]["code"] == "source"


def test_a_bad_query_is_a_document_of_the_schema(
    daemon: TableHandler, run: Run, image: str
) -> None:
    daemon.on(wire.SearchRequest, wire.ErrorReply("bad_query", "it is torn", "truncated"))
    document = json.loads(run("search", "--json", image).output)
    assert not _problems(document, SCHEMA)
    assert document["error"] == {
        "code": "bad_query",
        "reason": "truncated",
        "message": "it is torn",
    }


@pytest.mark.parametrize(
    ("verb", "keys"),
    [
        (
            "status",
            """pid version protocol since roots indexed pictures pending failed not_pictures stale
            extracted rate store_bytes features_version notifier problem notices
            counters sandbox protection uncompared model described describable
            undescribed_because threshold""",
        ),
        ("roots", "roots"),
        ("failures", "failures"),
        ("duplicates", "groups total waste left_out uncompared freshness"),
        ("quarantine", "quarantine"),
    ],
)
def test_other_documents_have_the_described_fields(
    daemon: TableHandler, run: Run, verb: str, keys: str
) -> None:
    daemon.on(
        wire.FailuresRequest, wire.FailuresReply([wire.FailureEntry(b"/\xff", "broken", "it is")])
    )
    daemon.on(
        wire.QuarantineRequest,
        wire.QuarantineReply(
            [wire.QuarantineEntry(b"/a", "crashed", "it did", "2026", 2, "p", "")]
        ),
    )
    document = json.loads(run(verb, "--json").output)
    described = (DOCS / "json.md").read_text(encoding="utf-8")
    assert set(document) == set(keys.split())
    nested = [item for value in document.values() if isinstance(value, list) for item in value]
    for name in {*document, *(key for item in nested for key in item)}:
        assert f"`{name}`" in described or f'"{name}"' in described


def test_a_document_has_no_raw_controls_and_says_the_same() -> None:
    path = "a\x7f\x9b31m\u202egnp\u200b\U000e0041 caf\u00e9\u3000\x1b.png"
    entry = wire.FailureEntry(path.encode(), "broken", "no sense")
    text = documents.text_of(care_documents.failures([entry]))
    assert json.loads(text)["failures"][0]["path"] == path
    assert all(char.isprintable() or char in "\n\u3000" for char in text)
    assert "caf\u00e9" in text
