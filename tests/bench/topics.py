"""Topics that keep little and are deleted at the end: an hour of frames would fill a real Kafka's disk."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

_KEPT: Final = {
    "retention.ms": "60000",
    "retention.bytes": "100000000",
    "segment.bytes": "50000000",
    "file.delete.delay.ms": "1000",
}


@contextmanager
def short_lived(bootstrap: str, *names: str) -> Iterator[None]:
    """Create topics, with the broker's default number of partitions.

    An embedded broker creates them by itself and keeps 5 MB of each; this cannot be configured.
    """
    if "KAFKA_BOOTSTRAP" not in os.environ:
        yield
        return
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    for made in admin.create_topics([NewTopic(name, config=_KEPT) for name in names]).values():
        made.result(30)
    try:
        yield
    finally:
        for gone in admin.delete_topics(list(names)).values():
            gone.result(30)
