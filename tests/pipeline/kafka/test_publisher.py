import ctypes
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Delivered

from compose.broker import Broker
from pipeline.flow.ledger import Ledger
from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from pipeline.kafka.publisher import Publisher
from pipeline.service.workers import Pulse
from pipeline.wire.frame import Message
from tests.clock import Clock

Delivery = Callable[[KafkaError | None, Delivered | None], None]
MESSAGE = Message(b"front", b"jpeg", [("seq", b"1"), ("captured", b"2")])


class FakeProducer:
    """Keeps a queue of `room` messages; the next `produce` raises the first of `trouble`."""

    def __init__(self, room: int = 2) -> None:
        self.room = room
        self.trouble: list[BaseException] = []
        self.produced: list[tuple[str, dict[str, Any]]] = []
        self.queue: list[Delivery] = []
        self.in_flight: list[Delivery] = []
        self.reports: list[tuple[Delivery, KafkaError | None]] = []
        self.flushed: list[float] = []
        self.topic_trouble: KafkaException | KafkaError | None = None
        self.asked = 0
        self.while_asked: Callable[[], None] = lambda: None

    def list_topics(self, topic: str, timeout: float) -> SimpleNamespace:
        assert timeout <= 1
        self.asked += 1
        self.while_asked()
        if isinstance(self.topic_trouble, KafkaException):
            raise self.topic_trouble
        return SimpleNamespace(topics={topic: SimpleNamespace(error=self.topic_trouble)})

    def produce(self, topic: str, *, on_delivery: Delivery, **parts: Any) -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        if len(self.queue) + len(self.in_flight) >= self.room:
            raise BufferError
        self.produced.append((topic, parts))
        self.queue.append(on_delivery)

    def purge(self, *, in_queue: bool = True, in_flight: bool = True) -> None:
        assert in_queue
        self.report(self.queue, KafkaError._PURGE_QUEUE)
        if in_flight:
            self.report(self.in_flight, KafkaError._PURGE_INFLIGHT)

    def report(self, messages: list[Delivery], code: int | None) -> None:
        """Report the fate of these messages at the next poll."""
        self.reports += [(message, None if code is None else KafkaError(code)) for message in messages]
        messages.clear()

    def poll(self, timeout: float) -> None:
        assert timeout == 0
        while self.reports:
            message, error = self.reports.pop(0)
            message(error, None)

    def flush(self, timeout: float) -> int:
        self.flushed.append(timeout)
        self.poll(0)
        return len(self.queue) + len(self.in_flight)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def producer() -> FakeProducer:
    return FakeProducer()


@pytest.fixture
def publisher(producer: FakeProducer, ledger: Ledger) -> Publisher:
    return Publisher(cast("Producer", producer), "videocam", ledger)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The publisher's time; it passes only when a test moves it on."""
    clock = Clock()
    monkeypatch.setattr("pipeline.kafka.publisher.time", clock)
    return clock


def publish(publisher: Publisher, ledger: Ledger, camera: str = "front") -> None:
    ledger.came(camera)
    publisher.publish(MESSAGE, camera=camera, captured=time.time_ns())


def test_a_message_is_sent_as_it_is(publisher: Publisher, producer: FakeProducer, ledger: Ledger) -> None:
    publish(publisher, ledger)

    parts = {"key": b"front", "value": b"jpeg", "headers": [("seq", b"1"), ("captured", b"2")]}
    assert producer.produced == [("videocam", parts)]
    assert ledger.totals()["pending"] == 1


def test_a_delivered_frame_counts_as_out_with_its_age(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger
) -> None:
    ledger.came("front")
    publisher.publish(MESSAGE, camera="front", captured=time.time_ns() - 5_000_000_000)

    producer.report(producer.queue, None)
    publisher.poll()

    assert ledger.snapshot() == {"front": {"in": 1, "out": 1, "dropped": {}, "pending": 0}}
    (age,) = ledger.take_ages()
    assert age >= 5


def test_the_ledger_notes_the_number_of_a_delivered_frame(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger
) -> None:
    for number, error in enumerate((None, KafkaError._MSG_TIMED_OUT, None)):
        ledger.came("front")
        publisher.publish(MESSAGE._replace(number=("0a1b", number)), camera="front", captured=0)
        producer.report(producer.queue, error)
        publisher.poll()

    assert ledger.runs()["cameras"]["front"]["wrote"]["0a1b"]["ranges"] == [[0, 0, 1], [2, 2, 0]]


def test_it_is_ready_while_frames_reach_kafka(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger
) -> None:
    publish(publisher, ledger)
    producer.report(producer.queue, None)
    publisher.poll()
    assert publisher.unready() is None

    publish(publisher, ledger)
    producer.report(producer.queue, KafkaError._MSG_TIMED_OUT)
    publisher.poll()
    assert publisher.unready() == "topic videocam: Kafka does not answer"

    publish(publisher, ledger)
    producer.report(producer.queue, None)
    publisher.poll()
    assert publisher.unready() is None


def test_readiness_asks_the_network_nothing(publisher: Publisher, producer: FakeProducer) -> None:
    reason = publisher.unready()

    assert reason == "topic videocam has not been reached yet"
    assert producer.asked == 0


def test_a_probe_finds_out_whether_the_topic_can_be_reached(
    publisher: Publisher, producer: FakeProducer
) -> None:
    producer.topic_trouble = KafkaException(KafkaError(KafkaError._TRANSPORT, "no broker"))
    publisher.probe()
    assert publisher.unready() == "topic videocam: Kafka does not answer"

    producer.topic_trouble = KafkaError(KafkaError.TOPIC_EXCEPTION, "Broker: Invalid topic")
    publisher.probe()
    assert publisher.unready() == "topic videocam: Broker: Invalid topic"

    producer.topic_trouble = None
    publisher.probe()
    assert publisher.unready() is None


def test_when_nothing_more_is_published_a_probe_finds_out_whether_the_topic_is_back(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger, clock: Clock
) -> None:
    publish(publisher, ledger)
    producer.report(producer.queue, KafkaError._MSG_TIMED_OUT)
    publisher.poll()

    publisher.probe()
    at_once = publisher.unready()
    clock.now += 6
    publisher.probe()

    assert at_once is not None
    assert publisher.unready() is None


def test_frames_that_time_out_have_the_cause_that_a_probe_has_found(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    missing = "topic videocam does not exist, and Kafka does not create it: use kafka-topics.sh --create"
    producer.topic_trouble = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
    publisher.probe()

    publish(publisher, ledger)
    producer.report(producer.queue, KafkaError._MSG_TIMED_OUT)
    publisher.poll()

    assert publisher.unready() == missing
    assert caplog.messages == [f"a frame of front was not published (not_delivered): {missing}"]


def test_frames_that_time_out_have_the_cause_that_librdkafka_reports(
    producer: FakeProducer, ledger: Ledger
) -> None:
    causes = Causes("k:9092")
    publisher = Publisher(cast("Producer", producer), "videocam", ledger, causes)
    refused = "k:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: Connection refused"
    causes.note(KafkaError(KafkaError._TRANSPORT, refused))

    publish(publisher, ledger)
    producer.report(producer.queue, KafkaError._MSG_TIMED_OUT)
    publisher.poll()

    assert publisher.unready() == causes.why()
    assert "k:9092 (connection refused)" in (publisher.unready() or "")


def test_a_frame_that_the_broker_refuses_has_the_cause_of_its_answer(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger
) -> None:
    producer.topic_trouble = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
    publisher.probe()

    publish(publisher, ledger)
    producer.report(producer.queue, KafkaError.MSG_SIZE_TOO_LARGE)
    publisher.poll()

    assert (publisher.unready() or "").startswith("a frame is larger than topic videocam accepts: ")


def test_a_camera_whose_frames_are_too_large_has_the_reason_and_others_do_not(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger, clock: Clock
) -> None:
    for _ in range(20):
        publish(publisher, ledger, "large")
        producer.report(producer.queue, KafkaError.MSG_SIZE_TOO_LARGE)
        publish(publisher, ledger, "small")
        producer.report(producer.queue, None)
        publisher.poll()
        clock.now += 1
        assert publisher.unready() is None
        assert publisher.refusal("small") is None
        why = publisher.refusal("large") or ""
        assert why.startswith("a frame is larger than topic videocam accepts: ")

    assert publisher.refusals() == [f"camera large: {why}"]
    clock.now += 10
    assert publisher.unready() == why  # no frame of another camera comes through any more


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_refusal_ends_with_a_smaller_frame_or_with_the_camera(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger, is_taken: bool
) -> None:
    publish(publisher, ledger)
    producer.report(producer.queue, KafkaError.MSG_SIZE_TOO_LARGE)
    publisher.poll()
    assert publisher.refusal("front")

    if is_taken:
        publish(publisher, ledger)
        producer.report(producer.queue, None)
        publisher.poll()
    else:
        publisher.forget("front")

    assert publisher.refusal("front") is None
    assert publisher.refusals() == []


def test_what_is_refused_after_its_camera_was_forgotten_is_only_counted(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger
) -> None:
    publish(publisher, ledger)
    publisher.forget("front")
    producer.report(producer.queue, KafkaError.MSG_SIZE_TOO_LARGE)
    publisher.poll()

    assert publisher.refusals() == []
    assert publisher.unready() is None
    assert ledger.totals()["dropped"] == {"not_delivered": 1}


def test_a_frame_that_librdkafka_finds_too_large_says_nothing_about_the_topic(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger
) -> None:
    before = publisher.unready()
    producer.trouble = [KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))]

    publish(publisher, ledger)

    assert publisher.unready() == before
    assert publisher.refusal("front")


def test_a_topic_that_was_reached_is_not_asked_for_again(
    publisher: Publisher, producer: FakeProducer
) -> None:
    publisher.probe()
    publisher.probe()

    assert producer.asked == 1


def test_a_frame_delivered_during_a_probe_counts_for_more_than_the_probe(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger
) -> None:
    publish(publisher, ledger)
    producer.report(producer.queue, None)
    producer.topic_trouble = KafkaException(KafkaError(KafkaError._TRANSPORT, "no broker"))
    producer.while_asked = publisher.poll

    publisher.probe()

    assert producer.asked == 1
    assert publisher.unready() is None


def test_the_watch_probes_and_beats_until_it_is_stopped(
    publisher: Publisher, producer: FakeProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.kafka.publisher._PROBE_EVERY", 0.0)
    producer.topic_trouble = KafkaException(KafkaError(KafkaError._TRANSPORT, "no broker"))
    pulse = Pulse(threading.Event(), last=0.0)

    def stop_at_the_third() -> None:
        if producer.asked == 3:
            pulse.stopping.set()

    producer.while_asked = stop_at_the_third
    publisher.watch(pulse)

    assert producer.asked == 3
    assert pulse.last > 0


def test_older_frames_make_room_in_a_full_queue(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger
) -> None:
    for camera in ("a", "b", "c"):
        publish(publisher, ledger, camera)

    producer.report(producer.queue, None)
    publisher.poll()

    assert ledger.snapshot() == {
        "a": {"in": 1, "out": 0, "dropped": {"replaced": 1}, "pending": 0},
        "b": {"in": 1, "out": 0, "dropped": {"replaced": 1}, "pending": 0},
        "c": {"in": 1, "out": 1, "dropped": {}, "pending": 0},
    }


def test_frames_in_flight_are_not_purged(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger
) -> None:
    publish(publisher, ledger, "sent")
    producer.in_flight, producer.queue = producer.queue, []
    for camera in ("waiting", "new"):
        publish(publisher, ledger, camera)

    producer.report(producer.in_flight, None)
    publisher.poll()

    assert ledger.snapshot()["sent"]["out"] == 1
    assert ledger.snapshot()["waiting"]["dropped"] == {"replaced": 1}
    assert len(producer.queue) == 1


def test_a_frame_is_dropped_if_everything_in_a_full_queue_is_in_flight(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        publish(publisher, ledger)
    producer.in_flight, producer.queue = producer.queue, []

    publish(publisher, ledger)

    assert ledger.totals() == {"in": 3, "out": 0, "dropped": {"queue_full": 1}, "pending": 2}
    assert caplog.messages == ["a frame of front was not published (queue_full): Kafka cannot keep up"]


@pytest.mark.parametrize("queue_full_first", [False, True])
def test_a_frame_that_is_refused_is_dropped_with_the_reason(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger, queue_full_first: bool
) -> None:
    refusal = KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
    producer.trouble = [BufferError(), refusal] if queue_full_first else [refusal]

    publish(publisher, ledger)
    publish(publisher, ledger)

    assert ledger.totals() == {"in": 2, "out": 0, "dropped": {"msg_size_too_large": 1}, "pending": 1}


def test_a_frame_for_a_missing_topic_is_dropped_with_a_plain_reason(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger
) -> None:
    producer.trouble = [KafkaException(KafkaError(KafkaError._UNKNOWN_TOPIC))]

    publish(publisher, ledger)

    assert ledger.totals() == {"in": 1, "out": 0, "dropped": {"unknown_topic": 1}, "pending": 0}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (KafkaError._PURGE_QUEUE, "replaced"),
        (KafkaError._PURGE_INFLIGHT, "not_delivered"),
        (KafkaError._MSG_TIMED_OUT, "not_delivered"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "not_delivered"),
    ],
)
def test_a_frame_that_was_not_delivered_is_dropped_with_the_reason(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger, code: int, reason: str
) -> None:
    publish(publisher, ledger)

    producer.report(producer.queue, code)
    publisher.poll()

    assert ledger.totals() == {"in": 1, "out": 0, "dropped": {reason: 1}, "pending": 0}


def test_failures_are_logged_once_per_kind(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        publish(publisher, ledger)
        producer.report(producer.queue, KafkaError._MSG_TIMED_OUT)
    publisher.poll()

    assert ledger.totals()["dropped"] == {"not_delivered": 5}
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("a frame of front was not published (not_delivered): ")


def test_closing_drops_frames_that_cannot_be_sent(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger
) -> None:
    publish(publisher, ledger)
    producer.in_flight, producer.queue = producer.queue, []
    publish(publisher, ledger)

    publisher.close()

    assert ledger.totals()["pending"] == 0
    assert ledger.totals()["dropped"] == {"replaced": 1, "not_delivered": 1}
    assert sum(producer.flushed) <= 3


def test_closing_purges_nothing_if_everything_was_sent(
    publisher: Publisher, producer: FakeProducer, ledger: Ledger
) -> None:
    publish(publisher, ledger)
    producer.report(producer.queue, None)

    publisher.close()

    assert ledger.totals() == {"in": 1, "out": 1, "dropped": {}, "pending": 0}


# With librdkafka itself


def test_while_kafka_is_away_the_queue_stays_bounded_and_every_frame_is_counted(ledger: Ledger) -> None:
    client = clients.producer("127.0.0.1:1", "none", {})
    publisher = Publisher(client, "videocam", ledger)
    frame = Message(b"front", bytes(1_000_000), [("seq", b"1")])
    before = psutil.Process().memory_info().rss
    most_waiting = most_pending = 0

    for _ in range(1000):
        ledger.came("front")
        publisher.publish(frame, camera="front", captured=time.time_ns())
        most_waiting = max(most_waiting, len(client))
        most_pending = max(most_pending, ledger.totals()["pending"])
    grown = psutil.Process().memory_info().rss - before
    at_the_end = ledger.totals()
    publisher.close()

    assert most_pending <= 135  # of a megabyte each, in 128 MiB
    assert most_waiting <= 135 + 10  # and a few events of librdkafka's own
    assert grown < 256 * 2**20  # of the 1,000 MB that were published
    assert at_the_end["dropped"].get("replaced", 0) >= 800
    totals = ledger.totals()
    assert (totals["in"], totals["out"], totals["pending"]) == (1000, 0, 0)
    assert sum(totals["dropped"].values()) == 1000
    assert len(client) == 0


def test_the_newest_frame_is_among_those_waiting_for_kafka(ledger: Ledger) -> None:
    client = clients.producer("127.0.0.1:1", "none", {"queue.buffering.max.messages": 4})
    publisher = Publisher(client, "videocam", ledger)

    for number in range(11):
        publish(publisher, ledger, f"{number:02}")

    waiting = [camera for camera, counts in ledger.snapshot().items() if counts["pending"]]
    assert waiting == ["08", "09", "10"]
    publisher.close()
    assert ledger.totals()["pending"] == 0


def test_frames_that_kafka_accepts_count_as_out(ledger: Ledger) -> None:
    client = clients.producer("127.0.0.1:1", "none", {"test.mock.num.brokers": 1})
    publisher = Publisher(client, "videocam", ledger)

    for _ in range(20):
        publish(publisher, ledger)
    publisher.close()

    assert ledger.totals() == {"in": 20, "out": 20, "dropped": {}, "pending": 0}


def test_a_frame_that_the_broker_refuses_is_never_sent_again(ledger: Ledger) -> None:
    with Broker({"videocam": 1}) as broker:
        refuse_next_message(broker)
        client = clients.producer(broker.bootstrap, "none", {})
        publisher = Publisher(client, "videocam", ledger)

        publish(publisher, ledger)
        publisher.close()

    assert ledger.totals() == {"in": 1, "out": 0, "dropped": {"not_delivered": 1}, "pending": 0}


def refuse_next_message(broker: Broker) -> None:
    """Make the broker answer once that the request timed out: a client with retries sends again."""
    produce, timed_out = 0, (ctypes.c_int * 1)(KafkaError.REQUEST_TIMED_OUT)
    push = broker._library.rd_kafka_mock_push_request_errors_array
    push.restype, push.argtypes = None, (ctypes.c_void_p, ctypes.c_int16, ctypes.c_size_t, ctypes.c_void_p)
    push(broker._cluster, produce, len(timed_out), timed_out)


def test_a_frame_too_large_for_kafka_is_dropped(ledger: Ledger) -> None:
    client = clients.producer("127.0.0.1:1", "none", {"message.max.bytes": 1000})
    publisher = Publisher(client, "videocam", ledger)

    ledger.came("front")
    publisher.publish(Message(b"front", bytes(2000), []), camera="front", captured=0)

    assert ledger.totals() == {"in": 1, "out": 0, "dropped": {"msg_size_too_large": 1}, "pending": 0}
    publisher.close()


def test_a_frame_goes_to_the_partition_of_its_camera(publisher: Publisher, producer: FakeProducer) -> None:
    publisher.publish(MESSAGE, camera="front", captured=time.time_ns(), partition=3)

    assert producer.produced[0][1]["partition"] == 3


def test_without_that_partition_kafka_chooses_one(
    publisher: Publisher, producer: FakeProducer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    producer.trouble = [KafkaException(KafkaError(KafkaError._UNKNOWN_PARTITION))]

    for _ in range(3):
        publisher.publish(MESSAGE, camera="front", captured=time.time_ns(), partition=9)
    publisher.publish(MESSAGE, camera="front", captured=time.time_ns(), partition=8)
    clock.now += 61
    publisher.publish(MESSAGE, camera="front", captured=time.time_ns(), partition=9)

    places = [parts.get("partition") for _, parts in producer.produced]
    assert places == [None, None, None, 8, 9]
    assert "no partition 9" in caplog.text
