"""docs/benchmarks.md has every figure, with its goal."""

import os
import re
import shlex
import subprocess

import pytest

from tests.bench.__main__ import KINDS, REGULAR, parse
from tests.bench.report import BEGIN, END, HEAD, rows
from tests.parts import ROOT

PAGE = (ROOT / "docs/benchmarks.md").read_text()
LAST_RUN = PAGE.partition(BEGIN)[2].partition(END)[0]


def table(text: str) -> list[tuple[str, ...]]:
    """Return the rows of the tables of a text, without the lines below the heads."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [tuple(cell.strip() for cell in line[1:-1].split("|")) for line in lines]
    return [row for row in cells if set(row) != {"---"}]


def test_the_last_run_has_every_figure_with_its_goal() -> None:
    head, *shown = table(LAST_RUN)
    goal = HEAD.index("goal")

    assert head == HEAD
    assert [(*row[:2], row[goal]) for row in shown] == [(*row[:2], row[goal]) for row in rows(REGULAR, [])]


def test_every_figure_except_those_of_pods_was_measured_in_its_unit() -> None:
    units = {figure.name: figure.unit for figures in REGULAR.values() for figure in figures}

    for _, name, median, *_ in table(LAST_RUN)[1:]:
        if median == "not measured":
            assert name.startswith("pod of ")
            continue
        value, unit = median.split(" ")
        assert float(value.replace(",", "")) > 0
        assert unit == units[name]


def test_the_machine_and_the_versions_are_below_the_table() -> None:
    assert re.search(r"^processors \d+ x .+, memory .+ GiB, system \w+", LAST_RUN, re.MULTILINE)
    assert re.search(r"^python 3\.\d+.*, librdkafka .*, broker .*, confluent-kafka ", LAST_RUN, re.MULTILINE)


def test_every_kind_is_explained() -> None:
    explained = [row[0].strip("`") for row in table(PAGE.partition(BEGIN)[0])[1:]]

    assert explained == list(KINDS)


@pytest.mark.parts
def test_the_commands_name_existing_benchmarks() -> None:
    commands = re.findall(r"^make bench.*", PAGE, re.MULTILINE)

    *made, compared = [_made(shlex.split(command, comments=True)[2:]) for command in commands]
    asked = [parse(arguments) for arguments in made]

    assert [each.kinds for each in asked] == [[], ["stamp", "streams"], [], ["hour"], []]
    assert [each.save for each in asked] == [False, False, False, False, True]
    assert asked[3].minutes == 60
    assert compared == [".compare", "../before", "age"]


def _made(variables: list[str]) -> list[str]:
    """Return the arguments that `make bench` would pass to the benchmarks."""
    command = ["make", "--no-print-directory", "--dry-run", "bench", *variables]
    bare = {"PATH": os.environ["PATH"]}  # without this process's variables for make
    shown = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, check=True).stdout
    return shlex.split(shown.splitlines()[-1].partition(" -m tests.bench")[2])


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["stamps"], "no such benchmark: stamps; expected age, cost, threads, "),
        (["--save", "stamp"], "docs/benchmarks.md"),
    ],
)
def test_wrong_arguments_are_reported_in_one_line(arguments: list[str], refusal: str) -> None:
    with pytest.raises(SystemExit, match=f"^{re.escape(refusal)}") as refused:
        parse(arguments)

    assert "\n" not in str(refused.value.code)
