"""Kafka clients configured for live frames: small queues, no waiting, nothing sent or read twice."""

import os
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, cast

from confluent_kafka import OFFSET_END, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from pipeline.kafka.causes import Causes
from pipeline.kafka.steady import SteadyConsumer, SteadyProducer, look_after
from pipeline.service.settings import SettingsError

_Client = TypeVar("_Client")

_LARGEST_MESSAGE: Final = 100_000_000  # bytes; the limit of the original system's brokers
_LARGEST_FETCH: Final = 16 * 1024 * 1024  # bytes of an answer, unless a single message is larger
_COMMON: Final = {
    "socket.keepalive.enable": True,
    "socket.nagle.disable": True,
    # A broker that is back, or a new leader, is found in a quarter of a second. By itself, librdkafka looks
    # for new leaders once a second, and for a leader to write to only while a message waits for it.
    "reconnect.backoff.max.ms": 250,
    "retry.backoff.max.ms": 250,
    "topic.metadata.refresh.interval.ms": 250,
    # When a broker moves, its old address may drop packets silently: give up on it after 3 s instead of 30.
    "socket.connection.setup.timeout.ms": 3_000,
    "socket.timeout.ms": 10_000,
    "message.max.bytes": _LARGEST_MESSAGE,
    # Otherwise librdkafka writes to standard error; `Causes` reports the errors to our log.
    "log_level": 0,
}

UNHURRIED: Final = {"topic.metadata.refresh.interval.ms": 2_000}
"""Settings of clients for other things than frames: a new leader may be found two seconds later."""


REFUSED: Final = "KAFKACONFIG='***': "
"""How the reason begins when librdkafka rejects a setting."""


def producer(
    bootstrap: str,
    compression: str,
    extra: dict[str, Any],
    causes: Causes | None = None,
    most_messages: int = 1_000,
) -> Producer:
    """Return a producer that sends at once, and gives up on a frame that it cannot send within two seconds.

    A frame is never sent again: by then there is a newer one, which the second attempt could overtake.
    `causes` learns what keeps the producer from Kafka; the producer must then be polled regularly.
    `most_messages` may wait: by default two seconds of about twenty cameras. Raises
    `SettingsError` when librdkafka rejects something in `extra`.
    """
    config = {
        **_COMMON,
        "bootstrap.servers": bootstrap,
        "acks": 1,
        "linger.ms": 0,
        "compression.type": compression,
        "message.timeout.ms": 2_000,
        "message.send.max.retries": 0,
        # Memory is bounded by the size below.
        "queue.buffering.max.messages": most_messages,
        "queue.buffering.max.kbytes": 128 * 1024,
        **_reports(bootstrap, causes),
        **extra,
    }
    client = SteadyProducer(lambda: _created(Producer, config))
    look_after(client)
    return cast("Producer", client)  # it has all methods


def consumer(
    bootstrap: str, group: str, fetch_wait: float, extra: dict[str, Any], causes: Causes | None = None
) -> Consumer:
    """Return a consumer that gets frames as they arrive, and commits nothing: live video has no past.

    `fetch_wait` (s) is how long a broker may hold back an empty response. A real broker responds as soon as a
    frame arrives; librdkafka's mock broker always waits that long. `causes` learns what keeps the consumer
    from Kafka. Raises `SettingsError` when librdkafka rejects something in `extra`.
    """
    config = {
        **_COMMON,
        "bootstrap.servers": bootstrap,
        "group.id": group,
        "auto.offset.reset": "latest",
        "enable.auto.commit": False,
        "fetch.min.bytes": 1,
        "fetch.wait.max.ms": round(fetch_wait * 1000),
        "fetch.error.backoff.ms": 100,
        # A broker sends a larger message alone. librdkafka raises the second limit to the first.
        "message.max.bytes": _LARGEST_FETCH,
        "fetch.max.bytes": _LARGEST_FETCH,
        "max.partition.fetch.bytes": 16 * 1024 * 1024,
        "receive.message.max.bytes": 2 * _LARGEST_MESSAGE,
        "queued.max.messages.kbytes": 16 * 1024,
        # When that much waits, a partition is not read for a second by default, whatever becomes of it.
        "fetch.queue.backoff.ms": 10,
        "allow.auto.create.topics": True,
        **_reports(bootstrap, causes),
        **extra,
    }
    return cast("Consumer", SteadyConsumer(lambda: _created(Consumer, config)))  # it has all methods


def admin(bootstrap: str, extra: dict[str, Any]) -> AdminClient:
    """Return a client that creates topics.

    Raises `SettingsError` when librdkafka rejects something in `extra`.
    """
    config = {**_COMMON, "bootstrap.servers": bootstrap, **_reports(bootstrap, None), **extra}
    return _created(AdminClient, config)


def from_the_end(consumer: Consumer, partitions: list[TopicPartition]) -> None:
    """Read these partitions too, from their ends, whatever was committed."""
    for partition in partitions:
        partition.offset = OFFSET_END
    consumer.incremental_assign(partitions)


def _created(kind: Callable[[dict[str, Any]], _Client], config: dict[str, Any]) -> _Client:
    try:
        return kind(config)
    except (KafkaException, TypeError) as error:
        raise _refused(error, config) from None


def _refused(error: KafkaException | TypeError, config: Mapping[str, Any]) -> SettingsError:
    # Some of librdkafka's messages contain the value, which may be a password in the wrong place.
    text = error.args[0].str() if isinstance(error, KafkaException) else str(error)
    text = re.sub(r'(?s)value ".*" for', "value for", text)
    if "SASL mechanism GSSAPI" in text:  # librdkafka's default
        text = "expected sasl.mechanism, such as PLAIN or SCRAM-SHA-512"
    found = re.search(r"(ssl\.[a-z.]*location) failed", text)
    if found and not os.access(str(config.get(found[1])), os.R_OK):
        text = f"{found[1]}: there is no such file, or this user may not read it"
    return SettingsError(f"{REFUSED}{text}")


def _reports(bootstrap: str, causes: Causes | None) -> dict[str, Any]:
    # A client that is seldom polled would keep every line of the log until then.
    return {"error_cb": Causes(bootstrap).note} if causes is None else causes.config()
