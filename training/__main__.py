"""Trains models on streams: `python -m training`."""

import os
import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the service runs, there is nothing to end, and the imports take a while.
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))

import logging
from functools import partial
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from pipeline.flow.ledger import Ledger
from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from pipeline.kafka.records import Records
from pipeline.kafka.topics import Topic
from pipeline.service import startup, state
from pipeline.service.masking import hide
from pipeline.service.recorder import Recorder
from pipeline.service.service import Service
from pipeline.service.settings import SettingsError
from training import code_checks
from training.api.application import create_app, limited
from training.api.parts import Parts
from training.control.publisher import SETTINGS, ControlPublisher
from training.control.reader import ControlReader
from training.database.engine import Database, connect
from training.database.migrate import migrate
from training.files import Files
from training.jobs import Outcome, Places, recover
from training.runners.process import ProcessRunner
from training.server import WebServer, listen
from training.settings import TrainingSettings

log = logging.getLogger("training")

# What jobs may know of this service's settings.
_SHARED: Final = frozenset({"KAFKACONFIG", "LOGLEVEL", "LOGFORMAT", "MODELSTORE", "STATEFOLDER"})


def serve(settings: TrainingSettings) -> int:
    """Connect the parts and run until the service is stopped."""
    service = Service("training", settings.healthport, Ledger())
    service.on_stop(Recorder(settings.statefolder, "training").close)

    database = _database(settings)
    service.on_stop(database.close)
    private = {name.upper() for name in TrainingSettings.model_fields} - _SHARED
    runner = ProcessRunner(settings.datafolder / "runs", settings.maxruns, private, Outcome(database).ended)
    recover(database, runner)
    service.repeat("runs", runner.step)

    parts = Parts(
        database=database,
        files=Files(settings.datafolder / "results"),
        code=code_checks.load(),
        runner=runner,
        control=_follow_control(settings, service, database),
        places=Places(settings.kafkaport, settings.controltopic, settings.url, settings.controlage),
        consumer=partial(
            clients.consumer,
            settings.kafkaport,
            "visualisation",
            0.1,
            {**settings.kafkaconfig, "allow.auto.create.topics": False},
        ),
    )
    listener = listen(settings.displayport)
    web = WebServer(limited(create_app(parts)), listener)
    service.work("web", web.run)
    service.on_stop(web.close)

    log.info("listening on port %d", listener.getsockname()[1])
    return service.run()


def _database(settings: TrainingSettings) -> Database:
    try:
        state.prepare(settings.datafolder)
    except OSError as error:
        raise SettingsError(f"DATAFOLDER='{settings.datafolder}': {error.strerror}") from None
    database = connect(settings.databaseurl.get_secret_value(), settings.datafolder)
    try:
        migrate(database)
    except SQLAlchemyError as error:
        cause = hide(" ".join(str(getattr(error, "orig", None) or error).split()))
        raise SettingsError(f"DATABASEURL='***': the database cannot be used: {cause}") from None
    return database


def _follow_control(settings: TrainingSettings, service: Service, database: Database) -> ControlPublisher:
    """Read the control topic; return what writes to it."""
    bootstrap, extra, topic = settings.kafkaport, settings.kafkaconfig, settings.controltopic
    causes = Causes(bootstrap)
    producer = clients.producer(bootstrap, "none", {**extra, **SETTINGS}, causes)
    reads = {**extra, "allow.auto.create.topics": False, "auto.offset.reset": "earliest"}
    reader = ControlReader(
        lambda take: Records(
            clients.consumer(bootstrap, "training", 0.1, reads),
            topic,
            take,
            producer=producer,
            create=Topic(topic, {}, lambda: clients.admin(bootstrap, extra)),
        ),
        database,
    )
    publisher = ControlPublisher(producer, topic, causes)
    service.repeat("control", reader.step)
    service.repeat("publish", publisher.step)
    service.require(causes.why)
    service.on_stop(publisher.close)
    service.on_stop(reader.close)
    return publisher


if __name__ == "__main__":
    startup.main("training", TrainingSettings, serve)
