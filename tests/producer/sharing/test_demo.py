"""The clip that stands in while there are no cameras."""

import pytest

from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.seal import Seal, new_key
from producer.settings import ProducerSettings
from producer.sharing.own import demo_record

KEY = new_key()
DOOR = CameraRecord(link="rtsp://door/1")
PREVIEW = CameraRecord(link="rtsp://door/1", until=4e9)


def settings(**given: str) -> ProducerSettings:
    fields = {"kafkaport": "k:1", "camerastopic": "cameras", "demolink": "/clips/bikes.mp4", **given}
    return ProducerSettings.model_validate(fields)


@pytest.mark.parametrize("cameras", [{}, {"preview-0123456789abcdef": PREVIEW}])
def test_it_is_named_like_its_file(cameras: dict[str, CameraRecord]) -> None:
    seal = Seal([KEY])
    found = demo_record(settings(), seal, cameras)

    assert found is not None
    name, record = found
    assert (name, seal.open(record.link), record.partition) == ("bikes", "/clips/bikes.mp4", 0)
    assert record.link != "/clips/bikes.mp4"


@pytest.mark.parametrize("camera", [DOOR, DOOR.model_copy(update={"paused": True}), RecordError("x", "y")])
def test_it_does_not_come_while_there_is_a_camera(camera: CameraRecord | RecordError) -> None:
    assert demo_record(settings(), Seal(), {"door": camera}) is None


def test_ones_own_camera_and_no_setting_keep_it_away() -> None:
    assert demo_record(settings(videolink="rtsp://door/1"), Seal(), {}) is None
    assert demo_record(settings(demolink=""), Seal(), {}) is None
