"""One model: asked about the newest frames as fast as it answers, its last answers held."""

import logging
import math
import time
from typing import Final

from prometheus_client import Counter, Histogram

from consumer.client import ModelClient, ModelError
from consumer.handlers.imagenet import Imagenet
from pipeline.frame import Frame, age_of
from pipeline.logs import Seldom
from pipeline.newest import Newest
from pipeline.predictions import Prediction, Result
from pipeline.service import Pulse

log = logging.getLogger(__name__)

_REQUESTS = Counter(
    "streamlens_model_requests", "Requests to a model, by what came of them", ["model", "outcome"]
)
_SKIPPED = Counter(
    "streamlens_model_frames_skipped", "Frames a model was too busy to be asked about", ["model"]
)
_SECONDS = Histogram("streamlens_model_answer_seconds", "Time a model took to answer", ["model"])

_SHORTEST_WAIT: Final = 0.1  # s after a failed request, doubled each time
_LONGEST_WAIT: Final = 2.0
_IDLE: Final = 15.0  # s without a question, more than one can take


class Model:
    """Never holds up the video: frames are offered without waiting, and answers are looked up."""

    def __init__(self, name: str, handler: Imagenet, client: ModelClient, forget_after: float) -> None:
        self.name = name
        self._handler = handler
        self._client = client
        self._forget_after = forget_after
        self._frames = Newest[Frame](replaced=lambda _: _SKIPPED.labels(name).inc())
        self._answers: dict[str, tuple[int, int, tuple[Result, ...]]] = {}  # seq, captured, results
        self._refused: dict[str, float] = {}  # cameras, and when they may be asked about again
        self._failures = 0
        self._asked = self._answered = -math.inf  # when it last was, and did
        self._trouble = ""
        self._offered = False
        self._seldom = Seldom(log)

    def offer(self, frame: Frame) -> None:
        """Let the model be asked about this frame, unless a newer one comes before it is free."""
        if time.monotonic() >= self._refused.get(frame.camera, 0):
            self._frames.put(frame.camera, frame)

    def run(self, pulse: Pulse) -> None:
        """Ask about one frame after another until told to stop."""
        while not pulse.stopping.is_set():
            pulse.beat()
            frame = self._frames.take(0.5)
            if frame is not None and not self._ask(frame):
                pulse.stopping.wait(min(_LONGEST_WAIT, _SHORTEST_WAIT * 2.0 ** (self._failures - 1)))

    def unready(self) -> str | None:
        """Return what is wrong with the model, in one line, once its last answers are forgotten, or None.

        While there is nothing to ask it, its server is asked whether it is there, which may take a second.
        """
        if (self._trouble or not self._offered) and time.monotonic() - self._asked > _IDLE:
            self._trouble = self._client.missing() or ""
            self._offered = not self._trouble
        if not self._trouble or time.monotonic() - self._answered < self._forget_after:
            return None
        return f"model {self.name}: {self._trouble}"

    def close(self) -> None:
        """Let go of the connection to the model server."""
        self._client.close()

    def prediction(self, camera: str) -> Prediction:
        """Return the last answer about a camera, without results when there is none that is fresh enough."""
        if camera not in self._answers:
            return Prediction(self.name)
        seq, captured, results = self._answers[camera]
        age = age_of(captured)
        if age > self._forget_after:
            return Prediction(self.name)
        return Prediction(self.name, results, seq, round(age * 1000))

    def _ask(self, frame: Frame) -> bool:
        begun = self._asked = time.monotonic()
        try:
            body = self._client.ask(self._handler.request(frame))
            try:
                results = self._handler.results(body)
            except ValueError as error:
                raise ModelError("nonsense", f"its answer makes no sense: {error}") from None
        except ModelError as error:
            self._trouble = str(error)
            _REQUESTS.labels(self.name, error.kind).inc()
            self._seldom.warning(error.kind, f"model {self.name}: {error}")
            if error.kind == "http_400":  # this frame's fault; the other cameras need not wait for it
                self._refused[frame.camera] = time.monotonic() + _LONGEST_WAIT
                return True
            self._failures = min(self._failures + 1, 10)
            return False
        self._answered, self._trouble, self._offered = time.monotonic(), "", True
        _REQUESTS.labels(self.name, "ok").inc()
        _SECONDS.labels(self.name).observe(time.monotonic() - begun)
        if self._failures:
            log.info("model %s answers again", self.name)
            self._failures = 0
        self._answers[frame.camera] = (frame.seq, frame.captured, results)
        return True
