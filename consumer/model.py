"""One model: asked about the newest frames as fast as it answers, its last answers held."""

import logging
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from prometheus_client import Counter, Histogram

from consumer.handlers.handler import Handler, Question
from consumer.model_queue import Waiting
from consumer.model_server.client import Client, KnownSignature
from consumer.model_server.errors import ModelError
from consumer.model_server.tensors import Tensors
from pipeline.service.logs import Seldom
from pipeline.service.service import Pulse
from pipeline.wire.frame import Frame, age_of
from pipeline.wire.picture import PictureError
from pipeline.wire.predictions import Prediction, Result

log = logging.getLogger(__name__)

_REQUESTS = Counter(
    "streamlens_model_requests", "Requests to a model, by what came of them", ["model", "outcome"]
)
_ANSWERED = Counter("streamlens_model_frames_answered", "Frames a model has answered", ["model"])
_SKIPPED = Counter(
    "streamlens_model_frames_skipped", "Frames a model was too busy to be asked about", ["model"]
)
_SECONDS = Histogram("streamlens_model_answer_seconds", "Time a model took to answer", ["model"])

_SHORTEST_WAIT: Final = 0.1  # s after a failed request, doubled each time
_LONGEST_WAIT: Final = 2.0
_IDLE: Final = 15.0  # s without a question, more than one can take


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was said of a frame; `captured` is the frame's, in ns since the epoch."""

    seq: int
    captured: int
    results: tuple[Result, ...]


class Model:
    """Never holds up the video: frames are offered without waiting, and answers are looked up.

    Each client is for a worker that runs `run`: there are as many requests at a time as clients.
    """

    def __init__(
        self,
        name: str,
        handler: Handler,
        clients: Sequence[Client],
        signature: KnownSignature,
        *,
        most: int,
        forget_after: float,
    ) -> None:
        """Take at most `most` frames for a request; answers are shown for `forget_after` s."""
        self.name = name
        self.clients = clients
        self._handler = handler
        self._signature = signature
        self._most = most
        self._forget_after = forget_after
        self._waiting = Waiting(replaced=lambda _: _SKIPPED.labels(name).inc())
        self._answers: dict[str, _Answer] = {}
        self._holding = threading.Lock()
        self._refused: dict[str, float] = {}  # cameras, and when they may be asked about again
        self._failures = 0
        self._asked = self._answered = -math.inf  # when it last was, and did
        self._trouble = ""
        self._offered = False
        self._seldom = Seldom(log)

    def offer(self, frame: Frame) -> None:
        """Let the model be asked about this frame, unless a newer one comes before it is free."""
        if time.monotonic() >= self._refused.get(frame.camera, 0):
            self._waiting.put(frame)

    def run(self, client: Client, pulse: Pulse) -> None:
        """Ask about the frames that wait, as many as there are at once, until told to stop."""
        while not pulse.stopping.is_set():
            pulse.beat()
            frames = self._waiting.take(self._most, 0.5)
            if frames and not self._serve(client, frames, pulse):
                pulse.stopping.wait(min(_LONGEST_WAIT, _SHORTEST_WAIT * 2.0 ** (self._failures - 1)))

    def prediction(self, camera: str) -> Prediction:
        """Return the last answer about a camera, without results when there is none that is fresh enough."""
        answer = self._answers.get(camera)
        age = age_of(answer.captured) if answer else math.inf
        if answer is None or age > self._forget_after:
            return Prediction(self.name)
        return Prediction(self.name, answer.results, answer.seq, round(age * 1000))

    def unready(self) -> str | None:
        """Return what is wrong with the model, in one line, once its last answers are forgotten, or None.

        While there is nothing to ask it, its server is asked whether it is there, which may take a second.
        """
        if (self._trouble or not self._offered) and time.monotonic() - self._asked > _IDLE:
            self._trouble = self.clients[0].missing() or ""
            self._offered = not self._trouble
        if not self._trouble or time.monotonic() - self._answered < self._forget_after:
            return None
        return f"model {self.name}: {self._trouble}"

    def close(self) -> None:
        """Let go of the connections to the model server."""
        for client in self.clients:
            client.close()

    def _serve(self, client: Client, frames: list[Frame], pulse: Pulse) -> bool:
        """Ask about frames; return whether the model may be asked again at once."""
        try:
            questions = self._questions(frames)
            if questions and not self._ask(client, questions) and len(questions) > 1:
                self._ask_each(client, questions, pulse)
        except ModelError as error:
            self._asked = time.monotonic()
            self._signature.forget()
            self._tell(error)
            self._failures = min(self._failures + 1, 10)
            return False
        return True

    def _questions(self, frames: list[Frame]) -> list[Question]:
        """Return what to ask about frames; where there is nothing to ask, that is the answer."""
        questions = []
        for frame in frames:
            try:
                question = self._handler.question(frame)
            except PictureError as error:
                text = f"a frame of {frame.camera} is no picture: {error}"
                self._refuse(frame, ModelError("bad_picture", text))
                continue
            except ValueError as error:
                raise ModelError("nonsense", f"it cannot be asked: {error}") from None
            if question.rows:
                questions.append(question)
            else:
                self._hold(frame, self._handler.results(question, {}))
        return questions

    def _ask_each(self, client: Client, questions: list[Question], pulse: Pulse) -> None:
        """Ask one by one what was refused together: one bad frame is no reason to do without the others."""
        answered = []
        for question in questions:
            pulse.beat()
            answered.append(self._ask(client, [question]))
        if all(answered) and self._most > 1:
            log.warning("model %s takes only one frame at a time, and is asked so from now on", self.name)
            self._most = 1

    def _ask(self, client: Client, questions: list[Question]) -> bool:
        """Ask about some frames at once; return False where they were refused.

        Raises ModelError where there is no answer, or none for some frame that makes sense.
        """
        begun = self._asked = time.monotonic()
        try:
            answer = self._predict(client, questions)
        except ModelError as error:
            if not error.refused:
                raise
            self._signature.forget()
            if len(questions) == 1:
                self._refuse(questions[0].frame, error)
            return False
        wrong, row = "", 0
        for question in questions:
            rows = {name: tensor[row : row + question.rows] for name, tensor in answer.items()}
            row += question.rows
            try:
                self._hold(question.frame, self._handler.results(question, rows))
            except ValueError as error:
                wrong = f"its answer makes no sense: {error}"
        if wrong:
            raise ModelError("nonsense", wrong)
        self._succeed(time.monotonic() - begun)
        return True

    def _predict(self, client: Client, questions: list[Question]) -> Tensors:
        names = questions[0].inputs
        inputs = {name: np.concatenate([question.inputs[name] for question in questions]) for name in names}
        answer = client.predict(inputs)
        rows = sum(question.rows for question in questions)
        for name, tensor in answer.items():
            if tensor.shape[:1] != (rows,):
                shape = list(tensor.shape)
                raise ModelError("nonsense", f"asked {rows} rows, it answered {name or 'a tensor'} {shape}")
        return answer

    def _hold(self, frame: Frame, results: tuple[Result, ...]) -> None:
        with self._holding:
            held = self._answers.get(frame.camera)
            # With several requests at a time an older frame's answer may come last.
            if held is None or held.captured <= frame.captured:
                self._answers[frame.camera] = _Answer(frame.seq, frame.captured, results)
        _ANSWERED.labels(self.name).inc()

    def _succeed(self, seconds: float) -> None:
        self._answered, self._trouble, self._offered = time.monotonic(), "", True
        _REQUESTS.labels(self.name, "ok").inc()
        _SECONDS.labels(self.name).observe(seconds)
        if self._failures:
            log.info("model %s answers again", self.name)
            self._failures = 0

    def _refuse(self, frame: Frame, error: ModelError) -> None:
        """Leave a camera alone for a while whose frame was refused; the others need not wait for it."""
        self._tell(error)
        self._refused[frame.camera] = time.monotonic() + _LONGEST_WAIT

    def _tell(self, error: ModelError) -> None:
        self._trouble = str(error)
        _REQUESTS.labels(self.name, error.kind).inc()
        self._seldom.warning(error.kind, f"model {self.name}: {error}")
