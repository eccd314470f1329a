"""Capture cameras and publish their frames: `python -m producer`."""

import os
import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the service runs, there is nothing to end, and the imports take a while.
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))

import logging
import secrets
from typing import Final

from confluent_kafka import Producer

from pipeline.flow.ledger import Ledger
from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from pipeline.kafka.publisher import Publisher
from pipeline.kafka.reporter import Reporter, instance
from pipeline.service import process, startup
from pipeline.service.masking import mask
from pipeline.service.rates import Rates
from pipeline.service.recorder import Recorder
from pipeline.service.service import Service
from pipeline.topics import check, plan
from pipeline.wire.status import Subject
from producer import metrics
from producer.capture import Capture, How
from producer.settings import ProducerSettings
from producer.sharing import wiring

log = logging.getLogger("producer")

_WAITING: Final = 20_000  # frames of many cameras, for Kafka; their bytes are limited as well


def serve(settings: ProducerSettings) -> int:
    """Wire the parts together and run until SIGTERM or SIGINT; return the exit status."""
    process.tune()
    ledger = Ledger()
    service = Service("producer", settings.healthport, ledger)
    recorder = Recorder(
        settings.statefolder, "producer", "" if settings.camerastopic else settings.cameraname
    )
    service.on_stop(recorder.close)

    topics = [
        plan.frames(settings.topicname, settings.partitions, settings.maxpixels, settings.frameformat),
        plan.states(settings.topicnamestatus),
        *plan.listed(settings),
    ]
    if settings.camerastopic:
        topics.append(plan.beats(settings.topicnamemembers))
    check.watch(service, topics, settings.kafkaport, settings.kafkaconfig)
    causes = Causes(settings.kafkaport)
    most = _WAITING if settings.camerastopic else 1_000
    client = clients.producer(
        settings.kafkaport, settings.compressiontype, settings.kafkaconfig, causes, most
    )
    publisher = Publisher(client, settings.topicname, ledger, causes)
    service.work("topic", publisher.watch)
    service.on_stop(publisher.close)

    if settings.camerastopic:
        topic = settings.camerastopic
        wiring.wire(settings, topic, service, ledger=ledger, client=client, publisher=publisher)
    else:
        last = recorder.last
        _wire_one(settings, service, ledger=ledger, client=client, publisher=publisher, last=last)
    return service.run()


def _wire_one(
    settings: ProducerSettings,
    service: Service,
    *,
    ledger: Ledger,
    client: Producer,
    publisher: Publisher,
    last: str | None,
) -> None:
    """Add to the service what captures its only camera."""
    log.info("camera %s: %s", settings.cameraname, mask(settings.source))
    scale = (settings.imagescalex, settings.imagescaley)
    capture = Capture(
        settings.cameraname,
        How(settings.source, settings.frameinterval, scale, settings.rotate),
        settings,
        service.group(""),
        publisher=publisher,
        ledger=ledger,
        run=secrets.token_hex(4),
        last=last,
    )
    reporter = Reporter(
        client,
        settings.topicnamestatus,
        Subject("producer", instance(), settings.cameraname),
        capture.condition,
        health=settings.healthport,
        bootstrap=settings.kafkaport,
        extra=settings.kafkaconfig,
        interval=capture.interval,
        figures=Rates(ledger).figures,
    )
    service.work("status", reporter.run)
    service.on_stop(reporter.close)
    service.require(capture.unready)
    service.require(publisher.unready)
    service.export(metrics.CamerasUp(lambda: {settings.cameraname: capture.condition()[0]}))


if __name__ == "__main__":
    startup.main("producer", ProducerSettings, serve)
