"""Serves labelled frames to browsers and players: `python -m video`."""

import os
import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the service runs, there is nothing to end, and the imports take a while.
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))

import logging
from typing import Final

from pipeline.access import entrance
from pipeline.access.write_token import WriteAccess
from pipeline.flow.ledger import Ledger
from pipeline.http.connections import Connections
from pipeline.http.server import WebServer, allow_files, listen
from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from pipeline.kafka.reader import Reader
from pipeline.kafka.reporter import Reporter, instance
from pipeline.service import startup
from pipeline.service.rates import Rates
from pipeline.service.recorder import Recorder
from pipeline.service.service import Service
from pipeline.topics import check, plan
from pipeline.wire.status import Subject
from video.cameras.camera import Limits
from video.cameras.cameras import Cameras
from video.cameras.directory import Directory
from video.cameras.history import History
from video.cameras.processes import Processes
from video.cameras.status_topic import StatusTopic
from video.http.app import Site
from video.settings import VideoSettings
from video.streams.clients import Clients

log = logging.getLogger("video")


_SELDOM: Final = 0.5  # s that a broker may hold back an empty response about states


def serve(settings: VideoSettings) -> int:
    """Connect the parts and run until the service is stopped."""
    ledger = Ledger()
    service = Service("video", settings.healthport, ledger)
    service.on_stop(Recorder(settings.statefolder, "video").close)

    limits = Limits(settings.nosignalafter, settings.staleafter)
    cameras = Cameras(limits, ledger, most=settings.maxcameras, ttl=settings.camerattl)
    service.on_stop(cameras.drop_rest)

    topics = [
        plan.frames(settings.topicname, settings.partitions, settings.maxpixels),
        plan.states(settings.topicnamestatus),
        *plan.listed(settings),
    ]
    if settings.users is not None:
        topics.append(plan.logouts(settings.topicnamelogouts))
    check.watch(service, topics, settings.kafkaport, settings.kafkaconfig)
    causes = Causes(settings.kafkaport)
    source = clients.consumer(
        settings.kafkaport, settings.groupname, settings.kafkafetchwait, settings.kafkaconfig, causes
    )
    reader = Reader(
        source,
        settings.topicname,
        cameras.offer,
        ledger,
        settings.maxcameras,
        most_pixels=settings.maxpixels,
        camera_ttl=settings.camerattl,
        causes=causes,
        on_broker=cameras.report_broker,
        on_forget=cameras.forget,
    )
    directory = _directory(settings, cameras, reader)

    certificate = entrance.certificate(settings)
    listener = listen(settings.displayport, share=settings.shareport)
    sessions = entrance.sessions(settings)
    processes = Processes(me=instance())
    site = Site(
        cameras,
        settings.frameinterval,
        Clients(settings.maxclients, settings.clienttimeout),
        History(settings.maxevents, settings.snapshotmemory * 1_000_000),
        sessions=sessions,
        proxies=settings.trustedproxies,
        root=settings.rootpath,
        tls=certificate is not None,
        embed_origins=settings.embedorigins,
        allowed_hosts=settings.allowedhosts,
        directory=directory,
        schemes=settings.linkschemes,
        writes=_writes(settings),
        most_cameras=settings.maxcameras,
        processes=processes,
    )
    allow_files()
    connections = Connections(settings.maxclients, settings.maxperaddress, settings.trustedproxies)
    web = WebServer(site, listener, connections, certificate)
    service.work("web", web.run)
    service.on_stop(web.close)

    service.repeat("read", reader.step)
    # Once there are cameras, a page that says why they send nothing is more useful than no page.
    service.require(lambda: None if ledger.totals()["in"] or cameras.known() else reader.unready())
    service.on_stop(reader.close)
    if directory is not None:
        service.repeat("cameras", directory.step)
        service.on_stop(directory.close)

    _follow_status(settings, service, cameras, processes, Rates(ledger))
    if sessions is not None:
        entrance.follow_logouts(
            settings,
            service,
            sessions.logouts,
            group=settings.groupname,
            fetch_wait=settings.kafkafetchwait,
        )

    log.info("listening on port %d; browsers use port %d", settings.displayport.port, settings.browser_port)
    if settings.users is None:
        log.info("everyone who can reach that port sees every camera; set USERS=FILE to require logins")
    return service.run()


def _follow_status(
    settings: VideoSettings, service: Service, cameras: Cameras, processes: Processes, rates: Rates
) -> None:
    """Read what all services report, and report what this one does."""
    extra = {**clients.UNHURRIED, **settings.kafkaconfig}
    source = clients.consumer(
        settings.kafkaport,
        settings.groupname,
        max(settings.kafkafetchwait, _SELDOM),
        {**extra, "allow.auto.create.topics": False, "auto.offset.reset": "earliest"},
    )
    topic = StatusTopic(source, settings.topicnamestatus, cameras.report, processes)
    service.repeat("states", topic.step)
    service.on_stop(topic.close)

    reporter = Reporter(
        clients.producer(settings.kafkaport, "none", extra),
        settings.topicnamestatus,
        Subject("video", processes.me),
        service.condition,
        health=settings.healthport,
        bootstrap=settings.kafkaport,
        extra=extra,
        figures=rates.figures,
    )
    service.work("status", reporter.run)
    service.on_stop(reporter.close)


def _directory(settings: VideoSettings, cameras: Cameras, reader: Reader) -> Directory | None:
    if settings.camerastopic is None:
        return None
    return Directory(
        settings.kafkaport,
        settings.camerastopic,
        settings.kafkaconfig,
        seal=settings.seal(),
        cameras=cameras,
        frames=reader,
        fetch_wait=settings.kafkafetchwait,
    )


def _writes(settings: VideoSettings) -> WriteAccess:
    """Decide who may change cameras without a users file."""
    if settings.camerastopic is None:
        return WriteAccess()
    return entrance.writes(settings, "operator", "cameras")


if __name__ == "__main__":
    startup.main("video", VideoSettings, serve)
