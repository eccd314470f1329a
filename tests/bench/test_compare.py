"""`make bench BASE=path` runs both checkouts, and compares their figures."""

import json
import sys
from pathlib import Path

import pytest

from tests.bench.compare import Checkout, Comparison, compare
from tests.bench.report import aligned

# Stands in for a checkout's benchmarks: each run takes one ms longer than the one before.
BENCH = """
import json, os, pathlib, sys
runs = pathlib.Path("runs")
runs.write_text(runs.read_text() + f"{sys.argv[1]} {os.environ['ROUNDS']}\\n" if runs.exists() else "")
if sys.argv[1] == "broken":
    sys.exit("it broke")
ms = FIRST + len(runs.read_text().splitlines())
figures = [{"kind": sys.argv[1], "name": "a frame", "unit": "ms", "median": ms}]
pathlib.Path("bench.json").write_text(json.dumps({"figures": figures}))
"""


def checkout(folder: Path, name: str, first: int) -> Checkout:
    bench = folder / name / "tests/bench"
    bench.mkdir(parents=True)
    (bench / "__main__.py").write_text(BENCH.replace("FIRST", str(first)))
    return Checkout(name, folder / name)


@pytest.mark.parts
def test_both_are_measured_in_turns_and_compared_round_by_round(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, here = checkout(tmp_path, "base", 10), checkout(tmp_path, "here", 20)

    comparison = compare(base, here, ["stamp"], 3)

    turns = [line.split()[-1] for line in capsys.readouterr().out.splitlines()]
    assert turns == ["base", "here", "here", "base", "base", "here"]
    comparison.save(tmp_path / "both.json")
    (figure,) = json.loads((tmp_path / "both.json").read_text())["figures"]
    assert (figure["base"], figure["here"]) == ([10, 11, 12], [20, 21, 22])
    (row,) = comparison.rows()
    assert row == ("stamp", "a frame", "11 ms", "21 ms", "1.91", "1.83 .. 2")


@pytest.mark.parts
def test_a_kind_that_breaks_is_shown_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, here = checkout(tmp_path, "base", 10), checkout(tmp_path, "here", 20)

    comparison = compare(base, here, ["broken", "stamp"], 1)

    assert "it broke" in capsys.readouterr().out
    assert [row[0] for row in comparison.rows()] == ["stamp"]


def test_a_figure_that_only_one_of_them_has_is_left_out() -> None:
    comparison = Comparison()

    comparison.add("age", [{"name": "p50", "median": 10}], [{"name": "p99", "unit": "ms", "median": 20}])

    assert comparison.rows() == []


def test_a_checkout_runs_with_its_own_python_or_otherwise_with_ours(tmp_path: Path) -> None:
    assert Checkout("base", tmp_path).python == Path(sys.executable)

    own = tmp_path / ".venv/bin/python"
    own.parent.mkdir(parents=True)
    own.touch()

    assert Checkout("base", tmp_path).python == own


def test_the_columns_are_aligned() -> None:
    assert aligned([("kind", "figure"), ("a", "b")]) == ["kind  figure", "a     b"]
