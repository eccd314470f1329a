"""How figures are judged, shown and kept."""

import json
from pathlib import Path

import pytest

from tests.bench.figures import Figure, save, table

FIGURES = [
    Figure("age p50", 16.04, "ms", "capture to client", goal=20),
    Figure("age p99", 91, "ms", "capture to client", goal=80),
    Figure("producer, memory", 100, "MB", "nothing", goal=100),
    Figure("video, cost of a frame", 0.1, "x", "bare work"),
    Figure("predictions", 0.97, "x", "bare load", least=0.95),
    Figure("batches", 1.1, "x", "single requests", least=1.3),
]


@pytest.mark.parametrize(
    ("figure", "met"), list(zip(FIGURES, [True, False, True, None, True, False], strict=True))
)
def test_a_figure_knows_whether_its_goal_is_met(figure: Figure, met: bool | None) -> None:
    assert figure.met is met


def test_the_table_has_a_line_for_each_figure() -> None:
    head, *lines = table(FIGURES).splitlines()

    assert head.split() == ["figure", "value", "goal", "against"]
    assert lines[0].split() == ["age", "p50", "16", "ms", "<=", "20", "met", "capture", "to", "client"]
    assert "91 ms" in lines[1]
    assert "NOT MET" in lines[1]
    assert "<= 100" in lines[2]
    assert ">= 0.95" in lines[4]
    assert "NOT MET" in lines[5]


def test_the_file_holds_the_machine_the_versions_and_the_figures(tmp_path: Path) -> None:
    save(FIGURES, tmp_path / "bench.json")

    kept = json.loads((tmp_path / "bench.json").read_text())
    assert kept.keys() == {"machine", "versions", "figures"}
    assert kept["machine"]["processors"] >= 1
    assert kept["versions"].keys() >= {"python", "confluent-kafka"}
    assert [figure["met"] for figure in kept["figures"]] == [True, False, True, None, True, False]
    assert kept["figures"][0].keys() >= {"name", "value", "unit", "against", "goal", "met"}
