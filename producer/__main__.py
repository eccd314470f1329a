"""Capture one camera and publish its frames: `python -m producer`."""

import os
import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the service runs, there is nothing to end, and the imports take a while.
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))

import logging
from functools import partial

from pipeline.flow.ledger import Ledger
from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from pipeline.kafka.publisher import Publisher
from pipeline.kafka.reporter import Reporter, instance
from pipeline.service import process, startup
from pipeline.service.masking import mask
from pipeline.service.recorder import Recorder
from pipeline.service.service import Service
from pipeline.wire.status import Subject
from producer.camera import Camera
from producer.publish import FramePublisher
from producer.report import condition
from producer.settings import ProducerSettings
from producer.sources import open_source
from producer.sources.source import Limits, Source

log = logging.getLogger("producer")


def serve(settings: ProducerSettings) -> int:
    """Wire the parts together and run until SIGTERM or SIGINT; return the exit status."""
    process.tune()
    log.info("camera %s: %s", settings.cameraname, mask(settings.source))
    ledger = Ledger()
    service = Service("producer", settings.healthport, ledger)
    recorder = Recorder(settings.statefolder, "producer", settings.cameraname)
    service.on_stop(recorder.close)

    causes = Causes(settings.kafkaport)
    client = clients.producer(settings.kafkaport, settings.compressiontype, settings.kafkaconfig, causes)
    publisher = Publisher(client, settings.topicname, ledger, causes)
    service.work("topic", publisher.watch)
    service.on_stop(publisher.close)

    def opened() -> Source:
        limits = Limits(
            settings.opentimeout,
            camera.patience,
            settings.redirecthosts,
            settings.services,
            pixels=settings.maxpixels,
        )
        return open_source(settings.source, limits, settings.frameinterval)

    camera = Camera(
        settings.cameraname,
        opened,
        open_timeout=settings.opentimeout,
        interval=settings.frameinterval,
        frozen_after=settings.frozenafter,
        ledger=ledger,
    )
    service.work("capture", camera.run)

    frames = FramePublisher(
        camera,
        publisher,
        ledger,
        scale=(settings.imagescalex, settings.imagescaley),
        rotate=settings.rotate,
        quality=settings.jpegquality,
        frame_format=settings.frameformat,
        most_pixels=settings.maxpixels,
    )
    service.repeat("publish", frames.step)
    service.on_stop(frames.close)

    reporter = Reporter(
        client,
        settings.topicnamestatus,
        Subject("producer", instance(), settings.cameraname),
        partial(condition, camera, frames.unready, publisher.unready, last=recorder.last),
        health=settings.healthport,
        bootstrap=settings.kafkaport,
        extra=settings.kafkaconfig,
        interval=camera.interval,
    )
    service.work("status", reporter.run)
    service.on_stop(reporter.close)

    service.require(camera.unready)
    service.require(frames.unready)
    service.require(publisher.unready)
    return service.run()


if __name__ == "__main__":
    startup.main("producer", ProducerSettings, serve)
