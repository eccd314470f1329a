"""The cameras in Kafka, as one command reads and changes them."""

import time
from collections.abc import Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Final, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import ConfigEntry, ConfigResource, TopicMetadata  # type: ignore[attr-defined]

from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.topic import CameraTopic
from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from pipeline.topics import plan
from pipeline.topics.findings import findings
from pipeline.topics.survey import described
from producer.cameras.errors import CommandError
from producer.cameras.settings import CommandSettings

_ANSWER: Final = 10.0  # s until Kafka counts as away
_READ: Final = 30.0  # s for all records
_STORED: Final = 20.0  # s for all changes
_TROUBLE: Final = 4.0  # s for which Kafka may refuse a record; it is sent again after three
_CONFIG: Final = 1.0  # s for the settings of a topic, which nothing depends on


class Store:
    """The topic of cameras, read once; changes return once Kafka has stored them.

    Raises `CommandError` if Kafka is away, or does not permit it.
    """

    def __init__(self, settings: CommandSettings) -> None:
        self.seal = settings.seal()
        self.settings = settings
        self._extra: dict[str, Any] = settings.kafkaconfig
        self._causes = Causes(settings.bootstrap)
        self._client = clients.producer(settings.bootstrap, "none", self._extra, self._causes)
        found = self._topics()
        self.partitions = len(found[settings.topicname].partitions) if settings.topicname in found else 0
        """Partitions of the topic of frames; 0 if it does not exist yet."""
        self.has_status = settings.topicnamestatus in found
        """Whether there are reports on the cameras' states."""
        self._found = found.get(settings.topic)
        self._config = self._asked() if self._found else None
        self._topic = CameraTopic(settings.bootstrap, settings.topic, self._extra)
        if self._found and not self._catch_up():
            trouble = self._topic.unready()
            self.close()
            raise CommandError(f"topic {settings.topic} cannot be read: {self._causes.why() or trouble}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()

    @property
    def cameras(self) -> dict[str, CameraRecord | RecordError]:
        """The cameras, by name; previews are left out."""
        return {
            name: record
            for name, record in sorted(self._topic.cameras.items())
            if isinstance(record, RecordError) or not record.is_preview
        }

    def troubles(self) -> list[str]:
        """Return a line for each reason why the topic may forget or refuse cameras, and how to correct it."""
        if self._found is None or self._config is None:
            return []
        try:
            config = self._config.result(_CONFIG)
        except (KafkaException, TimeoutError):  # not permitted, or the embedded broker
            return []
        found = described(self._found, {name: str(entry.value) for name, entry in config.items()})
        return findings(plan.cameras(self.settings.topic), found, self.settings.bootstrap)

    def save(self, changes: Mapping[str, CameraRecord | None]) -> None:
        """Add, change or (None) remove cameras, and wait until Kafka has stored that."""
        waiting = [
            self._topic.remove(name) if record is None else self._topic.put(name, record)
            for name, record in changes.items()
        ]
        began, since = time.monotonic(), None
        while not all(map(Future.done, waiting)):
            self._topic.step()
            now = time.monotonic()
            since = (since or now) if self._topic.trouble else None
            if now - began > _STORED or (since and now - since > _TROUBLE):
                raise CommandError(self._not_stored(waiting))
            self._client.poll(0)

    def close(self) -> None:
        """End the connections."""
        self._topic.close()

    def _asked(self) -> "Future[dict[str, ConfigEntry]]":
        """Ask for the settings of the topic, meanwhile."""
        resource = ConfigResource(ConfigResource.Type.TOPIC, self.settings.topic)
        self._admin = clients.admin(self.settings.bootstrap, self._extra)  # answers while it exists
        return self._admin.describe_configs([resource], request_timeout=_ANSWER)[resource]

    def _catch_up(self) -> bool:
        try:
            return self._topic.catch_up(_READ)
        except KafkaException:
            return False

    def _not_stored(self, waiting: list["Future[None]"]) -> str:
        left = sum(not each.done() for each in waiting)
        why = self._topic.trouble or self._topic.unready() or "Kafka does not answer"
        return f"{left} of {len(waiting)} changes not stored: {self._causes.why() or why}"

    def _topics(self) -> dict[str, TopicMetadata]:
        """Return all topics."""
        until = time.monotonic() + _ANSWER
        while True:
            try:
                # All topics: asking for one that does not exist could create it.
                topics: dict[str, TopicMetadata] = self._client.list_topics(timeout=1).topics
            except KafkaException as error:
                self._client.poll(0.1)
                if time.monotonic() < until and not self._causes.why():
                    continue
                why = self._causes.of(error.args[0], self.settings.topic, "read")
                raise CommandError(f"cannot read the cameras: {why}") from None
            else:
                return topics
