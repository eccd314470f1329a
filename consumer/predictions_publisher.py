"""Tells the predictions alone, without the picture, on a topic of their own."""

import json

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from prometheus_client import Counter

from pipeline.wire.frame import Frame
from pipeline.wire.predictions import as_json

_DROPPED = Counter("streamlens_predictions_dropped", "Predictions that did not reach their topic")


class Teller:
    """Publishes `{"camera", "seq", "predictions"}`, keyed by the camera's name.

    It has a producer of its own: trouble with its topic is no trouble of the video's.
    """

    def __init__(self, producer: Producer, topic: str) -> None:
        self._producer = producer
        self._topic = topic

    def tell(self, frame: Frame) -> None:
        """Publish a frame's predictions; what does not arrive is counted."""
        fields = {"camera": frame.camera, "seq": frame.seq, "predictions": as_json(frame.predictions)}
        key, value = frame.camera.encode(), json.dumps(fields).encode()
        try:
            self._producer.produce(self._topic, key=key, value=value, on_delivery=_delivered)
        except (BufferError, KafkaException):
            _DROPPED.inc()
        self._producer.poll(0)

    def close(self) -> None:
        """Send what still waits, for half a second at most."""
        self._producer.flush(0.5)


def _delivered(error: KafkaError | None, _: Message) -> None:
    if error is not None:
        _DROPPED.inc()
