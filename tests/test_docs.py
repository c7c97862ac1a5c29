"""The documents keep their promises: commands run, verbs and keys exist, links lead somewhere."""

from __future__ import annotations

import json
import os
import pkgutil
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pytest

import pspc.commands
from examples import make_samples
from pspd import config

CHECKOUT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/*.md")])
README = {"README.md": ("Pictures", "holiday.jpg"), "README.zh-CN.md": ("图片", "假日.jpg")}
"""The folder and the query image that each README speaks of."""

BLOCK = re.compile(
    r"(?:<!-- not run: (?P<reason>.+?) -->\n)?```(?P<kind>\w+)\n(?P<body>.*?)```", re.DOTALL
)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
MOST_EXCLUDED = 4
"""Blocks of a README that cannot run in a test; each says why."""

VERBS = {
    module.name for module in pkgutil.iter_modules(pspc.commands.__path__)
    if not module.name.startswith("_")
}  # fmt: skip


@dataclass(frozen=True)
class Sandbox:
    """A folder with sample pictures and a home for the daemon."""

    folder: Path
    environ: Mapping[str, str]

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=dict(self.environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


def blocks(document: str, kind: str) -> Iterator[tuple[str, str]]:
    """Yield the body of each fenced block of a kind, and why it is not run, if so."""
    for block in BLOCK.finditer((CHECKOUT / document).read_text()):
        if block["kind"] == kind:
            yield block["body"], block["reason"] or ""


def commands(document: str) -> list[str]:
    """Return all command lines, the ones that cannot run here too."""
    return [line for body, _ in blocks(document, "sh") for line in body.splitlines() if line]


@pytest.fixture
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sandbox]:
    folder, query = README[request.param]
    make_samples.make_samples(tmp_path / folder)
    (tmp_path / folder / "copies" / "landscape-00-other-comment.jpg").rename(tmp_path / query)
    # The home is elsewhere and short: a socket's path may have 107 bytes, on macOS 103.
    with tempfile.TemporaryDirectory(prefix="psp-") as home:
        environ = {
            "HOME": str(tmp_path),
            "PSP_HOME": home,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
        }
        # Whatever else the machine has to do.
        Path(home, "config.toml").write_text("[search]\nbudget_seconds = 20.0\n")
        made = Sandbox(tmp_path, environ)
        yield made
        made.run(["pspc", "stop"])


@pytest.mark.parametrize(("sandbox", "document"), [(n, n) for n in README], indirect=["sandbox"])
def test_every_command_of_a_readme_succeeds(sandbox: Sandbox, document: str) -> None:
    for body, reason in blocks(document, "sh"):
        for line in body.splitlines() if not reason else []:
            result = sandbox.run(["sh", "-c", line])
            assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"


@pytest.mark.parametrize(("sandbox", "document"), [(n, n) for n in README], indirect=["sandbox"])
def test_the_python_of_a_readme_prints_hits(sandbox: Sandbox, document: str) -> None:
    assert sandbox.run(["pspc", "add", README[document][0], "--wait"]).returncode == 0
    (program,) = [body for body, _ in blocks(document, "python")]
    result = sandbox.run([sys.executable, "-c", program])
    assert result.returncode == 0, result.stderr
    assert "landscape-00.jpg" in result.stdout


@pytest.mark.parametrize("sandbox", ["README.md"], indirect=True)
def test_the_output_in_a_pipe_has_the_columns_that_are_documented(sandbox: Sandbox) -> None:
    assert sandbox.run(["pspc", "add", "Pictures", "--wait"]).returncode == 0
    search = ["pspc", "search", "holiday.jpg"]
    rows = [line.split("\t") for line in sandbox.run(search).stdout.splitlines()]
    (row,) = [row for row in rows if row[-1].endswith("landscape-00-recompressed.jpg")]
    verdict, distance, turn, width, height, size, image_format, path = row
    assert (verdict, turn, width, height, image_format) == ("copy", "none", "640", "480", "JPEG")
    assert Path(path).stat().st_size == int(size)
    hits = json.loads(sandbox.run([*search, "--json"]).stdout)["hits"]
    assert [hit["path"] for hit in hits] == [row[-1] for row in rows]
    assert [hit["distance"] for hit in hits if hit["path"] == path] == [int(distance)]


@pytest.mark.parametrize("document", README)
def test_few_blocks_are_left_out_and_each_says_why(document: str) -> None:
    reasons = [reason for _, reason in blocks(document, "sh") if reason]
    assert len(reasons) <= MOST_EXCLUDED


@pytest.mark.parametrize("document", README)
def test_a_readme_shows_every_verb_and_no_other(document: str) -> None:
    text = (CHECKOUT / document).read_text()
    shown = {line.split()[1] for line in commands(document) if line.startswith("pspc ")}
    shown |= set(re.findall(r"`pspc (\w+)", text))
    listed = set(re.findall(r"`(\w+)`", text))
    assert VERBS
    assert VERBS - shown - listed == set()
    assert shown - VERBS == set()


def test_both_readmes_show_the_same_commands() -> None:
    def shape(document: str) -> list[str]:
        folder, query = README[document]
        names = {folder: "FOLDER", query: "QUERY", "Downloads": "DOWNLOADS", "下载": "DOWNLOADS"}
        lines = commands(document)
        for name, stand_in in names.items():
            lines = [line.replace(name, stand_in) for line in lines]
        return lines

    assert shape("README.md") == shape("README.zh-CN.md")


def test_every_configuration_key_is_documented_with_its_default() -> None:
    environ = {"HOME": "/home/you", "XDG_RUNTIME_DIR": "/run/user/1000"}
    (written,) = [body for body, _ in blocks("docs/configuration.md", "toml")]
    assert written == config.render(config.load(environ)).rstrip() + "\n"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_inside_the_project_leads_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text()):
        if "://" not in target:
            assert (document.parent / unquote(target)).exists(), target


def test_the_changelog_names_the_versions_of_all_formats() -> None:
    text = (CHECKOUT / "CHANGELOG.md").read_text()
    assert re.search(r"Features \d+, store format \d+, protocol \d+", text)
