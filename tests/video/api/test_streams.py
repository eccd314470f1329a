"""The list of streams."""

import pytest

from tests.video.api.conftest import Api
from tests.video.streams.inferred.fakes import one_model, plain, two_models

PATHS = ("/api/streams", "/api/stream")


@pytest.mark.parametrize("path", PATHS)
def test_there_are_none_without_cameras_or_models(api: Api, path: str) -> None:
    api.show(plain()._replace(predictions=()))

    assert api.json(path) == {"streams": []}


@pytest.mark.parametrize("path", PATHS)
def test_each_model_of_each_camera_has_one(api: Api, path: str) -> None:
    api.show(two_models(camera="yard"), one_model(camera="a:b/c"))

    assert api.json(path) == {
        "streams": ["a%3Ab%2Fc:imagenet_1:inferred", "yard:imagenet_1:inferred", "yard:emonet_2:inferred"]
    }


def test_what_cannot_be_separated_is_left_out_with_the_reason_and_the_rest_stays(api: Api) -> None:
    api.show(one_model(), two_models(camera="yard")._replace(covered=b""))

    answer = api.json("/api/streams")

    assert answer["streams"] == ["door:imagenet_1:inferred"]
    assert [each["stream"] for each in answer["left_out"]] == [
        "yard:imagenet_1:inferred",
        "yard:emonet_2:inferred",
    ]
    assert all("consumer" in each["reason"] for each in answer["left_out"])


def test_a_visitor_sees_the_streams_of_the_cameras_that_may_be_seen(api: Api) -> None:
    api.show(one_model(), one_model(camera="yard"), two_models(camera="attic")._replace(covered=b""))
    api.guest.hidden = {"door", "attic"}

    assert api.json("/api/streams") == {"streams": ["yard:imagenet_1:inferred"]}


def test_a_silent_camera_has_none_until_it_is_back(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.show(one_model())
    camera = api.cameras.get("door")
    assert camera is not None

    monkeypatch.setattr(camera, "state", "no-signal")
    silent = api.json("/api/streams")
    monkeypatch.undo()

    assert silent == {"streams": []}
    assert api.json("/api/streams") == {"streams": ["door:imagenet_1:inferred"]}
