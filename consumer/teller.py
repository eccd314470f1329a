"""Tells the predictions alone, without the picture, on a topic of their own."""

import json

from confluent_kafka import KafkaException, Producer
from prometheus_client import Counter

from pipeline.frame import Frame
from pipeline.predictions import as_json

_DROPPED = Counter(
    "streamlens_predictions_dropped", "Predictions that did not reach the queue to their topic"
)


class Teller:
    """Publishes `{"camera", "seq", "predictions"}`, keyed by the camera's name."""

    def __init__(self, producer: Producer, topic: str) -> None:
        self._producer = producer
        self._topic = topic

    def tell(self, frame: Frame) -> None:
        """Publish a frame's predictions; drop and count them when the queue is full."""
        fields = {"camera": frame.camera, "seq": frame.seq, "predictions": as_json(frame.predictions)}
        try:
            self._producer.produce(self._topic, key=frame.camera.encode(), value=json.dumps(fields).encode())
        except (BufferError, KafkaException):
            _DROPPED.inc()
