"""What a camera's record asks for."""

from collections.abc import Callable

import pytest

from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.seal import Seal, new_key
from pipeline.service.masking import hide
from pipeline.service.settings import load
from producer.capture import How
from producer.settings import ProducerSettings
from producer.sharing.own import own_record
from producer.sharing.wishes import Wishes

KEY = new_key()
LINK = "rtsp://joe:hunter2hunter2@192.168.1.20/1"


@pytest.fixture
def settings(environment: Callable[..., None]) -> Callable[..., ProducerSettings]:
    def load_with(**variables: str) -> ProducerSettings:
        environment(KAFKAPORT="kafka:9092", CAMERASTOPIC="cameras", CAMERANAME="mine", **variables)
        return load(ProducerSettings)

    return load_with


def test_a_record_says_how_to_capture(settings: Callable[..., ProducerSettings]) -> None:
    wishes = Wishes(settings(), Seal([KEY]))
    record = CameraRecord(
        link=Seal([KEY]).close(LINK), interval=0.5, scale=(0.5, 0.25), rotate=90, partition=3
    )

    assert wishes.of("door", record) == How(LINK, 0.5, (0.5, 0.25), 90, 3)
    assert "hunter2hunter2" not in hide("found hunter2hunter2")


def test_what_needs_no_reopening_changes_nothing(settings: Callable[..., ProducerSettings]) -> None:
    wishes = Wishes(settings(FRAMEINTERVAL="80ms"), Seal())
    record = CameraRecord(link=LINK)
    other = record.model_copy(update={"weight": 2.0, "deadline": 0.5, "group": "hall", "models": ["a"]})

    assert wishes.of("door", record) == wishes.of("door", other) == How(LINK, 0.08)


def test_a_paused_camera_is_not_captured(settings: Callable[..., ProducerSettings]) -> None:
    assert Wishes(settings(), Seal()).of("door", CameraRecord(link=LINK, paused=True)) == ("paused", None)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (RecordError("bad_value", "link: is missing"), "topic cameras cannot be used: link: is missing"),
        (CameraRecord(link=Seal([new_key()]).close(LINK)), "CAMERASKEY"),
        (CameraRecord(link="/etc/passwd"), "LINKSCHEMES"),
        (CameraRecord(link="gopher://door/"), "schemes"),
        (CameraRecord(link="rtsp://"), "rtsp://HOST"),
    ],
)
def test_a_record_that_cannot_be_used_says_why(
    settings: Callable[..., ProducerSettings], record: CameraRecord | RecordError, reason: str
) -> None:
    wish = Wishes(settings(), Seal([KEY])).of("door", record)

    assert not isinstance(wish, How)
    state, text = wish
    assert state == "no-signal"
    assert reason in (text or "")
    assert "hunter2" not in (text or "")


def test_the_operators_own_link_is_not_restricted(settings: Callable[..., ProducerSettings]) -> None:
    wishes = Wishes(settings(VIDEOLINK="/films/door.mp4"), Seal())

    assert isinstance(wishes.of("mine", CameraRecord(link="/films/door.mp4")), How)
    assert not isinstance(wishes.of("mine", CameraRecord(link="/films/other.mp4")), How)


def test_an_own_camera_becomes_a_record(settings: Callable[..., ProducerSettings]) -> None:
    seal, mine = Seal([KEY]), settings(VIDEOLINK=LINK, IMAGESCALEX="0.5", FRAMEINTERVAL="80ms")

    record = own_record(mine, seal, {"door": CameraRecord(link=LINK, partition=0)}, 2)

    assert record is not None
    assert seal.open(record.link) == LINK != record.link
    assert (record.interval, record.scale, record.partition) == (0.08, (0.5, 1), 1)


def test_an_own_camera_is_written_only_if_its_link_differs(settings: Callable[..., ProducerSettings]) -> None:
    seal, mine = Seal([KEY]), settings(VIDEOLINK=LINK)
    same = CameraRecord(link=seal.close(LINK), group="hall")
    other = CameraRecord(link=seal.close("rtsp://other/"), group="hall", partition=7)
    lost = CameraRecord(link=Seal([new_key()]).close(LINK))

    assert own_record(mine, seal, {"mine": same}, 4) is None
    for record in (other, lost):
        written = own_record(mine, seal, {"mine": record}, 4)
        assert written is not None
        assert (seal.open(written.link), written.group, written.partition) == (
            LINK,
            record.group,
            record.partition,
        )
    assert own_record(mine, seal, {"mine": RecordError("bad_value", "wrong")}, 4) is not None
    assert own_record(settings(VIDEOLINK=""), seal, {}, 4) is None
