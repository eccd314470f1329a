"""Predictions on their own topic."""

import json
import logging
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from consumer.predictions_publisher import PredictionsPublisher
from pipeline.wire.predictions import Prediction, Result
from tests.consumer.fakes import FakeProducer, a_frame

PREDICTION = Prediction("imagenet_1", (Result("crème brûlée", 0.93),), 17, 41)


def dropped() -> float:
    """Return how many predictions were dropped so far."""
    return REGISTRY.get_sample_value("streamlens_predictions_dropped_total") or 0


def test_predictions_are_published_with_camera_and_seq() -> None:
    producer = FakeProducer()

    PredictionsPublisher(producer.kafka, "predictions").publish(
        replace(a_frame(19, camera="Tür/1"), predictions=(PREDICTION,))
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


def test_predictions_that_do_not_arrive_are_counted_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    producer = FakeProducer()
    producer.delivers = False
    before = dropped()

    with caplog.at_level(logging.WARNING):
        publisher = PredictionsPublisher(producer.kafka, "predictions")
        for seq in range(3):
            publisher.publish(a_frame(seq))
        producer.purge()

    assert dropped() - before == 3
    (line,) = caplog.messages
    assert "predictions" in line


def test_a_full_queue_drops_counts_and_logs(caplog: pytest.LogCaptureFixture) -> None:
    producer = FakeProducer(capacity=0)
    before = dropped()

    with caplog.at_level(logging.WARNING):
        PredictionsPublisher(producer.kafka, "predictions").publish(a_frame())

    assert producer.queue == []
    assert dropped() - before == 1
    (line,) = caplog.messages
    assert "queue" in line
