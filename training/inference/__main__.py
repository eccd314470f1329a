"""Answers the messages of a topic with a trained model: `python -m training.inference`."""

import os
import signal

if __name__ == "__main__":
    # As process 1 of a container, it would otherwise get no signal while the imports take a while.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

import socket
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from pipeline.kafka.topics import Topic
from pipeline.model_server.client import connect
from pipeline.model_server.url import ModelUrl
from pipeline.service import startup
from pipeline.service.service import Service
from pipeline.service.values import EVERY_INTERFACE, Address
from training.backend import Backend
from training.code import gpus
from training.inference import sink, source
from training.inference.answering import Answering
from training.inference.confined_model import ConfinedModel
from training.inference.counts import Counts
from training.inference.formats import column
from training.inference.reporting import Reporter
from training.inference.served_model import ServedModel
from training.inference.settings import InferenceSettings
from training.inference.sink import Sink
from training.inference.source import Source
from training.job.service import Service as TrainingService

_FETCH_WAIT: Final = 0.1  # s that a broker may hold back an empty answer


def serve(settings: InferenceSettings) -> int:
    """Connect the parts and run until the service is stopped."""
    counts = Counts()
    service = Service("inference", settings.healthport, counts)
    stopping = service.stopping
    model = _model(settings, service, stopping)

    causes = Causes(settings.input_bootstrap_servers)
    consumer = clients.consumer(
        settings.input_bootstrap_servers,
        settings.group_id,
        _FETCH_WAIT,
        {**source.CONFIG, **settings.kafkaconfig},
        causes,
    )
    topic = Topic(
        settings.input_topic,
        {},
        partial(clients.admin, settings.input_bootstrap_servers, settings.kafkaconfig),
        least=settings.replicas,
    )
    questions = Source(consumer, topic, settings.batch, causes)
    causes = Causes(settings.output_bootstrap_servers)
    producer = clients.producer(
        settings.output_bootstrap_servers,
        "none",
        {**sink.CONFIG, **settings.kafkaconfig},
        causes,
        most_messages=2 * settings.batch,
    )
    answers = Sink(producer, settings.output_topic, causes, stopping)
    decoded = column(settings.input_format, settings.input_config)
    answering = Answering(questions, decoded, model, answers, counts=counts, timeout=settings.modeltimeout)

    service.work("model", model.run)
    service.work("answers", answering.run)
    for condition in (model.unready, questions.unready, answers.unready):
        service.require(condition)
    if settings.inference_url:
        health = str(Address(_host(settings.healthport), service.health_port))
        target = _training(settings, settings.inference_url, stopping)
        reporter = Reporter(
            target,
            counts,
            condition=service.unready,
            health=health,
            stopping=stopping,
        )
        service.repeat("report", reporter.step)
        service.on_stop(reporter.close)
    service.on_stop(answers.close)
    service.on_stop(questions.close)
    return service.run()


def _model(
    settings: InferenceSettings, service: Service, stopping: threading.Event
) -> ConfinedModel | ServedModel:
    if settings.modelserver:
        served = ServedModel(connect(ModelUrl.parse(settings.modelserver), settings.modeltimeout))
        service.on_stop(served.close)
        return served
    return ConfinedModel(
        partial(_fetch, settings, stopping),
        timeout=settings.modeltimeout,
        memory=settings.modelmemory,
        environment=gpus.given(),
    )


def _host(listening: Address) -> str:
    """Return the host of an address to listen on: this machine's name, or the pod's, for every interface."""
    return socket.gethostname() if listening.host in EVERY_INTERFACE else listening.host


def _training(settings: InferenceSettings, url: str, stopping: threading.Event) -> TrainingService:
    backend = Backend(settings.result_token.get_secret_value(), settings.result_certificate)
    return TrainingService(url, stopping, backend=backend)


def _fetch(settings: InferenceSettings, stopping: threading.Event, folder: Path) -> Mapping[str, Any]:
    """Fetch the model's files; return what its process has to know about them."""
    # TensorFlow expects one of its own endings; it looks at the content itself.
    files = {"model": (folder / "model.h5", settings.model_url)}
    if settings.framework == "pth":
        files = {
            "model": (folder / "model.pth", settings.model_url),
            "code": (folder / "model.py", settings.model_arch_url),
        }
    for file, url in files.values():
        _training(settings, url, stopping).fetch_model(file)
    return {"framework": settings.framework, **{name: str(file) for name, (file, _) in files.items()}}


if __name__ == "__main__":
    startup.main("training.inference", InferenceSettings, serve)
