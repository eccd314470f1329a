"""One model: frames are offered to it, and its last answers are looked up."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from prometheus_client import Counter, Histogram

from consumer.answers import Answers
from consumer.asker import Asker
from consumer.batch_size import BatchSize
from consumer.handlers.handler import Handler
from consumer.known import Known
from consumer.labels.sources import LabelSource
from consumer.load import Load
from consumer.model_counts import ModelCounts
from consumer.model_health import ModelHealth
from consumer.model_queue import ModelQueue
from pipeline.model_server.client import Client
from pipeline.model_server.tensors import Signature
from pipeline.service.workers import Pulse
from pipeline.wire.frame import Frame
from pipeline.wire.model_figures import ModelFigures
from pipeline.wire.predictions import Prediction, Result

_ANSWERED = Counter("streamlens_model_frames_answered", "Frames a model has answered", ["model"])
_LATE = Counter("streamlens_model_frames_late", "Frames older than their camera's deadline", ["model"])
_SKIPPED = Counter(
    "streamlens_model_frames_skipped", "Frames a model was too busy to be asked about", ["model"]
)
_WAITED = Histogram(
    "streamlens_model_queue_seconds",
    "Time a frame waited for a model until it was asked about",
    ["model"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5),
)
_LABEL_AGE = Histogram(
    "streamlens_label_age_seconds",
    "Age of a model's answer when it was stamped onto a frame, from the capture of the frame it is about",
    ["model"],
    buckets=(0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5, 10, 30, 60, 120),
)


class Model:
    """Never holds up the video: offering a frame and looking up an answer do not wait.

    Each client is for one worker that runs `run`, so that there are as many requests at a time as clients.
    """

    def __init__(
        self,
        name: str,
        handler: Handler[Any],
        labels: LabelSource,
        clients: Sequence[Client],
        signature: Known[Signature],
        *,
        most: int,
        forget_after: float,
        weight: Callable[[str], float] = lambda _: 1.0,
        load: Load | None = None,
        server: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Send at most `most` frames in a request, and show answers for `forget_after` s.

        `weight` returns a camera's share of the model's time, relative to others. `load` counts the frames.
        `server` is the address that the figures name.
        """
        self.name = name
        self.clients = clients
        self._answered, self._late = _ANSWERED.labels(name), _LATE.labels(name)
        self._skipped, self._label_age = _SKIPPED.labels(name), _LABEL_AGE.labels(name)
        self._load = load or Load(clock)
        self._queue = ModelQueue(self._skip, weight, waited=_WAITED.labels(name).observe, clock=clock)
        self._answers = Answers(name, forget_after)
        self._counts = ModelCounts(server, clock)
        self._health = ModelHealth(name, forget_after, clock, self._counts)
        self._batch = BatchSize(most, clock)
        self._asker = Asker(
            name,
            handler,
            labels,
            signature,
            hold=self._hold,
            health=self._health,
            batch=self._batch,
            clock=clock,
        )

    def offer(self, frame: Frame) -> None:
        """Let the model be asked about this frame, unless a newer one arrives before it is free."""
        self._answers.came(frame)
        if self._asker.accepts(frame.camera):
            self._queue.put(frame)

    def pass_by(self, frame: Frame) -> None:
        """Count a frame that is too old to be asked about."""
        self._answers.came(frame)
        self._late.inc()

    def run(self, client: Client, pulse: Pulse) -> None:
        """Ask about the frames that wait, several at once, until the service stops."""
        while not pulse.stopping.is_set():
            pulse.beat()
            frames = self._queue.take(self._batch.current(), 0.5)
            if not frames:
                self._asker.look(client)
            elif not self._serve(client, frames, pulse):
                pulse.stopping.wait(self._health.pause())

    def prediction(self, camera: str) -> Prediction:
        """Return the last answer about a camera, for a frame that is stamped with it.

        It has no results if there is none, or it is too old.
        """
        prediction = self._answers.prediction(camera)
        if prediction.age_ms is not None:
            self._label_age.observe(prediction.age_ms / 1000)
            self._counts.labelled(prediction.age_ms / 1000)
        return prediction

    def unready(self) -> str | None:
        """Return what is wrong with the model, in one line, once its last answers are forgotten, or None.

        The workers find that out; this only reads it.
        """
        return self._health.unready()

    def figures(self) -> ModelFigures:
        """Return what the status page shows of it; one thread calls this, every few seconds."""
        return self._counts.figures(self._health.trouble())

    def forget(self, camera: str) -> None:
        """Drop everything that is remembered about a camera, once its frames that are under way are done."""
        self._queue.forget(camera)
        self._asker.forget(camera)
        self._answers.forget(camera)

    def close(self) -> None:
        """Close the connections to the model server."""
        for client in self.clients:
            client.close()

    def _serve(self, client: Client, frames: list[Frame], pulse: Pulse) -> bool:
        try:
            return self._asker.serve(client, frames, pulse)
        finally:
            # What late frames have left behind goes, too. Should the camera be back already, it loses no more
            # than what its first frames have given.
            for camera in self._queue.finish(frames):
                self._asker.forget(camera)
                self._answers.forget(camera)

    def _skip(self, _: Frame) -> None:
        self._skipped.inc()
        self._load.dropped()

    def _hold(self, frame: Frame, results: tuple[Result, ...], took: float | None) -> None:
        if not self._queue.is_late(frame):
            self._answers.hold(frame, results, took)
        self._answered.inc()
        self._counts.inferred()
        self._load.inferred()
