"""Publishes the predictions alone, without the picture, to their own topic."""

import json
import logging

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from prometheus_client import Counter

from pipeline.service.logs import Seldom
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import as_json

log = logging.getLogger(__name__)

_DROPPED = Counter("streamlens_predictions_dropped", "Predictions that did not reach their topic")


class PredictionsPublisher:
    """Publishes `{"camera", "seq", "predictions"}`, keyed by the camera's name.

    It has its own producer, so that trouble with its topic does not affect the video.
    """

    def __init__(self, producer: Producer, topic: str) -> None:
        self._producer = producer
        self._topic = topic
        self._seldom = Seldom(log)

    def publish(self, frame: Frame) -> None:
        """Publish a frame's predictions, without waiting; lost ones are counted and logged."""
        fields = {"camera": frame.camera, "seq": frame.seq, "predictions": as_json(frame.predictions)}
        key, value = frame.camera.encode(), json.dumps(fields).encode()
        try:
            self._producer.produce(self._topic, key=key, value=value, on_delivery=self._delivered)
        except BufferError:
            self._lost("queue_full", "the queue to Kafka is full")
        except KafkaException as error:
            self._lost(error.args[0].name(), error.args[0].str())
        self._producer.poll(0)

    def close(self) -> None:
        """Send what still waits, for at most half a second."""
        self._producer.flush(0.5)

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._lost(error.name(), error.str())

    def _lost(self, kind: str, reason: str) -> None:
        _DROPPED.inc()
        self._seldom.warning(kind, f"predictions for topic {self._topic} lost: {reason}")
