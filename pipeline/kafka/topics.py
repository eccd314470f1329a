"""Topics that a service creates itself, because their settings matter."""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

log = logging.getLogger(__name__)

_ANSWER: Final = 2.0  # s that a broker may take to create a topic

COMPACTED: Final[Mapping[str, str]] = {
    "cleanup.policy": "compact",
    # Only closed segments are compacted, and by default one is closed after a week.
    "segment.ms": "3600000",
}
"""Settings of a topic whose records stay until they are removed."""

STATES: Final[Mapping[str, str]] = {
    "cleanup.policy": "compact,delete",
    # Each process has a key of its own: without this, those of killed ones would never go away.
    "retention.ms": "600000",
    # Only closed segments are compacted, and by default one is closed after a week.
    "segment.ms": "60000",
    # The age of a record is then judged by the broker's clock, not by those of all hosts.
    "message.timestamp.type": "LogAppendTime",
}
"""Settings of the topic with the states of all services and cameras."""

BEATS: Final[Mapping[str, str]] = {"retention.ms": "60000", "segment.ms": "60000"}
"""Settings of the topic on which the members of groups beat: beats are of no use for longer."""


KEPT: Final[Mapping[str, str]] = {"retention.ms": "-1"}
"""Settings of a topic whose records all stay."""


class Topic:
    """A topic with these settings, and with `least` partitions if it is created here.

    `admin` returns a client that can create it.
    """

    def __init__(
        self, name: str, settings: Mapping[str, str], admin: Callable[[], AdminClient], *, least: int = 1
    ) -> None:
        self.name = name
        self.least = least
        self.is_there = False
        self.found: int | None = None
        """How many partitions it had when it was looked for; None if there was no such topic."""
        self.trouble: str | None = None
        """Why it could not be created, in one line. It may exist all the same."""
        self._settings = settings
        self._admin = admin

    def prepare(self, client: Producer | Consumer | AdminClient) -> bool:
        """Create the topic unless a client of its brokers finds it; return False to try again later.

        Takes five seconds at most.
        """
        try:
            # All topics: asking for one that does not exist could create it, with other settings.
            topics = client.list_topics(timeout=1).topics
        except KafkaException:
            return False
        if self.name in topics:
            self.found = len(topics[self.name].partitions)
        else:
            self._create()
        self.is_there = True
        return True

    def _create(self) -> None:
        new = NewTopic(
            self.name, num_partitions=self.least, replication_factor=-1, config=dict(self._settings)
        )
        admin = self._admin()
        try:
            admin.create_topics([new], request_timeout=_ANSWER)[self.name].result()
            log.info("topic %s created", self.name)
        except KafkaException as error:
            # Another service was faster; or this is not allowed or, as by librdkafka's mock broker, not
            # possible: then the first record may create the topic, with the broker's settings.
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                self.trouble = _cause(error.args[0], self.name)
                log.info("%s", self.trouble)
                if not self._settings:
                    # Many brokers create a topic when they are asked for it, with their own settings.
                    with suppress(KafkaException):
                        admin.list_topics(self.name, timeout=_ANSWER)


def _cause(error: KafkaError, topic: str) -> str:
    if error.code() in {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED}:
        return (
            f"Kafka does not permit this user to create topic {topic}: allow CREATE, READ, WRITE and DESCRIBE"
            " with kafka-acls.sh"
        )
    return f"topic {topic} cannot be created with the settings it needs: {error.str()}"
