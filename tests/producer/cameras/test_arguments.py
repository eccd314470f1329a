"""The command line, its help, and the README's tables about it."""

import re
import shlex

import pytest

from pipeline.service.settings import load
from producer.cameras.__main__ import _COMMANDS
from producer.cameras.arguments import parse
from producer.cameras.settings import CommandSettings
from tests.parts import ROOT
from tests.producer.cameras.conftest import Run

README = (ROOT / "producer/cameras/README.md").read_text()
COMMANDS = tuple(_COMMANDS)


def help_of(*command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what --help prints."""
    with pytest.raises(SystemExit) as ended:
        parse([*command, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(capsys=capsys)

    assert set(re.findall(r"^    (\w+) ", text, re.MULTILINE)) >= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_that_are_right(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(command, capsys=capsys)

    examples = re.findall(r"^  python -m producer\.cameras ([^>\n]*)", text, re.MULTILINE)
    assert examples
    for example in examples:
        words = shlex.split(re.split(r"    | < ", example)[0])
        assert parse(words).command == command


def test_the_readme_lists_the_commands() -> None:
    table = README.partition("| command | does |")[2].partition("\n\n")[0]

    names = {
        name
        for cell in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)", cell)
    }
    assert names == set(COMMANDS)


def test_the_readme_lists_the_settings_with_their_defaults(
    run: Run,  # noqa: ARG001 # which unsets settings
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = re.findall(r"^\| (`[A-Z`, ]+`) \| ([^|]+) \|", README, re.MULTILINE)
    names = [re.findall(r"\w+", cell) for cell, _ in rows]
    own = {name.upper() for name in CommandSettings.model_fields}
    assert {each for row in names for each in row} == own - {
        "HEALTHPORT",
        "STATEFOLDER",
        "LOGLEVEL",
        "LOGFORMAT",
        "PARTITIONS",
    }
    by_default = load(CommandSettings)

    for row, (_, defaults) in zip(names, rows, strict=True):
        for name, default in zip(row, re.findall(r"`([^`]+)`", defaults), strict=False):
            monkeypatch.setenv(name, default)

    assert load(CommandSettings) == by_default
