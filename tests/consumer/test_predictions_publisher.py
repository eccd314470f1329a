"""Predictions on their own topic."""

import json
import threading

import pytest
from confluent_kafka import KafkaError, KafkaException
from prometheus_client import REGISTRY

from consumer.predictions_publisher import PredictionsPublisher
from pipeline.kafka.causes import Causes
from pipeline.service.workers import Pulse
from pipeline.wire.predictions import Prediction, Result
from tests.consumer.fakes import FakeProducer, a_frame

PREDICTION = Prediction("imagenet_1", (Result("crème brûlée", 0.93),), 17, 41)


def dropped() -> float:
    """Return how many predictions were dropped so far."""
    return REGISTRY.get_sample_value("streamlens_predictions_dropped_total") or 0


def test_predictions_are_published_with_camera_and_seq() -> None:
    producer = FakeProducer()

    PredictionsPublisher(producer.kafka, "predictions", Causes("")).publish(
        a_frame(19, camera="Tür/1")._replace(predictions=(PREDICTION,))
    )

    (message,) = producer.sent
    assert message["topic"] == "predictions"
    assert message["key"] == "Tür/1".encode()
    assert json.loads(message["value"]) == {
        "camera": "Tür/1",
        "seq": 19,
        "predictions": [
            {
                "model": "imagenet_1",
                "results": [{"label": "crème brûlée", "score": 0.93}],
                "seq": 17,
                "age_ms": 41,
            }
        ],
    }


def lose(producer: FakeProducer, causes: Causes, code: int) -> None:
    """Lose three predictions with this error, and say why."""
    publisher = PredictionsPublisher(producer.kafka, "predictions", causes)
    producer.delivers = False
    for seq in range(3):
        publisher.publish(a_frame(seq))
    producer.fail(code)
    publisher.explain()
    publisher.explain()


def test_predictions_that_do_not_arrive_are_counted_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = dropped()

    lose(FakeProducer(), Causes(""), KafkaError._MSG_TIMED_OUT)

    assert dropped() - before == 3
    assert caplog.messages == ["predictions are lost: Kafka cannot keep up"]


def test_predictions_that_time_out_have_the_cause_that_kafka_names(caplog: pytest.LogCaptureFixture) -> None:
    producer = FakeProducer()
    producer.topic_trouble = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)

    lose(producer, Causes(""), KafkaError._MSG_TIMED_OUT)

    (line,) = caplog.messages
    assert "Kafka does not permit this user to write topic predictions" in line


def test_predictions_that_kafka_refuses_have_the_cause_of_its_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lose(FakeProducer(), Causes(""), KafkaError.UNKNOWN_TOPIC_OR_PART)

    (line,) = caplog.messages
    assert "topic predictions does not exist" in line


def test_while_kafka_is_away_predictions_have_the_cause_that_librdkafka_reports(
    caplog: pytest.LogCaptureFixture,
) -> None:
    producer, causes = FakeProducer(), Causes("k:9092")
    producer.topic_trouble = KafkaException(KafkaError(KafkaError._TRANSPORT))
    refused = "k:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: Connection refused"
    causes.note(KafkaError(KafkaError._TRANSPORT, refused))

    lose(producer, causes, KafkaError._MSG_TIMED_OUT)

    assert f"predictions are lost: {causes.why()}" in caplog.messages
    assert "k:9092 (connection refused)" in (causes.why() or "")


def test_a_full_queue_drops_and_counts(caplog: pytest.LogCaptureFixture) -> None:
    producer = FakeProducer(capacity=0)
    before = dropped()

    publisher = PredictionsPublisher(producer.kafka, "predictions", Causes(""))
    publisher.publish(a_frame())
    publisher.explain()

    assert producer.queue == []
    assert dropped() - before == 1
    assert caplog.messages == ["predictions are lost: Kafka cannot keep up"]


def test_the_watch_explains_and_beats_until_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumer.predictions_publisher._EXPLAIN_EVERY", 0.0)
    producer, pulse = FakeProducer(), Pulse(threading.Event(), last=0.0)

    def stop_at_the_third(_: float) -> None:
        producer.polls += 1
        if producer.polls == 3:
            pulse.stopping.set()

    monkeypatch.setattr(producer, "poll", stop_at_the_third)
    PredictionsPublisher(producer.kafka, "predictions", Causes("")).watch(pulse)

    assert producer.polls == 3
    assert pulse.last > 0
