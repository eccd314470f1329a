"""Predictions on a topic of their own."""

import json
from dataclasses import replace

from prometheus_client import REGISTRY

from consumer.predictions_publisher import Teller
from pipeline.wire.predictions import Prediction, Result
from tests.consumer.fakes import FakeProducer, a_frame

PREDICTION = Prediction("imagenet_1", (Result("crème brûlée", 0.93),), 17, 41)


def dropped() -> float:
    """Return how many predictions were dropped so far."""
    return REGISTRY.get_sample_value("streamlens_predictions_dropped_total") or 0


def test_predictions_are_told_with_camera_and_seq() -> None:
    producer = FakeProducer()

    Teller(producer.kafka, "predictions").tell(
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


def test_what_does_not_arrive_is_counted() -> None:
    producer = FakeProducer()
    producer.delivers = False
    before = dropped()

    Teller(producer.kafka, "predictions").tell(a_frame())
    producer.purge()

    assert dropped() - before == 1


def test_a_full_queue_drops_and_counts() -> None:
    producer = FakeProducer(capacity=0)
    before = dropped()

    Teller(producer.kafka, "predictions").tell(a_frame())

    assert producer.queue == []
    assert dropped() - before == 1
