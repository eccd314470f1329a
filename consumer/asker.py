"""Asks a model about frames, in batches."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from consumer.batch_size import BatchSize
from consumer.handlers.handler import Handler, NothingValidError, Question
from consumer.known import Known
from consumer.labels.labels import Labels
from consumer.labels.sources import LabelSource
from consumer.model_health import ModelHealth
from pipeline.model_server.client import Client
from pipeline.model_server.errors import ModelError
from pipeline.model_server.tensors import Signature, Tensors
from pipeline.service.recorder import working
from pipeline.service.workers import Pulse
from pipeline.wire.frame import Frame
from pipeline.wire.picture import PictureError
from pipeline.wire.predictions import Result

log = logging.getLogger(__name__)

_REFUSED_FOR: Final = 2.0  # s for which a camera is left alone after its frame was refused


class Asker:
    """Asks one model, for all its workers.

    It hands each frame's results to `hold`, with the seconds that the model took; None if it was not asked.
    """

    def __init__(
        self,
        name: str,
        handler: Handler[Any],
        labels: LabelSource,
        signature: Known[Signature],
        *,
        hold: Callable[[Frame, tuple[Result, ...], float | None], None],
        health: ModelHealth,
        batch: BatchSize,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._health = health
        self._batch = batch
        self._name = name
        self._handler = handler
        self._labels = labels
        self._signature = signature
        self._hold = hold
        self._clock = clock
        self._lock = threading.Lock()
        self._refused: dict[str, float] = {}  # cameras, and when they may be asked about again
        self._versions = set[int]()  # those that have answered

    def accepts(self, camera: str) -> bool:
        """Return whether frames of a camera may be asked about now."""
        with self._lock:
            return self._clock() >= self._refused.get(camera, 0)

    def serve(self, client: Client, frames: list[Frame], pulse: Pulse) -> bool:
        """Ask about frames; return whether the model may be asked again at once."""
        try:
            self._check_labels()
            largest = max(frames, key=lambda frame: len(frame.jpeg))
            with working("classify", len(largest.jpeg), largest.camera):
                questions = self._questions(frames)
            if questions and not self._ask(client, questions) and len(questions) > 1:
                self._ask_each(client, questions, pulse)
        except ModelError as error:
            self._signature.forget()
            self._health.failed(error)
            return False
        return True

    def look(self, client: Client) -> None:
        """While there is nothing to ask about, find out whether the model and its labels are available."""
        if not self._health.time_to_look():
            return
        try:
            self._check_labels()
        except ModelError as error:
            self._health.looked(str(error))
        else:
            self._health.looked(client.missing())

    def forget(self, camera: str) -> None:
        """Drop everything that is remembered about a camera."""
        with self._lock:
            self._refused.pop(camera, None)
        self._handler.forget(camera)

    def _check_labels(self) -> None:
        """Raise ModelError while there are no labels; those of a version are looked up with its answers."""
        if not self._labels.by_version:
            self._labels()

    def _labels_of(self, client: Client) -> Labels:
        """Return the labels of the version of the model that has just answered."""
        version = client.version
        if version is not None and version not in self._versions:
            with self._lock:
                is_first = not self._versions
                self._versions.add(version)
            if not is_first:
                log.info("model %s: version %d answers now", self._name, version)
                self._signature.forget()
                self._labels.read_again()
        return self._labels(version)

    def _questions(self, frames: list[Frame]) -> list[Question]:
        """Return the questions about frames; if there is nothing to ask about one, that is its answer."""
        questions = []
        for frame in frames:
            try:
                question = self._handler.question(frame)
            except PictureError as error:
                self._refuse(frame, ModelError("bad_picture", f"frame of {frame.camera} skipped: {error}"))
                continue
            except ValueError as error:
                raise ModelError("nonsense", f"it cannot be asked: {error}") from None
            if question.rows:
                questions.append(question)
            else:
                self._hold(frame, (), None)
        return questions

    def _ask_each(self, client: Client, questions: list[Question], pulse: Pulse) -> None:
        """Ask one by one what was refused as a batch, so that one bad frame costs no other its answer."""
        answered = []
        for question in questions:
            pulse.beat()
            answered.append(self._ask(client, [question]))
        if all(answered):
            most = self._batch.rejected(len(questions))
            log.warning(
                "model %s refused %d frames at once, but none alone: it gets at most %d for some minutes",
                self._name,
                len(questions),
                most,
            )

    def _ask(self, client: Client, questions: list[Question]) -> bool:
        """Ask about some frames at once; return False if they were refused.

        Raises ModelError if there is no answer, or no valid one for some frame.
        """
        self._health.asking(len(questions))
        begun = self._clock()
        try:
            answer = _predict(client, questions)
        except ModelError as error:
            if not error.refused:
                raise
            self._signature.forget()
            if len(questions) == 1:
                self._refuse(questions[0].frame, error)
            return False
        took = self._clock() - begun
        labels, wrong, row = self._labels_of(client), "", 0
        found, empty = False, ""
        for question in questions:
            rows = {name: tensor[row : row + question.rows] for name, tensor in answer.items()}
            row += question.rows
            try:
                results = self._handler.results(question, rows, labels)
            except NothingValidError as error:
                results, empty = (), f"invalid answer: {error}"
            except ValueError as error:
                wrong = f"invalid answer: {error}"
                continue
            found = found or bool(results)
            self._hold(question.frame, results, took)
        if wrong:
            raise ModelError("nonsense", wrong)
        if empty and not found:
            # What these frames show may be unknown to the model's labels; that is no reason to wait.
            self._health.refused(ModelError("nonsense", empty))
        else:
            self._health.answered(took)
        return True

    def _refuse(self, frame: Frame, error: ModelError) -> None:
        """Leave the camera of a refused frame alone for a while, so that the others need not wait for it."""
        self._health.refused(error)
        now = self._clock()
        with self._lock:
            self._refused = {camera: until for camera, until in self._refused.items() if until > now}
            self._refused[frame.camera] = now + _REFUSED_FOR


def _predict(client: Client, questions: list[Question]) -> Tensors:
    names = questions[0].inputs
    inputs = {name: np.concatenate([question.inputs[name] for question in questions]) for name in names}
    answer = client.predict(inputs, questions[0].outputs)
    rows = sum(question.rows for question in questions)
    for name, tensor in answer.items():
        if tensor.shape[:1] != (rows,):
            shape = list(tensor.shape)
            raise ModelError("nonsense", f"expected {rows} rows, found {name or 'a tensor'} {shape}")
    return answer
