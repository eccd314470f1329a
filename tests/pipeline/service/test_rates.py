"""A ledger's counts as rates."""

import pytest

from pipeline.flow.ledger import Ledger
from pipeline.service import rates
from pipeline.service.rates import Rates
from pipeline.wire.figures import CameraFigures, Dropped
from tests.clock import Clock


class Kit:
    """A ledger, its rates, and the time."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.ledger = Ledger()
        self.rates = Rates(self.ledger)

    def count(self, came: int, went: int, camera: str = "door", age: float = 0.1) -> None:
        """Count frames in, and out; the others are dropped."""
        for number in range(came):
            self.ledger.came(camera)
            if number < went:
                self.ledger.went(camera, age)
            else:
                self.ledger.dropped(camera, "replaced")

    def figures(self, after: float, camera: str = "door") -> CameraFigures:
        """Return a camera's figures after some time."""
        self.clock.now += after
        return self.rates.figures()[camera]


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch) -> Kit:
    """Rates at a time that only tests move on."""
    clock = Clock()
    monkeypatch.setattr(rates, "time", clock)
    return Kit(clock)


def test_at_first_there_are_only_counts(kit: Kit) -> None:
    kit.count(5, 2)

    assert kit.figures(0) == CameraFigures(None, None, None, {"replaced": Dropped(3)})


def test_rates_are_differences(kit: Kit) -> None:
    kit.count(100, 100)
    kit.figures(0)
    kit.count(50, 40)

    figures = kit.figures(2)

    assert (figures.came, figures.went, figures.age) == (25, 20, 0.1)
    assert figures.dropped == {"replaced": Dropped(10, 5)}


def test_they_are_over_the_last_ten_seconds(kit: Kit) -> None:
    kit.rates.figures()
    for _ in range(20):
        kit.count(20, 20)
        kit.figures(2)
    for _ in range(2):
        kit.figures(2)
    slowing = kit.figures(2)
    for _ in range(3):
        still = kit.figures(2)

    assert slowing.went == pytest.approx(4)
    assert (still.came, still.went, still.age) == (0, 0, None)
    assert len(kit.rates._samples) <= 7


def test_a_new_camera_has_a_rate_from_the_time_when_it_was_not_there(kit: Kit) -> None:
    kit.rates.figures()
    for _ in range(3):
        kit.clock.now += 2
        kit.rates.figures()
    kit.count(20, 20)

    first = kit.figures(2)
    kit.count(20, 20)
    second = kit.figures(2)

    assert (first.came, second.came) == (10, 10)


def test_a_camera_that_was_removed_and_is_back_is_measured_again(kit: Kit) -> None:
    kit.count(50, 50)
    kit.figures(0)
    kit.ledger.forget("door")
    kit.count(10, 10)

    back = kit.figures(2)
    kit.count(20, 20)
    later = kit.figures(2)

    assert back.came is None
    assert later.came == 10


def test_samples_that_are_too_close_are_not_compared(kit: Kit) -> None:
    kit.count(1, 1)
    kit.figures(0)
    kit.count(1, 1)

    assert kit.figures(0.01).came is None
    assert kit.figures(0.99).came == 1


def test_the_age_is_the_median_of_the_last_frames(kit: Kit) -> None:
    kit.rates.figures()
    for age in (9.0, *[0.1] * 30, *[0.2] * 33, 8.0):
        kit.count(1, 1, age=age)

    assert kit.figures(2).age == 0.2
