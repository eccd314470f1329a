"""What is reported about the cameras, on `TOPICNAMESTATUS`."""

import time
from typing import Final, NamedTuple

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, KafkaException, Message

from pipeline.kafka import clients
from pipeline.kafka.records import Records
from pipeline.wire import figures
from pipeline.wire.status import LIFETIME, Status, StatusError, decode, decode_key
from producer.cameras.settings import CommandSettings

_READ: Final = 10.0  # s for all records
_PRODUCER: Final = "producer"
_VIDEO: Final = "video"


class Reported(NamedTuple):
    """A camera's state, in the page's words, and the reason for it."""

    state: str
    reason: str | None


def states(settings: CommandSettings) -> dict[str, Reported]:
    """Return the newest report about each camera that is not too old; none if Kafka does not let us read."""
    found: dict[str, tuple[float, Status]] = {}
    seen: dict[str, set[str]] = {}  # of each part of the figures of video servers: cameras with frames

    def take(message: Message) -> None:
        kind, milliseconds = message.timestamp()
        at = time.time() if kind == TIMESTAMP_NOT_AVAILABLE else milliseconds / 1000
        try:
            subject = decode_key(message.key())
            value = message.value()
            if value is None or time.time() - at >= LIFETIME:
                return
            if subject.service == figures.SERVICE:
                counted = figures.decode(value)
                if counted.service == _VIDEO:
                    seen[subject.instance] = set(counted.cameras)
                return
            if subject.service != _PRODUCER or not subject.camera:
                return
            status = decode(subject, value)
        except StatusError:  # the video server counts and logs them
            return
        # What a producer says last, as it gives a camera to another one, does not replace what that one says.
        before = found.get(subject.camera)
        is_last = status.state == "stopped" and before and before[1].subject != subject
        if not is_last and (before is None or at >= before[0]):
            found[subject.camera] = (at, status)

    reads = {"allow.auto.create.topics": False, "auto.offset.reset": "earliest", "enable.partition.eof": True}
    consumer = clients.consumer(settings.bootstrap, "cameras", 0.1, {**settings.kafkaconfig, **reads})
    records = Records(consumer, settings.topicnamestatus, take)
    try:
        records.catch_up(_READ)
    except KafkaException:
        return {}
    finally:
        records.close()
    unseen = found.keys() - set().union(*seen.values()) if seen else set()
    return {
        camera: Reported(
            "never-seen" if status.state == "no-signal" and camera in unseen else status.state, status.reason
        )
        for camera, (_, status) in found.items()
    }
