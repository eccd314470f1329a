"""The lines printed while parts become ready, and the fate of cameras that do not deliver."""

import asyncio
import io
from typing import Any

from compose.console import Console
from compose.forks import ForkServer
from compose.job import BrokerAddress, Job
from compose.parts import Part
from compose.progress import Progress


class Stage:
    """Jobs that are never started, and a clock that stands at 0 at their start."""

    def __init__(self, *given: str, **roles: Any) -> None:
        self.stream = io.StringIO()
        console = Console(self.stream, [*roles], colour=False)
        self.jobs = {
            name: Job(
                Part(name, role, ()),
                console,
                BrokerAddress(),
                ForkServer(print),
                kill=asyncio.Event(),
                inherited={},
            )
            for name, role in roles.items()
        }
        self.announced = 0
        self.trainable = 0
        links = {name: f"rtsp://u:***@{name}/x" for name in given}
        jobs = [*self.jobs.values()]
        self._progress = Progress(
            *(jobs, console, self._announce, 0, "http://here/"),
            links=links,
            trainable=self._announce_training,
        )

    def at(self, now: float) -> list[str]:
        """Report at a time; return the lines printed."""
        self.stream.seek(0)
        self.stream.truncate()
        self._progress.report(now)
        return [line.partition("| ")[2] for line in self.stream.getvalue().splitlines()]

    def ready(self, *names: str) -> None:
        for name in names:
            self.jobs[name].trouble = None
            self.jobs[name].answered = 1

    def unready(self, name: str, reason: str, since: float = 1) -> None:
        self.jobs[name].trouble = reason
        self.jobs[name].answered = since

    def away(self, producer: str, **reasons: str) -> None:
        """Let a producer be ready, and report cameras that do not deliver."""
        self.ready(producer)
        self.jobs[producer].cameras = reasons

    def _announce(self) -> None:
        self.announced += 1

    def _announce_training(self) -> None:
        self.trainable += 1


def test_awaited_parts_are_named_now_and_then() -> None:
    stage = Stage(consumer="consumer", video="video")
    stage.unready("consumer", "no frame yet")

    assert stage.at(1) == []
    assert stage.at(3) == ["waiting for consumer (no frame yet), video (not started yet)"]
    assert stage.at(4) == []
    stage.ready("video")
    assert stage.at(6) == ["waiting for consumer (no frame yet)"]


def test_what_several_parts_wait_for_is_said_once() -> None:
    stage = Stage(door="producer", consumer="consumer", video="video")
    stage.unready("door", "Kafka does not answer at k:9092")
    stage.unready("consumer", "is starting")
    stage.unready("video", "Kafka does not answer at k:9092")

    assert stage.at(3) == [
        "waiting for door, video (Kafka does not answer at k:9092), consumer (is starting)"
    ]


def test_readiness_is_announced_once() -> None:
    stage = Stage(consumer="consumer")
    stage.ready("consumer")

    stage.at(1)
    stage.at(2)
    stage.unready("consumer", "is starting")
    stage.at(3)
    stage.ready("consumer")
    stage.at(4)

    assert stage.announced == 1


def test_the_page_does_not_wait_for_the_training_service() -> None:
    stage = Stage(cameras="cameras", video="video", training="training")

    stage.ready("video")
    stage.at(1)
    assert stage.announced == 0
    stage.ready("cameras")
    assert stage.at(4) == ["waiting for training (not started yet)"]
    assert (stage.announced, stage.trainable) == (1, 0)
    stage.ready("training")
    stage.at(5)
    stage.unready("training", "is starting")
    stage.at(6)
    stage.ready("training")
    stage.at(7)
    assert (stage.announced, stage.trainable) == (1, 1)


def test_the_training_service_is_announced_after_the_page() -> None:
    stage = Stage(video="video", training="training")
    stage.ready("training")

    stage.at(1)
    assert (stage.announced, stage.trainable) == (0, 0)
    stage.ready("video")
    stage.at(2)
    assert (stage.announced, stage.trainable) == (1, 1)


def test_the_records_of_the_cameras_are_awaited_but_named_only_if_nothing_else_is() -> None:
    stage = Stage(cameras="cameras", producer="producer")

    assert stage.at(3) == ["waiting for producer (not started yet)"]
    stage.ready("producer")
    assert stage.at(6) == ["waiting for cameras (not started yet)"]
    assert stage.announced == 0
    stage.ready("cameras")
    stage.at(7)
    assert stage.announced == 1


def test_a_camera_that_does_not_deliver_holds_nothing_up_and_is_named_after_a_while() -> None:
    stage = Stage("door", "yard", producer="producer", video="video")
    stage.ready("video")
    stage.away("producer", door="away")

    assert stage.at(1) == stage.at(14) == []
    assert stage.announced == 1
    (line,) = stage.at(16)
    assert line == "not every camera delivers: camera door: away (rtsp://u:***@door/x); still trying"
    assert stage.at(40) == []
    assert stage.at(47) == [line]


def test_a_camera_that_was_added_later_is_named_without_its_link() -> None:
    stage = Stage("door", producer="producer")
    stage.away("producer", hall="refused the password")

    (line,) = stage.at(16)

    assert line == "not every camera delivers: camera hall: refused the password; still trying"


def test_a_camera_that_goes_away_again_is_named_again() -> None:
    stage = Stage("door", "yard", producer="producer")
    stage.away("producer", door="away")
    stage.at(10)

    assert len(stage.at(16)) == 1
    stage.away("producer")
    assert stage.at(20) == []
    assert stage.at(23) == ["camera door delivers"]
    stage.away("producer", door="away")
    assert stage.at(30) == []
    assert len(stage.at(33)) == 1


def test_a_camera_that_was_away_for_a_moment_is_not_named() -> None:
    stage = Stage("door", producer="producer")
    stage.away("producer")
    stage.at(20)

    for start in range(30, 60, 5):
        stage.away("producer", door="away")
        assert stage.at(start) == stage.at(start + 2) == []
        stage.away("producer")
        assert stage.at(start + 2.5) == []


def test_a_camera_that_moves_to_another_producer_is_not_said_to_deliver() -> None:
    stage = Stage("door", first="producer", second="producer")
    stage.away("first", door="away")
    stage.away("second")
    assert len(stage.at(16)) == 1

    stage.jobs["first"].cameras = {}
    stage.unready("first", "about to be restarted")
    assert not any("delivers" in line for line in stage.at(17))
    stage.ready("first")
    stage.away("second", door="away")
    assert not any("delivers" in line for line in stage.at(18))
    stage.away("second")  # for a moment, as at every start of a camera
    assert stage.at(19) == []
    stage.away("second", door="away")
    assert stage.at(20) == []
    stage.away("second")
    assert stage.at(21) == []
    assert stage.at(24) == ["camera door delivers"]


def test_paused_cameras_are_not_missed() -> None:
    stage = Stage("door", producer="producer")
    stage.away("producer", door="paused")

    assert [line for at in range(1, 60) for line in stage.at(at)] == []


def test_the_camera_is_not_blamed_while_the_broker_is_away() -> None:
    stage = Stage("door", producer="producer", video="video")
    stage.ready("producer", "video")
    stage.at(20)

    stage.unready("producer", "topic videocam: Kafka does not answer")
    lines = [line for at in range(30, 60) for line in stage.at(at)]
    stage.unready("producer", "needs the broker's new address")
    lines += [line for at in range(60, 100) for line in stage.at(at)]

    assert lines
    assert all(line.startswith("waiting for producer (") for line in lines)


def test_it_is_said_again_and_again_that_no_camera_delivers() -> None:
    stage = Stage("door", "yard", producer="producer", video="video")
    stage.away("producer", door="away", yard="no video")
    stage.unready("video", "no frame yet")
    stage.at(14)

    reasons = "camera door: away (rtsp://u:***@door/x); camera yard: no video (rtsp://u:***@yard/x)"
    lines = [line for at in range(15, 75) for line in stage.at(at)]
    said = f"no camera delivers: {reasons}; still trying; the cameras' page is http://here/"
    assert lines.count(said) == 2
    assert len(lines) == 4


def test_a_producer_that_starts_slowly_gets_its_time() -> None:
    stage = Stage("door", producer="producer", video="video")

    assert stage.at(20) == ["waiting for producer, video (not started yet)"]
    stage.away("producer", door="not open yet")
    stage.jobs["producer"].answered = 20
    stage.at(25)
    (line,) = [line for line in stage.at(27) if not line.startswith("waiting")]
    assert "no camera delivers: camera door: not open yet" in line


def test_cameras_that_go_away_later_stop_nothing() -> None:
    stage = Stage("door", producer="producer", video="video")
    stage.ready("producer", "video")
    stage.at(5)

    stage.away("producer", door="away")
    stage.at(197)

    (line,) = stage.at(200)
    assert line.startswith("no camera delivers: camera door: away")


def test_cameras_that_deliver_nothing_hold_nothing_up_for_long() -> None:
    stage = Stage(producer="producer", consumer="consumer", video="video")
    stage.ready("video")
    stage.away("producer", door="its link does not decrypt")
    stage.unready("consumer", "no frame has come on topic videocam yet")

    assert stage.at(14) == ["waiting for consumer (no frame has come on topic videocam yet)"]
    assert stage.announced == 0
    assert stage.at(16) == ["not every camera delivers: camera door: its link does not decrypt; still trying"]
    assert stage.announced == 1
