"""Watches a camera through the producer's own code, without Kafka."""

import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from pydantic import ValidationError

from pipeline.flow.ledger import Ledger
from pipeline.kafka.publisher import Publisher
from pipeline.service.workers import Pulse
from pipeline.wire.frame import Frame, Message, decode
from producer.camera import Camera
from producer.publish import FramePublisher
from producer.settings import ProducerSettings
from producer.sources import open_source
from producer.sources.source import Limits

_PATIENCE = 20.0  # s


@dataclass
class Watched:
    """What has become of a camera: its frames, why there are none, and what was dropped."""

    frames: list[Frame] = field(default_factory=list)
    reason: str = ""
    dropped: dict[str, int] = field(default_factory=dict)

    def publish(self, message: Message, **_: Any) -> None:
        self.frames.append(decode(message, offset=0, timestamp=0))

    def poll(self) -> None:
        """Do nothing: nothing is waiting to be delivered."""


def watch(link: str, count: int, **settings: str) -> Watched:
    """Return what the producer makes of a camera: `count` frames, or a reason why there are none."""
    watched = Watched()
    try:
        parsed = ProducerSettings(videolink=link, kafkaport="127.0.0.1:1", **cast("dict[str, Any]", settings))
    except ValidationError as error:
        watched.reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        return watched
    ledger = Ledger()
    camera = Camera(
        "camera",
        partial(
            open_source,
            parsed.source,
            Limits(
                parsed.opentimeout,
                parsed.frozenafter,
                parsed.redirecthosts,
                parsed.services,
                pixels=parsed.maxpixels,
            ),
            parsed.frameinterval,
        ),
        open_timeout=parsed.opentimeout,
        interval=parsed.frameinterval,
        frozen_after=parsed.frozenafter,
        ledger=ledger,
    )
    frames = FramePublisher(
        camera,
        cast("Publisher", watched),
        ledger,
        scale=(parsed.imagescalex, parsed.imagescaley),
        rotate=parsed.rotate,
        quality=parsed.jpegquality,
        frame_format=parsed.frameformat,
        most_pixels=parsed.maxpixels,
    )
    pulse = Pulse(threading.Event())
    thread = threading.Thread(target=camera.run, args=(pulse,), daemon=True)
    thread.start()
    until = time.monotonic() + _PATIENCE
    try:
        while len(watched.frames) < count and not watched.reason and time.monotonic() < until:
            frames.step()
            reason = (camera.unready() or "").removeprefix("camera camera: ")
            watched.reason = "" if reason == "not open yet" or watched.frames else reason
    finally:
        pulse.stopping.set()
        thread.join(_PATIENCE)
        frames.close()
    watched.dropped = ledger.totals()["dropped"]
    return watched
