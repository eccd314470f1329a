"""What the topic of cameras says about labelling."""

import math

import pytest

from consumer.cameras import Cameras, Plan, Plans
from pipeline.cameras.record import CameraRecord, RecordError
from tests.clock import Clock

LINK = "rtsp://192.168.1.20/stream1"


def test_a_record_says_who_labels_a_camera_and_how_soon() -> None:
    plans = Plans(["imagenet_1", "emonet_2"])

    plans.set("door", CameraRecord(link=LINK))
    plans.set("yard", CameraRecord(link=LINK, models=["emonet_2"], deadline=0.5, weight=3))
    plans.set("preview-0123456789abcdef", CameraRecord(link=LINK, until=1))
    plans.set("hall", None)

    assert plans.get("door") == plans.get("hall") == Plan(None, math.inf, 1.0)
    assert plans.get("yard") == Plan(frozenset(["emonet_2"]), 0.5, 3.0)
    assert plans.get("preview-0123456789abcdef") == Plan(frozenset())
    assert [plans.weight(camera) for camera in ("yard", "door", "invented")] == [3, 1, 1]
    assert plans.get("invented") is None
    assert plans.trouble() is None

    plans.remove("yard")
    assert plans.get("yard") is None


def test_unknown_models_are_reported_until_the_record_changes(caplog: pytest.LogCaptureFixture) -> None:
    plans = Plans(["imagenet_1", "emonet_2"])
    wrong = "camera door: expected models of MODELURLS (emonet_2, imagenet_1), found resnet_9 in its record"

    plans.set("door", CameraRecord(link=LINK, models=["resnet_9", "imagenet_1"]))
    plans.set("yard", CameraRecord(link=LINK, models=["x"]))
    both = plans.trouble()
    plans.remove("yard")
    one = plans.trouble()
    plans.set("door", CameraRecord(link=LINK, models=["imagenet_1"]))

    assert both == f"{wrong} (and 1 more cameras)"
    assert one == wrong
    assert plans.trouble() is None
    assert caplog.messages[0] == wrong
    assert len(caplog.messages) == 2


def test_cameras_keep_their_places_until_they_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("consumer.cameras.time", clock)
    configured: list[list[str]] = []
    forgotten: list[str] = []
    plans = Plans([])
    cameras = Cameras(
        plans, configure=lambda names: configured.append(sorted(names)), forget=forgotten.append
    )
    topic: dict[str, CameraRecord | RecordError] = {}

    def step() -> None:
        cameras.step(topic)
        clock.sleep(1)

    def change(name: str, record: CameraRecord | RecordError | None) -> None:
        if record is None:
            del topic[name]
        else:
            topic[name] = record
        cameras.take(name, record)

    change("door", CameraRecord(link=LINK))
    change("yard", RecordError("bad_value", "link: is missing"))
    step()
    step()
    change("door", None)
    step()

    assert configured == [["door", "yard"], ["yard"]]
    assert forgotten == ["door"]
    assert plans.get("door") is None
    assert plans.get("yard") == Plan()
