import json
import threading
from typing import Any

import numpy as np
import pytest
from confluent_kafka import KafkaError

from pipeline.kafka.causes import Causes
from pipeline.service.workers import Pulse
from tests.parts import wait_for
from tests.training.inference.fakes import FakeConsumer, FakeModel, FakeProducer, Stopping, messages, topic
from training.code.supervise import StoppedError
from training.inference.answering import Answering
from training.inference.counts import Counts
from training.inference.formats import column
from training.inference.model import AwayError, LostError, RefusedError
from training.inference.sink import Sink
from training.inference.source import Source

COLUMN = column("RAW", {"data_type": "uint8", "data_reshape": "2"})


class Replica:
    """A replica whose Kafka and model are stand-ins."""

    def __init__(self, stopping: threading.Event | None = None) -> None:
        self.consumer = FakeConsumer()
        self.producer = FakeProducer()
        self.model = FakeModel()
        self.counts = Counts()
        self.stopping = stopping or threading.Event()
        causes = Causes("kafka:9092")
        clients: Any = self.consumer, self.producer
        source = Source(clients[0], topic(), 100, causes)
        sink = Sink(clients[1], "out", causes, self.stopping, pause=0)
        self.answering = Answering(source, COLUMN, self.model, sink, counts=self.counts, timeout=1)

    def take(self, *values: bytes | None) -> None:
        """Answer messages with these values."""
        self.consumer.coming = messages(*values)
        self.answering.step()
        self.answering.step()

    def answers(self) -> list[list[float]]:
        return [json.loads(value)["values"] for *_, value in self.producer.written]

    @property
    def committed(self) -> int:
        return self.consumer.committed.get(("in", 0), 0)


@pytest.fixture
def replica() -> Replica:
    return Replica()


def row(*numbers: int) -> bytes:
    return np.array(numbers, np.uint8).tobytes()


def test_what_waits_is_predicted_as_one_batch_and_committed(replica: Replica) -> None:
    replica.take(row(1, 2), row(3, 4), row(5, 6))

    assert replica.model.asked == [3]
    assert replica.answers() == [[3], [7], [11]]
    assert replica.committed == 3
    assert replica.counts.answered == 3


def test_bad_messages_are_skipped_and_counted(replica: Replica, caplog: pytest.LogCaptureFixture) -> None:
    replica.take(row(1, 2), b"?", None, row(3, 4))

    assert replica.answers() == [[3], [7]]
    assert replica.committed == 4
    assert replica.counts.totals() == {"in": 4, "out": 2, "dropped": {"value": 2}, "pending": 0}
    (age,) = replica.counts.take_ages()
    assert age > 1e9
    assert replica.counts.take_ages() == []
    assert "partition 0, offset 1: 1 bytes, expected 2: uint8 of shape 2; skipped" in caplog.text
    assert "offset 2: no value; skipped" in caplog.text


def test_only_bad_messages_are_committed_too(replica: Replica) -> None:
    replica.take(b"?")

    assert (replica.answers(), replica.committed) == ([], 1)


def test_the_message_that_the_model_refuses_is_found(
    replica: Replica, caplog: pytest.LogCaptureFixture
) -> None:
    replica.take(row(1, 2), row(13, 0), row(5, 6), row(7, 8))

    assert replica.answers() == [[3], [11], [15]]
    assert replica.committed == 4
    assert replica.model.asked == [4, 2, 1, 1, 2]
    assert "offset 1: 13 is not for this model; skipped" in caplog.text


def test_a_model_that_is_away_keeps_its_messages(replica: Replica) -> None:
    replica.model.errors = [AwayError("no server")] * 5

    replica.take(row(1, 2), row(3, 4))

    assert replica.model.asked == [2] * 6
    assert replica.answers() == [[3], [7]]
    assert replica.committed == 2


def test_a_model_that_is_lost_on_a_message_twice_does_not_get_it_again(
    replica: Replica, caplog: pytest.LogCaptureFixture
) -> None:
    replica.model.errors = [LostError("it has ended")] * 4

    replica.take(row(1, 2), row(3, 4), row(5, 6))

    assert replica.model.asked == [3, 1, 1, 2, 1, 1]
    assert replica.answers() == [[7], [11]]
    assert replica.committed == 3
    assert "offset 0: it has ended; skipped" in caplog.text


def test_nothing_is_committed_if_it_stops_before_the_answers_are_there() -> None:
    replica = Replica(Stopping(2))
    replica.producer.fates = [KafkaError(KafkaError._MSG_TIMED_OUT)] * 9

    with pytest.raises(StoppedError):
        replica.take(row(1, 2))

    assert replica.committed == 0


def test_it_stops_while_the_model_is_away() -> None:
    replica = Replica()
    stopping = Stopping(3)

    def leave() -> None:
        replica.model.why = "no server"

    replica.consumer.on_consume = leave
    replica.model.errors = [AwayError("no server")]
    replica.consumer.coming = messages(row(1, 2))

    replica.answering.run(Pulse(stopping))

    assert replica.committed == 0
    assert replica.answers() == []


def test_it_does_not_join_the_group_before_the_model_is_there() -> None:
    replica = Replica()
    replica.model.why = "the model is being loaded"
    replica.consumer.coming = messages(row(1, 2))

    replica.answering.run(Pulse(Stopping(3)))

    assert replica.consumer.subscribed == []
    assert len(replica.consumer.coming) == 1


def test_it_runs_until_it_is_stopped(replica: Replica) -> None:
    replica.consumer.coming = messages(row(1, 2))
    stopping = threading.Event()
    replica.consumer.on_consume = stopping.set

    replica.answering.run(Pulse(stopping))

    assert (replica.answers(), replica.committed) == ([[3]], 1)


def test_an_answer_that_kafka_never_takes_is_counted(replica: Replica) -> None:
    replica.producer.fates = [KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)]

    replica.take(row(1, 2), row(3, 4))

    assert replica.answers() == [[7]]
    assert replica.committed == 2
    assert replica.counts.skipped == 1


def test_a_message_that_is_refused_alone(replica: Replica) -> None:
    replica.model.errors = [RefusedError("no")]

    replica.take(row(1, 2))

    assert (replica.answers(), replica.committed) == ([], 1)


def test_a_batch_is_delivered_while_the_next_one_is_predicted(replica: Replica) -> None:
    replica.consumer.coming = messages(row(1, 2))
    replica.answering.step()
    assert (replica.answers(), replica.committed) == ([], 0)

    replica.model.on_predict = lambda: wait_for(lambda: replica.committed == 1, 10, "the commit")
    replica.consumer.coming = messages(row(3, 4), start=1)
    replica.answering.step()
    assert (replica.answers(), replica.committed) == ([[3]], 1)

    replica.answering.step()
    assert (replica.answers(), replica.committed) == ([[3], [7]], 2)


def test_a_failure_in_between_is_that_of_the_worker(replica: Replica) -> None:
    replica.consumer.coming = messages(row(1, 2))
    replica.answering.step()
    replica.model.errors = [ZeroDivisionError()]
    replica.consumer.coming = messages(row(3, 4), start=1)

    with pytest.raises(ZeroDivisionError):
        replica.answering.step()

    assert (replica.answers(), replica.committed) == ([[3]], 1)


def test_what_another_replica_has_now_is_left_to_it(replica: Replica) -> None:
    kept, gone = messages(row(1, 2)), messages(row(3, 4), b"?", partition=1)
    replica.consumer.coming = [*gone, *kept]
    replica.answering.step()

    replica.consumer.coming = messages(row(5, 6), start=1)
    replica.consumer.on_consume = lambda: replica.consumer.revoke(1)
    replica.answering.step()

    assert replica.answers() == [[3]]
    assert replica.consumer.committed == {("in", 0): 1}
    assert replica.counts.skipped == 0


def test_what_is_predicted_is_delivered_before_it_waits_for_the_model() -> None:
    replica = Replica()
    replica.consumer.coming = messages(row(1, 2))
    replica.answering.step()
    replica.model.why = "no server"

    replica.answering.run(Pulse(Stopping(1)))

    assert (replica.answers(), replica.committed) == ([[3]], 1)
