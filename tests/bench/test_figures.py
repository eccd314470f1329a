"""Figures: goals, display, storage, and the computations behind them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench import capacity, hour
from tests.bench.figures import Figure, Measured, shown
from tests.bench.pairs import ROUNDS, cost, rounds, take_turns
from tests.bench.report import BEGIN, END, markdown, save, splice, table

AGE = Figure("age p50", "ms", most=20)
LATE = Figure("age p99", "ms", most=80)
BARE = Figure("video, cost of a frame", "x")
RATE = Figure("predictions", "x", least=0.95)
BATCHES = Figure("batches", "x", least=1.3)
ABSENT = Figure("image", "MB", most=350)
KINDS = {"age": [AGE, LATE], "models": [BARE, RATE, BATCHES], "containers": [ABSENT]}
MEASURED = [
    AGE.side_by_side([16.04, 12, 19], [2, 3, 4], "bare Kafka"),
    LATE.alone([91], "150 frames"),
    BARE.ratio([1, 3, 2], [10, 10, 10], "ms", "bare work"),
    RATE.alone([0.97], "bare load"),
    BATCHES.alone([1.1], "single requests"),
]
ABOUT = {"machine": {"processors": "2 x Z80"}, "versions": {"python": "3.11"}}


@pytest.mark.parametrize(
    ("measured", "met"), list(zip(MEASURED, [True, False, None, True, False], strict=True))
)
def test_a_figure_knows_whether_its_goal_is_met(measured: Measured, met: bool | None) -> None:
    assert measured.met is met


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.08613, "0.0861"), (1, "1"), (999.4, "999"), (57_412.3, "57,412"), (-2_000, "-2,000")],
)
def test_a_value_is_shown_with_three_digits(value: float, text: str) -> None:
    assert shown(value) == text


def test_a_ratio_is_the_median_of_the_pairs_not_the_ratio_of_the_medians() -> None:
    ratio = BARE.ratio([10, 20, 90], [10, 40, 30], "ms", "")

    assert ratio.rounds == (1, 0.5, 3)
    assert ratio.value == 1
    assert (str(ratio.ours), str(ratio.theirs)) == ("20 ms", "30 ms")


def test_the_sides_take_turns() -> None:
    turns: list[str] = []

    def side(name: str, value: float) -> float:
        turns.append(name)
        return value + len(turns)

    values = take_turns("turns", {"ours": lambda: side("ours", 10), "bare": lambda: side("bare", 20)})

    assert turns == ["ours", "bare"] * ROUNDS
    assert values == {"ours": [11, 13, 15, 17, 19], "bare": [22, 24, 26, 28, 30]}


def test_the_current_round_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(rounds("stamp", 3)) == [1, 2, 3]

    assert capsys.readouterr().out.splitlines()[1] == "  stamp: round 2 of 3"


def test_the_cost_is_per_item() -> None:
    done: list[int] = []

    assert 0 <= cost(done.append, [1, 2, 3]) < 1_000
    assert done == [1, 2, 3]


def test_the_table_has_a_line_for_each_figure() -> None:
    head, *lines = table(KINDS, MEASURED).splitlines()

    assert head.split()[:5] == ["kind", "figure", "median", "spread", "goal"]
    assert [cell.strip() for cell in lines[0].split("  ") if cell] == [
        *("age", "age p50", "16 ms", "12 .. 19", "<= 20", "met", "16 ms", "3 ms", "bare Kafka")
    ]
    assert "91 ms" in lines[1]
    assert "NOT MET" in lines[1]
    assert ">= 0.95" in lines[3]
    assert "NOT MET" in lines[4]
    assert lines[5].split() == ["containers", "image", "not", "measured", "<=", "350"]


def test_the_file_contains_the_machine_the_versions_and_the_figures(tmp_path: Path) -> None:
    save(tmp_path / "bench.json", KINDS, MEASURED, ABOUT)

    kept = json.loads((tmp_path / "bench.json").read_text())
    assert kept["machine"] == ABOUT["machine"]
    assert kept["versions"] == ABOUT["versions"]
    assert [figure["met"] for figure in kept["figures"]] == [True, False, None, True, False]
    cost_of_frame = kept["figures"][2]
    assert (cost_of_frame["kind"], cost_of_frame["name"]) == ("models", "video, cost of a frame")
    assert cost_of_frame["rounds"] == [0.1, 0.3, 0.2]
    assert [cost_of_frame[name] for name in ("median", "min", "max")] == [0.2, 0.1, 0.3]
    assert cost_of_frame["ours"] == {"unit": "ms", "rounds": [1, 3, 2], "median": 2}


def test_the_page_changes_only_between_its_marks() -> None:
    page = f"# Method\n\n{BEGIN}\n\nold\n\n{END}\n\nthe rest\n"

    changed = splice(page, markdown(KINDS, MEASURED, ABOUT))

    assert changed.startswith(f"# Method\n\n{BEGIN}\n\n| kind | figure |")
    assert changed.endswith(f"python 3.11\n\n{END}\n\nthe rest\n")
    assert "old" not in changed
    assert splice(changed, "old") == page


@pytest.mark.parametrize("page", ["no marks", BEGIN, END])
def test_a_page_without_both_marks_is_refused(page: str) -> None:
    with pytest.raises(AssertionError, match="no mark where the table"):
        splice(page, "new")


@given(slope=st.floats(-50, 50), start=st.floats(0, 200), count=st.integers(3, 100), step=st.floats(0.001, 1))
def test_the_slope_of_a_straight_line_is_exact(slope: float, start: float, count: int, step: float) -> None:
    times = [number * step for number in range(count)]

    line = hour.straight(times, [start + slope * time for time in times])

    assert line.slope == pytest.approx(slope, abs=1e-6)
    assert line.error == pytest.approx(0, abs=1e-6)


def test_the_slope_of_noise_has_the_textbook_standard_error() -> None:
    line = hour.straight([1, 2, 3, 4, 5], [2.1, 3.9, 6.2, 7.8, 10.1])

    assert line.slope == pytest.approx(1.99)
    assert line.error == pytest.approx(0.0597, abs=1e-4)


@given(bearable=st.integers(1, 16))
def test_the_search_finds_how_many_can_be_carried(bearable: int) -> None:
    search = capacity.Search(16)

    tries = 0
    while len(search.held) < ROUNDS:
        search.tried(search.number <= bearable)
        tries += 1

    assert set(search.held) == {bearable}
    assert tries <= 13


def test_the_search_recovers_from_one_bad_measurement() -> None:
    search = capacity.Search(16)

    search.tried(False)
    while len(search.held) < ROUNDS:
        search.tried(search.number <= 7)

    assert set(search.held) == {7}
