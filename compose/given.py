"""Write the cameras that compose was given to the topic of cameras, and end: `python -m compose.given`.

A camera whose record has another link gets the new one, and keeps its other fields. The demo clip is written
only if there is no camera at all; it goes when compose is given others.
"""

import json
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Annotated, Final

from confluent_kafka import KafkaException
from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from compose import cameras
from compose.errors import OptionsError
from compose.parts import PARTITIONS
from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.seal import Seal, SealError
from pipeline.cameras.settings import CamerasSettings
from pipeline.cameras.topic import CameraTopic, partition_for
from pipeline.kafka import clients
from pipeline.service import startup
from pipeline.service.values import Bootstrap, Topic

_READING: Final = 2.0  # s of one attempt
_REFRESHING: Final = 2.0  # s


def _parse(text: object) -> object:
    return json.loads(text) if isinstance(text, str) else text


class GivenSettings(CamerasSettings):
    """The cameras, and where to write them."""

    kafkaport: Bootstrap = Field(description="the address of Kafka")
    topicname: Topic = Field("videocam", description="the topic of frames")
    givencameras: Annotated[dict[str, str], NoDecode, BeforeValidator(_parse)] = Field(
        {}, repr=False, description="links by name"
    )
    isdemo: bool = Field(False, description="whether they stand in for cameras")
    isagain: bool = Field(False, description="whether this run has written them before")


class Given:
    """Cameras to write to a topic: their links by name."""

    def __init__(self, links: Mapping[str, str], seal: Seal, partitions: int) -> None:
        self._links = links
        self._seal = seal
        self._partitions = partitions

    def write(self, topic: CameraTopic, *, only_if_empty: bool) -> list[Future[None]]:
        """Write what differs from the topic, which has been read; return what is done once Kafka has it."""
        now = time.time()
        done = [topic.remove(name) for name, each in topic.cameras.items() if _has_ended(each, now)]
        others: dict[str, CameraRecord | RecordError] = {
            name: each for name, each in topic.cameras.items() if not _is_preview(each)
        }
        if only_if_empty and others and not self._is_lost_clip(others):
            return done
        for name, link in self._links.items():
            before = others.get(name)
            if isinstance(before, CameraRecord):
                if self._opened(before) == link:
                    continue
                record = before.model_copy(update={"link": self._seal.close(link)})
            else:
                partition = partition_for(self._partitions, others.values())
                record = CameraRecord(link=self._seal.close(link), partition=partition)
            others[name] = record
            done.append(topic.put(name, record))
        return done

    def _is_lost_clip(self, others: Mapping[str, CameraRecord | RecordError]) -> bool:
        """Whether the only camera is the clip of another installation, which is gone."""
        (name, link), *more = self._links.items()
        before = others.get(name)
        was = self._opened(before) if isinstance(before, CameraRecord) else None
        is_clip = was is not None and Path(was).name == Path(link).name and not Path(was).exists()
        return is_clip and len(others) == 1 and not more

    def remove_demo(self, topic: CameraTopic, name: str, link: str) -> list[Future[None]]:
        """Remove the demo clip, unless somebody has changed its record."""
        found = topic.cameras.get(name)
        if name in self._links or not isinstance(found, CameraRecord) or self._opened(found) != link:
            return []
        plain = CameraRecord(link=found.link, partition=found.partition)
        return [topic.remove(name)] if found == plain else []

    def _opened(self, record: CameraRecord) -> str | None:
        try:
            return self._seal.open(record.link)
        except SealError:
            return None


def serve(settings: GivenSettings) -> int:
    """Wait for Kafka, write the records, and return the exit status."""
    topic = CameraTopic(
        settings.kafkaport, settings.camerastopic or "cameras", settings.kafkaconfig, fetch_wait=0.01
    )
    while not _is_read(topic):
        pass
    given = Given(settings.givencameras, settings.seal(), _partitions(settings))
    waiting = given.write(topic, only_if_empty=settings.isdemo or settings.isagain)
    if not settings.isdemo and not settings.isagain and settings.givencameras:
        try:
            clip = cameras.clip()
            waiting += given.remove_demo(topic, clip.name, clip.link)
        except OptionsError:  # it is not installed
            pass
    while not all(future.done() for future in waiting):
        topic.step()
    topic.close()
    return 0


def _is_read(topic: CameraTopic) -> bool:
    try:
        return topic.catch_up(_READING)
    except KafkaException:  # the services say what is wrong
        time.sleep(0.2)
        return False


def _partitions(settings: GivenSettings) -> int:
    """Return the number of partitions that the frames' topic has, or will have once a service creates it."""
    try:
        client = clients.admin(settings.kafkaport, dict(settings.kafkaconfig))
        known = client.list_topics(timeout=_REFRESHING).topics.get(settings.topicname)
    except KafkaException:
        known = None
    return len(known.partitions) if known and known.partitions else settings.partitions or PARTITIONS


def _is_preview(record: object) -> bool:
    return isinstance(record, CameraRecord) and record.is_preview


def _has_ended(record: object, now: float) -> bool:
    return isinstance(record, CameraRecord) and record.has_ended(now)


if __name__ == "__main__":
    sys.exit(startup.run("given", GivenSettings, serve))
