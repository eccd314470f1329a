"""The newest answer of a model about each camera."""

import threading
from dataclasses import dataclass

from pipeline.flow.patience import LONGEST
from pipeline.wire.frame import Frame, age_of
from pipeline.wire.predictions import Prediction, Result


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer about a frame; `captured` is the frame's, in ns since the epoch, and `took` is in s."""

    seq: int
    captured: int
    results: tuple[Result, ...]
    took: float | None

    @property
    def age(self) -> float:
        return age_of(self.captured)


class Answers:
    """Holds a model's answers until their frames are `forget_after` s old; for any thread.

    An answer about the last frame but one stays for up to two minutes: a slow camera has no newer one.
    """

    def __init__(self, model: str, forget_after: float) -> None:
        self._model = model
        self._forget_after = forget_after
        self._answers: dict[str, _Answer] = {}
        self._frames: dict[str, tuple[int, int]] = {}  # when the last two frames of each camera were captured
        self._lock = threading.Lock()

    def came(self, frame: Frame) -> None:
        """Note a camera's new frame."""
        with self._lock:
            _, last = self._frames.get(frame.camera, (0, 0))
            self._frames[frame.camera] = (last, frame.captured)

    def hold(self, frame: Frame, results: tuple[Result, ...], took: float | None = None) -> None:
        """Hold the answer about a frame, unless there is one about a later frame.

        `took` is how long the model took to answer, in s; None if it was not asked.
        """
        with self._lock:
            held = self._answers.get(frame.camera)
            if held is None:  # a new camera: drop what others have left behind
                self._answers = {
                    name: answer for name, answer in self._answers.items() if answer.age <= self._forget_after
                }
            # With several requests at a time, the answer about an older frame may come last.
            if held is None or held.captured <= frame.captured:
                self._answers[frame.camera] = _Answer(frame.seq, frame.captured, results, took)

    def prediction(self, camera: str) -> Prediction:
        """Return the last answer about a camera; without results if there is none, or it is too old."""
        with self._lock:
            answer = self._answers.get(camera)
            before, _ = self._frames.get(camera, (0, 0))
        if answer is None:
            return Prediction(self._model)
        age = answer.age
        is_newest = 0 < before <= answer.captured and age <= LONGEST
        if age > self._forget_after and not is_newest:
            return Prediction(self._model)
        took = None if answer.took is None else round(answer.took * 1000)
        return Prediction(self._model, answer.results, answer.seq, round(age * 1000), took)

    def forget(self, camera: str) -> None:
        """Drop the answer about a camera."""
        with self._lock:
            self._answers.pop(camera, None)
            self._frames.pop(camera, None)
