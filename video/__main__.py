"""Serves labelled frames to browsers and players: `python -m video`."""

import logging
import uuid

from pipeline import kafka, startup
from pipeline.ledger import Ledger
from pipeline.reader import Reader
from pipeline.service import Service
from video.board import Board
from video.channel import Limits
from video.server import WebServer, listen
from video.settings import VideoSettings

log = logging.getLogger("video")


def serve(settings: VideoSettings) -> int:
    """Wire the parts and run until told to stop."""
    ledger = Ledger()
    service = Service("video", settings.healthport, ledger)

    board = Board(Limits(settings.nosignalafter, settings.staleafter), ledger)
    service.at_end(board.drop_rest)

    web = WebServer(board, listen(settings.displayport), settings.frameinterval)
    service.work("web", web.run)
    service.at_end(web.close)

    # A group of its own: every server shows every camera, however many servers there are.
    group = f"{settings.groupname}-{uuid.uuid4().hex[:12]}"
    source = kafka.consumer(settings.kafkaport, group, settings.kafkafetchwait, settings.kafkaconfig)
    reader = Reader(source, settings.topicname, board.offer, ledger, settings.maxcameras)
    service.repeat("read", reader.step)
    # Once there are cameras, a page that says "no signal" is worth more than none.
    service.ready_when(lambda: None if ledger.totals()["in"] else reader.unready())
    service.at_end(reader.close)

    log.info(
        "pictures at port %d, for browsers at port %d", settings.displayport.port, settings.nodeport.port
    )
    return service.run()


if __name__ == "__main__":
    startup.main("video", VideoSettings, serve)
