"""The processes as they report: their states, their figures, and clocks that disagree."""

import pytest

from pipeline.wire.figures import CameraFigures, Figures
from pipeline.wire.model_figures import ModelFigures, Models
from pipeline.wire.status import State
from tests.clock import Clock
from tests.video.cameras.statuses import a_status
from video.cameras import processes
from video.cameras.processes import Process, Processes

DOOR = CameraFigures(25.0, 12.5, 0.04)


class Kit:
    """What is known of the processes, and the time."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.processes = Processes("me")

    def report(
        self,
        state: State,
        reason: str | None = None,
        *,
        service: str = "consumer",
        instance: str = "a",
        camera: str = "",
        age: float = 0,
    ) -> None:
        """Report a state."""
        status = a_status(state, reason, camera=camera, instance=instance, service=service)
        self.processes.report(status, age)

    def figure(
        self, *cameras: str, service: str = "consumer", instance: str = "a", age: float = 0, ahead: float = 0
    ) -> None:
        """Report figures of cameras, written `age` s ago by a clock that is `ahead`."""
        at = self.clock.now - age + ahead
        self.processes.figure(Figures(service, instance, at, dict.fromkeys(cameras, DOOR)), age)

    def live(self, seconds: float, ahead: float = 0) -> None:
        """Report every two seconds for some time."""
        for _ in range(int(seconds / 2)):
            self.report("ready")
            self.figure("door", ahead=ahead)
            self.clock.now += 2

    @property
    def only(self) -> Process:
        """The only process."""
        (process,) = self.processes.current()
        return process


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch) -> Kit:
    """Processes at a time that only tests move on."""
    clock = Clock()
    monkeypatch.setattr(processes, "time", clock)
    return Kit(clock)


def test_a_process_has_its_state_and_figures(kit: Kit) -> None:
    kit.report("not-ready", "no partition")
    kit.figure("door", "yard")

    assert kit.only == Process(
        "consumer", "a", "not-ready", "no partition", 1_000, {"door": DOOR, "yard": DOOR}
    )
    assert kit.only.runs


def test_a_process_has_the_models_that_it_reports_until_it_reports_no_more(kit: Kit) -> None:
    models = {"imagenet_1": ModelFigures("tfserving:8501", None, 21.5, 40.0)}
    kit.live(10)
    kit.processes.figure_models(Models("consumer", "a", models), 0)

    assert kit.only.models == models
    kit.live(12)
    assert kit.only.models == {}


def test_a_process_that_has_stopped_asks_no_models(kit: Kit) -> None:
    kit.live(2)
    kit.processes.figure_models(
        Models("consumer", "a", {"imagenet_1": ModelFigures("tfserving:8501", None, 21.5, 40.0)}), 0
    )
    kit.report("stopped")

    assert kit.only.models == {}


def test_processes_are_in_the_order_of_their_names(kit: Kit) -> None:
    for service, instance in ("video", "b"), ("consumer", "b"), ("consumer", "a"):
        kit.report("ready", service=service, instance=instance)

    found = [(each.service, each.instance) for each in kit.processes.current()]

    assert found == [("consumer", "a"), ("consumer", "b"), ("video", "b")]


def test_the_producer_of_a_single_camera_is_as_its_camera(kit: Kit) -> None:
    kit.report("live", service="producer", camera="door")
    assert kit.only.state == "ready"

    kit.report("no-signal", "wrong password", service="producer", camera="door")
    assert (kit.only.state, kit.only.reason) == ("not-ready", "wrong password")

    kit.report("stopped", service="producer", camera="door")
    assert kit.only.state == "stopped"


def test_a_camera_that_moves_away_does_not_stop_its_producer(kit: Kit) -> None:
    kit.report("ready", service="producer")
    kit.report("live", service="producer", camera="door")
    kit.report("stopped", service="producer", camera="door")

    assert kit.only.state == "ready"


def test_a_process_that_stopped_is_shown_for_a_minute(kit: Kit) -> None:
    kit.live(4)
    kit.report("stopped")

    assert kit.only.state == "stopped"
    assert not kit.only.runs
    assert (kit.only.figures, kit.only.why) == (None, "has stopped")
    kit.clock.now += 59
    assert kit.only.state == "stopped"
    kit.clock.now += 1
    assert kit.processes.current() == []


def test_a_process_that_is_killed_falls_silent(kit: Kit) -> None:
    kit.live(10)
    kit.clock.now += 9

    assert kit.only.state == "ready"
    assert kit.only.why == "has reported no figures for 11 s"
    kit.clock.now += 20
    assert kit.only.state == "silent"
    assert kit.only.reason == "it has not reported for 31 s: it was killed, or cannot reach Kafka"
    kit.clock.now += 30
    assert kit.processes.current() == []


def test_old_records_that_the_topic_has_kept_count_by_their_age(kit: Kit) -> None:
    kit.report("ready", age=40)
    kit.figure("door", age=41)

    assert kit.only.state == "silent"
    assert kit.only.figures is None
    kit.report("ready", age=3)
    assert kit.only.state == "ready"


def test_figures_of_a_camera_that_is_gone_count_no_longer(kit: Kit) -> None:
    kit.report("ready")
    kit.figure("door", "yard")
    for _ in range(6):
        kit.clock.now += 2
        kit.figure("door")

    assert kit.only.figures == {"door": DOOR}
    assert kit.processes._count == 1


def test_a_process_of_an_older_version_reports_no_figures(kit: Kit) -> None:
    kit.report("ready")
    assert (kit.only.figures, kit.only.why) == (None, "has not reported figures yet")

    kit.clock.now += 11
    kit.report("ready")

    assert kit.only.why == "reports no figures: it is an older version"
    assert kit.only.runs


def test_figures_alone_make_no_process(kit: Kit) -> None:
    kit.figure("door")

    assert kit.processes.current() == []


@pytest.mark.parametrize(
    ("ahead", "expected"), [(0, 0), (1.5, 0), (-3, 0), (7, 7), (-20, -20)], ids=["0", "1", "-3", "7", "-20"]
)
def test_a_clock_that_disagrees_is_noticed(kit: Kit, ahead: float, expected: float) -> None:
    kit.live(20, ahead=ahead)

    assert kit.only.clock == pytest.approx(expected)


def test_what_was_on_its_way_for_long_says_nothing_about_clocks(kit: Kit) -> None:
    kit.report("ready", age=50)
    for age in (50.0, 40.0, 30.0, 20.0):
        kit.figure("door", age=age)
    assert kit.only.clock == 0

    kit.clock.now += 6
    for age in (12.0, 10.0, 0.1):  # the broker was away
        kit.figure("door", age=age)

    assert kit.only.clock == 0


def test_a_process_whose_records_seem_old_but_keep_coming_runs(kit: Kit) -> None:
    for _ in range(10):
        kit.report("ready", age=40)
        kit.figure("door", age=40)
        kit.clock.now += 2

    assert kit.only.state == "ready"
    assert kit.only.figures == {"door": DOOR}
    assert kit.only.clock == pytest.approx(-40)


def test_records_that_keep_coming_but_do_not_count_are_reported_for_a_minute(kit: Kit) -> None:
    for _ in range(2):
        kit.processes.ignored(75)
        assert kit.processes.notes() == []
        kit.clock.now += 10
    kit.processes.ignored(75)

    (note,) = kit.processes.notes()
    assert "seem to be 75 s old" in note
    assert "clock" in note
    kit.clock.now += 60
    assert kit.processes.notes() == []


@pytest.mark.parametrize("start", [1, 100], ids=["at the start", "after Kafka was away"])
def test_old_records_that_come_all_at_once_are_the_past(kit: Kit, start: float) -> None:
    kit.clock.now += start
    for _ in range(50):
        kit.processes.ignored(274)
        kit.clock.now += 0.2
    kit.report("ready")

    assert kit.processes.notes() == []


@pytest.mark.exceeds("video.cameras.processes.MOST_PROCESSES")
def test_a_flood_of_invented_processes_does_not_displace_those_that_report(kit: Kit) -> None:
    kit.report("ready", instance="real")
    for number in range(600):
        kit.report("ready", instance=f"x{number}")

    assert len(kit.processes.current()) == 500
    assert "more than 500 processes" in kit.processes.notes()[0]
    kit.clock.now += 20
    kit.report("ready", instance="real")
    kit.clock.now += 10
    kit.report("ready", instance="new")
    names = {each.instance for each in kit.processes.current()}
    assert {"real", "new"} <= names
    assert len(names) == 500


@pytest.mark.exceeds("video.cameras.processes.MOST_FIGURES")
def test_the_figures_of_all_processes_together_are_limited(kit: Kit) -> None:
    for instance in "abc":
        kit.report("ready", instance=instance)
        kit.figure(*map(str, range(8_000)), instance=instance)

    sizes = [len(each.figures or ()) for each in kit.processes.current()]
    assert sizes == [8_000, 8_000, 4_000]
    assert "20000 cameras" in kit.processes.notes()[0]
    kit.clock.now += 61
    assert kit.processes.current() == []
    assert kit.processes._count == 0
