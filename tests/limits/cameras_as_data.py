"""Limits on the records of cameras."""

from typing import Final

from tests.limits.limit import Limit

_SKIPPED: Final = (
    "the record is not used; the page says why at its camera; `streamlens_bad_camera_records_total`"
)

LIMITS: Final = (
    Limit("a camera's record", "pipeline.cameras.record.LARGEST", "bytes", _SKIPPED),
    Limit("its link, perhaps encrypted", "pipeline.cameras.record.LONGEST_LINK", "characters", _SKIPPED),
    Limit("its group", "pipeline.cameras.record.LONGEST_GROUP", "characters", _SKIPPED),
    Limit("models that it names", "pipeline.cameras.record.MOST_MODELS", "", _SKIPPED),
    Limit(
        "cameras in the topic",
        "pipeline.cameras.topic.MOST_CAMERAS",
        "",
        "further ones are not used; in the log; `streamlens_bad_camera_records_total`",
    ),
    Limit(
        "records that wait for Kafka",
        "pipeline.kafka.records.MOST_UNSENT",
        "",
        "a further change is refused; a further logout is forgotten when this server is restarted",
    ),
    Limit(
        "the plan of which producer has which camera",
        "producer.sharing.plan.LARGEST",
        "bytes",
        "a larger one is ignored; the producers go on with the one before",
    ),
)

_REFUSED: Final = "the camera is not added or listed; the command `python -m producer.cameras` says why"

ONVIF: Final = (
    Limit("an ONVIF camera's answer", "producer.cameras.onvif.xml.LARGEST_ANSWER", "bytes", _REFUSED),
    Limit(
        "its profiles",
        "producer.cameras.onvif.device.MOST_PROFILES",
        "",
        "further ones are not listed",
    ),
    Limit(
        "the address of a stream", "producer.cameras.onvif.streams.LONGEST_ADDRESS", "characters", _REFUSED
    ),
    Limit(
        "its name, and that of its model",
        "producer.cameras.onvif.discovery.LONGEST_SCOPE",
        "characters",
        "the rest is left out",
    ),
    Limit(
        "cameras that one search finds",
        "producer.cameras.onvif.discovery.MOST_DEVICES",
        "",
        "further ones are not listed",
    ),
    Limit(
        "addresses of a network that are asked",
        "producer.cameras.onvif.discovery.MOST_ADDRESSES",
        "",
        "the network is refused",
    ),
)
