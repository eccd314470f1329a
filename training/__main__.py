"""Trains models on streams: `python -m training`."""

import os
import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the service runs, there is nothing to end, and the imports take a while.
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))

import logging
from functools import partial
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from pipeline.access import entrance
from pipeline.http.connections import Connections
from pipeline.http.server import allow_files, listen
from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from pipeline.kafka.records import Records
from pipeline.kafka.topics import KEPT, Topic
from pipeline.service import startup, state
from pipeline.service.recorder import Recorder
from pipeline.service.service import Service
from pipeline.service.settings import SettingsError
from training import code_checks, job_tokens
from training.api.parts import Parts
from training.control.publisher import SETTINGS, ControlPublisher
from training.control.reader import ControlReader
from training.database.engine import Database, connect
from training.database.migrate import migrate
from training.database.watch import DatabaseWatch, cause
from training.files import Files
from training.job_tokens import JobTokens
from training.jobs import Outcome, Places, recover
from training.runners import chosen
from training.settings import TrainingSettings
from training.site import Site, web_server
from training.versions.library import Library

log = logging.getLogger("training")


def serve(settings: TrainingSettings) -> int:
    """Connect the parts and run until the service is stopped."""
    service = Service("training", settings.healthport)
    service.on_stop(Recorder(settings.statefolder, "training").close)

    database = _database(settings)
    service.on_stop(database.close)
    watch = DatabaseWatch(database)
    service.work("database", watch.run)
    service.require(watch.why)
    runner = chosen.runner(settings, Outcome(database).ended)
    service.on_stop(runner.close)
    tokens = _tokens(settings)
    places = Places(
        settings.kafkaport,
        settings.controltopic,
        settings.url,
        settings.controlage,
        tokens,
        settings.own_certificate,
    )
    recover(database, runner, places)
    service.repeat("runs", runner.step)

    others = {name: Path(folder) for name, folder in settings.basemodels.items()}
    library = Library(settings.modelstore, settings.keepversions, others)
    service.repeat("versions", library.step)

    parts = Parts(
        database=database,
        files=Files(settings.datafolder / "results"),
        code=code_checks.load(elsewhere=settings.runner == "kubernetes"),
        runner=runner,
        control=_follow_control(settings, service, database),
        places=places,
        consumer=partial(
            clients.consumer,
            settings.kafkaport,
            "visualisation",
            0.1,
            {**settings.kafkaconfig, "allow.auto.create.topics": False},
        ),
        library=library,
        kafkaconfig=settings.kafkaconfig,
    )
    _serve_http(settings, service, parts, tokens)
    if settings.users is None:
        log.info("everyone who can reach that port sees everything; set USERS=FILE to require logins")
    return service.run()


def _serve_http(settings: TrainingSettings, service: Service, parts: Parts, tokens: JobTokens) -> None:
    certificate = entrance.certificate(settings)
    listener = listen(settings.displayport)
    sessions = entrance.sessions(settings)
    site = Site(parts, settings, sessions, entrance.writes(settings, "trainer", "models"), tokens)
    allow_files()
    connections = Connections(settings.maxclients, settings.maxperaddress, settings.trustedproxies)
    web = web_server(site, listener, connections, certificate)
    service.work("web", web.run)
    service.on_stop(web.close)
    if sessions is not None:
        entrance.follow_logouts(settings, service, sessions.logouts, group="training", fetch_wait=0.1)
    log.info("listening on port %d; browsers use port %d", listener.getsockname()[1], settings.browser_port)


def _tokens(settings: TrainingSettings) -> JobTokens:
    try:
        return job_tokens.stored(settings.datafolder)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "jobs.key: expected text in ASCII"
        raise SettingsError(f"DATAFOLDER='{settings.datafolder}': {reason}") from None


def _database(settings: TrainingSettings) -> Database:
    try:
        state.prepare(settings.datafolder)
    except OSError as error:
        raise SettingsError(f"DATAFOLDER='{settings.datafolder}': {error.strerror}") from None
    database = connect(settings.databaseurl.get_secret_value(), settings.datafolder)
    try:
        migrate(database)
    except SQLAlchemyError as error:
        raise SettingsError(f"DATABASEURL='***': the database cannot be used: {cause(error)}") from None
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
            create=Topic(topic, KEPT, lambda: clients.admin(bootstrap, extra)),
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
