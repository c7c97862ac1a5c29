"""Configuration: defaults, files, mistakes, and the way back to TOML."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pspd import config
from pspd.config import (
    Config,
    Duplicates,
    Log,
    ModelFile,
    Paths,
    Remote,
    Search,
    Store,
    Watch,
    Workers,
)
from pspd.config.rendering import field_docstrings, toml_string
from pspd.config.sections import RANGES
from pspd.core.model import Limits
from pspd.errors import ConfigError
from pspd.rpc.wire import DEFAULT_KEEP

ENVIRON = {"HOME": "/home/somebody", "XDG_RUNTIME_DIR": "/run/user/1000"}


SECTIONS = {name: kind for name, kind in get_type_hints(Config).items() if name != "models"}


def loaded(folder: Path, text: str) -> Config:
    file = folder / "config.toml"
    file.write_text(text)
    return config.load(ENVIRON, file)


def mistakes(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    return str(caught.value)


def test_without_a_file_every_key_has_its_default() -> None:
    paths = Paths(Path("/home/somebody/.local/share/psp"), Path("/run/user/1000/psp"))
    assert config.load({**ENVIRON, "HOME": "/home/somebody"}) == Config(paths)


def test_psp_home_holds_everything() -> None:
    environ = {**ENVIRON, "PSP_HOME": "/srv/psp"}
    paths = config.load(environ).paths
    assert paths == Paths(state=Path("/srv/psp"), runtime=Path("/srv/psp"))
    assert config.config_path(environ) == Path("/srv/psp/config.toml")


def test_a_relative_psp_home_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    paths = config.load({"PSP_HOME": "here"}).paths
    assert paths == Paths(state=tmp_path / "here", runtime=tmp_path / "here")


def test_the_xdg_folders_are_followed_and_relative_ones_ignored() -> None:
    environ = {**ENVIRON, "XDG_DATA_HOME": "/data", "XDG_CONFIG_HOME": "relative"}
    assert config.load(environ).paths.state == Path("/data/psp")
    assert config.config_path(environ) == Path("/home/somebody/.config/psp/config.toml")


def test_without_home_the_user_database_knows_it() -> None:
    assert config.config_path({}).is_absolute()


def test_a_file_in_psp_home_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[workers]\nprocesses = 3\n")
    assert config.load({"PSP_HOME": str(tmp_path)}).workers == Workers(processes=3)


def test_a_whole_number_will_do_where_seconds_are_expected(tmp_path: Path) -> None:
    value = loaded(tmp_path, "[watch]\nquiet_seconds = 2\n").watch.quiet_seconds
    assert (value, type(value)) == (2.0, float)


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    message = mistakes(
        tmp_path,
        """
        search = 3
        [watch]
        quiet_secnds = 2
        poll_seconds = nan
        notifier = "watchdg"
        [limts]
        [workers]
        nice = 5.0
        processes = -1
        query_processes = true
        [paths]
        runtime = "/run"
        state = "relative"
        [log]
        level = ["info"]
        """,
    )
    assert message.splitlines()[0].endswith("config.toml has 11 mistakes:")
    assert set(message.splitlines()[1:]) == {
        "  search: expected a section, [search], found 3",
        "  watch.quiet_secnds: unknown key; did you mean quiet_seconds?",
        "  watch.poll_seconds: expected a number from 0.01 to 86_400.0, found nan",
        (
            '  watch.notifier: expected one of "auto", "inotify", "watchdog", "polling", '
            '"none", found "watchdg"; did you mean "watchdog"?'
        ),
        "  limts: unknown section; did you mean limits?",
        "  workers.nice: expected a whole number from 0 to 19, found 5.0",
        "  workers.processes: expected a whole number from 0 to 1_024, found -1",
        "  workers.query_processes: expected a whole number from 1 to 64, found true",
        (
            "  paths.runtime: cannot be set here: the client finds the sockets by PSP_HOME or "
            "XDG_RUNTIME_DIR alone"
        ),
        '  paths.state: expected an absolute path as a string, found "relative"',
        '  log.level: expected one of "debug", "info", "warning", "error", found a list',
    }


def test_rules_of_which_copy_to_keep_are_looked_at_when_they_are_read(tmp_path: Path) -> None:
    assert loaded(tmp_path, '[duplicates]\nkeep = "path:~/**, newest"\n').duplicates == Duplicates(
        "path:~/**, newest"
    )
    assert 'duplicates.keep: there is no rule "pixls"; there are pixels, ' in mistakes(
        tmp_path, '[duplicates]\nkeep = "pixels, pixls"\n'
    )
    assert "duplicates.keep: expected rules such as" in mistakes(
        tmp_path, "[duplicates]\nkeep = 3\n"
    )


MODEL = '[models.mine]\nfile = "/m/a.onnx"\nside = 64\n'


def test_a_model_of_ones_own_is_a_few_lines(tmp_path: Path) -> None:
    assert loaded(tmp_path, MODEL).models == (ModelFile("mine", Path("/m/a.onnx"), 64),)
    text = MODEL + (
        'resize = "crop"\nmean = [0.5, 0.5, 0]\ndeviation = [1, 2, 3]\nlayout = "nhwc"\n'
        'dtype = "float16"\ninput = "x"\noutput = "y"\npool = "class"\n'
    )
    assert loaded(tmp_path, text).models == (
        ModelFile(
            *("mine", Path("/m/a.onnx"), 64, "crop", (0.5, 0.5, 0.0), (1.0, 2.0, 3.0)),
            *("nhwc", "float16", "x", "y", "class"),
        ),
    )


def test_mistakes_of_a_model_are_reported_like_others(tmp_path: Path) -> None:
    message = mistakes(
        tmp_path,
        """
        [models]
        single = 3
        [models.sscd-mine]
        file = "/a"
        side = 64
        [models."../x"]
        file = "a.onnx"
        side = 4
        sied = 4
        [models.mine]
        resize = "croop"
        mean = [0.5, 0.5]
        deviation = [1, 0, "x"]
        pool = 3
        output = 7
        [models.levels]
        file = "/a"
        side = 64
        dtype = "uint8"
        mean = [1, 1, 1]
        """,
    )
    assert set(message.splitlines()[1:]) == {
        "  models.single: expected a section, [models.NAME], found 3",
        "  models.sscd-mine: this name is PSP's own; choose another",
        "  models.../x: a name has up to 40 small letters, digits, dots and dashes",
        '  models.../x.file: expected an absolute path as a string, found "a.onnx"',
        "  models.../x.side: expected a whole number from 8 to 2_048, found 4",
        "  models.../x.sied: unknown key; did you mean side?",
        "  models.mine.file: is missing",
        "  models.mine.side: is missing",
        (
            '  models.mine.resize: expected one of "squash", "crop", found "croop"; '
            'did you mean "crop"?'
        ),
        "  models.mine.mean: expected a list of three numbers, found a list",
        "  models.mine.deviation: expected a number from 0.0001 to 1_000.0, found 0",
        '  models.mine.pool: expected one of "none", "class", "mean", found 3',
        "  models.mine.output: expected a name, found 7",
        '  models.levels.dtype: "uint8" takes levels as they are, without mean and deviation',
    }
    assert "expected sections, [models.NAME], found 1" in mistakes(tmp_path, "models = 1")


def test_a_key_like_no_other_is_answered_with_those_that_exist(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "[log]\nxyzzy = 1\n").endswith("unknown key; known are level, format")


def test_control_characters_of_a_file_do_not_reach_the_terminal(tmp_path: Path) -> None:
    assert "\x1b" not in mistakes(tmp_path, '"\\u001b[31m" = "\\u001b"\n[log]\nlevel="\\u001b"')


def test_a_file_that_is_not_toml_is_one_mistake(tmp_path: Path) -> None:
    assert "is not valid TOML" in mistakes(tmp_path, "[watch\n")


def test_a_file_that_is_not_utf_8_is_one_mistake(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        config.load(ENVIRON, file)


def test_a_file_that_was_asked_for_must_exist_and_be_readable(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no configuration file"):
        config.load(ENVIRON, tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        config.load(ENVIRON, tmp_path)


def test_a_configuration_is_a_value() -> None:
    first, second = config.load(ENVIRON), config.load(ENVIRON)
    assert hash(first) == hash(second)
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.log.level = "debug"  # type: ignore[misc]


def test_every_number_has_a_range_and_its_default_lies_in_it() -> None:
    expected = set()
    for section, kind in SECTIONS.items():
        for key, of in get_type_hints(kind).items():
            if get_origin(of) is not Literal and of not in {Path, str, str | None}:
                expected.add(f"{section}.{key}")
                default = getattr(getattr(config.load(ENVIRON), section), key)
                assert default is None or RANGES[f"{section}.{key}"].least <= default
                assert default is None or default <= RANGES[f"{section}.{key}"].most
    assert set(RANGES) == expected


def test_every_field_has_a_docstring() -> None:
    for kind in [*SECTIONS.values(), ModelFile]:
        assert set(field_docstrings(kind)) == {field.name for field in dataclasses.fields(kind)}


def test_rendering_shows_every_section_and_key_with_its_comment() -> None:
    text = config.render(config.load(ENVIRON))
    assert "# What one file may cost.\n[limits]\n" in text
    assert "max_seconds = 10.0\n" in text
    assert "\n# copy_distance =\n" in text
    assert '\n# runtime = "/run/user/1000/psp"\n' in text
    assert max(map(len, text.splitlines())) <= 100


def test_rendering_needs_no_source_of_the_sections() -> None:
    made = type("Made", (), {"__module__": __name__})
    assert field_docstrings(made) == {}


def section_values(kind: type) -> st.SearchStrategy[Any]:
    """Configurations of one section, every key within its range."""
    name = kind.__name__.lower()
    values: dict[str, st.SearchStrategy[Any]] = {}
    for key, of in get_type_hints(kind).items():
        if get_origin(of) is Literal:
            values[key] = st.sampled_from(get_args(of))
        elif of is Path:
            values[key] = st.just(Path("/run/psp")) if key == "runtime" else absolute_paths
        elif of is str:
            values[key] = st.sampled_from(["pixels", "path:~/**, newest", DEFAULT_KEEP])
        elif of == str | None:
            values[key] = st.sampled_from([None, "tcp://0.0.0.0:7420", "tcp://[::1]:1"])
        else:
            least, most = RANGES[f"{name}.{key}"]
            number = st.floats(least, most) if of is float else st.integers(int(least), int(most))
            values[key] = number if of in {int, float} else st.none() | number
    return st.builds(kind, **values)


absolute_paths = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).map(
    lambda text: Path("/" + text)
)
colours = st.tuples(*(st.floats(0.01, 9.0),) * 3)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
model_files = st.builds(
    ModelFile,
    name=st.from_regex(r"mine[a-z0-9._-]{0,9}", fullmatch=True),
    file=absolute_paths,
    side=st.integers(8, 2048),
    mean=colours,
    deviation=colours,
    dtype=st.sampled_from(["float32", "float16"]),
    input=words,
    output=words,
)
configurations = st.builds(
    Config,
    *map(
        section_values,
        (Paths, Watch, Limits, Workers, Store, Search, Duplicates, Remote, Log),
    ),
    models=st.lists(model_files, max_size=2, unique_by=lambda model: model.name).map(tuple),
)


@given(configurations)
def test_loading_what_was_rendered_gives_an_equal_configuration(
    tmp_path_factory: pytest.TempPathFactory, original: Config
) -> None:
    file = tmp_path_factory.mktemp("config") / "config.toml"
    file.write_text(config.render(original))
    assert config.load({"XDG_RUNTIME_DIR": "/run", "HOME": "/"}, file) == original


def test_a_path_that_is_not_utf_8_stays_with_the_environment(tmp_path: Path) -> None:
    environ = {"PSP_HOME": "/srv/\udcff", "HOME": "/"}
    original = config.load(environ)
    file = tmp_path / "config.toml"
    file.write_text(config.render(original))
    assert '# state = "/srv/\\\\udcff"' in file.read_text()
    assert config.load(environ, file) == original


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_as_a_toml_string(text: str) -> None:
    assert tomllib.loads(f"key = {toml_string(text)}") == {"key": text}


@pytest.mark.parametrize(
    "text",
    [
        "[watch]\nrescan_minutes = " + "[" * 5000,
        "[watch]\nrescan_minutes = " + "9" * 5000,
        "[watch]\nrescan_minutes = 0x" + "f" * 5000,
        "watch = 0x" + "f" * 5000,
        "watch = 1979-05-27T07:32:00+23:59\n[x]\ny = 1e400",
    ],
    ids=["nested", "digits", "hexadecimal", "no section", "a date"],
)
def test_absurd_values_are_mistakes_too(tmp_path: Path, text: str) -> None:
    assert "config.toml" in mistakes(tmp_path, text)
