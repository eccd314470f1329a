"""What a model has answered, as rates."""

import pytest

from consumer.model_counts import ModelCounts
from pipeline.wire.figures import Dropped
from pipeline.wire.model_figures import ModelFigures
from tests.clock import Clock


@pytest.fixture
def counts(clock: Clock) -> ModelCounts:
    """The counts of a model."""
    return ModelCounts("tfserving:8501", clock.monotonic)


def test_the_first_figures_have_no_rates(counts: ModelCounts) -> None:
    counts.failed("timeout")

    assert counts.figures("it does not answer") == ModelFigures(
        "tfserving:8501", "it does not answer", None, None, failed={"timeout": Dropped(1)}
    )


def test_rates_are_over_the_last_ten_seconds(counts: ModelCounts, clock: Clock) -> None:
    counts.failed("timeout")
    for _ in range(20):
        counts.figures(None)
        for _ in range(4):
            counts.answered(0.25)
            counts.inferred()
            counts.inferred()
        counts.labelled(0.5)
        clock.now += 2
    counts.failed("timeout")

    found = counts.figures(None)

    assert (found.requests, found.frames, found.took, found.age) == (2, 4, 0.25, 0.5)
    assert found.failed == {"timeout": Dropped(2, 0.1)}


def test_without_answers_nothing_is_known_about_their_time(counts: ModelCounts, clock: Clock) -> None:
    counts.answered(0.25)
    counts.labelled(0.5)
    counts.figures(None)
    clock.now += 2

    found = counts.figures(None)

    assert (found.requests, found.frames, found.took, found.age) == (0, 0, None, None)
