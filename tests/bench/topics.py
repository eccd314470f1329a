"""Topics that keep little, and go in the end: on a real Kafka an hour of frames would fill a disk."""

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
    """Make topics, with as many partitions as the broker makes by default.

    An embedded broker makes them by itself, keeps 5 MB of each and takes no wishes.
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
