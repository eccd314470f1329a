"""The given cameras become records of the topic, on librdkafka's own broker."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from compose import cameras, given
from compose.broker import Broker
from compose.given import GivenSettings
from pipeline.cameras.record import CameraRecord
from pipeline.cameras.seal import Seal, is_sealed, new_key
from pipeline.cameras.topic import CameraTopic

KEY = new_key()
SEAL = Seal([KEY])
DOOR, YARD = "rtsp://joe:secret@192.168.1.20/stream1", "rtsp://192.168.1.21/stream1"

Write = Callable[..., None]
Found = Callable[[], dict[str, CameraRecord]]


@pytest.fixture
def bootstrap() -> Iterator[str]:
    """A broker with the topics."""
    with Broker({"cameras": 1, "videocam": 3}) as broker:
        yield broker.bootstrap


@pytest.fixture
def write(bootstrap: str) -> Write:
    """Writes links as compose does."""

    def write(links: Mapping[str, str], **options: bool) -> None:
        fields = {"kafkaport": bootstrap, "cameraskey": KEY, "givencameras": links, "camerastopic": "cameras"}
        settings = GivenSettings.model_validate({**fields, **options})
        assert given.serve(settings) == 0

    return write


@pytest.fixture
def topic(bootstrap: str) -> Iterator[CameraTopic]:
    """The topic."""
    topic = CameraTopic(bootstrap, "cameras", {}, fetch_wait=0.005)
    yield topic
    topic.close()


@pytest.fixture
def found(topic: CameraTopic) -> Found:
    """Returns what the topic holds, with the links opened."""

    def found() -> dict[str, CameraRecord]:
        assert topic.catch_up(20)
        records = {name: each for name, each in topic.cameras.items() if isinstance(each, CameraRecord)}
        return {
            name: each.model_copy(update={"link": SEAL.open(each.link)}) for name, each in records.items()
        }

    return found


def put(topic: CameraTopic, name: str, record: CameraRecord) -> None:
    stored, until = topic.put(name, record), time.monotonic() + 20
    while not stored.done() and time.monotonic() < until:
        topic.step()
    stored.result(0)


def test_they_are_sealed_and_spread_over_the_partitions(
    write: Write, topic: CameraTopic, found: Found
) -> None:
    write({"door": DOOR, "yard": YARD, "hall": "0"})

    assert {name: (each.link, each.partition) for name, each in found().items()} == {
        "door": (DOOR, 0),
        "yard": (YARD, 1),
        "hall": ("0", 2),
    }
    assert all(isinstance(each, CameraRecord) and is_sealed(each.link) for each in topic.cameras.values())


def test_a_link_that_differs_is_changed_and_all_else_stays(
    write: Write, topic: CameraTopic, found: Found
) -> None:
    kept = CameraRecord(link="gAAAAA-of-another-key", rotate=90, group="Street", partition=2)
    put(topic, "door", kept)
    put(topic, "yard", CameraRecord(link=YARD, paused=True))
    put(topic, "hall", CameraRecord(link="0"))

    write({"door": DOOR, "yard": YARD})

    assert found() == {
        "door": kept.model_copy(update={"link": DOOR}),
        "yard": CameraRecord(link=YARD, paused=True),
        "hall": CameraRecord(link="0"),
    }
    assert topic.cameras["yard"] == CameraRecord(link=YARD, paused=True), "it was not written again"


def test_the_demo_appears_only_without_any_camera(write: Write, topic: CameraTopic, found: Found) -> None:
    write({"bikes": "/clips/bikes.mp4"}, isdemo=True)
    assert [*found()] == ["bikes"]

    put(topic, "door", CameraRecord(link=DOOR))
    write({"bikes": "/clips/other.mp4"}, isdemo=True)
    assert {name: each.link for name, each in found().items()} == {"bikes": "/clips/bikes.mp4", "door": DOOR}


def test_the_demo_that_was_removed_does_not_come_back_while_there_are_others(
    write: Write, topic: CameraTopic, found: Found
) -> None:
    put(topic, "door", CameraRecord(link=DOOR))

    write({"bikes": "/clips/bikes.mp4"}, isdemo=True)

    assert [*found()] == ["door"]


def test_the_demo_goes_when_cameras_are_given(write: Write, found: Found) -> None:
    clip = cameras.clip()
    write({clip.name: clip.link}, isdemo=True)

    write({"door": DOOR})

    assert [*found()] == ["door"]


@pytest.mark.parametrize("change", [{"rotate": 90}, {"link": "rtsp://bikes/1"}])
def test_a_demo_that_somebody_changed_stays(
    write: Write, topic: CameraTopic, found: Found, change: dict[str, object]
) -> None:
    clip = cameras.clip()
    put(topic, clip.name, CameraRecord(link=clip.link).model_copy(update=change))

    write({"door": DOOR})

    assert sorted(found()) == ["bikes", "door"]


def test_a_demo_whose_film_has_moved_is_corrected(
    write: Write, topic: CameraTopic, found: Found, tmp_path: Path
) -> None:
    (tmp_path / "bikes.mp4").touch()
    put(topic, "bikes", CameraRecord(link="/nowhere/bikes.mp4", group="Mine"))

    write({"bikes": f"{tmp_path}/bikes.mp4"}, isdemo=True)

    assert found()["bikes"] == CameraRecord(link=f"{tmp_path}/bikes.mp4", group="Mine")


def test_what_was_changed_since_stays_when_the_broker_comes_back(
    write: Write, topic: CameraTopic, found: Found
) -> None:
    put(topic, "door", CameraRecord(link=YARD))

    write({"door": DOOR, "hall": "0"}, isagain=True)

    assert found() == {"door": CameraRecord(link=YARD)}


def test_if_nothing_was_kept_they_are_written_again(write: Write, found: Found) -> None:
    write({"door": DOOR}, isagain=True)

    assert found()["door"].link == DOOR


def test_previews_are_not_cameras_and_old_ones_go(write: Write, topic: CameraTopic, found: Found) -> None:
    put(topic, "preview-0000000000000001", CameraRecord(link="0", until=1))
    put(topic, "preview-0000000000000002", CameraRecord(link="0", until=time.time() + 100))

    write({"bikes": "/clips/bikes.mp4"}, isdemo=True)

    assert sorted(found()) == ["bikes", "preview-0000000000000002"]


def test_the_links_of_the_settings_are_not_printed() -> None:
    settings = GivenSettings(kafkaport="k:1", givencameras={"door": DOOR})

    assert "secret" not in repr(settings)
