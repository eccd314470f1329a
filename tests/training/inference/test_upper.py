"""Early exits: which messages leave, which go up, and what happens while the upper Kafka is away."""

import json
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from confluent_kafka import KafkaError, KafkaException

from pipeline.kafka.causes import Causes
from pipeline.service.workers import Pulse
from tests.training.inference.fakes import FakeConsumer, FakeMessage, FakeModel, FakeProducer, topic
from tests.training.inference.test_answering import COLUMN, row
from training.inference import upper as module
from training.inference.answering import Answering
from training.inference.counts import Counts
from training.inference.sink import Sink
from training.inference.source import Source
from training.inference.upper import Upper, config

AWAY = KafkaError(KafkaError._MSG_TIMED_OUT)


class Part:
    """A replica of a part of a chain: sums of at least 10 leave at once."""

    def __init__(self, *, leaves: bool = False) -> None:
        self.consumer, self.local, self.far = FakeConsumer(), FakeProducer(), FakeProducer()
        self.far.topic, self.far.delivers = "up", True
        self.counts = Counts()
        self.stopping = threading.Event()
        clients: Any = self.consumer, self.local, self.far
        causes = Causes("kafka:9092")
        self.upper = Upper(clients[2], "up", Causes("cloud:9092"), limit=10, leaves=leaves, pause=0)
        self.answering = Answering(
            Source(clients[0], topic(), 100, causes),
            COLUMN,
            FakeModel(),
            Sink(clients[1], "out", causes, self.stopping, pause=0),
            counts=self.counts,
            timeout=1,
            upper=self.upper,
        )
        self.offset = 0

    def take(self, *values: bytes) -> None:
        """Take messages with these values together."""
        for value in values:
            message: Any = FakeMessage(self.offset, value, b"k%d" % self.offset, [("h", b"%d" % self.offset)])
            self.consumer.coming.append(message)
            self.offset += 1
        self.answering.step()
        self.answering.step()

    @property
    def answers(self) -> list[tuple[bytes | None, list[float]]]:
        return [(key, json.loads(value)["values"]) for key, _, value in self.local.written]

    @property
    def committed(self) -> int:
        return self.consumer.committed.get(("in", 0), 0)

    @property
    def counted(self) -> tuple[int, int, int, int]:
        counts = self.counts
        return counts.answered, counts.exited, counts.sent_up, counts.skipped


@pytest.fixture
def part() -> Part:
    return Part()


def test_sure_answers_leave_and_others_go_up_as_raw_floats(part: Part) -> None:
    part.take(row(9, 1), row(1, 2), row(90, 9))

    assert part.answers == [(b"k0", [10]), (b"k2", [99])]
    ((key, headers, value),) = part.far.written
    assert (key, headers) == (b"k1", [("h", b"1")])
    assert value == np.array([1, 2], "<f4").tobytes()
    assert part.committed == 3
    assert part.counted == (2, 2, 1, 0)
    assert part.counts.totals() == {"in": 3, "out": 3, "dropped": {}, "pending": 0}


def test_an_answer_that_is_no_number_goes_up(part: Part) -> None:
    messages: Any = [FakeMessage(0, b""), FakeMessage(1, b"")]

    found = [*part.upper.parted(messages, np.array([[np.nan, 0], [10, np.nan]]), np.zeros((2, 3)))]

    assert [len(each.value) for each in found] == [12, 12]


def test_what_leaves_does_not_wait_for_what_goes_up(part: Part) -> None:
    part.far.delivers = False

    part.take(row(1, 2), row(9, 9))
    part.take(row(9, 9))

    assert part.answers == [(b"k1", [18]), (b"k2", [18])]
    assert part.committed == 0, "the first message is not there yet"

    part.far.delivers = True
    part.answering.step()

    assert part.committed == 3
    assert part.counted == (2, 2, 1, 0)


def test_while_the_upper_kafka_is_away_messages_wait(part: Part, caplog: pytest.LogCaptureFixture) -> None:
    part.far.fates = [AWAY, AWAY]

    part.take(row(1, 2))

    assert (part.far.written, part.committed, part.counted) == ([], 0, (0, 0, 0, 0))
    assert part.upper.unready() == "topic up: Kafka does not answer"
    assert "messages for the upper model wait" in caplog.text
    for _ in range(3):
        part.answering.step()
    assert [key for key, *_ in part.far.written] == [b"k0"]
    assert (part.committed, part.counted, part.upper.unready()) == (1, (0, 0, 1, 0), None)


def test_or_they_leave_with_the_answer_of_this_part(caplog: pytest.LogCaptureFixture) -> None:
    part = Part(leaves=True)
    part.far.fates = [AWAY]

    part.take(row(1, 2))
    part.answering.step()

    assert part.answers == [(b"k0", [3])]
    assert (part.committed, part.counted, part.upper.unready()) == (1, (1, 0, 0, 0), None)
    assert "leave with this model's answer" in caplog.text

    part.take(row(2, 2), row(9, 9))
    part.answering.step()
    assert part.far.written == [], "nothing is tried for some seconds"
    assert sorted(part.answers) == [(b"k0", [3]), (b"k1", [4]), (b"k2", [18])]
    assert (part.committed, part.counted) == (3, (3, 1, 0, 0))


def test_after_a_while_messages_go_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part(leaves=True)
    part.far.fates = [AWAY]
    monkeypatch.setattr(module, "_AWAY", 0)
    part.take(row(1, 2))
    part.answering.step()

    part.take(row(2, 2))
    part.answering.step()

    assert [key for key, *_ in part.far.written] == [b"k1"]
    assert part.counted == (1, 0, 1, 0)


@pytest.mark.parametrize("leaves", [False, True])
def test_what_the_upper_kafka_never_takes_leaves(leaves: bool) -> None:
    part = Part(leaves=leaves)
    part.far.fates = [KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)]

    part.take(row(1, 2), row(2, 2))
    part.answering.step()

    assert part.answers == [(b"k0", [3])]
    assert [key for key, *_ in part.far.written] == [b"k1"]
    assert (part.committed, part.counted) == (2, (1, 0, 1, 0))


def full(*_: Any, **__: Any) -> None:
    raise BufferError


def unknown(*_: Any, **__: Any) -> None:
    raise KafkaException(KafkaError(KafkaError._UNKNOWN_TOPIC))


@pytest.mark.parametrize("refuse", [full, unknown])
def test_what_librdkafka_does_not_take_is_sent_again(part: Part, refuse: Callable[..., None]) -> None:
    produce = part.far.produce
    part.far.produce = refuse  # type: ignore[method-assign]
    part.take(row(1, 2))
    part.answering.step()
    assert part.committed == 0

    part.far.produce = produce  # type: ignore[method-assign]
    part.answering.step()
    part.answering.step()

    assert (part.committed, part.counted) == (1, (0, 0, 1, 0))


def test_what_a_producer_took_along_is_sent_again(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GIVEN_UP", -1)
    part.far.delivers = False
    part.take(row(1, 2))
    part.far.purge()
    part.far.delivers = True

    for _ in range(3):
        part.answering.step()

    assert (len(part.far.written), part.counted) == (1, (0, 0, 1, 0))


def test_no_more_is_taken_than_can_be_on_its_way(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.inference.answering._WINDOW", 1)
    part.far.delivers = False
    part.take(row(1, 2), row(1, 3))

    part.take(row(9, 9))
    assert (part.answers, len(part.consumer.coming)) == ([], 1)

    part.far.delivers = True
    for _ in range(4):
        part.answering.step()
    assert (part.committed, part.counted) == (3, (1, 1, 2, 0))


def test_messages_of_partitions_that_are_gone_are_not_committed(part: Part) -> None:
    part.far.delivers = False
    part.take(row(1, 2))
    part.consumer.on_poll = lambda: part.consumer.revoke(0)

    part.answering.step()
    part.far.delivers = True
    part.answering.step()

    assert part.committed == 0


def test_what_is_on_its_way_when_it_stops_is_waited_for(part: Part) -> None:
    part.far.delivers = False
    part.take(row(1, 2))
    part.stopping.set()
    polls = iter([False, False, True])
    part.far.poll = lambda _: part.far.flush(0) if next(polls, True) else None  # type: ignore[method-assign, assignment]

    part.answering.run(Pulse(part.stopping))

    assert part.committed == 1


def test_what_does_not_arrive_before_the_end_is_sent_again_after_it(
    part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.inference.answering._GRACE", 0)
    part.far.delivers = False
    part.take(row(1, 2))
    part.stopping.set()

    part.answering.run(Pulse(part.stopping))
    part.upper.close()

    assert (part.committed, part.far.written) == (0, [])


def test_messages_wait_longer_than_they_stay() -> None:
    assert config(leaves=True)["message.timeout.ms"] < config(leaves=False)["message.timeout.ms"]
