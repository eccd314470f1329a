"""The command: whom it asks, and what it prints."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, Producer

from compose.broker import Broker
from pipeline.flow.ledger import Ledger
from pipeline.kafka.records import Records
from pipeline.kafka.steady import SteadyConsumer
from pipeline.ledger import __main__ as command
from pipeline.ledger import answer, directory
from pipeline.service.health import HealthServer
from pipeline.service.values import Address
from pipeline.wire.status import State, Status, Subject, encode_key, encode_value
from tests.parts import free_port


class Refused:
    """What a consumer gets instead of a message of a topic that it may not read."""

    def error(self) -> KafkaError:
        return KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)


class Kit:
    """A broker with a status topic, and the health servers of services."""

    def __init__(self, broker: Broker, stack: ExitStack) -> None:
        self.bootstrap = broker.bootstrap
        self.stack = stack
        self.ledgers: dict[str, Ledger] = {}
        self._producer = Producer({"bootstrap.servers": broker.bootstrap})

    def start(self, service: str, instance: str = "1", camera: str = "", age: float = 0.0) -> Ledger:
        """Start a service that answers and reports, `age` s ago by its own clock; return its ledger."""
        ledger = self.ledgers[service] = Ledger()
        server = HealthServer(Address("127.0.0.1", 0), alive=lambda: None, ready=lambda: None, ledger=ledger)
        server.start()
        self.stack.callback(server.stop)
        self.report(service, instance, camera, health=f"127.0.0.1:{server.port}", age=age)
        return ledger

    def report(
        self,
        service: str,
        instance: str = "1",
        camera: str = "",
        *,
        health: str,
        state: State = "ready",
        age: float = 0.0,
    ) -> None:
        """Write a status record."""
        status = Status(Subject(service, instance, camera), state, None, 1.0, health)
        at = round((time.time() - age) * 1000)
        self._producer.produce("status", encode_value(status), encode_key(status.subject), timestamp=at)
        assert self._producer.flush(20) == 0

    def write(self, key: bytes, value: bytes | None) -> None:
        """Write any message."""
        self._producer.produce("status", value, key)
        assert self._producer.flush(20) == 0

    def start_all(self, camera: str = "door", published: int = 3) -> None:
        """Start a producer, a consumer and a video server, with frames of a camera."""
        producer, consumer, video = (self.start(service) for service in directory.STAGES)
        consumer.began()
        video.began()
        for number in range(published):
            producer.came(camera)
            producer.went(camera, 0.1, "p", number)
            consumer.came(camera, "p", number)
            consumer.went(camera, 0.1, "c", number)
            video.came(camera, "c", number)
            video.went(camera, 0.1)


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kit]:
    with Broker({"status": 1}) as broker, ExitStack() as stack:
        monkeypatch.setenv("KAFKAPORT", broker.bootstrap)
        yield Kit(broker, stack)


Run = Callable[..., tuple[int, list[str], list[str]]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command; return its status, and its lines on standard output and standard error."""

    def run(*options: str) -> tuple[int, list[str], list[str]]:
        status = command.main(options)
        out, err = capsys.readouterr()
        return status, out.splitlines(), err.splitlines()

    return run


def test_a_table_shows_each_camera_as_equations(kit: Kit, run: Run) -> None:
    kit.start_all("yard: gate/left")
    kit.ledgers["producer"].came("yard: gate/left")
    kit.ledgers["producer"].dropped("yard: gate/left", "not_due")

    assert run() == (
        0,
        [
            "yard: gate/left  producer  captured 4 = published 3 + dropped 1 (not_due 1)",
            "                 consumer  published 3 = labelled 3",
            "                 video 1   labelled 3 = shown 3",
            "1 camera: all frames are accounted for",
        ],
        [],
    )


def test_a_difference_is_named_and_sets_the_status(kit: Kit, run: Run) -> None:
    kit.start_all()
    for number in (3, 4):
        kit.ledgers["producer"].came("door")
        kit.ledgers["producer"].went("door", 0.1, "p", number)
    kit.ledgers["consumer"].came("door", "p", 4)

    status, out, [line] = run("--wait", "0s")

    assert status == 1
    assert "published 5 = labelled 3 + pending 1 + NOT ACCOUNTED FOR 1" in out[1]
    assert line == (
        "ledger: camera door: 1 frame of producer 1 did not reach consumer 1, which read on all the time:"
        " missed 3 of run p; look for what removes messages between them, and at"
        " streamlens_poison_messages_total"
    )
    assert out[-1] == "1 camera: not all frames are accounted for"


def test_frames_on_their_way_are_waited_for(kit: Kit, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    kit.start_all()
    kit.ledgers["consumer"]._began = 0.0  # long ago
    kit.ledgers["producer"].came("door")
    kit.ledgers["producer"].went("door", 0.1, "p", 3)
    pauses: list[float] = []

    def arrive(seconds: float) -> None:
        pauses.append(seconds)
        kit.ledgers["consumer"].came("door", "p", 3)

    # Other threads sleep as well: only this module's pauses are counted.
    monkeypatch.setattr(command, "time", SimpleNamespace(monotonic=time.monotonic, sleep=arrive))

    status, out, _ = run()

    assert status == 0
    assert pauses[0] == 0.1
    assert "published 4 = labelled 3 + pending 1" in out[1]


def test_frames_without_numbers_are_counted_and_reported(kit: Kit, run: Run) -> None:
    kit.start_all()
    for number in range(7):
        kit.ledgers["consumer"].came(f"old{number}")

    status, out, lines = run()

    assert status == 0
    assert out[-3] == "old6  consumer  published 1 = labelled 0 + pending 1"
    assert lines == [
        "ledger: frames of old0, old1, old2, old3, old4 and 2 more have no numbers, so they are counted"
        " but not compared: they are in the original's format, or an older version has sent them"
    ]


def test_json_has_the_same_for_scripts(kit: Kit, run: Run) -> None:
    kit.start_all()

    status, out, _ = run("--json")

    said: dict[str, Any] = json.loads("\n".join(out))
    assert status == 0
    assert said["ok"] is True
    assert [stage["in"] for stage in said["cameras"][0]["stages"]] == [3, 3, 3]
    assert said["notes"] == []


def test_one_camera_can_be_chosen(kit: Kit, run: Run) -> None:
    kit.start_all()
    kit.ledgers["producer"].came("back")

    assert run("--camera", "door")[1][-1] == "1 camera: all frames are accounted for"

    status, _, [line] = run("--camera", "dor")
    assert status == 1
    assert line == "ledger: no camera 'dor'; there are: back, door"


def test_services_that_do_not_answer_are_named_and_the_rest_goes_on(kit: Kit, run: Run) -> None:
    kit.start_all()
    gone = free_port()
    kit.report("consumer", "gone", health=f"127.0.0.1:{gone}")
    kit.report("consumer", "ended", health="127.0.0.1:1", state="stopped")
    kit.report("consumer", "old", health=f"127.0.0.1:{free_port()}", age=100)
    kit.report("video", "nowhere", health="")
    kit.write(b"video/other", b"nonsense")
    kit.write(b"nonsense", b"{}")
    kit.write(b"elsewhere/1", b"{}")
    kit.write(b"producer/1/camera", None)

    status, out, lines = run()

    assert status == 1
    assert len(out) == 4
    assert lines == [
        f"ledger: consumer gone at 127.0.0.1:{gone} does not answer: nothing listens there; it has probably"
        " ended",
        "ledger: video nowhere does not answer: it reports no address of its HEALTHPORT; its frames are not"
        " counted",
    ]


def test_a_process_that_has_ended_makes_no_difference(kit: Kit, run: Run) -> None:
    kit.start_all()
    kit.report("consumer", "gone", health=f"127.0.0.1:{free_port()}")

    assert run()[0] == 0


def test_a_process_that_replaced_another_at_its_address_is_asked_once(kit: Kit, run: Run) -> None:
    kit.start_all()
    _, out, _ = run()
    port = free_port()
    kit.report("consumer", "before", health=f"127.0.0.1:{port}", age=5)
    kit.report("consumer", "after", health=f"127.0.0.1:{port}")

    _, again, [line] = run()

    assert again == out
    assert line.startswith("ledger: consumer after at")


@pytest.mark.parametrize(
    ("age", "why"),
    [
        (100.0, "100 s old, so its reports do not count: it does not reach Kafka, or its clock is behind"),
        (90_000.0, "90000 s old, so its reports do not count: it does not reach Kafka, or its clock"),
        (-300.0, "its clock is about 300 s ahead of this machine's"),
    ],
    ids=["old", "a day old", "ahead"],
)
def test_reports_that_do_not_count_are_explained(kit: Kit, run: Run, age: float, why: str) -> None:
    for service in directory.STAGES:
        kit.start(service, age=age if service == "video" else 0)

    status, _, [line] = run()

    assert status == 0
    assert line.startswith("ledger: video 1 at 127.0.0.1:")
    assert why in line


def test_a_producer_with_one_camera_is_found_by_that(kit: Kit, run: Run) -> None:
    kit.start("producer", camera="door: a/b")
    kit.start("consumer")
    kit.start("video")

    assert run() == (0, ["0 cameras: all frames are accounted for"], [])


def test_a_service_that_is_missing_is_named(kit: Kit, run: Run) -> None:
    kit.start("producer").came("door")

    status, _, lines = run()

    assert status == 1
    assert lines == [
        "ledger: no consumer answers: its frames cannot be compared; start one",
        "ledger: no video server answers: its frames cannot be compared; start one",
    ]


@pytest.mark.exceeds("pipeline.ledger.directory.MOST_SERVICES")
def test_the_processes_that_reported_last_are_asked(
    kit: Kit, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        kit.report("producer", f"early{number}", health=f"127.0.0.1:{number + 1}", age=2)
    kit.start_all()
    monkeypatch.setattr(directory, "MOST_SERVICES", 3)

    status, _, lines = run()

    assert (status, lines) == (0, [])


@pytest.mark.usefixtures("kit")
def test_without_a_status_topic_the_command_says_what_to_set(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOPICNAMESTATUS", "states")

    assert run() == (
        2,
        [],
        [
            "ledger: topic states does not exist, so no service has reported: start the services, or set"
            " TOPICNAMESTATUS to what they have"
        ],
    )


def test_without_kafka_the_command_says_what_to_set(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "_ANSWER", 0.1)
    address = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("KAFKAPORT", address)

    status, out, [line] = run()

    assert (status, out) == (2, [])
    assert line.startswith(f"ledger: Kafka does not answer at {address}: start it, or set KAFKAPORT")


@pytest.mark.usefixtures("kit")
def test_a_topic_that_is_read_slowly_is_not_taken_for_a_forbidden_one(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_READ", 0.1)
    monkeypatch.setattr(directory, "_ANSWER", 0.0)
    monkeypatch.setattr(Records, "is_at_end", False)

    assert run() == (
        2,
        [],
        [
            "ledger: topic status was not read to its end within 0.1 s: Kafka, or this machine, is slow; try"
            " again"
        ],
    )


@pytest.mark.usefixtures("kit")
def test_a_topic_that_may_not_be_read_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SteadyConsumer, "poll", lambda *_: Refused())

    status, out, [line] = run()

    assert (status, out) == (2, [])
    assert line.startswith("ledger: Kafka does not permit this user to read topic status: allow READ")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--cam", "door"], "unrecognized arguments: --cam door"),
        (["--wait", "soon"], "argument --wait: 'soon': expected a Go duration such as 42ms"),
        (["--wait", "1h"], "argument --wait: '1h': expected a duration from 0s to 10m"),
        (["--camera"], "argument --camera: expected one argument"),
    ],
)
def test_wrong_options_are_named_in_one_line(run: Run, options: list[str], text: str) -> None:
    status, _, [line] = run(*options)

    assert status == 2
    assert line == f"ledger: {text} (python -m pipeline.ledger --help describes the options)"


def test_a_missing_setting_is_named_in_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAFKAPORT", raising=False)

    assert run() == (
        2,
        [],
        ["ledger: KAFKAPORT is not set (the address of Kafka, such as localhost:9092)"],
    )


def test_passwords_are_never_shown(kit: Kit, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "_TIMEOUT", 0.05)
    kit.start_all()
    kit.report("video", "odd", health="rtsp://user:secret-word@192.0.2.1/")
    monkeypatch.setenv("KAFKACONFIG", '{"sasl.password": "secret-word"}')

    status, out, lines = run()

    assert status == 1
    assert "secret-word" not in "\n".join([*out, *lines])


def test_help_describes_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(["--help"])

    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "exit status: 0 if all frames are accounted for" in text
    assert "missed:" in text
