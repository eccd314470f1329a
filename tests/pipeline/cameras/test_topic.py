"""The topic of cameras, on librdkafka's own broker."""

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from compose.broker import Broker
from pipeline.cameras import topic as module
from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.topic import CameraTopic, Change, partition_for

DOOR = CameraRecord(link="rtsp://192.168.1.20/stream1")


@pytest.fixture
def bootstrap() -> Iterator[str]:
    """A broker with the topic."""
    with Broker({"cameras": 1}) as broker:
        yield broker.bootstrap


def follow(topic: CameraTopic, count: int) -> None:
    """Read until the topic holds so many cameras."""
    until = time.monotonic() + 10
    while len(topic.cameras) != count and time.monotonic() < until:
        topic.step()
    assert len(topic.cameras) == count


def test_what_one_process_writes_others_read(bootstrap: str) -> None:
    changes: list[tuple[str, Change]] = []
    here = CameraTopic(bootstrap, "cameras", {}, fetch_wait=0.005)
    there = CameraTopic(bootstrap, "cameras", {}, lambda *change: changes.append(change), fetch_wait=0.005)

    stored = here.put("door", DOOR)
    follow(here, 1)
    follow(there, 1)
    here.step()
    stored.result(0)
    here.put("door", DOOR.model_copy(update={"paused": True}))
    here.remove("door")
    follow(here, 0)
    follow(there, 0)

    paused = DOOR.model_copy(update={"paused": True})
    assert changes in ([("door", DOOR), ("door", paused), ("door", None)], [("door", DOOR), ("door", None)])
    later = CameraTopic(bootstrap, "cameras", {}, fetch_wait=0.005)
    assert later.unready()
    assert later.catch_up(5)
    assert later.is_read
    assert later.unready() is None
    for each in (here, there, later):
        each.close()


def test_bad_records_cost_only_themselves(bootstrap: str, caplog: pytest.LogCaptureFixture) -> None:
    kafka = Producer({"bootstrap.servers": bootstrap})
    for key, value in ((b"\xff", b"{}"), (b"door", b"nonsense"), (b"hall", b'{"link": "0"}')):
        kafka.produce("cameras", value, key)
    kafka.flush(5)

    topic = CameraTopic(bootstrap, "cameras", {}, fetch_wait=0.005)
    follow(topic, 2)

    assert isinstance(topic.cameras["door"], RecordError)
    assert topic.cameras["hall"] == CameraRecord(link="0")
    assert any("the record of camera door" in line for line in caplog.messages)
    topic.close()


@pytest.mark.exceeds("pipeline.cameras.topic.MOST_CAMERAS")
def test_the_topic_holds_so_many_cameras(bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CAMERAS", 2)
    topic = CameraTopic(bootstrap, "cameras", {}, fetch_wait=0.005)

    for number in range(4):
        topic.put(str(number), DOOR)
    follow(topic, 2)
    for _ in range(5):
        topic.step()

    assert topic.cameras.keys() == {"0", "1"}
    topic.close()


def test_partitions_are_filled_evenly() -> None:
    cameras: list[CameraRecord | RecordError] = [RecordError("bad_value", "")]
    for _ in range(8):
        cameras.append(DOOR.model_copy(update={"partition": partition_for(8, cameras)}))

    assert {each.partition for each in cameras if isinstance(each, CameraRecord)} == set(range(8))
    assert partition_for(8, cameras) == 0
