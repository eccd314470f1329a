"""Trains where the data are: `python -m training.federated`."""

import os
import signal

if __name__ == "__main__":
    # As process 1 of a container, it would otherwise get no signal while the imports take a while.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

import logging
import secrets
import threading
import time
from pathlib import Path

from pipeline.service import startup
from pipeline.service.logs import Seldom
from training.code.supervise import StoppedError
from training.control.message import ControlMessage
from training.data.formats import decoder
from training.data.reading import read
from training.data.samples import Samples
from training.federated.exchange import Kafka
from training.federated.local import Local
from training.federated.names import check_client
from training.federated.sending import fetch
from training.federated.settings import WorkerSettings
from training.federated.worker import Surroundings, Worker

log = logging.getLogger("training.federated")
_seldom = Seldom(log)


def serve(settings: WorkerSettings) -> int:
    """Run until a signal comes; return 0."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    owner = Kafka(settings.data_bootstrap_servers, {**settings.kafkaconfig, **settings.datakafkaconfig}, stop)
    cloud = Kafka(
        settings.model_bootstrap_servers, {**settings.kafkaconfig, **settings.modelkafkaconfig}, stop
    )
    fetching, follows, follows_owner = cloud.consumer(), cloud.follower(), owner.follower()
    sender = cloud.sender()
    name = client_name(settings)
    around = Surroundings(
        owner=follows_owner,
        cloud=follows,
        sender=sender,
        fetch=lambda place, size: fetch(fetching, place, size, stop),
        read=lambda data, folder: _read(settings, data, folder, stop),
        create=lambda topic: cloud.create(fetching, topic, weights=True),
        train=Local(settings.jobmemory, settings.cachememory, stop).train,
    )
    worker = Worker(
        name,
        settings.clientfolder / name,
        around,
        data=settings.data_control_topic,
        models=settings.model_logger_topic,
        oldest=round((time.time() - settings.modelage) * 1000),
    )
    log.info(
        "client %s: data at %s, models at %s",
        name,
        settings.data_bootstrap_servers,
        settings.model_bootstrap_servers,
    )
    try:
        while not stop.is_set():
            worker.step()
            for follower in (follows_owner, follows):
                if follower.trouble:
                    _seldom.warning(follower.trouble, follower.trouble)
    except StoppedError:
        pass
    finally:
        sender.close()
        for each in (follows_owner, follows):
            each.close()
        fetching.close()
    log.info("client %s ends", name)
    return 0


def client_name(settings: WorkerSettings) -> str:
    """Return the client's name: the one that is set, or a random one that the folder keeps."""
    if settings.client:
        return settings.client
    settings.clientfolder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = settings.clientfolder / "client"
    if not file.exists():
        file.write_text(secrets.token_hex(8))
    return check_client(file.read_text())


def _read(settings: WorkerSettings, data: ControlMessage, folder: Path, stop: threading.Event) -> Samples:
    def note(why: object, _: object = None) -> None:
        if stop.is_set():
            raise StoppedError
        if isinstance(why, str):
            _seldom.warning("read", why)

    return read(
        data.ranges,
        decoder(data.input_format, data.input_config),
        settings.data_bootstrap_servers,
        config={**settings.kafkaconfig, **settings.datakafkaconfig},
        memory=settings.cachememory,
        folder=folder,
        progress=note,
        waiting=note,
    )


if __name__ == "__main__":
    startup.main("training.federated", WorkerSettings, serve)
