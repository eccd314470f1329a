"""One camera, captured: its frames from the source to the topic, and what is reported about them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from pipeline.flow.ledger import Ledger
from pipeline.kafka.publisher import Publisher
from pipeline.kafka.reporter import Condition
from pipeline.service.service import WorkerGroup
from producer.camera import Camera
from producer.publish import FramePublisher
from producer.report import condition
from producer.settings import ProducerSettings
from producer.sources import open_source
from producer.sources.source import Limits, Source


@dataclass(frozen=True, slots=True)
class How:
    """How a camera is captured. With any change, it is opened again.

    Frames come every `interval` s, are turned by `rotate` degrees, then scaled, and go to `partition`, or
    where Kafka's hash of the name says.
    """

    link: str = field(repr=False)  # it may hold a password
    interval: float
    scale: tuple[float, float] = (1.0, 1.0)
    rotate: int = 0
    partition: int | None = None


class Capture:
    """Captures a camera and publishes its frames, with two workers of `group`.

    `numbers` are those of its frames in the run `run`. `alone` is whether the process has no other camera;
    `last` is how its last run ended.
    """

    def __init__(
        self,
        name: str,
        how: How,
        settings: ProducerSettings,
        group: WorkerGroup,
        *,
        publisher: Publisher,
        ledger: Ledger,
        numbers: Iterator[int] | None = None,
        run: str = "",
        alone: bool = True,
        last: str | None = None,
    ) -> None:
        self.how = how
        self._publisher = publisher
        self._last = last
        self._settings = settings
        self._camera = Camera(
            name,
            self._opened,
            open_timeout=settings.opentimeout,
            interval=how.interval,
            frozen_after=settings.frozenafter,
            ledger=ledger,
        )
        group.work("capture", self._camera.run)
        self._frames = FramePublisher(
            self._camera,
            publisher,
            ledger,
            scale=how.scale,
            rotate=how.rotate,
            quality=settings.jpegquality,
            frame_format=settings.frameformat,
            most_pixels=settings.maxpixels,
            numbers=numbers,
            run=run,
            partition=how.partition,
            alone=alone,
        )
        group.repeat("publish", self._frames.step)
        group.on_stop(self._frames.close)
        group.on_stop(partial(publisher.forget, name))

    def mute(self) -> None:
        """Publish no more frames from now on, although the workers go on."""
        self._frames.mute()

    def unmute(self) -> None:
        """Publish frames again."""
        self._frames.unmute()

    def condition(self) -> Condition:
        """Return the camera's state, and the reason for it."""
        refusal = partial(self._publisher.refusal, self._camera.name)
        reasons = (self._frames.unready, refusal, self._publisher.unready)
        return condition(self._camera, *reasons, last=self._last)

    def interval(self) -> float:
        """Return the usual time in s between two frames; see `Camera.interval`."""
        return self._camera.interval()

    def unready(self) -> str | None:
        """Return what is wrong with the camera or its pictures, in one line, or None."""
        return self._camera.unready() or self._frames.unready()

    def _opened(self) -> Source:
        settings = self._settings
        limits = Limits(
            settings.opentimeout,
            self._camera.patience,
            settings.redirecthosts,
            settings.services,
            pixels=settings.maxpixels,
        )
        return open_source(self.how.link, limits, self.how.interval)
