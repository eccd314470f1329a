"""Starts the consumer: `python -m consumer`."""

import os
import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the service runs, there is nothing to end, and the imports take a while.
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))

import logging
from collections.abc import Callable, Sequence
from functools import partial

from confluent_kafka import Producer

from consumer.cameras import Cameras, Plans
from consumer.handlers import HANDLERS
from consumer.handlers.pictures import Pictures
from consumer.known import Known
from consumer.labeller import Labeller, turn
from consumer.labels import sources
from consumer.load import Load
from consumer.model import Model
from consumer.model_health import RECONNECTS
from consumer.predictions_publisher import PredictionsPublisher
from consumer.settings import ConsumerSettings, handler_of, order_of
from pipeline.cameras.topic import CameraTopic
from pipeline.flow.ledger import Ledger
from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from pipeline.kafka.group import Group
from pipeline.kafka.publisher import Publisher
from pipeline.kafka.reader import Reader
from pipeline.kafka.reporter import Reporter, instance
from pipeline.model_server.client import connect
from pipeline.service import process, startup
from pipeline.service.logs import Seldom
from pipeline.service.rates import Rates
from pipeline.service.recorder import Recorder
from pipeline.service.service import Service
from pipeline.topics import check, plan
from pipeline.wire.frame import Frame
from pipeline.wire.status import Subject

log = logging.getLogger(__name__)


def serve(settings: ConsumerSettings) -> int:
    """Wire the parts together and run until stopped."""
    process.tune()
    ledger = Ledger()
    service = Service("consumer", settings.healthport, ledger)
    service.on_stop(Recorder(settings.statefolder, "consumer").close)

    pictures = Pictures(len(settings.modelurls))
    plans = Plans(settings.modelurls)
    names = sorted(settings.modelurls, key=order_of)
    load = Load()
    load.export()
    models = [_model(name, settings, pictures, plans, load=load, service=service) for name in names]

    _check_topics(settings, service)
    causes_out = Causes(settings.kafkaportout)
    producer = _producer(settings, causes_out)
    publisher = Publisher(producer, settings.topicnameout, ledger, causes_out)
    service.work("topic", publisher.watch)
    service.on_stop(publisher.close)

    reporter = Reporter(
        producer,
        settings.topicnamestatus,
        Subject("consumer", instance()),
        service.condition,
        health=settings.healthport,
        bootstrap=settings.kafkaportout,
        extra=settings.kafkaconfig,
        figures=Rates(ledger).figures,
        models=lambda: {model.name: model.figures() for model in models},
    )
    service.work("status", reporter.run)
    service.on_stop(reporter.close)

    labeller = Labeller(
        models,
        publisher,
        ledger,
        predictions=_predictions(settings, service, causes_out),
        quality=settings.jpegquality,
        frame_format=settings.frameformat,
        restorable=settings.modelstreams,
        plans=plans,
        missed=load.dropped,
    )
    service.on_stop(labeller.close)

    causes_in = Causes(settings.kafkaportin)
    source = clients.consumer(
        settings.kafkaportin, settings.groupname, settings.kafkafetchwait, settings.kafkaconfig, causes_in
    )
    reader = Reader(
        source,
        settings.topicnamein,
        labeller.frames.put,
        ledger,
        settings.maxcameras,
        most_pixels=settings.maxpixels,
        group=Group(
            settings.groupname,
            settings.topicnamein,
            instance(),
            beats=settings.topicnamemembers,
            bootstrap=settings.kafkaportin,
            extra=settings.kafkaconfig,
        ),
        camera_ttl=settings.camerattl,
        causes=causes_in,
        on_forget=labeller.forget,
    )
    service.repeat("label", partial(turn, reader, labeller))
    service.on_stop(reader.close)
    service.note(lambda: filter(None, (reader.surplus(), plans.trouble())))
    service.note(publisher.refusals)

    for reason in (reader.unready, publisher.unready, partial(_unready, models)):
        service.require(reason)
    if settings.camerastopic:  # last: what keeps it from its topic keeps it from the frames, too
        _follow(settings.camerastopic, plans, reader, settings, service)
    return service.run()


def _follow(topic: str, plans: Plans, reader: Reader, settings: ConsumerSettings, service: Service) -> None:
    """Follow the topic of cameras."""
    cameras = Cameras(plans, configure=reader.configure, forget=reader.forget)
    camera_topic = CameraTopic(
        settings.kafkaportin,
        topic,
        settings.kafkaconfig,
        cameras.take,
        fetch_wait=settings.kafkafetchwait,
    )
    service.work("cameras", partial(cameras.run, camera_topic))
    service.on_stop(camera_topic.close)
    service.require(camera_topic.unready)


def _check_topics(settings: ConsumerSettings, service: Service) -> None:
    frames = partial(plan.frames, partitions=settings.partitions, pixels=settings.maxpixels)
    read = [
        frames(settings.topicnamein),
        plan.beats(settings.topicnamemembers),
        *plan.listed(settings),
    ]
    written = [
        frames(settings.topicnameout, frame_format=settings.frameformat),
        plan.states(settings.topicnamestatus),
    ]
    if settings.kafkaportin == settings.kafkaportout:
        read, written = read + written, []
    check.watch(service, read, settings.kafkaportin, settings.kafkaconfig)
    if written:
        check.watch(service, written, settings.kafkaportout, settings.kafkaconfig)


def _unready(models: Sequence[Model]) -> str | None:
    """Return what is wrong with each model that is not ready, in one line, or None."""
    return "; ".join(filter(None, (model.unready() for model in models))) or None


def _model(
    name: str,
    settings: ConsumerSettings,
    pictures: Pictures,
    plans: Plans,
    *,
    load: Load,
    service: Service,
) -> Model:
    asked = settings.modelurls[name]
    place = settings.labelurls[name]
    labels = sources.source(name, place.place, place.login, settings.services)
    clients = [
        connect(
            asked.url,
            settings.modeltimeout,
            asked.login,
            by_version=labels.by_version,
            reconnected=RECONNECTS.labels(name).inc,
        )
        for _ in range(settings.inflight)
    ]
    signature, seldom = Known(clients[0].signature), Seldom(log)
    handler = HANDLERS[handler_of(name)](
        asked.options,
        signature,
        pictures,
        report=lambda line: seldom.warning("answer", f"model {name}: {line}"),
    )
    model = Model(
        name,
        handler,
        labels,
        clients,
        signature,
        most=settings.maxbatch,
        forget_after=settings.forgetafter,
        weight=plans.weight,
        load=load,
        server=str(asked.url.address),
    )
    service.work(f"labels of {name}", partial(sources.keep_fresh, labels))
    for client in clients:
        service.work(name, partial(model.run, client))
    service.on_stop(model.close)
    return model


def _producer(settings: ConsumerSettings, causes: Causes) -> Producer:
    return clients.producer(settings.kafkaportout, settings.compressiontype, settings.kafkaconfig, causes)


def _predictions(
    settings: ConsumerSettings, service: Service, causes: Causes
) -> Callable[[Frame], None] | None:
    if not settings.topicnamepredictions:
        return None
    publisher = PredictionsPublisher(_producer(settings, causes), settings.topicnamepredictions, causes)
    service.work("predictions", publisher.watch)
    service.on_stop(publisher.close)
    return publisher.publish


if __name__ == "__main__":
    startup.main("consumer", ConsumerSettings, serve)
