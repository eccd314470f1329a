"""Publishes the predictions alone, without the picture, to their own topic."""

import json
import logging
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from prometheus_client import Counter

from pipeline.kafka.causes import Causes
from pipeline.service.logs import Seldom
from pipeline.service.workers import Pulse
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import as_json

log = logging.getLogger(__name__)

_DROPPED = Counter("streamlens_predictions_dropped", "Predictions that did not reach their topic")

_EXPLAIN_EVERY: Final = 1.0  # s


class PredictionsPublisher:
    """Publishes `{"camera", "seq", "predictions"}`, keyed by the camera's name.

    It has its own producer, so that trouble with its topic does not affect the video. `causes` are those of
    the producer.
    """

    def __init__(self, producer: Producer, topic: str, causes: Causes) -> None:
        self._producer = producer
        self._topic = topic
        self._causes = causes
        self._seldom = Seldom(log)
        self._error: KafkaError | None = None  # of predictions that were lost, until it is explained

    def publish(self, frame: Frame) -> None:
        """Publish a frame's predictions, without waiting; lost ones are counted."""
        fields = {"camera": frame.camera, "seq": frame.seq, "predictions": as_json(frame.predictions)}
        key, value = frame.camera.encode(), json.dumps(fields).encode()
        try:
            self._producer.produce(self._topic, key=key, value=value, on_delivery=self._delivered)
        except BufferError:
            self._lost(KafkaError(KafkaError._QUEUE_FULL))
        except KafkaException as error:
            self._lost(error.args[0])
        self._producer.poll(0)

    def watch(self, pulse: Pulse) -> None:
        """Log why predictions are lost: a worker."""
        while not pulse.stopping.is_set():
            self.explain()
            pulse.beat()
            pulse.stopping.wait(_EXPLAIN_EVERY)

    def explain(self) -> None:
        """If predictions were lost, log why. Kafka is asked, which may take half a second."""
        self._producer.poll(0)
        error = self._error
        if error is None:
            return
        self._error = None
        # Predictions for a topic that is missing or forbidden only time out.
        found = self._causes.ask(self._producer, self._topic) or (error if error.code() >= 0 else None)
        why = self._causes.of(found, self._topic, "write") if found else self._causes.why()
        self._seldom.warning("lost", f"predictions are lost: {why or 'Kafka cannot keep up'}")

    def close(self) -> None:
        """Send what still waits, for at most half a second."""
        self._producer.flush(0.5)

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._lost(error)

    def _lost(self, error: KafkaError) -> None:
        _DROPPED.inc()
        self._error = error
