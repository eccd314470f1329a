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
