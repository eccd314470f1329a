"""The simulation of autoscaling: Kubernetes' arithmetic, and how the policies of the overlays score."""

import math
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tests.bench.scaling import chart, kind, record
from tests.bench.scaling.autoscaler import DOWN, Autoscaler, Rate, Rules, wanted
from tests.bench.scaling.loads import Load, loads
from tests.bench.scaling.policies import by_cpu, ours
from tests.bench.scaling.replay import Score, oracle, play
from tests.bench.scaling.simulated import see
from tests.parts import ROOT

CALM = Load(cameras=6, fps=24, model=0.025, computing=1, bad=0)
MOST = {"consumer": 8, "tfserving": 4}


@pytest.mark.parametrize(
    ("value", "target", "replicas", "expected"),
    [
        (2.0, 1.0, 3, 6),  # twice the target: twice the replicas
        (0.5, 1.0, 4, 2),
        (1.01, 0.5, 3, 7),
        (1.1, 1.0, 5, 5),  # within 10 %
        (0.9, 1.0, 5, 5),
        (1.11, 1.0, 5, 6),
        (0.0, 1.0, 5, 0),
    ],
)
def test_a_value_is_held_at_its_target(value: float, target: float, replicas: int, expected: int) -> None:
    assert wanted("Value", value, target, replicas, replicas) == expected


def test_a_value_counts_for_the_replicas_that_are_ready() -> None:
    assert wanted("Value", 2.0, 1.0, replicas=6, ready=3) == 6


@pytest.mark.parametrize(
    ("value", "replicas", "expected"),
    [(100, 1, 10), (100, 10, 10), (109, 10, 10), (111, 10, 12), (1, 10, 1)],
)
def test_a_sum_is_divided_among_the_replicas(value: float, replicas: int, expected: int) -> None:
    assert wanted("AverageValue", value, 10, replicas, replicas) == expected


@pytest.mark.parametrize(
    ("use", "replicas", "ready", "expected"),
    [
        (160, 2, 2, 4),
        (40, 4, 4, 2),
        (160, 4, 2, 4),  # those that start count as idle: 80 % on average
        (240, 4, 2, 6),
        (100, 4, 2, 4),  # they must not turn the decision around
        (40, 4, 2, 1),
    ],
)
def test_utilization_is_that_of_the_pods_that_are_ready(
    use: float, replicas: int, ready: int, expected: int
) -> None:
    assert wanted("Utilization", use, 80, replicas, ready) == expected


def test_the_metric_that_asks_for_most_decides() -> None:
    assert Autoscaler(1, 8).decide(0, 2, [1, 4, 3]) == 4


def test_a_metric_without_a_value_keeps_the_replicas_but_others_may_add_some() -> None:
    assert wanted("Value", math.nan, 1, 5, 5) is None
    assert Autoscaler(1, 8, down=Rules(0, DOWN.rates)).decide(0, 5, [1, None]) == 5
    assert Autoscaler(1, 8).decide(0, 5, [7, None]) == 7
    assert Autoscaler(1, 8).decide(0, 5, [None]) == 5


def test_replicas_are_removed_when_none_of_the_last_five_minutes_needed_them() -> None:
    scaler = Autoscaler(1, 8)

    counts = [scaler.decide(now, 6, [6 if now == 0 else 2]) for now in range(0, 316, 15)]

    assert counts == [6] * 21 + [2]


def test_at_most_four_replicas_or_as_many_as_there_are_come_at_a_time() -> None:
    scaler = Autoscaler(1, 100)

    counts = [1]
    for now in (0, 15, 30):
        counts.append(scaler.decide(now, counts[-1], [100]))

    assert counts == [1, 5, 10, 20]


def test_half_of_the_replicas_may_go_within_a_minute() -> None:
    scaler = Autoscaler(1, 8, down=Rules(0, (Rate("Percent", 50, 60),)))

    counts = [8]
    for now in range(0, 121, 15):
        counts.append(scaler.decide(now, counts[-1], [1]))

    assert counts == [8, 4, 4, 4, 4, 2, 2, 2, 2, 1]


def test_the_limits_are_kept() -> None:
    assert Autoscaler(2, 4).decide(0, 3, [9]) == 4
    assert Autoscaler(2, 4, down=Rules(0, DOWN.rates)).decide(0, 3, [0]) == 2


def test_more_model_servers_make_labels_younger_and_more_consumers_make_frames_complete() -> None:
    crowd = CALM._replace(cameras=40)

    assert see(crowd, 8, 4, 4).labels < see(crowd, 8, 2, 4).labels
    assert see(crowd, 1, 4, 4).missed > 0.5 * 40 * 24
    assert see(crowd, 8, 4, 4).missed == 0


def test_a_model_that_waits_needs_no_processor() -> None:
    waits = CALM._replace(model=0.1, computing=0.1)

    assert see(waits, 2, 2, 4).labels == see(waits._replace(computing=1), 2, 2, 4).labels
    assert see(waits, 2, 2, 4).tfserving == pytest.approx(0.2, rel=0.05)


def test_a_model_that_is_much_too_slow_gives_no_labels() -> None:
    hopeless = see(CALM._replace(model=3), 2, 2, 4)

    assert math.isnan(hopeless.labels)
    assert math.isnan(hopeless.answer)
    assert hopeless.missed == 6 * 24


def test_each_load_lasts_for_an_hour_and_the_recorded_one_for_twenty_minutes() -> None:
    assert {name: len(load) for name, load in loads().items()} == {
        "bursts": 3600,
        "flood": 3600,
        "recorded": 1185,
        "slow-model": 3600,
    }


def test_the_recorded_load_has_bursts_a_flood_and_a_slow_model() -> None:
    recorded = loads()["recorded"]

    assert {load.cameras // 6 for load in recorded} >= {1, 2, 4, 7}
    assert max(load.bad for load in recorded) > 1_000
    assert {load.computing for load in recorded} == {1.0, 0.4, 0.25}


def test_a_recording_has_what_came_between_two_moments() -> None:
    before = record.Counts(10, {"a": 100, "b": 50}, 40, 2.0, 0)
    after = record.Counts(15, {"a": 225, "b": 50, "c": 25}, 140, 4.0, 5_000)

    assert record.between(before, after, 0.6, 0) == Load(2, 15, 0.05, 0.4, 1_000)
    assert record.between(after, after._replace(at=20), 0.0, 0.07).model == 0.07


def test_the_oracle_starts_what_is_needed_just_in_time() -> None:
    load = [CALM] * 60 + [CALM._replace(cameras=24)] * 60 + [CALM] * 60

    score = oracle(load, MOST)

    assert score.missed == 0
    assert score.replica_seconds == (180 + 70) + (180 + 60 + 35)
    assert score.replica_seconds < play(load, ours()).replica_seconds


def test_the_numbers_are_those_of_the_manifests() -> None:
    policies = ours()

    offered, ratio, frames, labels = policies["consumer"].metrics
    assert (offered.name, offered.kind, offered.target, offered.window) == (
        "offered",
        "AverageValue",
        210,
        10,
    )
    assert (ratio.name, ratio.unless_answer, ratio.answer_window) == ("ratio", 0.5, 60)
    assert (frames.name, frames.kind, frames.target, frames.window) == ("frames", "Value", 0.6, 60)
    assert (labels.name, labels.target, labels.only_above, labels.unless_answer) == ("labels", 1.2, 1.2, 0.5)
    (cpu,) = by_cpu()["tfserving"].metrics
    assert (cpu.kind, cpu.target) == ("Utilization", 80)
    assert policies["consumer"].scaler().down == Rules(300, (Rate("Percent", 50, 60),))


def test_a_policy_without_data_keeps_the_replicas() -> None:
    policies = {
        name: replace(policy, metrics=[replace(metric, name="answer") for metric in policy.metrics])
        for name, policy in ours().items()
    }

    assert play([CALM._replace(model=3)] * 600, policies) == Score(100, 4 * 600, 0)


def total(scores: dict[str, Score]) -> tuple[float, float]:
    """Return what was missed, and what it cost, with all loads."""
    return kind._missed(scores), kind._seconds(scores)


def made_up(scores: dict[str, Score]) -> tuple[float, float]:
    """Return the same with the loads of an hour, which are made up."""
    return total({name: score for name, score in scores.items() if name != "recorded"})


def test_with_all_loads_less_is_missed_than_with_scaling_by_cpu_and_it_costs_less() -> None:
    mine, theirs = (total(scores) for scores in kind.scores(None))

    assert mine[0] < 0.3 * theirs[0]
    assert mine[1] < 0.6 * theirs[1]


def test_with_the_recorded_load_less_is_missed_and_it_costs_much_less() -> None:
    mine, theirs = (scores["recorded"] for scores in kind.scores(None))

    assert mine.missed < theirs.missed
    assert mine.replica_seconds < 0.6 * theirs.replica_seconds


def test_less_is_missed_than_with_scaling_by_cpu_and_it_costs_less() -> None:
    mine, theirs = (made_up(scores) for scores in kind.scores(None))

    assert mine[0] < 0.2 * theirs[0]
    assert mine[1] < 0.6 * theirs[1]


@pytest.mark.parametrize("target", [50, 100, 150, 200, 300, 400, 500])
def test_no_other_target_of_scaling_by_cpu_is_better_in_both(target: int) -> None:
    mine, theirs = (made_up(scores) for scores in kind.scores(target))

    assert mine[0] < 0.5 * theirs[0]
    assert mine[1] < theirs[1] or mine[0] < 0.2 * theirs[0]


def test_the_number_of_replicas_changes_seldom() -> None:
    mine, theirs = kind.scores(None)

    assert sum(score.changes for name, score in mine.items() if name != "recorded") < 30
    assert all(score.changes < 20 for score in (*mine.values(), *theirs.values()))


def test_every_figure_is_measured_and_its_goal_met() -> None:
    measured = kind.measure()

    assert [each.figure for each in measured] == list(kind.FIGURES)
    assert [each.met for each in measured[-2:]] == [True, True]


def test_a_recording_is_drawn() -> None:
    rows = [
        {"seconds": "0", "consumer": "2", "tfserving": "2", "age": ""},
        {"seconds": "10", "consumer": "2", "tfserving": "3", "age": "2.4"},
        {"seconds": "20", "consumer": "3", "tfserving": "3", "age": "0.6"},
    ]

    picture = ElementTree.fromstring(chart.draw(rows, 1.2))

    lines = [each.attrib["points"] for each in picture.iter() if each.tag.endswith("polyline")]
    bound, ages, consumers, servers = ([point.split(",")[1] for point in line.split()] for line in lines)
    assert bound == ["235.0", "235.0"]
    assert ages == ["175.0", "265.0"]
    assert consumers == ["55.0", "55.0", "55.0", "15.0"]
    assert servers == ["55.0", "55.0", "15.0", "15.0"]


PAGE = (ROOT / "docs/autoscaling.md").read_text()


def test_the_page_has_the_scores_of_each_load() -> None:
    mine, theirs = kind.scores(None)

    for name, load in loads().items():
        scores = mine[name], theirs[name], oracle(load, MOST)
        who = f"{name} | `autoscaling`", "`autoscaling-cpu`", "oracle"
        for each, score in zip(who, scores, strict=True):
            row = f"{each} | {score.missed:.1f} % | {score.replica_seconds:,} | {score.changes} |"
            assert row in PAGE


@pytest.mark.parametrize("target", [50, 100, 150, 200, 300, 400])
def test_the_page_has_the_scores_of_other_targets(target: int) -> None:
    missed, seconds = total(kind.scores(target)[1])

    assert f"| {target} % | {missed:.1f} % | {seconds:,} |" in PAGE
