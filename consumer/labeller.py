"""A frame's path through the consumer: offered to the models, stamped with their last answers, published."""

import itertools
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from consumer.cameras import Plan, Plans
from consumer.model import Model
from consumer.slow_cameras import SlowCameras
from pipeline.flow.ledger import Ledger
from pipeline.flow.newest import Newest
from pipeline.kafka.publisher import Publisher
from pipeline.kafka.reader import Reader
from pipeline.service.logs import Seldom
from pipeline.service.recorder import working
from pipeline.stamp import draw_predictions, stamp, stamp_restorably
from pipeline.wire import largest, mat, picture
from pipeline.wire.frame import Format, Frame, Message, age_of, encode

log = logging.getLogger(__name__)

_LONGEST_WAIT: Final = 0.2  # s
# At most so many messages, and s, before the next frame: a flood of others must not keep it waiting.
_MOST_READ: Final = 1000
_LONGEST_READ: Final = 0.05


class Labeller:
    """Takes the newest frame of each camera in turn; never waits for a model."""

    def __init__(
        self,
        models: Sequence[Model],
        publisher: Publisher,
        ledger: Ledger,
        *,
        predictions: Callable[[Frame], None] | None,
        quality: int | None,
        frame_format: Format,
        restorable: bool = True,
        plans: Plans | None = None,
        missed: Callable[[int], object] = lambda _: None,
    ) -> None:
        """Call `missed` with the number of models that were not asked about a frame for lack of time.

        With `restorable`, frames that several models label carry what their labels cover.
        """
        self.frames = Newest[Frame](replaced=lambda frame: self._miss(frame, "replaced"))
        self._missed = missed
        self._models = models
        self._plans = Plans([]) if plans is None else plans
        self._publisher = publisher
        self._ledger = ledger
        self._publish_predictions = predictions
        self._quality = quality
        self._format = frame_format
        self._restorable = restorable
        self._slow = SlowCameras()
        self._numbers: dict[str, tuple[str, Iterator[int]]] = {}  # of each camera's labelled frames
        self._seldom = Seldom(log)

    def step(self) -> bool:
        """Label and publish the frame of the camera whose turn it is; return whether there was one."""
        frame = self.frames.take(0)
        if frame is None:
            self._publisher.poll()
            return False
        plan = self._plans.get(frame.camera)
        if not self._slow.may(frame.camera, time.monotonic(), is_configured=plan is not None):
            self._miss(frame, "slow")
            text = (
                "it is new, or its pictures take long, and others wait: send smaller ones, or baseline JPEG"
            )
            self._seldom.warning("slow", f"frame of {frame.camera} skipped: {text}")
            return True
        models = self._chosen(plan)
        is_late = plan is not None and age_of(frame.captured) > plan.deadline
        for model in models:
            (model.pass_by if is_late else model.offer)(frame)
        begun = time.thread_time()
        try:
            with working("stamp", len(frame.jpeg), frame.camera):
                message = self._label(frame, models)
        except picture.PictureError as error:
            self._ledger.dropped(frame.camera, "bad_jpeg")
            self._seldom.warning("bad_jpeg", f"frame of {frame.camera} skipped: {error}")
            return True
        except Exception:
            self._ledger.dropped(frame.camera, "failed")
            raise
        finally:
            self._slow.took(frame.camera, time.thread_time() - begun, time.monotonic())
        self._publisher.publish(message, camera=frame.camera, captured=frame.captured)
        return True

    def forget(self, camera: str) -> None:
        """Drop a camera's frame and everything that the models remember about it."""
        if self.frames.remove(camera) is not None:
            self._ledger.dropped(camera, "forgotten")
        self._slow.forget(camera)
        self._numbers.pop(camera, None)
        self._publisher.forget(camera)
        for model in self._models:
            model.forget(camera)

    def close(self) -> None:
        """Count the frames that are left."""
        for frame in self.frames.clear():
            self._ledger.dropped(frame.camera, "stopping")

    def _miss(self, frame: Frame, reason: str) -> None:
        self._ledger.dropped(frame.camera, reason)
        if models := self._chosen(self._plans.get(frame.camera)):
            self._missed(len(models))

    def _chosen(self, plan: Plan | None) -> Sequence[Model]:
        if plan is None or plan.models is None:
            return self._models
        return [model for model in self._models if model.name in plan.models]

    def _label(self, frame: Frame, models: Sequence[Model]) -> Message:
        predictions = tuple(model.prediction(frame.camera) for model in models)
        labelled = frame._replace(predictions=predictions)
        message = self._matrix(labelled) if self._format == "mat" else self._jpeg(labelled)
        if self._publish_predictions is not None:
            self._publish_predictions(labelled)
        return message

    def _jpeg(self, frame: Frame) -> Message:
        jpeg, covered = self._stamp(frame)
        labelled = self._number(frame.camera)
        return encode(frame._replace(jpeg=jpeg, labelled=labelled, covered=covered))

    def _stamp(self, frame: Frame) -> tuple[bytes, bytes]:
        """Return the stamped JPEG and, with several models, what a reader needs to show the labels of one."""
        if len(frame.predictions) < 2 or not self._restorable:
            return stamp(frame, self._quality), b""
        jpeg, covered = stamp_restorably(frame, self._quality)
        # Every topic takes as much as a picture of this size may have.
        fits = len(jpeg) + len(covered) <= largest.jpeg_bytes(frame.width * frame.height)
        return jpeg, covered if fits else b""

    def _number(self, camera: str) -> tuple[str, int]:
        """Return the number of a camera's next labelled frame, in a run that begins with its first frame."""
        found = self._numbers.get(camera)
        if found is None:
            found = self._numbers[camera] = secrets.token_hex(4), itertools.count()
        return found[0], next(found[1])

    def _matrix(self, frame: Frame) -> Message:
        image = picture.decode(frame.jpeg)
        draw_predictions(image, frame.predictions)
        return Message(None, mat.encode(image), [])


def turn(reader: Reader, labeller: Labeller) -> None:
    """Serve one camera, then read everything that has arrived, so that only the newest frames wait.

    One thread does both, in turn. It waits at most a fifth of a second, and only if there is no frame.
    """
    labeller.step()
    if not reader.step(0.0 if labeller.frames else _LONGEST_WAIT):
        return
    until = time.monotonic() + _LONGEST_READ
    for _ in range(_MOST_READ - 1):
        if time.monotonic() >= until or not reader.step(0.0):
            return
