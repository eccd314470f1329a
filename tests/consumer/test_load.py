"""The metrics of Elastic Inference: both branches of its formula, idleness, and a maximum that decays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from consumer.load import Load, Report
from tests.clock import Clock
from tests.consumer.fakes import PROPERTY


class Run:
    """A load with a clock of its own."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.load = Load(self.clock.monotonic)

    def go(self, seconds: float, *, infer: int = 0, drop: int = 0) -> Report:
        """Answer and drop so many frames, evenly over so many seconds; return the report at the end."""
        steps = max(infer, drop, 1)
        for step in range(steps):
            self.clock.now += seconds / steps
            for _ in range((step + 1) * infer // steps - step * infer // steps):
                self.load.inferred()
            if frames := (step + 1) * drop // steps - step * drop // steps:
                self.load.dropped(frames)
        return self.load.report()


@pytest.fixture
def run() -> Run:
    """A load that has just begun."""
    return Run()


def test_before_the_first_report_all_is_zero(run: Run) -> None:
    assert run.go(9, infer=90, drop=90) == Report(0, 0, 0)


def test_with_drops_the_ratio_is_what_came_relative_to_what_was_inferred(run: Run) -> None:
    infer, drop, ratio = run.go(60, infer=60 * 19, drop=60 * 36)

    assert (infer, drop) == pytest.approx((19, 36), rel=0.02)
    assert ratio == pytest.approx((infer + drop) / infer)


def test_without_drops_the_ratio_is_the_rate_relative_to_its_maximum(run: Run) -> None:
    full = run.go(60, infer=60 * 20)
    quarter = run.go(60, infer=60 * 5)

    assert list(full) == pytest.approx([20, 0, 1], rel=0.02)
    assert list(quarter) == pytest.approx([5, 0, 0.25], rel=0.1)


def test_the_maximum_loses_half_in_ten_minutes_until_the_present_rate_is_the_maximum(run: Run) -> None:
    run.go(60, infer=60 * 20)

    ratios = [run.go(600, infer=600 * 5).scale_ratio for _ in range(3)]

    assert ratios == pytest.approx([0.5, 1, 1], rel=0.05)


def test_the_maximum_decays_while_nothing_comes_too(run: Run) -> None:
    run.go(60, infer=60 * 20)

    run.clock.now += 600

    assert run.go(20, infer=20 * 5).scale_ratio == pytest.approx(0.5, rel=0.1)


def test_it_is_idle_half_a_minute_after_the_last_frame(run: Run) -> None:
    last = run.go(20, infer=200, drop=200)

    before, after = run.go(29), run.go(1)

    assert last.scale_ratio == pytest.approx(2)
    assert before.scale_ratio == pytest.approx(2)
    assert after == Report(0, 0, 0.5)
    assert run.go(3600) == Report(0, 0, 0.5)


def test_it_is_idle_if_no_frame_has_ever_come(run: Run) -> None:
    assert run.go(29) == Report(0, 0, 0)
    assert run.go(1) == Report(0, 0, 0.5)


def test_a_report_after_a_pause_does_not_cover_the_pause(run: Run) -> None:
    run.go(60, infer=60 * 20)
    run.clock.now += 100  # nobody asks meanwhile

    first = run.go(1, infer=20)
    later = run.go(19, infer=19 * 20)

    assert first == Report(0, 0, 0.5)
    assert later.infer_fps == pytest.approx(20, rel=0.1)
    assert later.scale_ratio == pytest.approx(1, rel=0.1)


def test_if_the_models_are_away_the_replicas_stay_as_they_are(run: Run) -> None:
    assert list(run.go(20, drop=200)) == pytest.approx([0, 10, 1], rel=0.1)


def test_how_often_somebody_asks_does_not_matter(run: Run) -> None:
    reports = [run.go(0.5, infer=10, drop=5) for _ in range(100)]

    for report in reports[25:]:
        assert list(report) == pytest.approx([20, 10, 1.5], rel=0.06)


@PROPERTY
@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.integers(0, 50), st.integers(0, 50)),
        max_size=30,
    )
)
def test_the_ratio_follows_from_the_rates(happened: list[tuple[float, int, int]]) -> None:
    run = Run()

    for seconds, infer, drop in happened:
        report = run.go(seconds, infer=infer, drop=drop)

        if report.infer_fps and report.drop_fps:
            assert report.scale_ratio == pytest.approx(1 + report.drop_fps / report.infer_fps)
        elif report.infer_fps:
            assert 0 < report.scale_ratio <= 1
        else:
            assert report.scale_ratio in {0, 0.5, 1}


def test_prometheus_reads_the_reports(run: Run) -> None:
    run.load.export()
    run.go(20, infer=200, drop=100)

    infer, drop, ratio = (
        REGISTRY.get_sample_value(name) for name in ("ei_infer_fps", "ei_drop_fps", "ei_scale_ratio")
    )

    assert Report(infer or 0, drop or 0, ratio or 0) == run.load.report()
    assert ratio == pytest.approx(1.5, rel=0.05)
