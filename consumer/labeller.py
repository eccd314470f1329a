"""A frame's way through the consumer: offered to the models, stamped with what they last said, published."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from consumer import annotate
from consumer.model import Model
from pipeline import mat, picture
from pipeline.frame import Format, Frame, Message, encode
from pipeline.ledger import Ledger
from pipeline.logs import Seldom
from pipeline.newest import Newest
from pipeline.publisher import Publisher

log = logging.getLogger(__name__)


class Labeller:
    """Takes the newest frame of each camera in turn; never waits for a model."""

    def __init__(
        self,
        models: Sequence[Model],
        publisher: Publisher,
        ledger: Ledger,
        *,
        tell: Callable[[Frame], None] | None,
        quality: int,
        frame_format: Format,
    ) -> None:
        self.frames = Newest[Frame](replaced=lambda frame: ledger.dropped(frame.camera, "replaced"))
        self._models = models
        self._publisher = publisher
        self._ledger = ledger
        self._tell = tell
        self._quality = quality
        self._format = frame_format
        self._seldom = Seldom(log)

    def step(self) -> None:
        """Label and publish the next frame that comes within half a second."""
        frame = self.frames.take(0.5)
        if frame is None:
            self._publisher.poll()
            return
        for model in self._models:
            model.offer(frame)
        try:
            message = self._label(frame)
        except picture.PictureError as error:
            self._ledger.dropped(frame.camera, "bad_jpeg")
            self._seldom.warning("bad_jpeg", f"a frame of {frame.camera} skipped: {error}")
            return
        except Exception:
            self._ledger.dropped(frame.camera, "failed")
            raise
        self._publisher.publish(message, camera=frame.camera, captured=frame.captured)

    def close(self) -> None:
        """Count the frames that nobody took."""
        for frame in self.frames.clear():
            self._ledger.dropped(frame.camera, "stopping")

    def _label(self, frame: Frame) -> Message:
        predictions = tuple(model.prediction(frame.camera) for model in self._models)
        image = picture.decode(frame.jpeg)
        annotate.stamp(image, predictions)
        if self._tell is not None:
            self._tell(replace(frame, predictions=predictions))
        if self._format == "mat":
            return Message(None, mat.encode(image), [])
        return encode(replace(frame, jpeg=picture.encode(image, self._quality), predictions=predictions))
